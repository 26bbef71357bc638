"""A pytest plugin for fault tests: which fault a test injects, what it measured, and the report on all.

`@pytest.mark.fault("F1", "F4")` names a test's faults. Those that are also marked `slow` run only with
`--faults`, which writes `build/faults.md` and `build/faults.json` too. An injector that does not work here
makes its test call `pytest.skip("not run: …")`; the report says so, and never "passed". A fault of which a
test was skipped, left out or not reached has passed in part at best.
"""

import random
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.catalogue import CATALOGUE
from tests.faults.report import as_text, summary, write_report
from tests.faults.results import FaultResults

_FAULT, _HOLE, _NOTE = "fault", "fault_hole_s", "fault_note"
_FOLDER = "build"


class FaultReport:
    """What a test tells the report; see the fixture `fault_report`."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def hole(self, seconds: float) -> None:
        """Say how long a hole in the footage was; the report keeps the worst of each fault."""
        self._item.user_properties.append((_HOLE, float(seconds)))

    def note(self, text: str) -> None:
        """Say something that the report's reader should know."""
        self._item.user_properties.append((_NOTE, text))


class FaultWatch:
    """Collects what fault tests come to, and writes the report."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.results = FaultResults(CATALOGUE)
        self._began_s = time.monotonic()

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            self.results.take_left_out(_faults_of(item), item.nodeid)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            self.results.take_plan(_faults_of(item), item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        found = report.user_properties
        faults = [str(value) for name, value in found if name == _FAULT]
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.results.take_skip(faults, report.nodeid, reason.removeprefix("Skipped: "))
        elif report.when == "call":
            self.results.take_run(faults, report.nodeid, has_failed=report.failed)
        elif report.failed:
            self.results.take_failure(faults, report.nodeid)
        if report.when == "teardown":
            holes_s = [float(str(value)) for name, value in found if name == _HOLE]
            notes = [str(value) for name, value in found if name == _NOTE]
            self.results.take_findings(faults, holes_s, notes)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._config.getoption("--faults"):
            return
        rows = self.results.rows
        command = " ".join(["pytest", *self._config.invocation_params.args])
        folder = self._config.rootpath / _FOLDER
        took_s = time.monotonic() - self._began_s
        seed = self._config.getoption("--fault-seed")
        write_report(folder, rows, command=command, seed=seed, took_s=took_s)
        terminalreporter.section("faults")
        for line in [*as_text(rows), summary(rows), f"The report: {Path(_FOLDER) / 'faults.md'}"]:
            terminalreporter.line(line)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--faults", action="store_true", help="run slow fault tests too, and write the report")
    group.addoption("--fault-runs", type=int, default=1, help="how often each slow fault test runs")
    group.addoption("--fault-seed", type=int, default=0, help="what all chance in fault tests comes from")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(*numbers): injects these faults of tests/faults/catalogue.py")
    config.pluginmanager.register(FaultWatch(config), "fault-watch")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat slow fault tests, each time with another seed."""
    runs = metafunc.config.getoption("--fault-runs")
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    if runs > 1 and marks >= {"fault", "slow"}:
        metafunc.fixturenames.append("fault_run")
        metafunc.parametrize("fault_run", range(runs), ids=[f"run{number}" for number in range(runs)])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for fault in _faults_of(item):
            item.user_properties.append((_FAULT, fault))
    if config.getoption("--faults"):
        return
    left_out = [item for item in items if item.get_closest_marker("slow") and _faults_of(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _faults_of(item: pytest.Item) -> list[str]:
    faults = [fault for mark in item.iter_markers("fault") for fault in mark.args]
    unknown = [fault for fault in faults if fault not in CATALOGUE]
    if unknown:
        raise pytest.UsageError(f"{item.nodeid}: no such fault: {', '.join(map(str, unknown))}")
    return list(dict.fromkeys(faults))


@pytest.fixture
def fault_run() -> int:
    """Return the number of this repetition."""
    return 0


@pytest.fixture
def fault_seed(request: pytest.FixtureRequest, fault_run: int) -> int:
    """Return this run's seed: the same for the same test, repetition and `--fault-seed`; it is printed."""
    base = request.config.getoption("--fault-seed")
    name = request.node.nodeid.partition("[")[0]
    seed = zlib.crc32(f"{name} {fault_run} {base}".encode())
    request.node.add_report_section("call", "seed", f"fault_seed {seed} (--fault-seed {base})")
    return seed


@pytest.fixture
def chance(fault_seed: int) -> random.Random:
    """Return this run's chance, seeded."""
    return random.Random(fault_seed)


@pytest.fixture
def fault_report(request: pytest.FixtureRequest) -> FaultReport:
    """Return where a fault test says what it measured: `hole(seconds)` and `note(text)`."""
    return FaultReport(request.node)
