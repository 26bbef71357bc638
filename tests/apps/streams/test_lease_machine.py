"""Whatever order workers claim, renew, freeze, crash and commit in: one owner for each instant."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from apps.accounts.models import Account
from tests.apps.streams.lease_machine import LeaseMachine

_COMMON = settings(
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@pytest.mark.fault("F33", "F47")
def test_no_two_epochs_ever_own_the_same_instant(account: Account) -> None:
    few = settings(_COMMON, derandomize=True, max_examples=6, stateful_step_count=20)

    run_state_machine_as_test(LeaseMachine, settings=few)


@pytest.mark.fault("F33", "F47")
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_two_epochs_own_the_same_instant_in_many_histories(account: Account, fault_seed: int) -> None:
    from hypothesis import seed

    many = settings(_COMMON, max_examples=300, stateful_step_count=60)

    run_state_machine_as_test(seed(fault_seed)(LeaseMachine), settings=many)
