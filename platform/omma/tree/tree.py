"""Start everything in order, watch it, and stop it in the opposite order."""

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator

from omma import env
from omma.embedded.lock_file import LockFile
from omma.embedded.process import launch
from omma.embedded.secret_file import read_or_make
from omma.embedded.servers import Addresses, EmbeddedServers
from omma.tree.console import Console
from omma.tree.environment import member_environment, python
from omma.tree.listening import listen
from omma.tree.member import Member
from omma.tree.members import WEB_AND_BEAT, WORKERS, member_specs
from omma.tree.options import ROOT, TreeOptions, cameras_in_environment
from omma.tree.readiness import address, can_log_in

LOOK_S = 0.5
ROTATE_EVERY_S = 60.0
READY_TIMEOUT_S = 180.0
SERVER_PAUSE_S = 5.0  # between tries to start a server that does not come up again
STAGE_ENDS_S = {WEB_AND_BEAT: 2.5, WORKERS: 7.0}  # since the stop; with Valkey and Postgres 10 s in all


class StartError(Exception):
    """A part did not come up; the message says which, and shows its last words."""


class Tree:
    """Omma's processes. Its main thread starts all of them, because they die with the thread that did."""

    def __init__(self, options: TreeOptions, console: Console) -> None:
        self._options = options
        self._console = console
        self._is_stopping = False
        self._hurries = False
        self._members: list[Member] = []
        self._servers: EmbeddedServers | None = None
        self._servers_at_s = 0.0

    def run(self) -> int:
        """Run until INT or TERM; return the exit status."""
        prepare_folder(self._options)
        with (
            LockFile(self._options.data_dir / "omma.lock"),
            contextlib.closing(listen(self._options.host, self._options.port)) as web_socket,
            self._signals() as wake_up,
        ):
            try:
                return self._run(web_socket, wake_up)
            finally:
                self._stop()

    def _run(self, web_socket: socket.socket, wake_up: int) -> int:
        port = web_socket.getsockname()[1]
        addresses = self._start_servers()
        environment = member_environment(self._options, port, addresses)
        if not self._prepare(environment, wake_up):
            return 0
        self._start_members(web_socket.fileno(), environment)
        if self._wait_until_ready(port, wake_up):
            self._console.say(f"Omma is ready: {address(self._options.host, port)}")
            self._watch(wake_up)
        return 0

    def _start_servers(self) -> Addresses:
        external = Addresses(*(env.read_text(name) for name in ("DATABASE_URL", "REDIS_URL", "BUS_URL")))
        if external.broker and not external.bus:
            self._console.warn(
                "REDIS_URL without BUS_URL: broker and packets share a server and may push each other out; "
                "give the packets their own with BUS_URL"
            )
        secrets_dir = env.read_path("OMMA_SECRETS_DIR", self._options.data_dir / "secrets")
        read_or_make(secrets_dir / "signing.key", size_bytes=48)
        self._servers = EmbeddedServers(self._options.data_dir, secrets_dir=secrets_dir, external=external)
        with self._console.step("Starting PostgreSQL and Valkey"):
            self._servers.start()
        return self._servers.addresses

    def _prepare(self, environment: dict[str, str], wake_up: int) -> bool:
        """Run `manage.py prepare` on the console; tell whether to go on."""
        command = python(str(ROOT / "manage.py"), "prepare")
        command += [part for kind in self._options.virtual for part in ("--virtual", kind)]
        process = launch(
            command,
            death_signal=signal.SIGKILL,
            environment=cameras_in_environment(environment, self._options.cameras),
            output=sys.stdout.fileno(),
            folder=ROOT,
        )
        while process.poll() is None and not self._is_stopping:
            self._sleep(wake_up, LOOK_S / 5)
        if process.poll() is None:
            process.kill()
            process.wait()
            return False
        if process.returncode != 0:
            raise StartError("the preparation failed, see above")
        return True

    def _start_members(self, web_descriptor: int, environment: dict[str, str]) -> None:
        log_dir = self._options.data_dir / "logs"
        self._members = [
            Member(spec, environment=environment, log_dir=log_dir, monotonic=time.monotonic)
            for spec in member_specs(web_descriptor)
        ]
        for member in self._members:
            member.start()
        names = ", ".join(member.spec.name for member in self._members)
        self._console.say(f"Started {names}; logs are in {log_dir}")

    def _wait_until_ready(self, port: int, wake_up: int) -> bool:
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        web = self._members[0]
        while not self._is_stopping:
            if web.is_alive() and can_log_in(self._options.host, port):
                return True
            if time.monotonic() > deadline_s:
                raise StartError(
                    "\n".join(["the web does not answer; its last words:", *web.log.last_lines(20)])
                )
            self._look()
            self._sleep(wake_up, LOOK_S / 5)
        return False

    def _watch(self, wake_up: int) -> None:
        rotate_at_s = time.monotonic() + ROTATE_EVERY_S
        while not self._is_stopping:
            self._sleep(wake_up, LOOK_S)
            self._look()
            if time.monotonic() > rotate_at_s:
                rotate_at_s += ROTATE_EVERY_S
                for member in self._members:
                    member.log.rotate()

    def _look(self) -> None:
        """Show warnings, and start again what has ended."""
        if not self._is_stopping:
            self._restart_servers()
        for member in self._members:
            for line in member.log.warnings():
                self._console.member(member.spec.name, line)
            news = None if self._is_stopping else member.watch()
            if news:
                self._console.member(member.spec.name, news)

    def _restart_servers(self) -> None:
        """Start again the servers that ended; while that fails, recording goes on without them."""
        if self._servers is None or time.monotonic() < self._servers_at_s:
            return
        for restart in self._servers.restart_ended():
            if restart.problem:
                self._servers_at_s = time.monotonic() + SERVER_PAUSE_S
                self._console.warn(f"{restart.problem}; trying again")
            else:
                self._console.warn(f"{restart.name} had ended and was started again")

    def _stop(self) -> None:
        """Stop web and beat, then the workers, then Valkey and Postgres, each within its bound."""
        self._is_stopping = True
        if self._members:
            self._console.say("Stopping")
        begun_s = time.monotonic()
        for stage in (WEB_AND_BEAT, WORKERS):
            members = [member for member in self._members if member.spec.stop_stage == stage]
            self._stop_stage(members, begun_s + STAGE_ENDS_S[stage])
        if self._servers is not None:
            self._servers.stop()
        if self._members:
            self._console.say("Stopped")

    def _stop_stage(self, members: list[Member], deadline_s: float) -> None:
        for member in members:
            member.ask_to_stop()
        while any(member.is_alive() for member in members) and time.monotonic() < deadline_s:
            if self._hurries:
                break
            time.sleep(0.02)
        for member in members:
            if member.is_alive():
                self._console.member(member.spec.name, "did not stop in time and was killed")
            member.kill()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """Note INT and TERM, and wake the loop up for them and for a child's end; yield what to wait on."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        try:
            yield reader
        finally:
            signal.set_wakeup_fd(-1)
            os.close(reader)
            os.close(writer)

    def _ask_to_stop(self, *_: object) -> None:
        self._hurries = self._is_stopping  # asked a second time
        self._is_stopping = True

    @staticmethod
    def _sleep(wake_up: int, seconds: float) -> None:
        ready, _, _ = select.select([wake_up], [], [], seconds)
        if ready:
            os.read(wake_up, 4096)


def prepare_folder(options: TreeOptions) -> None:
    """Make the data folder and what is in it, readable by this user only."""
    os.umask(0o077)
    is_new = not options.data_dir.exists()
    options.data_dir.mkdir(parents=True, exist_ok=True)
    if is_new and os.getuid() == 0:
        options.data_dir.chmod(0o711)  # Postgres, as somebody else, passes through to its own folder
    for name in ("logs", "media", "volumes", "models", "thumbnails", "cache", "staticfiles"):
        (options.data_dir / name).mkdir(exist_ok=True)
