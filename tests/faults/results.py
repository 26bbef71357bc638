"""What the tests of each fault came to: runs, the worst hole, and one verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypedDict


class Verdict(Enum):
    """What may be said of a fault. A skipped test is never a passed one."""

    PASSED = "passed"
    IN_PART = "passed in part"
    FAILED = "failed"
    NOT_RUN = "not run"
    NOT_COVERED = "not covered"


class Row(TypedDict):
    """One fault in the report's JSON; `worst_hole_s` is null where no test measured one."""

    fault: str
    title: str
    verdict: str
    runs: int
    failed: list[str]
    not_run: list[str]
    worst_hole_s: float | None
    notes: list[str]


@dataclass(slots=True)
class FaultResult:
    """The runs of one fault. `not_run` holds a line of why for each test that did not inject it."""

    fault: str
    title: str
    runs: int = 0
    failed: list[str] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)
    holes_s: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    planned: set[str] = field(default_factory=set)
    """The tests that were to run and have not been heard of yet."""

    @property
    def missing(self) -> list[str]:
        """Return a line for each test that did not run."""
        return [*self.not_run, *(f"{test}: it was not reached" for test in sorted(self.planned))]

    @property
    def verdict(self) -> Verdict:
        """Return failed where one run failed, and passed only where every test of it ran."""
        if self.failed:
            return Verdict.FAILED
        if self.runs:
            return Verdict.IN_PART if self.missing else Verdict.PASSED
        return Verdict.NOT_RUN if self.missing else Verdict.NOT_COVERED

    def add_note(self, text: str) -> None:
        """Keep a note once, however many runs say it."""
        if text not in self.notes:
            self.notes.append(text)

    def row(self) -> Row:
        """Return the result as the JSON report has it."""
        worst_s = round(max(self.holes_s), 3) if self.holes_s else None
        return Row(
            fault=self.fault, title=self.title, verdict=self.verdict.value, runs=self.runs,
            failed=self.failed, not_run=self.missing, worst_hole_s=worst_s, notes=self.notes,
        )  # fmt: skip


class FaultResults:
    """Collects what tests report, for every fault of a catalogue."""

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._by_fault = {fault: FaultResult(fault, title) for fault, title in catalogue.items()}

    @property
    def rows(self) -> list[Row]:
        """Return a row for each fault of the catalogue, in its order."""
        return [result.row() for result in self._by_fault.values()]

    def take_plan(self, faults: Iterable[str], test: str) -> None:
        """Note that a test is going to run."""
        for fault in faults:
            self._by_fault[fault].planned.add(test)

    def take_left_out(self, faults: Iterable[str], test: str) -> None:
        """Note a test that was not chosen."""
        for fault in faults:
            self._by_fault[fault].not_run.append(f"{test}: it was left out")

    def take_run(self, faults: Iterable[str], test: str, *, has_failed: bool) -> None:
        """Count a test that ran."""
        for fault in faults:
            result = self._by_fault[fault]
            result.planned.discard(test)
            result.runs += 1
            if has_failed:
                result.failed.append(test)

    def take_failure(self, faults: Iterable[str], test: str) -> None:
        """Note a test that failed outside its own body."""
        for fault in faults:
            self._by_fault[fault].planned.discard(test)
            self._by_fault[fault].failed.append(test)

    def take_skip(self, faults: Iterable[str], test: str, reason: str) -> None:
        """Note a test that could not inject its fault."""
        for fault in faults:
            self._by_fault[fault].planned.discard(test)
            self._by_fault[fault].not_run.append(f"{test}: {reason}")

    def take_findings(self, faults: Iterable[str], holes_s: Iterable[float], notes: Iterable[str]) -> None:
        """Take what a test measured and what it wants said."""
        holes_s, notes = list(holes_s), list(notes)
        for fault in faults:
            result = self._by_fault[fault]
            result.holes_s.extend(holes_s)
            for note in notes:
                result.add_note(note)
