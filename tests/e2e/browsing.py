"""What tests do in a browser: log in, wait for a page to be so far, and listen to its complaints."""

import time
from typing import Any

from playwright.sync_api import ConsoleMessage, Page

from tests.e2e.running import PASSWORD

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
PATIENCE_S = 30.0
_EXPECTED = ("status of 422", "WebSocket connection to")


def log_in(page: Page, username: str = "admin", password: str = PASSWORD) -> None:
    """Log in through the form."""
    page.goto("/accounts/login/")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/app/")


def until(page: Page, function: str, argument: Any = None, *, timeout_s: float = PATIENCE_S) -> Any:
    """Wait until a JavaScript function returns something true, and return that.

    Playwright's own `wait_for_function` evaluates strings inside the page, which its policy forbids.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if found := page.evaluate(function, argument):
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"not within {timeout_s:.0f} s: {function}")


def watch_for_problems(page: Page) -> list[str]:
    """Return a list that fills with whatever the page complains about: scripts, policy, missing files.

    That an answer was 422 is what a refused form shall be, and a socket that breaks is told by the tile.
    """
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        is_expected = any(words in message.text for words in _EXPECTED)
        if message.type in {"error", "warning"} and not is_expected:
            problems.append(f"{message.text} {message.location.get('url', '')}")

    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("console", note)
    return problems
