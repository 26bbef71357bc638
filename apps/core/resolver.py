"""Names to numbers, within a bounded time (the system's resolver has no limit of its own)."""

import ipaddress
import queue
import socket
import threading

from apps.core.networks import IpAddress

RESOLVE_TIMEOUT_S = 5.0


def resolve(host: str, timeout_s: float = RESOLVE_TIMEOUT_S) -> list[IpAddress]:
    """Return every address of the name; none when there is none, or no answer in time."""
    answers: queue.SimpleQueue[list[IpAddress]] = queue.SimpleQueue()
    # A daemon thread: a resolver that hangs must not keep the process from ending.
    threading.Thread(target=lambda: answers.put(_look_up(host)), name="resolve", daemon=True).start()
    try:
        return answers.get(timeout=timeout_s)
    except queue.Empty:
        return []


def _look_up(host: str) -> list[IpAddress]:
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    texts = dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers)
    return [ipaddress.ip_address(text) for text in texts]
