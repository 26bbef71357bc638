"""News become rows once, under the fence, and every hole is explained."""

from typing import Any

import pytest

from apps.accounts.models import Account
from apps.core.models import Outbox
from apps.streams.models import Gap, Segment, Source, Stream, StreamLog, Volume
from apps.streams.sinks import CaptureSink
from apps.streams.volumes import ensure_default_volume
from omma_engine.ids import uuid7
from omma_engine.ports import NewsItem
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import FRAGMENT_BYTES, INIT_BYTES, Life, at, own, us
from tests.factories import make_account

BLOCK = 5


@pytest.fixture
def sink() -> CaptureSink:
    return CaptureSink()


@pytest.fixture
def home(db: Any, data_dir: Any) -> Account:
    ensure_default_volume()
    return make_account()


@pytest.fixture
def stream(home: Account) -> Stream:
    """Return a stream that began to exist at START, owned by block 5."""
    stream = add_stream(home, "synthetic:yard")
    Stream.objects.filter(id=stream.id).update(created_at=at(0))
    own(stream, BLOCK)
    stream.refresh_from_db()
    return stream


def life_of(stream: Stream, block: int = BLOCK, number: int = 1) -> Life:
    return Life(stream, Volume.objects.get(), (block << 20) + number)


def segments_of(stream: Stream) -> list[tuple[Any, Any, str, int]]:
    rows = Segment.objects.filter(stream=stream).order_by("start")
    return [(row.start, row.end, row.state, len(row.fragments)) for row in rows]


def gaps_of(stream: Stream) -> list[tuple[Any, Any, str]]:
    return list(Gap.objects.filter(stream=stream).order_by("start").values_list("start", "end", "cause"))


@pytest.mark.fault("F6", "F16")
def test_damaged_pictures_and_the_cameras_clock_stand_in_the_row(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)
    news = life.whole(1, 0, 2)
    news[-1].payload.update(damaged_pictures=3, camera_offset_us=-50_400_000_000)

    sink.commit(news)

    row = Segment.objects.get()
    assert (row.damaged_pictures, row.camera_offset_us) == (3, -50_400_000_000)
    assert not row.is_damaged  # it is as it was recorded


def test_a_segment_grows_and_closes(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)

    assert sink.commit([life.opens(1, 0), life.grows(1, 0, 2)]) == set()
    row = Segment.objects.get()
    assert (row.state, row.durable_bytes, row.end) == ("open", INIT_BYTES + 2 * FRAGMENT_BYTES, at(2))
    assert (row.clock, row.error_us) == ("rtcp", 30_000)

    sink.commit([life.grows(1, 2, 4)])
    sink.commit([life.closes(1, 4)])
    row = Segment.objects.get()
    assert (row.state, row.sha256, row.end) == ("closed", "ab" * 32, at(4))
    assert [fragment[0] for fragment in row.fragments] == [0, 1_000_000, 2_000_000, 3_000_000]
    assert (row.account_id, row.camera_id) == (stream.account_id, stream.camera_id)


def test_a_replay_changes_nothing(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)
    gap_id = str(uuid7())
    news = [
        life.state("live", 0),
        *life.whole(1, 0, 4),
        life.gap(4, None, gap_id=gap_id),
        life.gap(4, 9, gap_id=gap_id),
        *life.whole(2, 9, 3),
    ]
    sink.commit(news)
    before = (segments_of(stream), gaps_of(stream), StreamLog.objects.count(), Outbox.objects.count())

    for item in news:
        sink.commit([item])
    sink.commit(news[1:3])

    assert before == (segments_of(stream), gaps_of(stream), StreamLog.objects.count(), Outbox.objects.count())
    assert gaps_of(stream) == [(at(4), at(9), "network")]


def test_news_of_an_older_block_are_fenced_out(sink: CaptureSink, stream: Stream) -> None:
    old, new = life_of(stream, BLOCK - 1), life_of(stream)

    fenced = sink.commit([*old.whole(1, 0, 4), *new.whole(1, 4, 4)])

    assert fenced == {stream.source_id}
    assert Segment.objects.count() == 0


