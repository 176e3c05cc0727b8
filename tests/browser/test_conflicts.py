"""Two people at one record: nobody overwrites the other unasked. Input that was not saved is found again."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Dialog, Locator, Page, expect

from . import tasks_app
from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import give_credentials, open_menu, row

pytestmark = pytest.mark.anyio

DRAFTS = "() => Object.keys(localStorage).filter((key) => key.startsWith('atoll.draft.')).length"
KEPT = "() => Object.keys(localStorage).some((key) => key.startsWith('atoll.draft.'))"
HOURS = 2


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "Mow the lawn", "hours": 2, "code": "M"}])


async def others_change(installation: Installation, **values: Any) -> None:
    """Somebody else saves the one task."""
    async with tasks_app.api(installation) as app:
        await app.call("tasks:update", values, filter={"id": {"$notEmpty": True}})


async def stored(installation: Installation) -> dict[str, Any]:
    async with tasks_app.api(installation) as app:
        found: list[dict[str, Any]] = await app.call("tasks:list")
        return found[0]


async def start_editing(page: Page) -> Locator:
    """The drawer of the task, with another title typed."""
    await tasks_app.open_tasks(page, "Mow the lawn")
    await open_menu(page, "Mow the lawn", "Edit")
    drawer = page.get_by_role("dialog").first
    await drawer.get_by_label("Title").fill("Mine")
    return drawer


async def test_a_stale_save_asks_field_by_field(page: Page, installation: Installation) -> None:
    drawer = await start_editing(page)
    await others_change(installation, title="Theirs", hours=5)
    await expect(drawer.get_by_text("Somebody else has changed Title and Hours.")).to_be_visible()
    await drawer.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog", name="Somebody else has changed this record")
    await expect(dialog.get_by_text("Hours: 2 → 5")).to_be_visible()
    await expect(dialog.get_by_role("radio", name="Keep mine")).to_be_checked()
    assert (await stored(installation))["title"] == "Theirs"
    assert await all_looks(page, "conflict") == []
    await dialog.get_by_role("button", name="Save", exact=True).click()
    await expect(dialog).to_have_count(0)
    await expect(drawer.get_by_role("button", name="Edit")).to_be_visible()
    assert [(await stored(installation))[name] for name in ("title", "hours")] == ["Mine", 5]


async def test_a_notice_lets_take_over_before_saving(page: Page, installation: Installation) -> None:
    drawer = await start_editing(page)
    await others_change(installation, title="Theirs", code="T")
    await drawer.get_by_role("button", name="Show").click()
    dialog = page.get_by_role("dialog", name="Somebody else has changed this record")
    await dialog.get_by_role("radio", name="Take theirs").check()
    await dialog.get_by_role("button", name="Take over").click()
    await expect(drawer.get_by_label("Title")).to_have_value("Theirs")
    await expect(drawer.get_by_label("Code")).to_have_value("T")
    await drawer.get_by_label("Hours").fill("9")
    await drawer.get_by_role("button", name="Save", exact=True).click()
    await expect(drawer.get_by_role("button", name="Edit")).to_be_visible()
    assert [(await stored(installation))[name] for name in ("title", "code", "hours")] == ["Theirs", "T", 9]


async def test_a_cell_overwrites_only_what_its_person_has_seen(
    page: Page, installation: Installation
) -> None:
    await tasks_app.open_tasks(page, "Mow the lawn")
    cell = page.get_by_role("row").nth(1).get_by_role("gridcell").nth(HOURS)
    await cell.click()
    await page.keyboard.type("7")
    await others_change(installation, code="Nr-1")
    await expect(row(page, "Nr-1")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(cell).to_have_text("7")
    assert [(await stored(installation))[name] for name in ("hours", "code")] == [7, "Nr-1"]

    await page.keyboard.type("8")
    await others_change(installation, hours=30, code="Nr-2")
    await expect(row(page, "Nr-2")).to_be_visible()
    await page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Not saved")
    await expect(panel.get_by_text("it is “30” now")).to_be_visible()
    assert (await stored(installation))["hours"] == 30
    await panel.get_by_role("button", name="Retry").click()
    await expect(cell).to_have_text("8")
    await expect(panel).to_have_count(0)
    assert (await stored(installation))["hours"] == 8


async def test_a_draft_outlives_a_reload(page: Page) -> None:
    drawer = await start_editing(page)
    await page.wait_for_function(KEPT)

    async def leave(dialog: Dialog) -> None:
        await dialog.accept()

    page.on("dialog", leave)
    await page.reload()
    await expect(drawer.get_by_label("Title")).to_have_value("Mine")
    await expect(drawer.get_by_text("restored")).to_be_visible()
    await drawer.get_by_role("button", name="Discard draft").click()
    await expect(drawer.get_by_label("Title")).to_have_value("Mow the lawn")
    assert await page.evaluate(DRAFTS) == 0
    await drawer.get_by_label("Title").fill("Mine again")
    await page.wait_for_function(KEPT)
    await page.reload()
    await drawer.get_by_role("button", name="Save", exact=True).click()
    await expect(
        page.get_by_role("dialog", name="Mine again").get_by_role("button", name="Edit")
    ).to_be_visible()
    assert await page.evaluate(DRAFTS) == 0


async def test_signing_out_leaves_no_draft_behind(page: Page) -> None:
    await start_editing(page)
    await page.wait_for_function(KEPT)

    async def leave(dialog: Dialog) -> None:
        await dialog.accept()

    page.on("dialog", leave)
    await page.goto("/apps/work/admin/r/tasks")
    await page.get_by_role("button", name="Account of").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert await page.evaluate(DRAFTS) == 0
    await give_credentials(page, ACCOUNT)
