"""Addresses of the pages, below `/app/`."""

from django.urls import path

from apps.system.pages import (
    camera_changes,
    cameras,
    events,
    exports,
    health,
    live,
    recordings,
    rules,
    timeline,
)

app_name = "pages"
urlpatterns = [
    path("", live.live, name="live"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("timeline/keep/", timeline.keep_selection, name="keep-selection"),
    path("exports/", exports.exports, name="exports"),
    path("exports/add/", exports.export_add, name="export-add"),
    path("exports/<uuid:export_id>/delete/", exports.export_delete, name="export-delete"),
    path("cameras/", cameras.camera_list, name="cameras"),
    path("cameras/add/", camera_changes.camera_add, name="camera-add"),
    path("cameras/probe/", camera_changes.camera_probe, name="camera-probe"),
    path("cameras/<uuid:camera_id>/", cameras.camera, name="camera"),
    path("cameras/<uuid:camera_id>/edit/", camera_changes.camera_edit, name="camera-edit"),
    path("cameras/<uuid:camera_id>/restart/", camera_changes.camera_restart, name="camera-restart"),
    path("cameras/<uuid:camera_id>/delete/", camera_changes.camera_delete, name="camera-delete"),
    path("streams/<uuid:stream_id>/settings/", camera_changes.stream_settings, name="stream-settings"),
    path("streams/<uuid:stream_id>/record/", recordings.record, name="record"),
    path("analytics/<uuid:analytic_id>/toggle/", camera_changes.analytic_toggle, name="analytic-toggle"),
    path("recordings/", recordings.recordings, name="recordings"),
    path("recordings/<uuid:recording_id>/", recordings.recording, name="recording"),
    path("recordings/<uuid:recording_id>/stop/", recordings.recording_stop, name="recording-stop"),
    path("recordings/<uuid:recording_id>/hold/", recordings.recording_hold, name="recording-hold"),
    path("recordings/<uuid:recording_id>/delete/", recordings.recording_delete, name="recording-delete"),
    path("events/", events.events, name="events"),
    path("rules/", rules.rules, name="rules"),
    path("rules/add/", rules.rule_add, name="rule-add"),
    path("rules/<uuid:rule_id>/", rules.rule, name="rule"),
    path("rules/<uuid:rule_id>/delete/", rules.rule_delete, name="rule-delete"),
    path("system/", health.system, name="system"),
    path("system/jobs/<str:name>/run/", health.job_run, name="job-run"),
]
