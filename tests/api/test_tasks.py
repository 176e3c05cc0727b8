"""Asynchronous tasks over HTTP: import, export, bulk changes, and who sees what of them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from atoll.application.app import Application
from atoll.application.context import Context
from atoll.application.fields.moments import iso_text, now_ms
from atoll.application.records.filter import Caller
from atoll.application.tasks import NewTask, TaskLost, TaskResult, TaskRun, TaskType
from atoll.database.drivers import Connection, Database
from atoll.errors import DatabaseUnavailable, QueueUnavailable
from atoll.plugins.async_tasks import plugin
from atoll.plugins.async_tasks.rows import TaskRows
from atoll.plugins.async_tasks.run import FencedRun
from atoll.plugins.async_tasks.runner import Runner
from atoll.testing.processes import eventually

from .conftest import ROOT, Api, client_of, make_app
from .test_import_export import rows_of, workbook

pytestmark = pytest.mark.anyio

FIELDS = [
    {"name": "title", "type": "string", "uiSchema": {"title": "Title"}},
    {"name": "n", "type": "integer", "uiSchema": {"title": "N"}},
    {"name": "code", "type": "string", "unique": True, "uiSchema": {"title": "Code"}},
]
COLUMNS = [{"index": 0, "field": "title"}, {"index": 1, "field": "n"}, {"index": 2, "field": "code"}]
TITLES = ["Title", "N", "Code"]


@pytest.fixture
async def orders(root: Api) -> Api:
    await root.data("collections:create", {"name": "orders", "createdBy": True, "fields": FIELDS})
    return root


async def finished(api: Api, task: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (row := await api.data(f"asyncTasks:get/{task['id']}"))["doneAt"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    result: dict[str, Any] = row
    return result


async def start(api: Api, kind: str, **params: Any) -> dict[str, Any]:
    row: dict[str, Any] = await api.data("asyncTasks:create", {"type": kind, "params": params})
    return row


async def do(api: Api, kind: str, **params: Any) -> dict[str, Any]:
    return await finished(api, await start(api, kind, **params))


async def inspect(api: Api, content: bytes, name: str = "orders.xlsx", **params: Any) -> dict[str, Any]:
    response = await api.client.post(
        "/api/orders:inspectImport",
        files={"file": (name, content)},
        params=params,
        headers={"Authorization": f"Bearer {api.token}"},
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["data"]
    return found


async def imported(api: Api, content: bytes, name: str = "orders.xlsx", **params: Any) -> dict[str, Any]:
    seen = await inspect(api, content, name)
    return await do(api, "import", **request_for(seen), **params)


def request_for(seen: dict[str, Any]) -> dict[str, Any]:
    return {
        "collection": "orders",
        "upload": seen["upload"],
        "filename": seen["filename"],
        "layout": seen["layout"],
        "columns": COLUMNS,
    }


def counts(task: dict[str, Any]) -> dict[str, int]:
    assert task["status"] == 1, task
    return {name: task["result"][name] for name in ("rows", "created", "updated", "skipped", "failed")}


async def test_an_import_gives_back_what_failed_to_be_mended(orders: Api) -> None:
    rows: list[list[Any]] = [[f"t{number}", number, f"c{number}"] for number in range(1200)]
    rows[3][1], rows[600][2], rows[1100][1] = "abc", "c5", "x"
    task = await imported(orders, workbook([TITLES, *rows]), onError="continue")
    assert counts(task) == {"rows": 1200, "created": 1197, "updated": 0, "skipped": 0, "failed": 3}
    assert (task["progressCurrent"], task["progressTotal"]) == (1200, 1200)
    file = await orders.call(f"asyncTasks:fetchFile/{task['id']}")
    assert file.headers["content-disposition"] == "attachment; filename=orders%20-%20failed%20rows.xlsx"
    failed = rows_of(file.content)
    assert failed == [
        [*TITLES, "Error"],
        ["t3", "abc", "c3", "Row 5: N: 'abc' is not a whole number"],
        ["t600", 600, "c5", "Row 602: Code already exists"],
        ["t1100", "x", "c1100", "Row 1102: N: 'x' is not a whole number"],
    ]
    for row, (n, code) in zip(failed[1:], [(3, "c3"), (600, "c600"), (1100, "c1100")], strict=True):
        row[1], row[2] = n, code
    again = await imported(orders, workbook(failed), onError="continue")
    assert counts(again)["created"] == 3
    assert "file" not in again["result"]
    assert (await orders.call("orders:list")).json()["meta"]["count"] == 1200


async def test_stopping_at_the_first_bad_row_says_what_is_there(orders: Api) -> None:
    rows: list[list[Any]] = [[f"t{number}", number, f"c{number}"] for number in range(700)]
    rows[600][1] = "abc"
    task = await imported(orders, workbook([TITLES, *rows]))
    assert task["status"] == -1
    expected = "Row 602: N: 'abc' is not a whole number. Imported before it: 500 new, 0 changed."
    assert task["result"]["message"] == expected
    assert (await orders.call("orders:list")).json()["meta"]["count"] == 500


@pytest.mark.parametrize("mode", ["update", "updateOrCreate"])
async def test_records_are_found_by_their_key(orders: Api, mode: str) -> None:
    await orders.data("orders:create", [{"title": "old", "n": 1, "code": "a"}, {"title": "old", "code": "b"}])
    content = "Title;N;Code\nnew;;a\nnew;5;c\nnew;6;\nonly;7;c\n".encode("cp1252")
    task = await imported(orders, content, "o.csv", mode=mode, keys=["code"], onError="continue")
    if mode == "update":
        assert counts(task) == {"rows": 4, "created": 0, "updated": 1, "skipped": 0, "failed": 3}
    else:
        assert counts(task) == {"rows": 4, "created": 1, "updated": 2, "skipped": 0, "failed": 1}
    records = {row["code"]: (row["title"], row["n"]) for row in await orders.data("orders:list")}
    assert records["a"] == ("new", 1), "an empty cell leaves the field alone"
    assert records["b"] == ("old", None)
    assert records.get("c") == (None if mode == "update" else ("only", 7))
    cleared = await imported(
        orders, content, "o.csv", mode="update", keys=["code"], emptyCells="clear", onError="continue"
    )
    assert cleared["status"] == 1
    records = {row["code"]: (row["title"], row["n"]) for row in await orders.data("orders:list")}
    assert records["a"] == ("new", None)


async def test_a_dry_run_tells_all_and_writes_nothing(orders: Api) -> None:
    await orders.data("orders:create", {"title": "old", "code": "taken"})
    rows: list[list[Any]] = [[f"t{number}", number, f"c{number}"] for number in range(600)]
    rows[2][1], rows[3][2], rows[590][2] = "abc", "taken", "c0"
    task = await imported(orders, workbook([TITLES, *rows]), dryRun=True)
    assert counts(task) == {"rows": 600, "created": 597, "updated": 0, "skipped": 0, "failed": 3}
    assert task["result"]["problems"] == [
        {"row": 4, "reason": "N: 'abc' is not a whole number"},
        {"row": 5, "reason": "Code already exists"},
        {"row": 592, "reason": "Code already exists"},
    ]
    preview = task["result"]["preview"]
    assert len(preview) == 20
    assert preview[2] == {
        "row": 4,
        "cells": ["t2", "abc", "c2"],
        "problems": {"n": "N: 'abc' is not a whole number"},
        "reason": "N: 'abc' is not a whole number",
    }
    assert (await orders.call("orders:list")).json()["meta"]["count"] == 1


async def test_a_file_is_looked_at_before(orders: Api) -> None:
    seen = await inspect(orders, "\nTitel;N\nä;1\n".encode("utf-16"), "x.csv")
    assert seen["layout"] == {
        "format": "csv", "sheet": "", "sheets": [], "encoding": "utf-16", "delimiter": ";", "headerRow": 2,
    }  # fmt: skip
    assert (seen["titles"], seen["samples"]) == (["Titel", "N"], [["ä", "1"]])
    again = await orders.data(
        "orders:inspectImport", {}, upload=seen["upload"], delimiter=",", encoding="utf-16", headerRow=3
    )
    assert again["titles"] == ["ä;1"]
    book = openpyxl.Workbook()
    book.worksheets[0].append(["A"])
    book.create_sheet("Second").append(["B"])
    target = io.BytesIO()
    book.save(target)
    assert (await inspect(orders, target.getvalue()))["layout"]["sheets"] == ["Sheet", "Second"]
    assert (await inspect(orders, target.getvalue(), sheet="Second"))["titles"] == ["B"]


async def test_an_export_takes_all_rows(orders: Api, app: Application) -> None:
    await orders.data("orders:create", [{"title": f"t{n}", "n": n, "code": str(n)} for n in range(2500)])
    columns = [{"dataIndex": ["title"]}, {"dataIndex": ["n"], "title": "Number"}]
    task = await do(
        orders, "export", collection="orders", columns=columns, filter={"n": {"$lt": 2300}}, sort=["-n"]
    )
    assert task["status"] == 1, task
    assert task["result"]["rows"] == 2300
    file = await orders.call(f"asyncTasks:fetchFile/{task['id']}", filename="mine.xlsx")
    assert file.headers["content-disposition"] == "attachment; filename=mine.xlsx"
    rows = rows_of(file.content)
    assert rows[:2] == [["Title", "Number"], ["t2299", 2299]]
    assert len(rows) == 2301
    part = await orders.call(f"asyncTasks:fetchFile/{task['id']}", headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.content) == (206, b"PK")
    assert await orders.data(f"asyncTasks:destroy/{task['id']}", {}) == 1
    assert not (app.storage / "tasks" / task["id"]).exists()
    assert (await orders.call(f"asyncTasks:get/{task['id']}")).status_code == 404


async def test_bulk_changes_are_counted_before_and_done_once(orders: Api) -> None:
    await orders.data("orders:create", [{"title": "a" if n % 3 else "b", "n": 0} for n in range(1500)])
    which: dict[str, Any] = {"collection": "orders", "filter": {"title": "a"}}
    change = {
        "type": "records:update",
        "params": {**which, "values": {"title": "c", "n": 1}, "expected": 999},
    }
    refused = await orders.call("asyncTasks:create", change)
    assert refused.status_code == 409
    assert "1,000 records match now, not 999" in refused.text
    task = await do(orders, "records:update", **which, values={"title": "c", "n": 1}, expected=1000)
    assert (task["status"], task["result"]) == (1, {"changed": 1000})
    task = await do(orders, "records:destroy", collection="orders", filter={"title": "b"}, expected=500)
    assert task["result"] == {"changed": 500}
    rows = await orders.data("orders:list", paginate="false")
    assert {(row["title"], row["n"]) for row in rows} == {("c", 1)}
    assert len(rows) == 1000


async def test_tasks_belong_to_one_person_and_need_the_right(orders: Api) -> None:
    await orders.data("orders:create", {"title": "of root"})
    await orders.data("users:create", {"username": "bob", "password": "secret-123", "roles": ["member"]})
    await orders.data("users:create", {"username": "eve", "password": "secret-123", "roles": ["admin"]})
    bob, eve = await orders.sign_in("bob", "secret-123"), await orders.sign_in("eve", "secret-123")
    columns = [{"dataIndex": ["title"]}]
    task = await do(orders, "export", collection="orders", columns=columns)
    assert (await eve.data("asyncTasks:list")) == []
    for action in ("get", "stop", "destroy", "fetchFile"):
        values: Any = None if action in ("get", "fetchFile") else {}
        assert (await eve.call(f"asyncTasks:{action}/{task['id']}", values)).status_code == 404
    listed = await orders.data("asyncTasks:list", sort="-createdAt")
    assert [row["id"] for row in listed] == [task["id"]]
    assert not {"attempt", "cursor", "caller", "seenAt"} & set(listed[0])
    for kind in ("export", "import", "records:update", "records:destroy"):
        values = {"type": kind, "params": {"collection": "orders", "columns": columns, "expected": 1}}
        assert (await bob.call("asyncTasks:create", values)).status_code in (400, 403), kind
    refused = await bob.call(
        "asyncTasks:create", {"type": "export", "params": {"collection": "orders", "columns": columns}}
    )
    assert refused.status_code == 403
    seen = await inspect(orders, workbook([TITLES, ["x", 1, "1"]]))
    stolen = await eve.call("asyncTasks:create", {"type": "import", "params": request_for(seen)})
    assert stolen.status_code == 400
    assert "not there" in stolen.text


async def test_who_looks_after_an_app_sees_all_tasks_but_not_what_they_hold(
    orders: Api, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await orders.data("users:create", {"username": "bob", "password": "secret-123", "roles": ["member"]})
    await orders.data("users:create", {"username": "eve", "password": "secret-123", "roles": ["admin"]})
    bob, eve = await orders.sign_in("bob", "secret-123"), await orders.sign_in("eve", "secret-123")
    columns = [{"dataIndex": ["title"]}]
    done = await do(orders, "export", collection="orders", columns=columns, filter={"title": "private"})

    async def nothing(*_: Any, **__: Any) -> str:
        return ""

    with monkeypatch.context() as held:
        held.setattr(app.queue, "publish", nothing)
        waiting = await start(orders, "export", collection="orders", columns=columns)
    listed = await eve.data("allTasks:list", sort="createdAt")
    assert [(row["id"], row["createdBy"]["username"]) for row in listed] == [
        (done["id"], "nocobase"), (waiting["id"], "nocobase"),
    ]  # fmt: skip
    assert "private" not in json.dumps(listed)
    assert not {"params", "cursor", "caller", "attempt"} & set(listed[0])
    for action in ("list", f"stop/{waiting['id']}", f"destroy/{done['id']}"):
        assert (await bob.call(f"allTasks:{action}", None if action == "list" else {})).status_code == 403
    stopped = await eve.call(f"allTasks:stop/{waiting['id']}", {})
    assert (stopped.status_code, stopped.json()["data"]["status"]) == (202, -2)
    assert (await orders.data(f"asyncTasks:get/{waiting['id']}"))["status"] == -2
    assert await eve.data(f"allTasks:destroy/{done['id']}", {}) == 1
    assert (await orders.call(f"asyncTasks:get/{done['id']}")).status_code == 404
    assert (await eve.call("allTasks:stop/unknown", {})).status_code in (400, 404)


async def test_a_task_that_nobody_takes_says_which_service_is_missing(orders: Api, app: Application) -> None:
    await app.services.stop()
    task = await start(orders, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    for resource in ("asyncTasks", "allTasks"):
        (row,) = await orders.data(f"{resource}:list")
        assert (row["id"], row["waitingService"]) == (task["id"], "async-task:process")
        assert row["waitingReason"]


async def test_a_right_that_was_taken_away_counts_when_the_task_runs(
    orders: Api, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    await orders.data("users:create", {"username": "eve", "password": "secret-123", "roles": ["admin"]})
    eve = await orders.sign_in("eve", "secret-123")

    async def nothing(*_: Any, **__: Any) -> str:
        return ""

    with monkeypatch.context() as held:
        held.setattr(app.queue, "publish", nothing)
        task = await start(eve, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    await orders.data(f"users:update/{(await eve.data('auth:check'))['id']}", {"roles": ["member"]})
    await app.queue.publish("async-task-manager.task", json.dumps({"id": task["id"]}).encode())
    async with client_of(app) as api:
        eve = await api.sign_in("eve", "secret-123")
        task = await finished(eve, task)
    assert task["status"] == -1
    assert "role" in task["result"]["message"] or "No permissions" in task["result"]["message"]


async def test_a_stopped_task_stays_stopped(
    orders: Api, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any, **__: Any) -> str:
        return ""

    with monkeypatch.context() as held:
        held.setattr(app.queue, "publish", nothing)
        task = await start(orders, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    stopped = await orders.call(f"asyncTasks:stop/{task['id']}", {})
    assert (stopped.status_code, stopped.json()["data"]["status"]) == (202, -2)
    assert (await orders.call(f"asyncTasks:stop/{task['id']}", {})).status_code == 400
    await app.queue.publish("async-task-manager.task", json.dumps({"id": task["id"]}).encode())
    other = await do(orders, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    assert other["status"] == 1
    assert (await orders.data(f"asyncTasks:get/{task['id']}"))["status"] == -2


async def test_a_run_that_lost_its_task_cannot_write(orders: Api, app: Application) -> None:
    """What a paused process would do when it wakes: its step is undone as a whole."""

    rows = TaskRows(app)
    who = {"user": 1, "role": "root", "timezone": "+00:00"}
    waiting = await rows.add("export", "t", "orders", {}, None, who)
    first = await rows.claim(waiting["id"])
    assert first is not None
    assert await rows.claim(waiting["id"]) is None, "a living run keeps its task"
    user = await app.accounts.user(1)
    assert user is not None

    asking = Caller(user=user, role="root")

    async def tell(_: Any) -> None:
        pass

    paused = FencedRun(app, rows, first, app.storage, asking, user, tell)
    await paused.give_back()
    second = await rows.claim(waiting["id"])
    assert second is not None
    collection = app.collections.own()["orders"]
    with pytest.raises(TaskLost):
        async with paused.step(1) as step:
            await app.records.create_one(
                collection, {"title": "x"}, paused.caller, connection=step.connection
            )
    assert await orders.data("orders:list") == []
    current = FencedRun(app, rows, second, app.storage, asking, user, tell)
    async with current.step(1) as step:
        await app.records.create_one(collection, {"title": "y"}, current.caller, connection=step.connection)
        step.cursor = {"at": 1}
    assert [row["title"] for row in await orders.data("orders:list")] == ["y"]
    with pytest.raises(TaskLost):
        await paused.progress(5)


async def test_the_owner_is_told(orders: Api, app: Application) -> None:
    client = app.live.join()
    client.user_id = 1
    stranger = app.live.join()
    stranger.user_id = 2
    task = await do(orders, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    await orders.data(f"asyncTasks:destroy/{task['id']}", {})
    told = []
    while not client.messages.empty():
        told.append(json.loads(client.messages.get_nowait() or "{}"))
    tasks = [message for message in told if message["type"].startswith("async-tasks:")]
    kinds = [message["type"] for message in tasks]
    assert kinds[0] == "async-tasks:created"
    assert kinds[-1] == "async-tasks:deleted"
    statuses = [each["payload"] for each in tasks if each["type"] == "async-tasks:status"]
    assert statuses == [{"taskId": task["id"], "status": 0}, {"taskId": task["id"], "status": 1}]
    last = [each["payload"] for each in tasks if each["type"] == "async-tasks:progress"][-1]
    assert last["result"]["file"]["name"] == "orders.xlsx"
    assert stranger.messages.empty()


async def test_tasks_survive_a_restart_and_a_lost_queue(database: Database, tmp_path: Path) -> None:
    """Each start has a queue in memory of its own: what was in the last one is gone."""
    app = make_app(database, tmp_path)
    await app.install(ROOT)
    await app.start()
    async with client_of(app) as anonymous:
        root = await anonymous.sign_in("nocobase", "admin123")
        await root.data("collections:create", {"name": "orders", "fields": FIELDS})
        await app.services.stop()
        task = await start(root, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
        # As if it had waited for a minute, taken by a process that died

        rows = TaskRows(app)
        claimed = await rows.claim(task["id"])
        assert claimed is not None
        long_ago = iso_text(now_ms().replace(year=2020))
        assert await rows.change(task["id"], {}, {"seenAt": long_ago, "createdAt": long_ago})
    await app.stop()
    again = make_app(database, tmp_path)
    await again.start()
    async with client_of(again) as anonymous:
        root = await anonymous.sign_in("nocobase", "admin123")
        task = await finished(root, task)
        assert task["status"] == 1
    await again.stop()


async def test_a_kind_of_a_newer_version_waits_for_who_knows_it(
    orders: Api, app: Application, caplog: pytest.LogCaptureFixture
) -> None:
    """F63: an old instance that takes it from the queue leaves it, and none of its tries are used up."""

    class Newer(TaskType):
        name = "newer"

        async def prepare(self, ctx: Context, params: Mapping[str, Any]) -> NewTask:
            raise NotImplementedError

        async def run(self, run: TaskRun) -> TaskResult:
            return TaskResult({})

        async def ended(self, app: Application, task: str, connection: Connection) -> None: ...

    rows = TaskRows(app)
    who = {"user": 1, "role": "root", "timezone": "+00:00"}
    task = await rows.add("newer", "t", "orders", {}, None, who)
    await Runner(app, rows).enqueue(task)

    async def left() -> bool:
        return "left for a consumer that understands it" in caplog.text

    await eventually(left, within=20, what="the instance leaves the item")
    waiting = await rows.get(task["id"])
    assert waiting is not None
    assert (waiting["doneAt"], waiting["tries"]) == (None, 0)
    app.tasks.add(Newer())
    done = await finished(orders, task)
    assert done["status"] == 1


async def test_finished_tasks_are_forgotten_after_a_while(orders: Api, app: Application) -> None:

    task = await do(orders, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    rows = TaskRows(app)
    await rows.change(task["id"], {}, {"doneAt": iso_text(now_ms().replace(year=2020))})
    other = await do(orders, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    assert [row["id"] for row in await orders.data("asyncTasks:list")] == [other["id"]]
    assert not (app.storage / "tasks" / task["id"]).exists()


async def test_a_task_is_taken_while_the_queue_is_away(
    orders: Api, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there and will be done, so nobody is told that it failed; who looks after it outlives both."""
    monkeypatch.setattr(plugin, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(plugin, "_STALE", timedelta(0))
    publish, refused = app.queue.publish, 0

    async def away(*_: Any, **__: Any) -> str:
        nonlocal refused
        refused += 1
        kinds = (QueueUnavailable, DatabaseUnavailable)
        raise kinds[refused % 2]("It is away.") if refused > 1 else QueueUnavailable("It is away.")

    monkeypatch.setattr(app.queue, "publish", away)
    task = await start(orders, "export", collection="orders", columns=[{"dataIndex": ["title"]}])
    await eventually(
        lambda: _more_than(lambda: refused, 4), within=20, what="it is looked after all the time"
    )
    monkeypatch.setattr(app.queue, "publish", publish)
    assert (await finished(orders, task))["status"] == 1


async def _more_than(count: Callable[[], int], least: int) -> bool:
    return count() > least
