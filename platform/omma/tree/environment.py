"""What the members of the tree find in their environment."""

import os
import sys

from omma.embedded.servers import Addresses
from omma.tree.options import TreeOptions, cameras_in_environment

VARIABLES = ("DATABASE_URL", "REDIS_URL", "BUS_URL")


def member_environment(options: TreeOptions, port: int, addresses: Addresses) -> dict[str, str]:
    """Return the environment of every member: this one's, with the options and addresses put in."""
    environment = {
        name: value
        for name, value in cameras_in_environment(os.environ, ()).items()
        if name not in {f"{variable}_FILE" for variable in VARIABLES}  # their values are in `addresses`
    }
    return environment | addresses.environment() | {
        "OMMA_HOST": options.host,
        "OMMA_PORT": str(port),
        "OMMA_DATA_DIR": str(options.data_dir),
        "OMMA_DEMO": str(int(options.has_demo)),
        "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "omma.settings.dev"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        "CELERY_SKIP_CHECKS": "1",  # `prepare` runs them; they would load all views into all workers
        "MALLOC_ARENA_MAX": "2",  # glibc would keep a heap for each thread, most of which only wait
    }  # fmt: skip


def python(*arguments: str) -> list[str]:
    """Return a command line of this very interpreter."""
    return [sys.executable, *arguments]
