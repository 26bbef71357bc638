"""The ledger survives copying in its SEI, and re-encoding in its pixels."""

from dataclasses import replace
from pathlib import Path

import av

from tests.farm import CameraSpec, Farm, LedgerEntry, entries_of_file, entry_of_packet
from tests.farm.ledger import codes_of_file, entry_nal
from tests.farm.nal import join_annex_b, split_annex_b, unit_of
from tests.farm.reading import open_stream

SMALL = CameraSpec(width=320, height=180, fps=30, gop_s=0.5)


def record(url: str, path: Path, *, count: int) -> None:
    """Copy pictures into an MP4 without decoding them."""
    with open_stream(url) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if number == count:
                break
            packet.pts = packet.dts = number * 3000
            packet.stream = stream
            target.mux(packet)


def test_a_copied_file_holds_the_entries_that_were_emitted(tmp_path: Path) -> None:
    with Farm([SMALL, replace(SMALL, codec="hevc", mode="loop", loop_s=1)]) as farm:
        for number in (0, 1):
            path = tmp_path / f"{number}.mp4"
            record(farm.url(number), path, count=20)

            entries = entries_of_file(path)

            made = {each.sequence: each.utc_us for each in farm.camera(number).ledger()}
            first = entries[0].sequence
            assert entries == [LedgerEntry(number, n, made[n]) for n in range(first, first + 20)]
        codes = list(codes_of_file(tmp_path / "0.mp4"))
        copied = entries_of_file(tmp_path / "0.mp4")

    assert [LedgerEntry(c.stream_id, c.counter, c.utc_us) for c in codes if c is not None] == copied


def test_an_entry_needs_no_emulation_prevention() -> None:
    for codec in ("h264", "hevc"):
        entry = LedgerEntry(65_535, 2**32, 1_795_262_400_000_000)

        nal = entry_nal(codec, entry)

        assert b"\x00" not in nal
        assert split_annex_b(join_annex_b((nal, nal))) == [nal, nal]
        assert entry_of_packet(join_annex_b((nal,))) == entry


def test_a_packet_without_an_entry_has_none() -> None:
    assert entry_of_packet(b"\x00\x00\x00\x01\x06\x05\x04abcd\x80") is None


def test_a_unit_keeps_parameters_and_slices_and_leaves_out_the_encoders_own_words() -> None:
    sps, pps, aud, sei, idr = b"\x67\x42\x00", b"\x68\xce", b"\x09\xf0", b"\x06\x05\x00\x80", b"\x65\x88\x84"

    unit = unit_of(b"\x00\x00\x00\x01".join([b"", aud, sps, pps, sei]) + b"\x00\x00\x01" + idr, "h264", 4)

    assert (unit.parameter_sets, unit.slices, unit.is_keyframe, unit.order) == ((sps, pps), (idr,), True, 4)
