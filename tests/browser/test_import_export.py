"""A file is imported, what failed is mended and imported again; exports and bulk changes run as tasks."""

from __future__ import annotations

import asyncio
import csv
import io
import json

import openpyxl
import pytest
from playwright.async_api import Download, FilePayload, Locator, Page, expect

from . import tasks_app
from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import LONG_MS, give_credentials, row

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def tasks(installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "First", "hours": 1, "code": "first"}])
    async with tasks_app.api(installation) as app:
        for each in await app.call("asyncTasks:list"):
            await app.call(f"asyncTasks:destroy/{each['id']}")


async def count(installation: Installation, **wanted: object) -> int:
    async with tasks_app.api(installation) as app:
        answer = await app.envelope("tasks:list", filter=wanted or None)
        found: int = answer["meta"]["count"]
        return found


def xlsx(name: str, rows: list[list[object]]) -> FilePayload:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for each in rows:
        sheet.append(each)
    target = io.BytesIO()
    book.save(target)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return {"name": name, "mimeType": kind, "buffer": target.getvalue()}


async def open_wizard(page: Page) -> Locator:
    await page.get_by_role("button", name="Import and export").click()
    await page.get_by_role("menuitem", name="Import").click()
    return page.get_by_role("dialog", name="Import into Tasks")


async def give_file(page: Page, wizard: Locator, file: FilePayload) -> None:
    async with page.expect_file_chooser() as chooser:
        await wizard.get_by_role("button", name="Choose a file").click()
    await (await chooser.value).set_files(file)


async def rows_of(download: Download) -> list[list[object]]:
    content = await asyncio.to_thread((await download.path()).read_bytes)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [list(each) for each in sheet.iter_rows(values_only=True)]


async def test_what_failed_is_mended_and_imported_again(page: Page, installation: Installation) -> None:
    rows: list[list[object]] = [["Title", "Hours", "CODE", "Remark"]]
    rows += [[f"Task {number}", number, f"t{number}", "x"] for number in range(500)]
    rows[10][1], rows[20][2], rows[30][1] = "many", "first", "?"
    await tasks_app.open_tasks(page, "First")
    wizard = await open_wizard(page)
    assert await all_looks(page, "import-1-file") == []
    await give_file(page, wizard, xlsx("plan.xlsx", rows))
    await expect(wizard.get_by_label("Field for column CODE")).to_have_value("code")
    await expect(wizard.get_by_label("Field for column Remark")).to_have_value("")
    assert await all_looks(page, "import-2-columns") == []
    await wizard.get_by_role("button", name="Check", exact=True).click()
    await expect(wizard.get_by_text("497 new")).to_be_visible(timeout=LONG_MS)
    await expect(wizard.get_by_text("3 with errors")).to_be_visible()
    await expect(wizard.get_by_text("Row 21: Code already exists")).to_be_visible()
    assert await all_looks(page, "import-3-check") == []
    await wizard.get_by_role("button", name="Import", exact=True).click()
    await expect(wizard.get_by_text("497 created · 3 failed")).to_be_visible(timeout=LONG_MS)
    assert await all_looks(page, "import-4-result") == []
    async with page.expect_download() as waiting:
        await wizard.get_by_role("button", name="Download failed rows").click()
    failed = await rows_of(await waiting.value)
    assert [each[0] for each in failed] == ["Title", "Task 9", "Task 19", "Task 29"]
    assert failed[1][-1] == "Row 11: Hours: 'many' is not a number"
    await wizard.get_by_role("button", name="Close").last.click()
    await expect(row(page, "Task 0").first).to_be_visible()

    failed[1][1], failed[2][2], failed[3][1] = 9, "t19", 29
    wizard = await open_wizard(page)
    await give_file(page, wizard, xlsx("mended.xlsx", failed))
    await wizard.get_by_label("changes the record with the same key, or becomes a new one").check()
    await wizard.get_by_label("Key", exact=True).select_option("Code")
    await wizard.get_by_role("button", name="Check", exact=True).click()
    await expect(wizard.get_by_text("0 with errors")).to_be_visible(timeout=LONG_MS)
    await wizard.get_by_role("button", name="Import", exact=True).click()
    await expect(wizard.get_by_text("3 created")).to_be_visible(timeout=LONG_MS)
    assert await count(installation) == 501


async def test_a_large_export_is_a_task_of_the_tray(page: Page, installation: Installation) -> None:
    async with tasks_app.api(installation) as app:
        values = [{"title": f"Task {number}", "hours": number} for number in range(3000)]
        await app.call("tasks:create", values)
    await tasks_app.open_tasks(page, "Task 2999", "?sort=-hours")
    await page.get_by_role("button", name="Import and export").click()
    await page.get_by_role("menuitem", name="Export").click()
    dialog = page.get_by_role("dialog", name="Export Tasks")
    await expect(dialog.get_by_text("3,001 records: runs as a task")).to_be_visible()
    await dialog.get_by_text("CSV", exact=True).click()
    await dialog.get_by_label("Notes").uncheck()
    await dialog.get_by_label("File name").fill("all tasks")
    assert await all_looks(page, "export") == []
    await dialog.get_by_role("button", name="Export", exact=True).click()
    tray = page.get_by_role("dialog", name="Tasks", exact=True)
    await expect(tray.get_by_text("Export all tasks.csv")).to_be_visible()
    download = tray.get_by_role("button", name="Download")
    await expect(download).to_be_visible(timeout=LONG_MS)
    assert await all_looks(page, "tray") == []
    async with page.expect_download() as waiting:
        await download.click()
    file = await waiting.value
    assert file.suggested_filename == "all tasks.csv"
    text = await asyncio.to_thread((await file.path()).read_text, "utf-8-sig")
    lines = list(csv.reader(text.splitlines()))
    assert len(lines) == 3002
    assert lines[1][:2] == ["Task 2999", "2999"]
    assert "Notes" not in lines[0]
    await page.reload()
    await page.get_by_role("button", name="Tasks", exact=True).click()
    tray = page.get_by_role("dialog", name="Tasks", exact=True)
    await expect(tray.get_by_text("Export all tasks.csv")).to_be_visible()
    await tray.get_by_role("button", name="Dismiss all tasks.csv").click()
    await expect(tray.get_by_text("Export all tasks.csv")).to_have_count(0)


