"""Fixtures of the end-to-end tests: one running Omma for all of them, and a browser where there is one."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.conftest import ROOT
from tests.e2e.browsing import CHROMIUM_ARGUMENTS, log_in, watch_for_problems
from tests.e2e.running import RunningOmma

if TYPE_CHECKING:
    from playwright.sync_api import StorageState

YARD = "synthetic:yard"
ROOM = "synthetic:room?width=960&height=720"  # not as wide as a tile: letterboxed
PEOPLE_VIDEO = "one-by-one-person-detection.mp4"


@pytest.fixture(scope="session")
def people_video() -> Path | None:
    """Return the real video with people, where there is one."""
    folder = Path(os.environ.get("OMMA_SHARED_DIR") or ROOT.parent / "shared")
    video = folder / "media" / PEOPLE_VIDEO
    return video if video.is_file() else None


@pytest.fixture(scope="package")
def omma(tmp_path_factory: pytest.TempPathFactory, people_video: Path | None) -> Iterator[RunningOmma]:
    """Return a running Omma; tests make people, rules and cameras of their own where they change anything."""
    cameras = [YARD, ROOM, *([str(people_video)] if people_video else [])]
    running = RunningOmma(data_dir=tmp_path_factory.mktemp("omma"), cameras=cameras)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium, or skip where it is not installed.

    Not for the whole session: while Playwright is open its event loop runs in this thread, and no other may.
    """
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("browser: no chromium on this machine")
    expect.set_options(timeout=20_000)  # a bound and not a wait: a busy machine takes longer
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def admin_login(browser: Browser, omma: RunningOmma) -> "StorageState":
    """Log in once, through the form, and return the cookies."""
    context = browser.new_context(base_url=omma.url)
    log_in(context.new_page())
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(browser: Browser, omma: RunningOmma, admin_login: "StorageState") -> Iterator[BrowserContext]:
    """Return a browser window's worth of state, logged in as the administrator."""
    context = browser.new_context(
        base_url=omma.url,
        viewport={"width": 1280, "height": 800},
        storage_state=admin_login,
        timezone_id="America/New_York",
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Return the administrator's page; whatever it complains about fails the test."""
    page = context.new_page()
    problems = watch_for_problems(page)
    yield page
    page.close()
    assert problems == []


@pytest.fixture
def phone(browser: Browser, omma: RunningOmma, admin_login: "StorageState") -> Iterator[BrowserContext]:
    """Return a browser of a phone's size, logged in as the administrator."""
    context = browser.new_context(
        base_url=omma.url, viewport={"width": 390, "height": 844}, has_touch=True, storage_state=admin_login
    )
    yield context
    context.close()


@pytest.fixture
def browser_window(browser: Browser, omma: RunningOmma) -> Iterator[BrowserContext]:
    """Return a browser of somebody who is not logged in."""
    context = browser.new_context(base_url=omma.url)
    yield context
    context.close()


@pytest.fixture
def page_of(browser: Browser, omma: RunningOmma) -> Iterator[Callable[[str, str], Page]]:
    """Return a function that logs a person in, in a browser of their own."""
    contexts: list[BrowserContext] = []

    def open_page(username: str, password: str) -> Page:
        context = browser.new_context(base_url=omma.url, viewport={"width": 1280, "height": 800})
        contexts.append(context)
        page = context.new_page()
        log_in(page, username, password)
        return page

    yield open_page
    for context in contexts:
        context.close()
