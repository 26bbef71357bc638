"""What a stream's life is, as a table: from what is wanted, what its source says and who has it."""

import pytest

from apps.streams.life import (
    Life,
    LifeFacts,
    RestartState,
    is_restart_allowed,
    life_of,
    life_of_several,
    restart_state_of,
    steps_between,
)

LIVES: tuple[tuple[LifeFacts, str], ...] = (
    (LifeFacts("pending"), "pending"),
    (LifeFacts("connecting"), "pending"),
    (LifeFacts("live"), "in_progress"),
    (LifeFacts("live", code="disk"), "in_progress"),
    (LifeFacts("reconnecting", code="unreachable"), "restart"),
    (LifeFacts("reconnecting", code="stalled"), "restart"),
    (LifeFacts("reconnecting", code="unauthorized"), "failure"),
    (LifeFacts("reconnecting", code="not_found"), "failure"),
    (LifeFacts("failed", code="unsupported"), "failure"),
    (LifeFacts("failed", code="parked"), "failure"),
    (LifeFacts("ended"), "done"),
    (LifeFacts("stopped"), "pending"),
    (LifeFacts("something new"), "unknown"),
    (LifeFacts("live", has_handler=False), "pending"),
    (LifeFacts("failed", code="parked", has_handler=False), "pending"),
    (LifeFacts("ended", has_handler=False), "done"),
    (LifeFacts("live", is_allowed=False), "stop"),
    (LifeFacts("ended", is_allowed=False), "stop"),
    (LifeFacts("live", is_wanted=False), "stop"),
    (LifeFacts("ended", is_wanted=False), "stop"),
    (LifeFacts("live", is_wanted=False, is_paused=True), "paused"),
    (LifeFacts("live", is_wanted=False, is_paused=True, is_allowed=False), "stop"),
    (LifeFacts("stopped", is_wanted=False, has_given_up=True), "failure"),
    (LifeFacts("stopped", is_wanted=False, has_given_up=True, will_restart=True), "restart"),
)


@pytest.mark.parametrize(("facts", "life"), LIVES)
def test_a_life_follows_from_the_facts(facts: LifeFacts, life: str) -> None:
    assert life_of(facts) is Life(life)


STEPS: tuple[tuple[str, str, bool, str], ...] = (
    ("pending", "in_progress", False, "in_progress"),
    ("in_progress", "in_progress", False, ""),
    ("in_progress", "restart", False, "failure restart"),
    ("failure", "restart", False, "restart"),
    ("in_progress", "failure", False, "failure"),
    ("restart", "pending", False, "pending"),
    ("in_progress", "pending", True, "handler_lost restart pending"),
    ("pending", "pending", True, "handler_lost restart pending"),
    ("in_progress", "in_progress", True, "handler_lost restart pending in_progress"),
)


@pytest.mark.parametrize(("before", "after", "is_lost", "log"), STEPS)
def test_the_log_shows_every_step(before: str, after: str, is_lost: bool, log: str) -> None:
    steps = steps_between(Life(before), Life(after), is_handler_lost=is_lost)

    assert " ".join(steps) == log


@pytest.mark.parametrize(
    ("limit", "attempt", "code", "is_allowed"),
    [
        (2, 0, "unreachable", True),
        (2, 1, "stalled", True),
        (2, 2, "unreachable", False),
        (0, 0, "unreachable", False),
        (2, 0, "unauthorized", False),
        (2, 0, "unsupported", False),
        (2, 0, "not_found", False),
        (2, 0, "forbidden_address", False),
    ],
)
def test_what_cannot_help_is_not_tried(limit: int, attempt: int, code: str, is_allowed: bool) -> None:
    assert is_restart_allowed(limit=limit, attempt=attempt, code=code) is is_allowed


@pytest.mark.parametrize(
    ("limit", "attempt", "life", "code", "state"),
    [
        (0, 0, "in_progress", "", "disabled"),
        (None, 0, "restart", "unreachable", "in_progress"),
        (None, 0, "in_progress", "", "enabled"),
        (2, 1, "in_progress", "", "enabled"),
        (2, 0, "restart", "unreachable", "in_progress"),
        (2, 1, "pending", "", "in_progress"),
        (2, 2, "failure", "unreachable", "failed"),
        (2, 0, "failure", "unauthorized", "denied"),
    ],
)
def test_how_restarting_stands(limit: int | None, attempt: int, life: str, code: str, state: str) -> None:
    found = restart_state_of(limit=limit, attempt=attempt, life=Life(life), code=code)

    assert found is RestartState(state)


def test_several_streams_have_one_life_or_an_unknown_one() -> None:
    assert life_of_several([Life.STOP, Life.STOP]) is Life.STOP
    assert life_of_several([Life.STOP, Life.IN_PROGRESS]) is Life.UNKNOWN
    assert life_of_several([]) is Life.UNKNOWN
