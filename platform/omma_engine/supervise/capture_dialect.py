"""How capture children are spoken to: one source per child (`omma_engine.capture.messages` is the wire)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from omma_engine.capture.messages import NewsKind
from omma_engine.capture.spec import encode_spec, encode_volumes
from omma_engine.errors import SourceUnreachableError
from omma_engine.ids import uuid7
from omma_engine.ports import Claimable, NewsItem
from omma_engine.supervise.dialect import Assignment, Line, Trouble
from omma_engine.types import GapCause, RecordMode, SourceSpec, SourceState, VolumeSpec

FROM_ABOVE = -1  # the sequence of news that the supervisor makes: in no journal, never acknowledged
PARKED = "parked"
_RECORDED = {NewsKind.SEGMENT_PROGRESS, NewsKind.SEGMENT_CLOSE}
_CAUSES = {PARKED: GapCause.WORKER, SourceUnreachableError.code: GapCause.NETWORK}


class CaptureDialect:
    """The words for capture children."""

    def __init__(
        self,
        make_spec: Callable[[Claimable], SourceSpec],
        modes: Callable[[Claimable], Iterable[tuple[str, str]]],
        volumes: Callable[[Claimable], Sequence[VolumeSpec]] | None = None,
        recorded_until: Callable[[UUID], int] | None = None,
    ) -> None:
        """`make_spec` opens secrets and checks the address; it may take a while and raise `EngineError`.

        `modes` tells each stream's id and record mode, `volumes` where the source's streams go, the wanted
        one first; both change without a restart. `recorded_until` tells up to when there was
        footage of a source when it was claimed, in UTC microseconds.
        """
        self._make_spec = make_spec
        self._modes = modes
        self._volumes = volumes or _no_volumes
        self._recorded_until = recorded_until or _since_ever
        self._told_until: dict[UUID, int] = {}

    def prepare(self, item: Claimable) -> SourceSpec:
        return self._make_spec(item)

    def child_key(self, item: Claimable, payload: SourceSpec) -> str:
        return str(item.object_id)

    def add(self, assignment: Assignment) -> Line:
        object_id = assignment.object_id
        return {
            "do": "start",
            "spec": encode_spec(assignment.payload),
            "epoch": assignment.epoch,
            "not_before_us": max(self._told_until.get(object_id, 0), self._recorded_until(object_id)),
        }

    def remove(self, object_id: UUID) -> Line | None:
        return None

    def adjust(self, before: Claimable, after: Claimable) -> list[Line]:
        modes: dict[str, str] = dict(self._modes(before))
        lines: list[Line] = [
            {"do": "mode", "stream_id": stream_id, "mode": mode}
            for stream_id, mode in self._modes(after)
            if modes.get(stream_id) != mode
        ]
        volumes = self._volumes(after)
        if volumes and volumes != self._volumes(before):
            told = encode_volumes(volumes)
            lines += [
                {"do": "volumes", "stream_id": stream_id, "volumes": told}
                for stream_id, _ in self._modes(after)
            ]
        return lines

    def news(self, line: Line, assignments: dict[UUID, int]) -> NewsItem | None:
        sequence, payload = line.get("sequence"), line.get("payload")
        if not isinstance(sequence, int) or not isinstance(payload, dict):
            return None
        for object_id, epoch in assignments.items():
            if payload.get("kind") in _RECORDED:
                until_us = max(self._told_until.get(object_id, 0), int(payload["end_us"]))
                self._told_until[object_id] = until_us
            return NewsItem(object_id, epoch, sequence, payload)
        return None

    def ack(self, item: NewsItem) -> Line:
        return {"do": "ack", "sequence": item.sequence}

    def trouble(self, item: Claimable, trouble: Trouble, *, epoch: int, at_us: int) -> list[NewsItem]:
        """Say how the source is; where it has failed, a gap begins in each stream that should be recorded."""
        state: dict[str, Any] = {
            "kind": NewsKind.STATE.value,
            "source_id": str(item.object_id),
            "state": (SourceState.LIVE if trouble.is_running else SourceState.FAILED).value,
            "code": trouble.code,
            "detail": trouble.detail,
            "at_us": at_us,
        }
        gaps = [
            _gap(stream_id, trouble, at_us=at_us)
            for stream_id, mode in self._modes(item)
            if mode != RecordMode.OFF and not trouble.is_running
        ]
        return [NewsItem(item.object_id, epoch, FROM_ABOVE, payload) for payload in (state, *gaps)]


def _since_ever(_object_id: UUID) -> int:
    return 0


def _no_volumes(_item: Claimable) -> Sequence[VolumeSpec]:
    return ()


def _gap(stream_id: str, trouble: Trouble, *, at_us: int) -> dict[str, Any]:
    return {
        "kind": NewsKind.GAP.value,
        "gap_id": str(uuid7(at_us // 1000)),
        "stream_id": stream_id,
        "start_us": at_us,
        "end_us": None,
        "cause": _CAUSES.get(trouble.code, GapCause.CAMERA).value,
        "detail": trouble.detail,
    }


def zygote_command(python: str, *, publisher: str, bus_url: str, data_dir: str) -> Callable[[int], list[str]]:
    """Return what makes a zygote's argument list from its control descriptor."""

    def command(control_fd: int) -> list[str]:
        options = _common_options(publisher=publisher, bus_url=bus_url, data_dir=data_dir)
        return [python, "-m", "omma_engine.capture.zygote", "--control-fd", str(control_fd), *options]

    return command


def child_command(
    python: str, *, publisher: str, bus_url: str, data_dir: str
) -> Callable[[str, Any, int], list[str]]:
    """Return what makes an exec'd child's argument list (raw kinds) from its line's descriptor."""

    def command(key: str, payload: Any, socket_fd: int) -> list[str]:
        del key, payload  # the child reads them from its line
        options = _common_options(publisher=publisher, bus_url=bus_url, data_dir=data_dir)
        return [python, "-m", "omma_engine.capture.child", "--socket-fd", str(socket_fd), *options]

    return command


def _common_options(*, publisher: str, bus_url: str, data_dir: str) -> list[str]:
    return ["--publisher", publisher, "--bus-url", bus_url, "--data-dir", data_dir]
