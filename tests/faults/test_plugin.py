"""The plugin of fault tests: what runs when, and that the report says no more than what was seen."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

SUITE = """
import pytest

@pytest.mark.fault("F1", "F4")
def test_quick(fault_report):
    fault_report.hole(0.4)
    fault_report.hole(1.25)
    fault_report.note("a note")

@pytest.mark.fault("F2")
@pytest.mark.slow
def test_heavy(fault_seed, fault_report):
    fault_report.note(f"seed {fault_seed}")

@pytest.mark.fault("F3")
def test_that_cannot_run():
    pytest.skip("not run: no namespaces here")

@pytest.mark.fault("F4")
def test_that_fails():
    assert False

@pytest.mark.fault("F5")
def test_that_fails_afterwards(request):
    request.addfinalizer(lambda: 1 / 0)

@pytest.mark.slow
def test_slow_without_a_fault():
    pass
"""


def run_suite(pytester: pytest.Pytester, *options: str, suite: str = SUITE) -> pytest.RunResult:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nmarkers =\n  slow: slow\n")
    pytester.makepyfile(suite)
    return pytester.runpytest_inprocess(
        "-p", "tests.faults.plugin", "-p", "no:django", "--strict-markers", *options
    )


def report_of(folder: Path) -> dict[str, dict[str, Any]]:
    content = json.loads((folder / "build/faults.json").read_text())
    return {row["fault"]: row for row in content["faults"]}


def test_slow_fault_tests_wait_for_the_option(pytester: pytest.Pytester) -> None:
    result = run_suite(pytester)

    result.assert_outcomes(passed=3, skipped=1, failed=1, errors=1, deselected=1)
    assert not (pytester.path / "build").exists()


def test_the_report_names_every_fault_with_one_verdict(pytester: pytest.Pytester) -> None:
    run_suite(pytester, "--faults").assert_outcomes(passed=4, skipped=1, failed=1, errors=1)

    rows = report_of(pytester.path)

    assert list(rows) == [f"F{number}" for number in range(1, 50)]
    assert rows["F1"]["verdict"] == "passed"
    assert rows["F1"]["runs"] == 1
    assert rows["F1"]["worst_hole_s"] == 1.25
    assert rows["F1"]["notes"] == ["a note"]
    assert rows["F2"]["verdict"] == "passed"
    assert rows["F3"]["verdict"] == "not run"
    assert rows["F3"]["runs"] == 0
    assert "no namespaces here" in rows["F3"]["not_run"][0]
    assert rows["F4"]["verdict"] == "failed"
    assert rows["F4"]["runs"] == 2
    assert len(rows["F4"]["failed"]) == 1
    assert rows["F5"]["verdict"] == "failed"
    assert rows["F6"]["verdict"] == "not covered"
    assert rows["F6"]["worst_hole_s"] is None


def test_the_page_says_the_same_as_the_rows(pytester: pytest.Pytester) -> None:
    result = run_suite(pytester, "--faults")

    page = (pytester.path / "build/faults.md").read_text().splitlines()

    assert sum(line.startswith("| F") for line in page) == 50  # the head and 49 faults
    assert next(line for line in page if line.startswith("| F1 |")).endswith(
        "| passed | 1 | 1.25 s | a note |"
    )
    assert "Of 49 faults: 2 passed, 0 passed in part, 2 failed, 1 not run, 44 not covered." in page[2]
    result.stdout.fnmatch_lines(["F3 *not run*", "The report: build/faults.md"])


def test_a_fault_of_which_a_test_did_not_run_has_passed_in_part(pytester: pytest.Pytester) -> None:
    skipping = SUITE.replace('fault("F3")', 'fault("F1", "F3")')
    run_suite(pytester, "--faults", suite=skipping)
    skipped = report_of(pytester.path)["F1"]
    run_suite(pytester, "--faults", "-k", "quick or heavy")
    chosen = report_of(pytester.path)["F4"]
    run_suite(pytester, "--faults", "-x")
    stopped = report_of(pytester.path)["F5"]

    assert (skipped["verdict"], skipped["runs"]) == ("passed in part", 1)
    assert chosen["verdict"] == "passed in part"
    assert "it was left out" in chosen["not_run"][0]
    assert stopped["verdict"] == "not run"
    assert "it was not reached" in stopped["not_run"][0]


def test_slow_fault_tests_are_repeated_with_other_seeds(pytester: pytest.Pytester) -> None:
    run_suite(pytester, "--faults", "--fault-runs", "3")

    rows = report_of(pytester.path)

    assert rows["F2"]["runs"] == 3
    assert len(set(rows["F2"]["notes"])) == 3
    assert rows["F1"]["runs"] == 1


def test_a_seed_is_the_same_again(pytester: pytest.Pytester) -> None:
    run_suite(pytester, "--faults", "-k", "heavy")
    first = report_of(pytester.path)["F2"]["notes"]
    run_suite(pytester, "--faults", "-k", "heavy")
    again = report_of(pytester.path)["F2"]["notes"]
    run_suite(pytester, "--faults", "-k", "heavy", "--fault-seed", "1")
    other = report_of(pytester.path)["F2"]["notes"]

    assert first == again
    assert first != other


def test_a_fault_that_is_not_in_the_catalogue_is_refused(pytester: pytest.Pytester) -> None:
    suite = 'import pytest\n\n@pytest.mark.fault("F99")\ndef test_it():\n    pass\n'

    result = run_suite(pytester, suite=suite)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no such fault: F99*"])
