"""What can be set about the detectors; free of heavy libraries, so that any process may know it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """`min_area` is a share of the picture, `variance` MOG2's threshold in squared sigmas."""

    width: int = 320
    min_area: float = 0.0015
    variance: float = 28.0
    warm_up_pictures: int = 2
    light_change: float = 0.7
    """A change of more of the picture than this is the light (a lamp, infrared, exposure) and no motion."""


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """`max_width` bounds the cost: time grows with its square."""

    max_width: int = 640
    pyramid_step: float = 1.08
    stride_px: int = 8
    overlap: float = 0.35


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """`min_face` is the smallest face as a share of the picture's height."""

    max_width: int = 480
    min_face: float = 0.08
    neighbours: int = 4


@dataclass(frozen=True, slots=True)
class OnnxSettings:
    """`score_floor` is what leaves the detector; an analytic's own threshold comes after it."""

    threads: int = 1
    score_floor: float = 0.1
    overlap: float = 0.5
