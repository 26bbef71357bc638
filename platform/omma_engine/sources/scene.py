"""A synthetic scene: a quiet place, through which a drawn person walks every now and then."""

from datetime import UTC, datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from omma_engine.sources.backdrop import draw_backdrop
from omma_engine.sources.figure import Clothes, Pose, draw_person
from omma_engine.sources.pixel_code import PixelCode, draw_code
from omma_engine.sources.scene_options import VARIANTS, SceneOptions

_VISIT_EVERY_S = 40.0  # longer than a visit with its pre-roll and post-roll: each is a recording of its own
_FIRST_VISIT_S = 3.0
_CROSSING_S = 9.0
_PAUSE_S = 3.0  # the person stops half way
_STRIDE = 0.55  # of the person's height, per stride
_PERSON_HEIGHT = 0.40  # of the picture's height
_GROUND = {"yard": 0.90, "room": 0.93}

_DARK_SHOES = (24, 24, 28)
_WARDROBE = (
    Clothes((52, 38, 30), (46, 40, 38), _DARK_SHOES, skin=(150, 178, 214), hair=(32, 36, 44)),
    Clothes((44, 30, 92), (58, 44, 34), _DARK_SHOES, skin=(120, 152, 196), hair=(22, 24, 30)),
    Clothes((50, 62, 30), (36, 36, 40), _DARK_SHOES, skin=(160, 186, 222), hair=(30, 54, 84)),
)


class SceneRenderer:
    """Draws one picture of the scene after another, into one buffer."""

    def __init__(self, options: SceneOptions) -> None:
        """Draw the place. Raises `ValueError` for a variant that does not exist."""
        if not options.is_known:
            message = f"expected a scene of {', '.join(VARIANTS)}, got {options.variant!r}"
            raise ValueError(message)
        self._options = options
        self._backdrop = draw_backdrop(options.variant, options.width, options.height, options.seed)
        self._picture = np.empty_like(self._backdrop)

    def render(self, frame_index: int, utc_us: int) -> NDArray[np.uint8]:
        """Return `(H, W, 3)` BGR uint8; the buffer is drawn over by the next call."""
        options, picture = self._options, self._picture
        np.copyto(picture, self._backdrop)
        visit = self._visit_at(frame_index / options.fps)
        if visit is not None:
            draw_person(picture, *visit)
        if options.has_clock:
            self._draw_clock(utc_us)
        if options.has_code:
            draw_code(picture, PixelCode(options.stream_id, frame_index, utc_us))
        return picture

    def has_person(self, frame_index: int) -> bool:
        """Tell whether the person is wholly inside that picture."""
        visit = self._visit_at(frame_index / self._options.fps)
        if visit is None:
            return False
        pose = visit[0]
        half = 0.2 * pose.height
        return half <= pose.x <= self._options.width - half

    def is_empty(self, frame_index: int) -> bool:
        """Tell whether nobody is in that picture, not even in part."""
        return self._visit_at(frame_index / self._options.fps) is None

    def _visit_at(self, second: float) -> tuple[Pose, Clothes] | None:
        options = self._options
        number, since_s = divmod(second - _FIRST_VISIT_S - options.seed % 4 * 5.0, _VISIT_EVERY_S)
        if number < 0 or since_s >= _CROSSING_S + _PAUSE_S:
            return None
        way, is_walking = _way_gone(since_s)
        height = _PERSON_HEIGHT * options.height
        from_x, to_x = -0.2 * height, options.width + 0.2 * height
        backwards = (int(number) + options.seed) % 2 == 1
        x = from_x + (1 - way if backwards else way) * (to_x - from_x)
        steps = way * (to_x - from_x) / (_STRIDE * height)
        pose = Pose(x, _GROUND[options.variant] * options.height, height, steps, 1.0 if is_walking else 0.0)
        return pose, _WARDROBE[(int(number) + options.seed) % len(_WARDROBE)]

    def _draw_clock(self, utc_us: int) -> None:
        moment = datetime.fromtimestamp(utc_us // 1_000_000, UTC)
        text = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
        scale = min(0.5, self._options.width / 1280)
        (text_width, text_height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        # at the bottom, away from the pixel code: a text below a pattern can look like a person to HOG
        place = (self._options.width - text_width - 8, self._options.height - text_height // 2 - 4)
        for color, thickness in (((40, 40, 40), 3), ((255, 255, 255), 1)):
            cv2.putText(
                self._picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, color, thickness, cv2.LINE_AA
            )


def _way_gone(since_s: float) -> tuple[float, bool]:
    """Return the share of the way that is behind the person, and whether they walk just now."""
    half = _CROSSING_S / 2
    if since_s < half:
        return since_s / _CROSSING_S, True
    if since_s < half + _PAUSE_S:
        return 0.5, False
    return (since_s - _PAUSE_S) / _CROSSING_S, True
