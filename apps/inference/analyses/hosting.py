"""The supervisor of this machine's analyses: few at once, in niced processes that know no secrets."""

import os
import socket
from pathlib import Path

from django.conf import settings
from django.db import connection

from apps.core.leases import NodeSpec, PostgresLeaseStore
from apps.core.models import LeaseKind
from apps.inference.analyses.dialect import AnalysisDialect, child_command
from apps.inference.analyses.models import Analysis
from apps.inference.analyses.services import UNFINISHED
from apps.inference.analyses.sink import AnalysisSink
from omma_engine.ports import Claimable
from omma_engine.supervise import Supervisor, SupervisorConfig
from omma_engine.supervise.spawning import ExecSpawner
from omma_engine.supervise.supervisor import Ports

_NICENESS = 15  # below live analytics, which are below capture
_SILENCE_S, _START_SILENCE_S = 60.0, 90.0
_OLDEST = 200  # of those that wait; the rest comes up when these are done


def analysis_supervisor(name: str = "", *, slots: int = 0) -> Supervisor:
    """Return a supervisor of analyses; `name` tells workers on one machine apart."""
    slots = slots or max(1, (os.cpu_count() or 1) // 2)
    node = NodeSpec(
        name=f"analysis-{name}" if name else f"analysis@{socket.gethostname()}", kind="analysis", slots=slots
    )
    store = PostgresLeaseStore.on_default_database(
        kind=LeaseKind.TASK.value, node=node, desired=wanted_analyses
    )
    command = child_command(Path(settings.OMMA_DATA_DIR), provider=settings.OMMA_ONNX_PROVIDER)
    ports = Ports(
        store=store,
        sink=AnalysisSink(),
        spawner=ExecSpawner(command, niceness=_NICENESS, environment=_environment()),
        dialect=AnalysisDialect(),
        on_close=lambda: connection.close(),  # that of the thread that calls it
    )
    config = SupervisorConfig(
        slots=slots, claims_per_round=slots, silence_s=_SILENCE_S, start_silence_s=_START_SILENCE_S
    )
    return Supervisor(ports, config)


def wanted_analyses() -> list[Claimable]:
    """Return the analyses that are not over, oldest first."""
    rows = Analysis.objects.filter(task__state__in=UNFINISHED, account__is_active=True).order_by("created_at")
    return [Claimable(pk, str(pk), None) for pk in rows.values_list("pk", flat=True)[:_OLDEST]]


def _environment() -> dict[str, str]:
    """Return all that an analysing process is told of ours: where libraries are, and no hash of chance."""
    kept = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH") if name in os.environ
    }
    return {**kept, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
