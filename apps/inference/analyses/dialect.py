"""The words that the supervisor and an analysing process exchange."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from apps.core.times import to_us
from apps.inference.analyses.footage import footage_files
from apps.inference.analyses.models import Analysis, AnalysisMode
from omma_engine.errors import EngineError, FootageMissingError
from omma_engine.inference.offline.folders import work_folder
from omma_engine.inference.offline.spec import AnalysisSpec, Checkpoint, encode_analysis, write_footage
from omma_engine.inference.spec import decode_analytic
from omma_engine.ports import Claimable, NewsItem
from omma_engine.supervise.dialect import Assignment, Line, Trouble

_FINAL = {"parked", FootageMissingError.code}
_FOOTAGE = "footage.jsonl"


class AnalysisDialect:
    """A `Dialect`: each analysis has a process of its own, which dies with it."""

    def prepare(self, item: Claimable) -> AnalysisSpec:
        """Write down which files there are now, and look up where to go on."""
        try:
            analysis = Analysis.objects.get(pk=item.object_id)
            path = work_folder(Path(settings.OMMA_DATA_DIR), analysis.pk) / _FOOTAGE
            if not write_footage(path, footage_files(analysis.stream_id, analysis.start, analysis.end)):
                raise FootageMissingError("nothing of this time is recorded any more")
            return _spec_of(analysis, path)
        except (DatabaseError, Analysis.DoesNotExist, OSError) as exc:
            raise EngineError(f"the analysis cannot be prepared: {exc}") from exc
        finally:
            connection.close()  # this thread's own

    def child_key(self, item: Claimable, payload: Any) -> str:
        return str(item.object_id)

    def add(self, assignment: Assignment) -> Line:
        return {"do": "add", "analysis": encode_analysis(assignment.payload), "epoch": assignment.epoch}

    def remove(self, object_id: UUID) -> Line | None:
        return None  # its process stops

    def adjust(self, before: Claimable, after: Claimable) -> list[Line]:
        return []

    def news(self, line: Line, assignments: dict[UUID, int]) -> NewsItem | None:
        try:
            return NewsItem(
                object_id=UUID(line["task_id"]),
                epoch=int(line["epoch"]),
                sequence=int(line["sequence"]),
                payload=dict(line["payload"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def ack(self, item: NewsItem) -> Line:
        return {"do": "ack", "sequence": item.sequence}

    def trouble(self, item: Claimable, trouble: Trouble, *, epoch: int, at_us: int) -> list[NewsItem]:
        if trouble.code not in _FINAL:
            return []  # it is tried again
        is_crash = trouble.code == "parked"
        detail = "The analysing process crashed again and again." if is_crash else f"{trouble.detail}."
        payload = {"kind": "failed", "code": trouble.code, "detail": detail}
        return [NewsItem(item.object_id, epoch, -1, payload)]


def child_command(data_dir: Path, *, provider: str = "cpu") -> Callable[[str, Any, int], list[str]]:
    """Return what makes an analysing process' argument list from (key, payload, descriptor)."""

    def command(_key: str, _payload: Any, descriptor: int) -> list[str]:
        return [
            sys.executable, "-m", "omma_engine.inference.offline.child", "--socket-fd", str(descriptor),
            "--data-dir", str(data_dir), "--provider", provider,
        ]  # fmt: skip

    return command


def _spec_of(analysis: Analysis, footage: Path) -> AnalysisSpec:
    return AnalysisSpec(
        task_id=analysis.pk,
        stream_id=analysis.stream_id,
        start_us=to_us(analysis.start),
        end_us=to_us(analysis.end),
        footage=str(footage),
        analytics=tuple(decode_analytic(spec) for spec in analysis.specs),
        checkpoint=Checkpoint(**analysis.checkpoint),
        keeps_pictures=analysis.mode == AnalysisMode.STORE,
        keeps_boxes=True,
    )
