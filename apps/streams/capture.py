"""The capture supervisor of this machine, put together: the same for a Celery worker and for the command."""

import socket
import sys

from django.conf import settings
from django.db import connection

from apps.core.leases import NodeSpec, PostgresLeaseStore
from apps.core.models import LeaseKind
from apps.streams.bus import secret_address
from apps.streams.sinks import CaptureSink
from apps.streams.sources import WantedSources, make_spec, modes_of, volumes_of
from apps.streams.successors import recording_successors
from omma_engine.capture.messages import NewsKind
from omma_engine.supervise import Supervisor, SupervisorConfig
from omma_engine.supervise.capture_dialect import CaptureDialect, child_command, zygote_command
from omma_engine.supervise.capture_salvage import CaptureSalvager
from omma_engine.supervise.spawning import ChoosingSpawner, ExecSpawner
from omma_engine.supervise.supervisor import Ports
from omma_engine.supervise.zygote import ZygoteSpawner
from omma_engine.types import SourceSpec

PUBLISHER = "apps.streams.bus.publisher:connect"


def capture_supervisor(
    name: str = "", *, slots: int = 64, labels: dict[str, str] | None = None
) -> Supervisor:
    """Return a supervisor for the sources; `name` tells workers on one machine apart.

    `labels` (by default the setting's) reserve this worker for the cameras that ask for them.
    """
    host = socket.gethostname()
    labels = settings.OMMA_WORKER_LABELS if labels is None else labels
    wanted = WantedSources(host, labels)
    store = PostgresLeaseStore.on_default_database(
        kind=LeaseKind.SOURCE.value,
        node=NodeSpec(name=name or f"capture@{host}", kind="capture", slots=slots, labels=labels),
        desired=wanted.desired,
        succeeded=recording_successors,
        on_claim=wanted.note_claims,
    )
    sink = CaptureSink()
    ports = Ports(
        store=store,
        sink=sink,
        spawner=capture_spawner(),
        dialect=CaptureDialect(make_spec, modes_of, volumes_of, wanted.recorded_until),
        salvager=CaptureSalvager(wanted.places),
        fill=sink.fill,
        works=lambda item: item.payload.get("kind") == NewsKind.SEGMENT_OPEN,
        on_close=lambda: connection.close(),  # that of the thread that calls it
    )
    return Supervisor(ports, SupervisorConfig(slots=slots, renew_s=settings.OMMA_RENEW_HOURS * 3600))


def capture_spawner() -> ChoosingSpawner:
    """Return what starts children: raw sources are exec'd, all others forked from the zygote."""
    bus_url, data_dir = secret_address.hide(settings.BUS_URL), str(settings.OMMA_DATA_DIR)
    forked = ZygoteSpawner(
        zygote_command(sys.executable, publisher=PUBLISHER, bus_url=bus_url, data_dir=data_dir)
    )
    executed = ExecSpawner(
        child_command(sys.executable, publisher=PUBLISHER, bus_url=bus_url, data_dir=data_dir)
    )
    return ChoosingSpawner(forked=forked, exec_=executed, is_raw=_is_raw)


def _is_raw(payload: SourceSpec) -> bool:
    return payload.kind.is_raw
