"""In CI, a test may be skipped only when it is listed here: "skipped" is not "passed"."""

import os
from fnmatch import fnmatch

import pytest

ALLOWED: dict[str, str] = {
    "*[shared]*": "needs the shared media and models",
}


def is_allowed(node_id: str, reason: str) -> bool:
    """Tell whether a skip is listed; a reason that begins with `shared:` stands for the whole mark."""
    return reason.startswith("shared:") or any(fnmatch(node_id, pattern) for pattern in ALLOWED)


class SkipWatch:
    """Collects skips and fails the run on an unlisted one where `CI` is true."""

    def __init__(self) -> None:
        self.unlisted: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not is_allowed(report.nodeid, reason):
            self.unlisted.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unlisted and os.environ.get("CI", "").lower() == "true" and session.exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unlisted and os.environ.get("CI", "").lower() == "true":
            terminalreporter.section("skipped without being listed in tests/skips.py")
            for line in self.unlisted:
                terminalreporter.line(line)
