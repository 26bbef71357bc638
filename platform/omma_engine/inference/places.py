"""Where in the picture an analytic looks: its regions, for the size of the picture that it sees."""

from omma_engine.detect.motion import MOTION_LABEL
from omma_engine.errors import RegionError
from omma_engine.inference.spec import AnalyticSpec
from omma_engine.rules import Point, Polygon, contains, named
from omma_engine.track.lives import NormBox, foot_point


class Places:
    """The regions of one analytic. They are measured out again when the picture's size changes."""

    def __init__(self, spec: AnalyticSpec) -> None:
        self._regions = spec.regions
        self._names = named(spec.regions)
        self._mask = spec.mask
        self._size_wh = (0, 0)
        self._polygons: list[Polygon] = []

    def measure(self, size_wh: tuple[int, int]) -> None:
        """Take the size of the stream's picture. Raises `RegionError` where a region does not fit into it."""
        if size_wh == self._size_wh:
            return
        for name, region in zip(self._names, self._regions, strict=True):
            problem = region.problem(size_wh)
            if problem:
                raise RegionError(f"region {name}: {problem}")
        self._polygons = [region.in_parts(size_wh) for region in self._regions]
        self._size_wh = size_wh

    def includes(self, point: Point) -> bool:
        """Tell whether the analytic looks there."""
        return not self._polygons or any(contains(polygon, point) for polygon in self._polygons)

    def is_masked(self, point: Point) -> bool:
        """Tell whether motion there is to be ignored."""
        return any(contains(polygon, point) for polygon in self._mask)

    def zones_at(self, point: Point) -> list[str]:
        """Return the names of the regions that a point lies in."""
        pairs = zip(self._names, self._polygons, strict=False)
        return [name for name, polygon in pairs if contains(polygon, point)]

    @property
    def names(self) -> list[str]:
        return self._names


def standing_point(label: str, box_norm: NormBox) -> Point:
    """Return where an object stands: its foot point, or for motion the middle of its box."""
    x1, y1, x2, y2 = box_norm
    return ((x1 + x2) / 2, (y1 + y2) / 2) if label == MOTION_LABEL else foot_point(box_norm)
