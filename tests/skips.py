"""In CI, a test may be skipped only for a listed reason: "skipped" is not "passed"."""

import os

import pytest

ALLOWED = {  # how a reason begins, and why it is no fault of the checkout
    "shared:": "the shared media and models lie outside the repository",
    "browser:": "Debian's Chromium is installed where apt-get may be used",
    "ffmpeg is not installed": "an independent check, installed where apt-get may be used",
    "ffprobe is not installed": "an independent check, installed where apt-get may be used",
    "node is not installed": "runs a client that is not ours, where there is Node",
    "not run:": "a fault that the machine does not let anybody inject; the report of `make faults` says so",
    "only root changes users": "run as an ordinary user, nothing has to change users",
}


def is_allowed(reason: str) -> bool:
    """Tell whether a skip's reason is listed."""
    return reason.startswith(tuple(ALLOWED))


class SkipWatch:
    """Collects skips and fails the run on an unlisted one where `CI` is true."""

    def __init__(self) -> None:
        self.unlisted: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not is_allowed(reason):
            self.unlisted.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unlisted and is_ci() and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unlisted and is_ci():
            terminalreporter.section("skipped for a reason that tests/skips.py does not list")
            for line in self.unlisted:
                terminalreporter.line(line)


def is_ci() -> bool:
    """Tell whether this is a run that has to be complete."""
    return os.environ.get("CI", "").lower() == "true"
