"""Who belongs to the tree: the web, four workers and beat."""

from omma.tree.environment import python
from omma.tree.member import MemberSpec

WEB_AND_BEAT, WORKERS = 0, 1  # in the order in which they are stopped
WITHOUT_PAGES = {"OMMA_HAS_PAGES": "0"}  # they need no forms and no admin: 13 MB each
CELERY = ("-m", "omma.celery_main", "-A", "omma")
WORKER = (
    *CELERY,
    "worker",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)


def member_specs(web_descriptor: int) -> list[MemberSpec]:
    """Return the members; the web inherits the listening socket."""
    return [
        MemberSpec(
            "web",
            python("-m", "omma.web", "--fd", str(web_descriptor)),
            WEB_AND_BEAT,
            descriptors=(web_descriptor,),
        ),
        _worker("capture", "capture", "--pool=threads", "-c", "2"),
        _worker("inference", "inference", "--pool=threads", "-c", "2"),
        _worker(
            "jobs", "recording,retention", "--pool=prefork", "-c", "2",
            environment={"REMAP_SIGTERM": "SIGQUIT"},  # a TERM ends running tasks soon, not when they please
        ),
        _worker("default", "default", "--pool=threads", "-c", "8"),
        MemberSpec("beat", python(*CELERY, "beat", "--pidfile="), WEB_AND_BEAT, environment=WITHOUT_PAGES),
    ]  # fmt: skip


def _worker(name: str, queues: str, *pool: str, environment: dict[str, str] | None = None) -> MemberSpec:
    command = python(*WORKER, "-n", f"{name}@%h", "-Q", queues, *pool)
    return MemberSpec(name, command, WORKERS, environment=WITHOUT_PAGES | (environment or {}))
