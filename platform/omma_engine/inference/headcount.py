"""An analytic that counts: from the boxes of each picture to news of crowds."""

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from typing import Any

from omma_engine.inference.counting import Counter, CountingSpec, CountMoment, CountPhase
from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.messages import HostNewsKind, ResultNews
from omma_engine.inference.pictures import ImageShape, PictureStore
from omma_engine.inference.places import Places, standing_point
from omma_engine.track.lives import NumberedBox

News = dict[str, Any]


class Headcount:
    """Counts for one analytic, and says what came of it. Used by the analysing thread only."""

    def __init__(self, spec: CountingSpec, *, places: Places, pictures: PictureStore) -> None:
        self._spec = spec
        self._counter = Counter(spec)
        self._places = places
        self._pictures = pictures
        self._size_wh = (0, 0)

    def observe(self, picture: PictureToAnalyse, boxes: Sequence[NumberedBox]) -> Iterator[News]:
        """Take the boxes that count in one picture."""
        self._size_wh = picture.size_wh
        for moment in self._counter.observe(picture.capture_us, len(boxes)):
            yield self._news(moment, boxes, picture)

    def finish(self) -> Iterator[News]:
        """End what lasts."""
        for moment in self._counter.finish():
            yield self._news(moment, (), None)

    def _news(
        self, moment: CountMoment, boxes: Sequence[NumberedBox], picture: PictureToAnalyse | None
    ) -> News:
        feet = [standing_point(box.box.label, box.box_norm) for box in boxes]
        zones = Tally(name for foot in feet for name in self._places.zones_at(foot))
        news: ResultNews = {
            "kind": HostNewsKind.RESULT,
            "phase": moment.phase,
            "event_id": str(moment.event_id),
            "start_us": moment.start_us,
            "at_us": moment.at_us,
            "count": moment.count,
            "highest": moment.highest,
            "counts": dict(Tally(box.box.label for box in boxes)),
            "regions": [{"name": name, "count": zones[name]} for name in self._places.names],
            "width": self._size_wh[0],
            "height": self._size_wh[1],
            "coordinates": [[round(x, 4), round(y, 4)] for x, y in feet] if self._spec.coordinates else [],
            "image": self._image(moment, picture),
            "is_told": moment.is_told,
        }
        return {**news}

    def _image(self, moment: CountMoment, picture: PictureToAnalyse | None) -> str:
        is_wanted = self._spec.overview and (moment.is_told or moment.phase is CountPhase.START)
        if picture is None or not is_wanted:
            return ""
        shape = ImageShape(self._spec.image_format, self._spec.image_quality, self._spec.image_max_px)
        return self._pictures.save_overview(moment.event_id, moment.at_us, picture.picture, shape)
