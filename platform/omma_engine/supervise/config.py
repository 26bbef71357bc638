"""The figures a supervisor runs by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SupervisorConfig:
    """All times are in seconds; `slots` is how many objects this worker may hold at once."""

    slots: int = 64
    tick_s: float = 0.2  # how long the loop waits before it reads its children again
    commits_at_once: bool = False  # news wait for the round, or wake the loop and are committed now
    round_s: float = 1.0  # renew, read what is wanted, claim, commit
    beat_s: float = 1.0  # to every child; a child that hears none for 5 s finishes
    alone_s: float = 5.0  # leases unconfirmed for so long (they last 6 s) may soon be somebody else's
    silence_s: float = 9.0  # a child that says nothing for so long is killed
    start_silence_s: float = 20.0  # before its first word: imports take long where others compete
    disk_wait_s: float = 5.0  # a child that waits for its disk so long is shown to do so
    stop_grace_s: float = 4.0  # between `stop` and SIGKILL (a capture child bounds itself to 3 s)
    stop_s: float = 8.0  # bound of `stop`
    handover_s: float = 5.0  # how long a drained child may wait for its successor's first keyframe
    claims_per_round: int = 16
    news_per_round: int = 500  # a round must end well within a lease
    news_limit: int = (
        100_000  # kept in memory while the database is away; beyond it the journals alone hold them
    )
    back_off_first_s: float = 0.5
    back_off_max_s: float = 30.0
    renew_s: float = 0.0  # a child that lived so long is renewed; 0: never
    renewal_s: float = 30.0  # how long its successor may take until it works
    renewal_again_s: float = 600.0  # after a renewal that came to nothing
    calm_s: float = 60.0  # a child that lived so long starts the back-off afresh
    crashes_to_park: int = 3
    crash_window_s: float = 600.0
    park_s: float = 300.0