async def test_all_matching_records_are_changed_and_deleted(page: Page, installation: Installation) -> None:
    async with tasks_app.api(installation) as app:
        values = [{"title": f"Task {number}", "hours": number} for number in range(600)]
        await app.call("tasks:create", values)
    await tasks_app.open_tasks(page, "Task 0", "?q=Task")
    await page.get_by_role("checkbox", name="Select all rows on this page").check()
    await page.get_by_role("button", name="Select all 600 matching").click()
    await page.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog", name="Change 600 records")
    await dialog.get_by_label("Change Notes").check()
    await dialog.get_by_role("textbox", name="Notes").fill("together")
    assert await all_looks(page, "bulk") == []
    await dialog.get_by_role("button", name="Change 600 records").click()
    tray = page.get_by_role("dialog", name="Tasks", exact=True)
    await expect(tray.get_by_text("Done").first).to_be_visible(timeout=LONG_MS)
    assert await count(installation, notes="together") == 600
    await page.keyboard.press("Escape")
    await expect(tray).to_have_count(0)
    await page.get_by_role("checkbox", name="Select all rows on this page").check()
    await page.get_by_role("button", name="Select all 600 matching").click()
    await page.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete 600 records").click()
    await expect(tray.get_by_text("Delete 600 records")).to_be_visible()
    await expect(tray.get_by_text("Done")).to_have_count(2, timeout=LONG_MS)
    assert await count(installation) == 1


async def test_linked_records_come_in_by_name_and_go_out_with_their_fields(
    page: Page, installation: Installation
) -> None:
    async with tasks_app.api(installation) as app:
        names = [
            {"name": name, "type": "string", "interface": "input", "uiSchema": {"title": name.capitalize()}}
            for name in ("name", "city")
        ]
        link = {
            "name": "person", "type": "belongsTo", "interface": "m2o", "target": "people",
            "foreignKey": "personId", "uiSchema": {"title": "Person"},
        }  # fmt: skip
        people = {"name": "people", "title": "People", "titleField": "name", "fields": names}
        await app.call("collections:create", people)
        jobs = {"name": "jobs", "title": "Jobs", "titleField": "name", "fields": [names[0], link]}
        await app.call("collections:create", jobs)
        await app.call("people:create", [{"name": "Ann", "city": "Oslo"}, {"name": "Bo", "city": "Rome"}])
    await page.goto(f"/apps/{tasks_app.NAME}/admin/r/jobs")
    await give_credentials(page, ACCOUNT)
    await page.get_by_role("button", name="Import and export").click()
    await page.get_by_role("menuitem", name="Import").click()
    wizard = page.get_by_role("dialog", name="Import into Jobs")
    content = b"Name,Person\nPaint,Ann\nDig,Nobody\nSaw,Bo\n"
    await give_file(page, wizard, {"name": "jobs.csv", "mimeType": "text/csv", "buffer": content})
    field = wizard.get_by_label("Field for column Person")
    await expect(field).to_have_value("person.name")
    await wizard.get_by_role("button", name="Check", exact=True).click()
    reason = "Row 3: Person: no record of People that you may see has Name 'Nobody'"
    await expect(wizard.get_by_text(reason)).to_be_visible(timeout=LONG_MS)
    await wizard.get_by_role("button", name="Import", exact=True).click()
    await expect(wizard.get_by_text("2 created · 1 failed")).to_be_visible(timeout=LONG_MS)
    await wizard.get_by_role("button", name="Close").last.click()
    await expect(row(page, "Paint").get_by_text("Ann")).to_be_visible()

    await row(page, "Saw").get_by_role("checkbox").check()
    await page.get_by_role("button", name="Export…").click()
    dialog = page.get_by_role("dialog", name="Export Jobs")
    await expect(dialog.get_by_label("The selected ones")).to_be_checked()
    await expect(dialog.get_by_text("1 record", exact=True)).to_be_visible()
    await dialog.get_by_role("button", name="Fields of Person").click()
    await dialog.get_by_label("City").check()
    await dialog.get_by_text("JSON", exact=True).click()
    assert await all_looks(page, "export-relation") == []
    async with page.expect_download() as waiting:
        await dialog.get_by_role("button", name="Export", exact=True).click()
    file = await waiting.value
    assert file.suggested_filename == "Jobs.json"
    (exported,) = json.loads(await asyncio.to_thread((await file.path()).read_text, "utf-8"))
    wanted = {"name": "Saw", "person.name": "Bo", "person.city": "Rome"}
    assert {name: exported[name] for name in wanted} == wanted
