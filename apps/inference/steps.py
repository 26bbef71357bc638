"""The part of the `inference` worker that keeps analytics running in their model hosts."""

import os
from pathlib import Path
from typing import Any

from celery import bootsteps
from django.conf import settings

from apps.core.leases import NodeSpec, PostgresLeaseStore
from apps.core.models import LeaseKind
from apps.inference.dialect import AnalyticDialect, host_command
from apps.inference.sinks import InferenceSink
from apps.inference.specs import wanted_analytics
from omma_engine.supervise import Supervisor, SupervisorConfig
from omma_engine.supervise.spawning import ExecSpawner
from omma_engine.supervise.supervisor import Ports

SLOTS = 256
CONFIG = SupervisorConfig(slots=SLOTS, claims_per_round=64)


def make_supervisor(*, node_name: str, config: SupervisorConfig = CONFIG) -> Supervisor:
    """Return a supervisor of analytics for this worker, on Django's database and the bus of the settings."""
    node = NodeSpec(name=node_name, kind="inference", slots=config.slots)
    store = PostgresLeaseStore.on_default_database(
        kind=LeaseKind.ANALYTIC.value, node=node, desired=wanted_analytics
    )
    spawner = ExecSpawner(host_command(settings.BUS_URL, Path(settings.OMMA_DATA_DIR)), niceness=5)
    ports = Ports(store=store, sink=InferenceSink(), spawner=spawner, dialect=AnalyticDialect())
    return Supervisor(ports, config)


class InferenceStep(bootsteps.StartStopStep):  # type: ignore[misc]  # celery's steps are untyped
    """Runs the supervisor inside a worker."""

    name = "omma-inference"

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._supervisor: Supervisor | None = None

    def start(self, parent: Any) -> None:
        self._supervisor = make_supervisor(node_name=str(parent.hostname or f"inference-{os.getpid()}"))
        self._supervisor.start()

    def stop(self, parent: Any) -> None:
        if self._supervisor is not None:
            self._supervisor.stop()

    terminate = stop
