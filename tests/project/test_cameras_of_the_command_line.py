"""Addresses of cameras hold passwords, and everybody on a machine may read command lines."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from omma.tree.options import add_arguments, cameras_in_environment, read_options, to_arguments

ADDRESS = "rtsp://viewer:s3cret@camera.local/main"


def test_no_command_line_shows_a_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    options = read_options(parser.parse_args(["--camera", ADDRESS, "--camera", "synthetic:yard"]))

    environment = cameras_in_environment({"CAMERA": ADDRESS, "MAKEFLAGS": ADDRESS, "A": "b"}, options.cameras)

    assert not any("s3cret" in argument for argument in to_arguments(options))
    assert environment == {"A": "b", "OMMA_CAMERAS": f"{ADDRESS}\nsynthetic:yard"}
    monkeypatch.setenv("OMMA_CAMERAS", environment["OMMA_CAMERAS"])
    assert read_options(parser.parse_args([])).cameras == options.cameras


def test_members_are_told_no_camera() -> None:
    assert cameras_in_environment({"OMMA_CAMERAS": ADDRESS, "OMMA_CAMERAS_FILE": "/x"}, ()) == {}


def test_a_path_means_the_folder_where_it_was_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    monkeypatch.chdir(tmp_path)

    assert read_options(parser.parse_args(["--camera", "a video.mp4"])).cameras == (
        str(tmp_path / "a video.mp4"),
    )
