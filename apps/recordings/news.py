"""What is said about recordings: rows in the outbox, written by whoever changes one."""

from apps.core import outbox
from apps.recordings.models import Recording


def announce(recording: Recording, what: str) -> None:
    """Say that a recording was created, updated or deleted, in the transaction that does it."""
    outbox.publish(
        f"recording.{what}",
        subject_kind="recording",
        subject_id=recording.id,
        account_id=recording.account_id,
        camera_ids=[recording.camera_id],
        payload={"stream_id": str(recording.stream_id), "state": recording.state},
    )
