"""A stream's way in without a thread: footage is read when asked, and no picture is dropped."""

from uuid import UUID

from omma_engine.inference.feed import OpenReader, StreamFeed
from omma_engine.inference.frames import PictureQueue, PictureToAnalyse
from omma_engine.inference.offline.reader import FootageReader
from omma_engine.ports import DemandLevel


class _WholeQueue(PictureQueue):
    """Holds every picture of a batch; who puts them in takes them out before the next batch."""

    def put(self, item: PictureToAnalyse, *, wait_s: float = 0.0) -> None:
        with self._has_room:
            self._items.append(item)


class FootageFeed(StreamFeed):
    """Turns recorded packets into the pictures that a live feed would give. Used by one thread.

    1. `take_batch` reads a fifth of a second; 2. its pictures are analysed; 3. `choose` says whether the next
    batch is read by keyframes or as a whole. So nothing depends on how fast the machine is.
    """

    def __init__(self, stream_id: UUID, *, open_reader: OpenReader, on_picture: object) -> None:
        super().__init__(stream_id, open_reader=open_reader, on_picture=lambda: None)
        self.queue = _WholeQueue()
        self._reader = open_reader(stream_id, DemandLevel.KEYFRAMES)

    @property
    def reader(self) -> FootageReader:
        """Return what it reads from."""
        assert isinstance(self._reader, FootageReader)  # noqa: S101 (the only one that is opened here)
        return self._reader

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has happened for a while."""
        return not self.activity.is_awake(self.last_capture_us)

    def start(self) -> None:
        """Nothing runs by itself."""

    def request_stop(self) -> None:
        """Nothing runs by itself."""

    def stop(self, timeout_s: float = 0.0) -> None:
        """Close the file that is being read."""
        self._reader.close()

    def take_batch(self) -> bool:
        """Read on; tell whether there is more to come."""
        for item in self._reader.read(0.0):
            self._take(item)
        return not self.reader.is_done

    def choose(self) -> None:
        """Say what is wanted of the next batch."""
        self._choose_level(self._reader)