def test_another_life_in_the_same_block_is_not_fenced(sink: CaptureSink, stream: Stream) -> None:
    first, second = life_of(stream), life_of(stream, number=2)

    assert sink.commit([*first.whole(1, 0, 4), *second.whole(1, 5, 4)]) == set()

    assert [row[:2] for row in segments_of(stream)] == [(at(0), at(4)), (at(5), at(9))]
    assert gaps_of(stream) == [(at(4), at(5), "worker")]


def test_one_sources_bad_news_do_not_hold_up_the_others(
    sink: CaptureSink, stream: Stream, home: Account, caplog: pytest.LogCaptureFixture
) -> None:
    other = add_stream(home, "synthetic:room")
    own(other, BLOCK)
    broken = NewsItem(other.source_id, (BLOCK << 20) + 1, 1, {"kind": "segment_open"})

    sink.commit([broken, *life_of(stream).whole(1, 0, 4)])

    assert Segment.objects.get().stream_id == stream.id
    assert f"news of source {other.source_id} cannot be kept" in caplog.text


def test_news_of_a_removed_camera_are_dropped(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)
    news = [life.state("live", 0), *life.whole(1, 0, 4), life.gap(4, 5)]
    stream.camera.delete()

    assert sink.commit(news) == set()
    assert Segment.objects.count() == Gap.objects.count() == 0


def test_the_time_before_the_first_picture_is_explained(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)

    sink.commit([life.gap(1, None, "network")])
    sink.commit([life.opens(1, 6), life.grows(1, 0, 2)])

    assert gaps_of(stream) == [(at(0), at(1), "planned"), (at(1), at(6), "network")]


def test_a_hole_inside_a_life_that_it_did_not_explain_is_the_cameras(
    sink: CaptureSink, stream: Stream
) -> None:
    life = life_of(stream)

    sink.commit([*life.whole(1, 0, 4), *life.whole(2, 6, 4)])

    assert gaps_of(stream) == [(at(4), at(6), "camera")]


def test_a_gap_that_a_dead_child_left_open_ends_where_recording_begins(
    sink: CaptureSink, stream: Stream
) -> None:
    first, second = life_of(stream), life_of(stream, number=2)
    sink.commit([*first.whole(1, 0, 4), first.gap(4, None, "network")])

    sink.commit([second.opens(1, 20), second.grows(1, 0, 1)])

    assert gaps_of(stream) == [(at(4), at(20), "network")]


def test_footage_that_was_recovered_takes_its_time_back_from_the_gap(
    sink: CaptureSink, stream: Stream
) -> None:
    first, second = life_of(stream), life_of(stream, number=2)
    sink.commit([first.opens(1, 0), first.grows(1, 0, 4)])
    sink.commit([second.opens(1, 9), second.grows(1, 0, 1)])
    assert gaps_of(stream) == [(at(4), at(9), "worker")]

    sink.commit([first.grows(1, 0, 6), first.closes(1, 6, state="recovered")])

    assert segments_of(stream)[0] == (at(0), at(6), "recovered", 6)
    assert gaps_of(stream) == [(at(6), at(9), "worker")]


def test_old_news_fill_only_what_nothing_newer_covers(sink: CaptureSink, stream: Stream) -> None:
    old, new = life_of(stream, BLOCK - 1), life_of(stream)
    own(stream, BLOCK - 1)
    sink.commit([old.opens(1, 0), old.grows(1, 0, 2)])
    own(stream, BLOCK)
    sink.commit([new.opens(1, 10), new.grows(1, 0, 5)])
    assert gaps_of(stream) == [(at(2), at(10), "worker")]

    # The old owner went on until second 12, unheard: 8 of its 12 seconds are news, 2 are covered.
    sink.fill([old.grows(1, 2, 8), old.closes(1, 8), *old.whole(2, 8, 4), *old.whole(3, 12, 2)])

    assert [row[:2] for row in segments_of(stream)] == [(at(0), at(8)), (at(8), at(10)), (at(10), at(15))]
    assert gaps_of(stream) == []
    cut = Segment.objects.get(start=at(8))
    assert cut.durable_bytes == INIT_BYTES + 2 * FRAGMENT_BYTES
    assert len(cut.fragments) == 2


