"""The supervisor of this machine's analytics, put together: the same for a worker and for the command."""

import socket
from pathlib import Path

from django.conf import settings
from django.db import connection

from apps.core.leases import NodeSpec, PostgresLeaseStore
from apps.core.models import LeaseKind
from apps.inference.dialect import AnalyticDialect, host_command
from apps.inference.sinks import InferenceSink
from apps.inference.specs import wanted_analytics
from apps.streams.bus import secret_address
from omma_engine.supervise import Supervisor, SupervisorConfig
from omma_engine.supervise.spawning import ExecSpawner
from omma_engine.supervise.supervisor import Ports

_NICENESS = 5  # below capture, which must not wait for a model
# A niced host on an overloaded machine is slow and not stuck: killing it would only add to the load.
_SILENCE_S, _START_SILENCE_S = 30.0, 60.0


def inference_supervisor(name: str = "", *, slots: int = 256) -> Supervisor:
    """Return a supervisor of analytics; `name` tells workers on one machine apart."""
    node = NodeSpec(name=name or f"inference@{socket.gethostname()}", kind="inference", slots=slots)
    store = PostgresLeaseStore.on_default_database(
        kind=LeaseKind.ANALYTIC.value, node=node, desired=wanted_analytics
    )
    command = host_command(
        secret_address.hide(settings.BUS_URL),
        Path(settings.OMMA_DATA_DIR),
        provider=settings.OMMA_ONNX_PROVIDER,
    )
    ports = Ports(
        store=store,
        sink=InferenceSink(),
        spawner=ExecSpawner(command, niceness=_NICENESS),
        dialect=AnalyticDialect(),
        on_close=lambda: connection.close(),  # that of the thread that calls it
    )
    config = SupervisorConfig(
        slots=slots, claims_per_round=64, silence_s=_SILENCE_S, start_silence_s=_START_SILENCE_S
    )
    return Supervisor(ports, config)
