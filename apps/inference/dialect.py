"""The words that the supervisor and its model hosts exchange."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import DatabaseError, connection

from apps.inference.specs import numbered
from omma_engine.errors import EngineError
from omma_engine.inference.messages import HostNewsKind
from omma_engine.inference.spec import AnalyticSpec, encode_analytic
from omma_engine.ports import Claimable, NewsItem
from omma_engine.rules import encode_rule
from omma_engine.supervise.dialect import Assignment, Line, Trouble

logger = logging.getLogger(__name__)

READER = "apps.streams.bus.reader:connect"
RESULTS = "apps.streams.bus.results:connect"


class AnalyticDialect:
    """A `Dialect`: analytics of one model version share a host, and OpenCV's built-ins share one together."""

    def prepare(self, item: Claimable) -> AnalyticSpec:
        """Look up the number that the analytic's tracks go on with."""
        spec: AnalyticSpec = item.spec
        try:
            return numbered(spec)
        except DatabaseError as exc:
            raise EngineError(f"the last track's number cannot be read: {exc}") from exc
        finally:
            connection.close()  # this thread's own

    def child_key(self, item: Claimable, payload: Any) -> str:
        spec: AnalyticSpec = item.spec
        return "opencv" if spec.model.builtin else f"onnx-{spec.model.sha256[:16]}"

    def add(self, assignment: Assignment) -> Line:
        return {"do": "add", "analytic": encode_analytic(assignment.payload), "epoch": assignment.epoch}

    def remove(self, object_id: UUID) -> Line | None:
        return {"do": "remove", "analytic_id": str(object_id)}

    def adjust(self, before: Claimable, after: Claimable) -> list[Line]:
        """Bring changed rules to a running analytic; its tracks go on."""
        spec: AnalyticSpec = after.spec
        rules = [encode_rule(rule) for rule in spec.rules]
        return [{"do": "rules", "analytic_id": str(spec.analytic_id), "rules": rules}]

    def news(self, line: Line, assignments: dict[UUID, int]) -> NewsItem | None:
        """Read a host's news; they carry their epoch: the last ones come after an analytic was removed."""
        try:
            return NewsItem(
                object_id=UUID(line["analytic_id"]),
                epoch=int(line["epoch"]),
                sequence=int(line["sequence"]),
                payload=dict(line["payload"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def ack(self, item: NewsItem) -> Line:
        return {"do": "ack", "analytic_id": str(item.object_id), "sequence": item.sequence}

    def trouble(self, item: Claimable, trouble: Trouble, *, epoch: int, at_us: int) -> list[NewsItem]:
        payload = {
            "kind": HostNewsKind.STATUS.value,
            "status": "failed",
            "detail": f"{trouble.code}: {trouble.detail}"[:300],
            "analysed_fps": 0.0,
            "dropped": 0,
            "at_us": at_us,
            "version": item.spec.model.version_id,
        }
        return [NewsItem(item.object_id, epoch, -1, payload)]


def host_command(
    bus_url: str, data_dir: Path, *, provider: str = "cpu"
) -> Callable[[str, Any, int], list[str]]:
    """Return what makes a host's argument list from (key, payload, descriptor)."""

    def command(_key: str, _payload: Any, descriptor: int) -> list[str]:
        return [
            sys.executable, "-m", "omma_engine.inference.host", "--socket-fd", str(descriptor),
            "--reader", READER, "--results", RESULTS, "--bus-url", bus_url, "--data-dir", str(data_dir),
            "--provider", provider,
        ]  # fmt: skip

    return command
