"""A real browser on a real installation: one Supervisor and two environments on SQLite."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from atoll import web
from atoll.errors import UserInterfaceMissing

from .installation import Installation, running

#: Put screenshots for the README here when set to 1; otherwise they go to the test's own folder.
WRITE_PICTURES = "ATOLL_WRITE_PICTURES"
PICTURES = Path(__file__).parents[2] / "docs" / "images"
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for fixtures of any scope."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def user_interface() -> None:
    """Without a built UI there is nothing to look at."""
    try:
        web.load()
    except UserInterfaceMissing as error:
        pytest.fail(f"{error.message} (make web)")


@pytest.fixture(scope="session")
async def browser(anyio_backend: str, chromium: Path) -> AsyncIterator[Browser]:
    """The system's Chromium."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
async def installation(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """`atoll up` with two environments."""
    async with running(tmp_path_factory.mktemp("up")) as made:
        yield made


@pytest.fixture
async def page(browser: Browser, installation: Installation) -> AsyncIterator[Page]:
    """A fresh browser profile at 1280 pixels; anything wrong on its console fails the test."""
    context = await browser.new_context(
        base_url=installation.url, viewport={"width": 1280, "height": 800}, locale="en-US"
    )
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    await context.close()
    assert problems == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go."""
    if os.environ.get(WRITE_PICTURES) != "1":
        return tmp_path
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES
