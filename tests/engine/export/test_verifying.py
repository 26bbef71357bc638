"""An export is verified from its bytes alone, and every way to tamper with it is named."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from omma_engine.export.archive import pack, safe_name
from omma_engine.export.manifest import FORMAT, FileEntry, Manifest, explained_holes, time_text
from omma_engine.export.runs import runs_of
from omma_engine.export.verifying import export_problems
from omma_engine.playback.slices import SegmentSlice, select_footage
from omma_engine.types import Fragment

START_US = 1_790_000_000_000_000
SECOND_US = 1_000_000


def entry(number: int, content: bytes) -> FileEntry:
    start_us = START_US + number * 10 * SECOND_US
    return FileEntry(
        name=f"camera/{number}.mp4", stream="s", stream_name="main", camera="c", camera_name="Door",
        start=time_text(start_us), end=time_text(start_us + 10 * SECOND_US), clock="rtcp", error_us=5,
        codec="h264", width=2, height=2, size=len(content), sha256=hashlib.sha256(content).hexdigest(),
        is_intact=True, segments=[],
    )  # fmt: skip


@pytest.fixture
def export(tmp_path: Path) -> Path:
    contents = [b"first " * 100, b"second " * 100]
    sources = [tmp_path / "1", tmp_path / "2"]
    for source, content in zip(sources, contents, strict=True):
        source.write_bytes(content)
    manifest = Manifest(
        format=FORMAT, export="e", name="", created=time_text(START_US), created_by="",
        start=time_text(START_US), end=time_text(START_US + 20 * SECOND_US), streams=[{"stream": "s"}],
        files=[entry(number, content) for number, content in enumerate(contents)], gaps=[],
    )  # fmt: skip
    assert pack(tmp_path / "export.zip", manifest, sources) == (tmp_path / "export.zip").stat().st_size
    return tmp_path / "export.zip"


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> None:
    """Write the zip anew after a change, as somebody would who knows how."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(contents.pop("manifest.json"))
    change(manifest, contents)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**contents, "manifest.json": json.dumps(manifest).encode()}.items():
            archive.writestr(name, content)


def test_what_was_packed_is_as_its_manifest_says(export: Path) -> None:
    assert export_problems(export) == []
    assert not export.with_suffix(".part").exists()


TAMPERED: dict[str, tuple[Callable[[dict[str, Any], dict[str, bytes]], Any], str]] = {
    "other bytes": (
        lambda _, files: files.update({"camera/1.mp4": b"SECOND " * 100}),
        "camera/1.mp4: its SHA-256 is not that of the manifest",
    ),
    "shorter": (
        lambda _, files: files.update({"camera/1.mp4": b"second"}),
        "camera/1.mp4: 6 bytes instead of 700",
    ),
    "left out": (
        lambda _, files: files.pop("camera/0.mp4"),
        "camera/0.mp4: in the manifest, and not in the zip",
    ),
    "put in": (
        lambda _, files: files.update({"more.mp4": b"x"}),
        "more.mp4: in the zip, and not in the manifest",
    ),
    "hidden": (
        lambda manifest, files: (manifest["files"].pop(), files.pop("camera/1.mp4")),
        f"stream s: nothing about {time_text(START_US + 10 * SECOND_US)} "
        f"to {time_text(START_US + 20 * SECOND_US)}",
    ),
    "another format": (
        lambda manifest, _: manifest.update(format="x"),
        "manifest.json: expected the format omma-export-1, got 'x'",
    ),
    "no hash": (
        lambda manifest, _: manifest["files"][0].pop("sha256"),
        "manifest.json: not there, or without 'sha256'",
    ),
    "no time": (
        lambda manifest, _: manifest.update(start="noon"),
        "manifest.json: cannot be read: Invalid isoformat string: 'noon'",
    ),
}


@pytest.mark.parametrize("kind", TAMPERED)
def test_what_differs_is_named(export: Path, kind: str) -> None:
    change, expected = TAMPERED[kind]

    rewrite(export, change)

    assert export_problems(export) == [expected]


def test_a_cut_zip_is_no_export(export: Path) -> None:
    data = export.read_bytes()
    export.write_bytes(data[:-30])
    cut = export_problems(export)
    export.write_bytes(b"")

    assert cut == export_problems(export) == ["this is no whole zip: File is not a zip file"]


def test_each_flipped_byte_of_a_file_is_found(export: Path) -> None:
    data = export.read_bytes()
    for offset in range(data.index(b"first"), data.index(b"first") + 600, 97):
        flipped = bytearray(data)
        flipped[offset] ^= 1
        export.write_bytes(flipped)

        assert [one[:12] for one in export_problems(export)] == ["camera/0.mp4"]


def test_a_disk_that_fails_leaves_no_zip(tmp_path: Path, export: Path) -> None:
    with zipfile.ZipFile(export) as archive:
        manifest = json.loads(archive.read("manifest.json"))

    with pytest.raises(FileNotFoundError):
        pack(tmp_path / "new.zip", manifest, [tmp_path / "1", tmp_path / "not there"])

    assert not list(tmp_path.glob("new.*"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\x00b\n", "ab"),
        ("...", "unnamed"),
        ("x" * 99, "x" * 60),
        ("C:\\x", "C_x"),
    ],
)
def test_names_stay_inside_the_folder_they_are_unpacked_to(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_holes_take_the_first_reason_that_fits() -> None:
    second = SECOND_US
    reasons = [((2 * second, 4 * second), "disk", "torn"), ((0, 9 * second), "camera", "")]

    assert explained_holes((0, 10 * second), [(0, 2 * second), (6 * second, 8 * second)], reasons) == [
        ((2 * second, 4 * second), "disk", "torn"),
        ((4 * second, 6 * second), "camera", ""),
        ((8 * second, 9 * second), "camera", ""),
        ((9 * second, 10 * second), "unexplained", ""),
    ]


def test_files_end_at_holes_changes_and_when_they_are_long_or_large() -> None:
    def slice_at(start_s: int, width: int = 2) -> SegmentSlice:
        fragments = (Fragment(0, 10 * SECOND_US, 100, 1000, is_keyframe=True),)
        return SegmentSlice(
            UUID(int=start_s), Path("/"), f"{start_s:03}", start_s * SECOND_US, 100, 1100, "h264", width, 2,
            fragments,
        )  # fmt: skip

    slices = [slice_at(0), slice_at(10), slice_at(20), slice_at(31), slice_at(41, 4)]
    selection = select_footage(slices, start_us=0, end_us=60 * SECOND_US)

    def starts(**limits: int) -> list[list[int]]:
        return [[one.start_us // SECOND_US for one in run.pieces] for run in runs_of(selection, **limits)]

    assert starts() == [[0, 10, 20], [31], [41]]
    assert starts(max_us=20 * SECOND_US) == [[0, 10], [20], [31], [41]]
    assert starts(max_bytes=1500) == [[0], [10], [20], [31], [41]]
