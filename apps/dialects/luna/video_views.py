"""The addresses of video analytics and its tasks."""

from uuid import UUID

from django.http import JsonResponse

from apps.dialects.luna import schemas, videos
from apps.dialects.luna.answering import Answer, Call
from apps.dialects.luna.bodies import read_body
from apps.dialects.luna.callers import HEADER, account_of_header


def analyse_video(call: Call) -> Answer:
    """Analyse a video: the result, or where to come back for it."""
    body = read_body(call.request, schemas.VIDEOSDK)
    named = account_of_header(call.request, call.caller) if HEADER in call.request.headers else None
    video = videos.begin(call.caller, videos.account_for(call.caller, named), body)
    if not videos.is_deferred(body):
        return videos.result_at_once(call.caller, video)
    url = f"/1/video/tasks/{video.pk}"
    told = {"task_id": str(video.pk), "url": url}
    return JsonResponse(told, status=202, headers={"Location": f"{call.base}{url}"})


def get_task(call: Call, task_id: UUID) -> Answer:
    return videos.represent_task(videos.task_of(call.caller, task_id))


def get_result(call: Call, task_id: UUID) -> Answer:
    return videos.result_of(videos.task_of(call.caller, task_id))
