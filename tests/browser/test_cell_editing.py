"""Editing in the cells of a list: saved, refused, sent again; pasted; and a whole visit without a mouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from . import tasks_app
from .accessibility import all_looks
from .installation import Installation
from .steps import LONG_MS, row, toast

pytestmark = pytest.mark.anyio

TASKS = [
    {"title": "Ask Anna", "hours": 1, "code": "A1"},
    {"title": "Book train", "hours": 2, "code": "B2"},
    {"title": "Call Chen", "hours": 3, "code": "C3"},
]
TITLE, HOURS, CODE, NOTES, DONE, DUE, STATE = range(1, 8)


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, TASKS)


def cell(page: Page, text: str, column: int) -> Locator:
    """A cell of the row that shows a text."""
    return row(page, text).get_by_role("gridcell").nth(column)


async def stored(installation: Installation, **wanted: Any) -> list[dict[str, Any]]:
    """The tasks in the database that have these values."""
    async with tasks_app.api(installation) as app:
        found: list[dict[str, Any]] = await app.call("tasks:list", filter=wanted)
        return found


async def test_a_value_is_saved_where_it_stands(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "Ask Anna", "?sort=title")
    await cell(page, "Ask Anna", HOURS).click()
    await page.keyboard.type("7.5")
    async with page.expect_response("**/tasks:update*"):
        await page.keyboard.press("Enter")
    await expect(cell(page, "Ask Anna", HOURS)).to_have_text("7.5")
    await expect(cell(page, "Ask Anna", HOURS)).to_be_focused()
    assert await stored(installation, hours=7.5, title="Ask Anna")
    await cell(page, "Ask Anna", NOTES).dblclick()
    await page.get_by_role("dialog", name="Notes").get_by_role("textbox").fill("Two\nlines")
    async with page.expect_response("**/tasks:update*"):
        await page.keyboard.press("Control+Enter")
    async with page.expect_response("**/tasks:update*"):
        await cell(page, "Ask Anna", DONE).press("Enter")
    assert await stored(installation, done=True, notes="Two\nlines")
    await page.keyboard.press("Control+z")
    await expect(cell(page, "Ask Anna", DONE).get_by_label("Yes")).to_have_count(0)


async def test_days_and_choices_have_inputs_of_their_own(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "Ask Anna", "?sort=title")
    await cell(page, "Ask Anna", DUE).press("Enter")
    due = page.get_by_label("Due", exact=True)
    await expect(due).to_be_focused()
    await due.fill("2026-11-22")
    async with page.expect_response("**/tasks:update*"):
        await page.keyboard.press("Tab")
    choice = page.get_by_role("combobox", name="State").or_(page.get_by_role("textbox", name="State"))
    await expect(choice).to_be_focused()
    await expect(page.get_by_role("option", name="Paused")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    async with page.expect_response("**/tasks:update*"):
        await page.keyboard.press("Enter")
    await expect(cell(page, "Ask Anna", STATE)).to_be_focused()
    assert await stored(installation, title="Ask Anna", due="2026-11-22", state="paused")


async def test_a_refused_value_stays_with_its_reason(
    page: Page, installation: Installation, tmp_path: Path
) -> None:
    await tasks_app.open_tasks(page, "Ask Anna", "?sort=title")
    taken = cell(page, "Ask Anna", CODE)
    await taken.click()
    await page.keyboard.type("B2")
    await page.keyboard.press("Enter")
    panel = page.get_by_role("dialog", name="Not saved")
    await expect(panel).to_contain_text("Code already exists")
    await expect(taken).to_have_attribute("aria-invalid", "true")
    await expect(taken).to_contain_text("B2")
    await page.screenshot(path=tmp_path / "refused.png")
    assert await all_looks(page, "refused cell") == []
    async with tasks_app.api(installation) as app:
        other = (await app.call("tasks:list", filter={"code": "B2"}))[0]
        await app.call(f"tasks:update/{other['id']}", {"code": "Z9"})
    await taken.focus()
    await page.keyboard.press("Enter")
    await expect(panel.get_by_role("button", name="Retry")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(taken).not_to_have_attribute("aria-invalid", "true")
    await expect(taken).to_be_focused()
    assert [each["title"] for each in await stored(installation, code="B2")] == ["Ask Anna"]


async def test_a_value_waits_out_a_lost_connection(page: Page, installation: Installation) -> None:
    async def cut(route: Route) -> None:
        await route.abort("internetdisconnected")

    await tasks_app.open_tasks(page, "Call Chen", "?sort=title")
    await page.route("**/tasks:update*", cut)
    await cell(page, "Call Chen", HOURS).click()
    await page.keyboard.type("30")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("1 change could not be saved.")).to_be_visible()
    await page.get_by_role("navigation", name="Main navigation").get_by_role("link", name="Data").click()
    question = page.get_by_role("dialog", name="Discard changes?")
    await question.get_by_role("button", name="Keep editing").click()
    await page.unroute("**/tasks:update*")
    await page.get_by_role("button", name="Retry all").click()
    await expect(page.get_by_text("could not be saved")).to_have_count(0)
    assert [each["title"] for each in await stored(installation, hours=30)] == ["Call Chen"]


async def test_cells_of_a_spreadsheet_are_pasted(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "Ask Anna", "?sort=id")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = "10\tA10\tfirst\tyes\nmany\tB20\t\tno\n30\tA10\tthird\t\n40\tD40\t\t"
    await page.evaluate("(text) => navigator.clipboard.writeText(text)", block)
    await cell(page, "Ask Anna", HOURS).focus()
    await page.keyboard.press("Control+v")
    await expect(toast(page, "1 row did not fit below the last one.")).to_be_visible()
    await expect(page.get_by_text("2 changes could not be saved.")).to_be_visible()
    await expect(cell(page, "Book train", HOURS)).to_contain_text("many")
    await expect(cell(page, "Call Chen", CODE)).to_have_attribute("aria-invalid", "true")

    async def seen() -> list[tuple[Any, ...]]:
        async with tasks_app.api(installation) as app:
            rows = await app.call("tasks:list", sort="id")
        return [tuple(each[name] for name in ("hours", "code", "notes", "done")) for each in rows]

    assert await seen() == [(10, "A10", "first", True), (2, "B20", None, False), (30, "C3", "third", None)]
    await cell(page, "Ask Anna", CODE).focus()
    await page.keyboard.press("Control+c")
    await cell(page, "Ask Anna", NOTES).focus()
    await page.keyboard.press("Control+v")
    await expect(cell(page, "Ask Anna", NOTES)).to_have_text("A10")


async def test_everything_without_a_mouse(page: Page, installation: Installation) -> None:
    await tasks_app.open_tasks(page, "Book train", "?sort=title")
    press = page.keyboard.press
    await press("/")
    await page.keyboard.type("Book")
    await expect(row(page, "Ask Anna")).to_have_count(0)
    grid = page.get_by_role("grid")
    while not await grid.evaluate("(grid) => grid.contains(document.activeElement)"):
        await press("Tab")
    await press("ArrowDown")
    await press("Home")
    await press("ArrowRight")
    await press("Enter")
    drawer = page.get_by_role("dialog", name="Book train")
    await expect(drawer.get_by_role("button", name="Edit")).to_be_visible()
    await press("Escape")
    await expect(drawer).to_have_count(0)
    await expect(cell(page, "Book train", TITLE)).to_be_focused()
    await press("F2")
    await page.keyboard.type("Book a night train")
    async with page.expect_response("**/tasks:update*"):
        await press("Tab")
    await expect(page.get_by_role("textbox", name="Hours")).to_be_focused()
    await page.keyboard.type("4")
    async with page.expect_response("**/tasks:update*"):
        await press("Enter")
    assert await stored(installation, title="Book a night train", hours=4)
    await press("Delete")
    await expect(row(page, "Book a night train")).to_have_count(0)
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_be_visible()
    while not await undo.evaluate("(button) => button === document.activeElement"):
        await press("Tab")
    await press("Enter")
    await expect(row(page, "Book a night train")).to_be_visible(timeout=LONG_MS)
    assert await stored(installation, title="Book a night train")
