"""One process of the tree: started, watched, started again with growing pauses, stopped within a bound."""

import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omma.embedded.process import launch
from omma.tree.log_files import LogFile
from omma.tree.options import ROOT

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
SOUND_AFTER_S = 60.0  # a member that lived so long is started again at once


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """What a member runs, and when it is stopped: lower stages go first."""

    name: str
    command: list[str]
    stop_stage: int
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()


class Member:
    """A process that should be running."""

    def __init__(
        self,
        spec: MemberSpec,
        *,
        environment: Mapping[str, str],
        log_dir: Path,
        monotonic: Callable[[], float],
    ) -> None:
        self.spec = spec
        self.log = LogFile(log_dir / f"{spec.name}.log")
        self._environment = {**environment, **spec.environment}
        self._monotonic = monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._pause_s = 0.0
        self._restart_at_s: float | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; it dies with this one."""
        with self.log.path.open("ab") as log:
            self._process = launch(
                self.spec.command,
                death_signal=signal.SIGKILL,
                environment=self._environment,
                output=log,
                folder=ROOT,
                descriptors=self.spec.descriptors,
            )
        self._started_s = self._monotonic()
        self._restart_at_s = None

    def watch(self) -> str | None:
        """Start the process again when it has ended and its pause is over; return what there is to say."""
        if self._process is None or self.is_alive():
            return None
        now_s = self._monotonic()
        if self._restart_at_s is not None:
            return self._start_again(now_s) if now_s >= self._restart_at_s else None
        self._plan_restart(now_s)
        return f"{_ending(self._process.returncode)}, starting it again"

    def ask_to_stop(self) -> None:
        """Send TERM, once."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """End the process now, and everything that dies with it."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _start_again(self, now_s: float) -> str | None:
        try:
            self.start()
        except OSError as error:  # no memory, no process, no disk: that may pass
            self._plan_restart(now_s)
            return f"cannot be started: {error}; trying again"
        return None

    def _plan_restart(self, now_s: float) -> None:
        if now_s - self._started_s > SOUND_AFTER_S:
            self._pause_s = 0.0
        self._restart_at_s = now_s + self._pause_s
        self._pause_s = min(max(self._pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)


def _ending(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
