"""The command line of `up`."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omma import env

ROOT = Path(__file__).resolve().parents[3]
CAMERAS = "OMMA_CAMERAS"


@dataclass(frozen=True, slots=True)
class TreeOptions:
    """Where Omma listens, where it writes, and which cameras it is given."""

    host: str
    port: int
    data_dir: Path
    cameras: tuple[str, ...] = ()
    virtual: tuple[str, ...] = ()
    has_demo: bool = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags; their defaults are the environment's."""
    parser.add_argument("--host", help="where the web listens (OMMA_HOST, 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the web's port (OMMA_PORT, 8000); 0 takes a free one")
    parser.add_argument("--data-dir", type=Path, help="everything that Omma writes (OMMA_DATA_DIR, ./var)")
    parser.add_argument(
        "--camera",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="add a camera: rtsp://…, http://…, a video file or /dev/video0; may be repeated",
    )
    parser.add_argument(
        "--virtual",
        action="append",
        default=[],
        metavar="KIND",
        help="add a synthetic camera; may be repeated",
    )
    parser.add_argument("--no-demo", action="store_true", help="add no demo cameras (OMMA_DEMO=0)")


def read_options(values: argparse.Namespace) -> TreeOptions:
    """Return the options, with what was not given taken from the environment."""
    return TreeOptions(
        host=values.host or env.read_text("OMMA_HOST", "127.0.0.1"),
        port=env.read_int("OMMA_PORT", 8000) if values.port is None else values.port,
        data_dir=(values.data_dir or env.read_path("OMMA_DATA_DIR", ROOT / "var")).expanduser().absolute(),
        cameras=tuple(map(_from_here, (*values.camera, *env.read_lines(CAMERAS)))),
        virtual=tuple(values.virtual),
        has_demo=env.read_bool("OMMA_DEMO", default=True) and not values.no_demo,
    )


def to_arguments(options: TreeOptions) -> list[str]:
    """Return the options as a command line; not the cameras, as everybody may read it."""
    arguments = ["--host", options.host, "--port", str(options.port), "--data-dir", str(options.data_dir)]
    arguments += [part for kind in options.virtual for part in ("--virtual", kind)]
    return arguments if options.has_demo else [*arguments, "--no-demo"]


def cameras_in_environment(environment: Mapping[str, str], cameras: Sequence[str]) -> dict[str, str]:
    """Return the environment with these cameras, and without where they were read from."""
    told = {CAMERAS, f"{CAMERAS}_FILE", "CAMERA", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"}
    kept = {name: value for name, value in environment.items() if name not in told}
    return kept | ({CAMERAS: "\n".join(cameras)} if cameras else {})


def _from_here(address: str) -> str:
    """Return a path as an absolute one: what reads it runs in another folder."""
    is_path = (
        not address.startswith("synthetic:") and "://" not in address and not address.startswith("file:")
    )
    return str(Path(address).expanduser().absolute()) if address and is_path else address
