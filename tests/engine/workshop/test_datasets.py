"""Datasets from strangers: described by us, and pictures that would fill memory are refused."""

import struct
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from omma_engine.errors import DetectorError, UnsafeArchiveError
from omma_engine.workshop import training

YAML = b"names: [disc, square]\ntrain: images/train\nval: images/val\n"


def png(width: int, height: int) -> bytes:
    """Return a picture that says it is so large, in less than 100 bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(head))
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", 0)
        + b"IEND"
        + struct.pack(">I", zlib.crc32(b"IEND"))
    )


def small() -> bytes:
    return bytes(cv2.imencode(".png", np.zeros((8, 8, 3), dtype=np.uint8))[1])


def dataset(path: Path, description: bytes = YAML, picture: bytes | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shapes/data.yaml", description)
        for part in ("train", "val"):
            archive.writestr(f"shapes/images/{part}/1.png", picture or small())
            archive.writestr(f"shapes/labels/{part}/1.txt", "0 0.5 0.5 0.2 0.2\n")
    return path


def test_a_dataset_is_described_by_us(tmp_path: Path) -> None:
    hostile = YAML + b"download: bash -c 'touch /tmp/pwned'\nnc: 9\n"

    described = training._prepared(dataset(tmp_path / "a.zip", hostile), tmp_path)

    assert described.read_text() == (
        f"path: {tmp_path}/dataset/shapes\ntrain: images/train\nval: images/val\n"
        'names:\n  0: "disc"\n  1: "square"\n'
    )


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        (b"names: [a]\ntrain: ../../etc\nval: images/val\n", "train to be a folder of the dataset"),
        (b"names: [a]\ntrain: /etc\nval: images/val\n", "train to be a folder of the dataset"),
        (b"names: [a]\ntrain: images/none\nval: images/val\n", "no folder 'images/none'"),
        (b"names: []\ntrain: images/train\nval: images/val\n", "names, a list of labels"),
        (b"train: images/train\n", "names, a list of labels"),
        (b"!!python/object/apply:os.system ['true']", "cannot be read"),
        (b"just words", "expected names, train and val"),
        (b"a: &a [x]\n" * 10_000, "short data.yaml"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, description: bytes, problem: str) -> None:
    with pytest.raises(UnsafeArchiveError, match=problem):
        training._prepared(dataset(tmp_path / "a.zip", description), tmp_path)


def test_a_picture_that_would_fill_memory_is_refused_by_its_header(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match="at most 67108864 pixels, got 3600000000"):
        training._prepared(dataset(tmp_path / "a.zip", picture=png(60_000, 60_000)), tmp_path)


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArchiveError, match=r"expected a picture at '1\.png'"):
        training._prepared(dataset(tmp_path / "a.zip", picture=b"#!/bin/sh"), tmp_path)


def test_a_dataset_without_pictures_or_description_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("data.yaml", YAML)
    with pytest.raises(UnsafeArchiveError, match="expected pictures"):
        training._prepared(tmp_path / "a.zip", tmp_path)

    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("1.png", small())
    with pytest.raises(UnsafeArchiveError, match=r"expected a data\.yaml"):
        training._prepared(tmp_path / "b.zip", tmp_path)


def test_an_unknown_architecture_names_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match="expected an architecture of tiny, yolov8n"):
        training._architecture("../../etc/passwd", tmp_path)
