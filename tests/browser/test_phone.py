"""On a phone: dialogs fill the screen with a way back, tasks are in the menu, fingers find what they tap."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from . import tasks_app
from .installation import ACCOUNT, Installation

pytestmark = pytest.mark.anyio

WIDTH, HEIGHT = 390, 844
FINGER = 44
#: Names and sizes of visible buttons and inputs that a finger would miss. Labels widen what they name.
SMALL = """() => [...document.querySelectorAll('button, a[role=button], input:not([type=checkbox])')]
  .filter((each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('[aria-hidden=true]'))
  .map((each) => [each, each.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && box.height < 43.5)
  .map(([each, box]) => `${each.ariaLabel ?? each.textContent}: ${box.width}x${box.height}`)"""


@pytest.fixture
async def phone(browser: Browser, installation: Installation) -> AsyncIterator[Page]:
    """A page under fingers."""
    await tasks_app.prepare(installation, [{"title": "Mow the lawn", "hours": 2}])
    context = await browser.new_context(
        base_url=installation.url,
        viewport={"width": WIDTH, "height": HEIGHT},
        has_touch=True,
        is_mobile=True,
        locale="en-US",
    )
    yield await context.new_page()
    await context.close()


async def test_lists_forms_and_tasks_on_a_phone(phone: Page) -> None:
    await phone.goto(tasks_app.LIST)
    await phone.get_by_label("User name or e-mail").fill(ACCOUNT.username)
    await phone.get_by_label("Password", exact=True).fill(ACCOUNT.password)
    await phone.get_by_role("button", name="Sign in").tap()
    card = phone.get_by_role("list", name="Tasks").get_by_role("listitem")
    await expect(card.get_by_text("Mow the lawn")).to_be_visible()
    assert await phone.evaluate(SMALL) == []

    await phone.get_by_role("button", name="Menu", exact=True).tap()
    await phone.get_by_role("button", name="Tasks", exact=True).tap()
    tray = phone.get_by_role("dialog", name="Tasks")
    await expect(tray.get_by_text("Imports, exports")).to_be_visible()
    await tray.get_by_role("button", name="Close").tap()
    await expect(tray).to_have_count(0)

    await phone.get_by_role("button", name="New record").tap()
    form = phone.get_by_role("dialog", name="New record in Tasks")
    await expect(form.get_by_label("Title")).to_be_visible()
    back = form.get_by_role("button", name="Close")
    box = await back.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] / 2 < WIDTH / 4
    assert min(box["width"], box["height"]) >= FINGER
    assert await phone.evaluate(SMALL) == []
    await back.tap()
    await expect(form).to_have_count(0)