def test_what_an_owner_recorded_while_handing_over_is_cut_where_the_next_begins(
    sink: CaptureSink, stream: Stream
) -> None:
    old, new = life_of(stream, BLOCK - 1), life_of(stream)
    sink.fill([*old.whole(1, 0, 6), *old.whole(2, 6, 3)])

    sink.commit([new.opens(1, 4.5), new.grows(1, 0, 5)])

    assert segments_of(stream)[:2] == [(at(0), at(4.5), "closed", 5), (at(4.5), at(9.5), "open", 5)]
    assert Segment.objects.get(start=at(6)).state == "garbage"
    assert gaps_of(stream) == []


def test_filling_twice_changes_nothing(sink: CaptureSink, stream: Stream) -> None:
    old, new = life_of(stream, BLOCK - 1), life_of(stream)
    sink.commit([new.opens(1, 10), new.grows(1, 0, 5)])
    news = [*old.whole(1, 0, 6), *old.whole(2, 8, 4)]
    sink.fill(news)
    before = (segments_of(stream), gaps_of(stream))

    sink.fill(news)
    sink.fill(news[3:])

    assert (segments_of(stream), gaps_of(stream)) == before
    assert gaps_of(stream) == [(at(6), at(8), "planned")]


def test_a_state_is_shown_logged_and_told_once(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)
    Outbox.objects.all().delete()

    sink.commit(
        [
            life.state("connecting", 0),
            life.state("live", 1, codec="h264", width=640, height=360, frame_rate=25.0, has_audio=True),
            life.state("reconnecting", 5, code="unreachable", detail="rtsp://admin:secret@cam/ refused"),
        ]
    )

    source = Source.objects.get(id=stream.source_id)
    assert (source.status, source.status_code, source.status_at) == ("reconnecting", "unreachable", at(5))
    assert source.status_detail == "rtsp://***@cam/ refused"
    stream.refresh_from_db()
    assert (stream.codec, stream.width, stream.frame_rate, stream.has_audio) == ("h264", 640, 25.0, True)
    assert list(StreamLog.objects.order_by("id").values_list("status", flat=True)) == [
        "pending",
        "in_progress",
        "failure",
        "restart",
    ]
    told = ["source.updated", "stream.updated"]
    assert list(Outbox.objects.order_by("id").values_list("kind", flat=True)) == [
        *told,
        *("stream.status", *told),
        *("stream.status", "stream.status", *told),
    ]


def test_a_state_that_is_older_than_the_known_one_changes_nothing(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)
    sink.commit([life.state("live", 5)])

    sink.commit([life.state("connecting", 1)])

    assert Source.objects.get(id=stream.source_id).status == "live"


def test_the_next_try_is_told_each_time_and_logged_once(sink: CaptureSink, stream: Stream) -> None:
    life = life_of(stream)
    away = {"code": "unreachable", "detail": "refused"}
    sink.commit([life.state("reconnecting", 1, **away, retry_at_us=us(2))])
    Outbox.objects.all().delete()

    sink.commit([life.state("reconnecting", 2, **away, retry_at_us=us(4))])
    waiting = Source.objects.get(id=stream.source_id).retry_at
    told = list(Outbox.objects.order_by("id").values_list("kind", flat=True))
    sink.commit([life.state("live", 4)])

    assert waiting == at(4)
    assert told == ["source.updated", "stream.updated"]
    assert Source.objects.get(id=stream.source_id).retry_at is None
    words = StreamLog.objects.order_by("id").values_list("status", flat=True)
    assert list(words) == ["pending", "failure", "restart", "in_progress"]
