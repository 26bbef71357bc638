"""Fixtures of the end-to-end tests: one running Omma with a synthetic camera, and a browser where there is one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.e2e.running import PASSWORD, RunningOmma

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


@pytest.fixture(scope="session")
def omma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningOmma]:
    """Return a running Omma; tests make accounts and cameras of their own where they change anything."""
    running = RunningOmma(data_dir=tmp_path_factory.mktemp("omma"), cameras=["synthetic:yard"])
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium, or skip where it is not installed."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("browser: no chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, omma: RunningOmma, tmp_path: Path) -> Iterator[Page]:
    """Return a page that is logged in as the administrator and fails the test on any script or policy error."""
    context = browser.new_context(base_url=omma.url, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on(
        "console", lambda message: problems.append(message.text) if _is_policy_problem(message.text) else None
    )
    log_in(page)
    yield page
    context.close()
    assert problems == []


@pytest.fixture
def phone(browser: Browser, omma: RunningOmma) -> Iterator[BrowserContext]:
    """Return a browser of a phone's size, not logged in."""
    context = browser.new_context(base_url=omma.url, viewport={"width": 390, "height": 844}, has_touch=True)
    yield context
    context.close()


def log_in(page: Page, username: str = "admin", password: str = PASSWORD) -> None:
    """Log in through the form."""
    page.goto("/app/")
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/app/")


def _is_policy_problem(text: str) -> bool:
    return "Content Security Policy" in text or "Refused to" in text
