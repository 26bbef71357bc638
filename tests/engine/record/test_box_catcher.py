"""Whatever pieces FFmpeg writes, whole boxes come out."""

import pytest

from omma_engine.record.muxer import _BoxCatcher

BOXES = [(b"moof", b"index"), (b"mdat", bytes(range(256)) * 3), (b"free", b""), (b"moof", b"another")]


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


@pytest.mark.parametrize("chunk_bytes", [1, 3, 8, 13, 100, 256, 10_000])
def test_boxes_are_cut_where_they_end(chunk_bytes: int) -> None:
    written = b"".join(box(*each) for each in BOXES)
    caught: list[tuple[bytes, bytes]] = []
    catcher = _BoxCatcher(lambda kind, pieces: caught.append((kind, b"".join(pieces))))

    for start in range(0, len(written), chunk_bytes):
        chunk = written[start : start + chunk_bytes]
        assert catcher.write(chunk) == len(chunk)

    assert caught == [(kind, box(kind, body)) for kind, body in BOXES]


def test_a_box_that_is_not_whole_is_kept_back() -> None:
    caught: list[bytes] = []
    catcher = _BoxCatcher(lambda kind, _: caught.append(kind))

    catcher.write(box(b"moof", b"index") + box(b"mdat", b"pictures")[:-1])

    assert caught == [b"moof"]
