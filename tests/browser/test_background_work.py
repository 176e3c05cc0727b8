"""The pages of tasks and queues: what runs, what waits for nobody, and what was given up."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from atoll.testing.client import AtollClient
from atoll.testing.processes import ServerProcess, closing

from . import tasks_app
from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import LONG_MS, give_credentials, row

pytestmark = pytest.mark.anyio
EXPORT: dict[str, Any] = {"type": "export", "title": "people.xlsx"}
COLUMNS = [{"dataIndex": ["title"], "title": "Title"}]


@pytest.fixture
async def front(
    anyio_backend: str, browser: Browser, tmp_path: Path
) -> AsyncIterator[tuple[Page, AtollClient]]:
    """A server that answers requests and does no background work, in a browser, and its API."""
    settings = {
        "WORKER_MODE": "!",
        "INIT_ROOT_USERNAME": ACCOUNT.username,
        "INIT_ROOT_PASSWORD": ACCOUNT.password,
    }
    server = ServerProcess("front", tmp_path / "front", settings)
    async with closing(server):
        await server.start(within=60)
        async with AtollClient(server.url) as client:
            await client.sign_in(ACCOUNT)
            await client.call("systemSettings:put", {"options": {"setup": "done"}})
            fields = [{"name": "title", "type": "string", "uiSchema": {"title": "Title"}}]
            await client.call("collections:create", {"name": "notes", "title": "Notes", "fields": fields})
            context = await browser.new_context(
                base_url=server.url, viewport={"width": 1280, "height": 800}, locale="en-US"
            )
            yield await context.new_page(), client
            await context.close()


async def test_a_task_says_what_it_waits_for_and_the_queue_raises_an_alarm(
    front: tuple[Page, AtollClient],
) -> None:
    page, client = front
    await client.call("asyncTasks:create", {**EXPORT, "params": {"collection": "notes", "columns": COLUMNS}})
    await page.goto("/admin/settings/tasks")
    await give_credentials(page, ACCOUNT)
    waits = "Waiting: no instance serves async-task:process"
    await expect(row(page, "Export people.xlsx").get_by_text(waits)).to_be_visible()
    assert await all_looks(page, "tasks-waiting") == []
    await page.get_by_role("button", name="Tasks: 1 running").click()
    tray = page.get_by_role("dialog", name="Tasks", exact=True)
    await expect(tray.get_by_text(waits)).to_be_visible()
    await tray.get_by_role("link", name="All tasks").click()
    await expect(tray).to_have_count(0)
    await page.get_by_role("tab", name="Queues").click()
    alarm = page.get_by_role("alert").filter(has_text="1 item waits in async-task-manager.task")
    await expect(alarm.get_by_text("WORKER_MODE is empty")).to_be_visible()
    await expect(row(page, "async-task-manager.task").get_by_text("Nobody serves it")).to_be_visible()
    assert await all_looks(page, "queues-alarm") == []
    await page.get_by_role("tab", name="Tasks").click()
    await row(page, "Export people.xlsx").get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Stop").click()
    await expect(row(page, "Export people.xlsx").get_by_text("Stopped")).to_be_visible()


async def test_tasks_of_everybody_are_seen_and_dismissed(page: Page, installation: Installation) -> None:
    await tasks_app.prepare(installation, [{"title": "First", "hours": 1, "code": "first"}])
    async with tasks_app.api(installation) as app:
        for each in await app.call("asyncTasks:list"):
            await app.call(f"asyncTasks:destroy/{each['id']}")
        await app.call(
            "asyncTasks:create",
            {**EXPORT, "params": {"collection": "tasks", "columns": COLUMNS, "name": "people.xlsx"}},
        )
    await page.goto(f"/apps/{tasks_app.NAME}/admin/settings/tasks")
    await give_credentials(page, ACCOUNT)
    task = row(page, "Export people.xlsx")
    await expect(task.get_by_text("Done")).to_be_visible(timeout=LONG_MS)
    await task.get_by_role("link", name="Export people.xlsx").click()
    details = page.get_by_role("dialog", name="Export people.xlsx")
    await expect(details.get_by_text("Rows")).to_be_visible()
    assert await all_looks(page, "task-details") == []
    async with page.expect_download() as waiting:
        await details.get_by_role("button", name="Download").click()
    assert (await waiting.value).suggested_filename == "people.xlsx"
    await page.keyboard.press("Escape")
    await page.get_by_text("Everybody's").click()
    await expect(page.get_by_role("columnheader", name="Started by")).to_be_visible()
    await task.get_by_role("button", name="Actions").click()
    await page.get_by_role("menuitem", name="Dismiss").click()
    await expect(task).to_have_count(0)


async def test_what_was_given_up_is_tried_again_or_discarded(page: Page, installation: Installation) -> None:
    """The API itself is tested elsewhere; here its answers are given, since nothing fails on purpose."""
    await tasks_app.prepare(installation, [{"title": "First", "hours": 1, "code": "first"}])
    letters = [
        {"id": f"l{number}", "reason": reason, "diedAt": "2026-01-02T03:04:05.000Z",
         "publishedAt": "2026-01-02T03:04:05.000Z", "retried": 3, "bytes": 120}
        for number, reason in enumerate(["ConnectionError: the printer is away", "took longer than 15 s"])
    ]  # fmt: skip
    asked: list[tuple[str, Any]] = []

    async def answer(route: Route) -> None:
        action = route.request.url.split("queues:")[1].split("/")[0].split("?")[0]
        data: Any = letters
        if action == "list":
            data = [{
                "channel": "print", "serviceKey": "plugin-print:print", "waiting": 0, "inFlight": 1,
                "delayed": None, "oldestSeconds": None, "consumers": 1, "dead": len(letters), "reason": None,
            }]  # fmt: skip
        elif action != "dead":
            values = json.loads(route.request.post_data or "{}")
            asked.append((action, values))
            gone = [each for each in letters if values.get("all") or each["id"] in values["ids"]]
            letters[:] = [each for each in letters if each not in gone]
            data = {"count": len(gone)}
        await route.fulfill(json={"data": data})

    await page.route(re.compile("/queues:"), answer)
    await page.goto(f"/apps/{tasks_app.NAME}/admin/settings/queues")
    await give_credentials(page, ACCOUNT)
    await expect(row(page, "print").get_by_text("Served")).to_be_visible()
    await row(page, "print").get_by_role("link", name="print").click()
    drawer = page.get_by_role("dialog", name="Given up in print")
    await expect(drawer.get_by_role("listitem")).to_have_count(2)
    assert await all_looks(page, "dead-letters") == []
    await drawer.get_by_role("button", name="Try again: ConnectionError").click()
    await expect(drawer.get_by_role("listitem")).to_have_count(1)
    await drawer.get_by_role("button", name="Discard all").click()
    question = page.get_by_role("dialog", name="Discard 1 item?")
    await expect(question.get_by_text("will never be done")).to_be_visible()
    await question.get_by_role("button", name="Discard all").click()
    await expect(drawer.get_by_text("Nothing was given up here.")).to_be_visible()
    assert asked == [("redrive", {"ids": ["l0"]}), ("drop", {"all": True})]
