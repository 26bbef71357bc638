"""Keep what is wanted running: claim, spawn, watch, commit, restart and hand over. Framework-free."""

from omma_engine.supervise.config import SupervisorConfig
from omma_engine.supervise.supervisor import Supervisor

__all__ = ["Supervisor", "SupervisorConfig"]
