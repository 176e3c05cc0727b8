"""Records into files and back, over HTTP."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import httpx
import openpyxl
import pytest

from atoll.application.app import Application
from atoll.application.records.filter import Caller

from .conftest import Api

pytestmark = pytest.mark.anyio


def choices(**labels: str) -> list[dict[str, str]]:
    return [{"value": value, "label": label} for value, label in labels.items()]


FIELDS = [
    {"name": "title", "type": "string", "interface": "input", "uiSchema": {"title": "Title"}},
    {"name": "n", "type": "integer", "interface": "integer", "uiSchema": {"title": "N"}},
    {"name": "price", "type": "decimal", "precision": 10, "scale": 2, "uiSchema": {"title": "Price"}},
    {"name": "at", "type": "date", "interface": "datetime", "uiSchema": {"title": "At"}},
    {"name": "day", "type": "dateOnly", "interface": "date", "uiSchema": {"title": "Day"}},
    {"name": "clock", "type": "time", "interface": "time", "uiSchema": {"title": "Clock"}},
    {"name": "done", "type": "boolean", "interface": "checkbox", "uiSchema": {"title": "Done"}},
    {
        "name": "state",
        "type": "string",
        "interface": "select",
        "uiSchema": {"title": "State", "enum": choices(o="Open", c="Closed")},
    },
    {
        "name": "tags",
        "type": "array",
        "interface": "multipleSelect",
        "uiSchema": {"title": "Tags", "enum": choices(r="Red", b="Blue")},
    },
    {"name": "extra", "type": "json", "interface": "json", "uiSchema": {"title": "Extra"}},
    {"name": "code", "type": "string", "unique": True, "uiSchema": {"title": "Code"}},
]  # fmt: skip
COLUMNS = [{"dataIndex": [field["name"]], "defaultTitle": field["uiSchema"]["title"]} for field in FIELDS]  # type: ignore[index]
RECORD = {
    "title": "=cmd()",
    "n": 1,
    "price": "12.50",
    "at": "2024-03-10T12:00:00.000Z",
    "day": "2024-03-10",
    "clock": "08:30:00",
    "done": True,
    "state": "o",
    "tags": ["b", "r"],
    "extra": {"a": [1, "ü"]},
    "code": "c1",
}


@pytest.fixture
async def orders(root: Api) -> Api:
    await root.data("collections:create", {"name": "orders", "createdBy": True, "fields": FIELDS})
    return root


def rows_of(content: bytes) -> list[list[Any]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """A file as spreadsheet programs write it: with shared texts and typed cells."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


async def upload(
    api: Api, action: str, content: bytes, columns: Any = None, *, headers: Any = None, **params: Any
) -> httpx.Response:
    return await api.client.post(
        f"/api/{action}",
        files={"file": ("orders.xlsx", content)},
        data={"columns": json.dumps(COLUMNS if columns is None else columns)},
        headers={"Authorization": f"Bearer {api.token}", **(headers or {})},
        params=params,
    )


async def test_an_exported_file_can_be_imported_again(orders: Api) -> None:
    await orders.data("orders:create", RECORD)
    await orders.data("orders:create", {"title": "empty", "code": "c2"})
    east = {"X-Timezone": "+08:00"}
    response = await orders.call(
        "orders:export", {"columns": COLUMNS}, headers=east, title="Aufträge", sort="id"
    )
    assert response.headers["content-disposition"] == "attachment; filename=Auftr%C3%A4ge.xlsx"
    rows = rows_of(response.content)
    assert rows[1] == [
        "=cmd()", 1, 12.5, "2024-03-10 20:00:00", "2024-03-10", "08:30:00", "True", "Open", "Blue, Red",
        '{"a":[1,"ü"]}', "c1",
    ]  # fmt: skip
    assert rows[2] == ["empty", *[None] * 9, "c2"]
    before = await orders.data("orders:list", sort="id", except_="id")
    await orders.data("orders:destroy", {}, filter='{"id":{"$gt":0}}')
    answer = await upload(orders, "orders:importXlsx", response.content, headers=east)
    assert answer.json() == {"data": {"successCount": 2}, "meta": {"successCount": 2}}
    after = await orders.data("orders:list", sort="id")
    assert [{name: row[name] for name in RECORD} for row in after] == [
        {name: row[name] for name in RECORD} for row in before
    ]


async def test_csv_guards_against_formulas_and_comes_back(orders: Api) -> None:
    await orders.data(
        "orders:create", [{"title": "=1+1", "n": -5, "code": "-x"}, {"title": "-5", "code": "'=a"}]
    )
    columns = [COLUMNS[0], COLUMNS[1], COLUMNS[-1]]
    response = await orders.call("orders:export", {"columns": columns, "format": "csv"}, sort="id")
    assert response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows == [["Title", "N", "Code"], ["'=1+1", "-5", "'-x"], ["-5", "", "'=a"]]


async def test_json_is_for_programs(orders: Api) -> None:
    await orders.data("orders:create", [RECORD, {"title": "empty"}])
    paths = (["title"], ["n"], ["price"], ["at"], ["done"], ["state"], ["tags"], ["extra"])
    linked = (["createdBy", "username"], ["createdBy", "roles", "name"])
    columns = [{"dataIndex": path, "title": "Some title"} for path in (*paths, *linked)]
    raw = await orders.call(
        "orders:export", {"columns": columns, "format": "json", "values": "raw"}, sort="id", title="o"
    )
    assert raw.headers["content-disposition"] == "attachment; filename=o.json"
    first, second = raw.json()
    assert first == {
        **{path[0]: RECORD[path[0]] for path in paths},
        "createdBy.username": "nocobase",
        "createdBy.roles.name": first["createdBy.roles.name"],
    }
    assert set(first["createdBy.roles.name"]) == {"root", "admin", "member"}
    assert second["tags"] is None or second["tags"] == []
    assert second["n"] is None
    shown = (await orders.call("orders:export", {"columns": columns, "format": "json"}, sort="id")).json()
    assert (shown[0]["state"], shown[0]["n"], shown[0]["price"]) == ("Open", 1, "12.50")
    nobody = await orders.call("orders:export", {"columns": columns, "format": "json"}, filter='{"n":99}')
    assert nobody.json() == []
    refused = await orders.call("orders:downloadXlsxTemplate", {"columns": COLUMNS[:1], "format": "json"})
    assert refused.status_code == 400
    task = {"type": "import", "params": {"collection": "orders", "layout": {"format": "json"}, "columns": []}}
    assert (await orders.call("asyncTasks:create", task)).status_code == 400


async def test_cells_of_other_programs_are_understood(orders: Api) -> None:
    rows: list[list[Any]] = [
        ["A report", None, None],
        ["Code", "N", "Price", "At", "Day", "Clock", "Done", "State", "Tags", "Title", "Extra"],
        [
            "a",
            "1,234",
            "1,5",
            datetime(2024, 3, 10, 9, 0),  # noqa: DTZ001 - a wall clock
            date(2024, 3, 10),
            0.5,
            "是",
            "c",
            "Red，b",
            17.0,
            3,
        ],
        [None, "", None],
        ["b", "n/a", 3, "20240310 08:00", 45361, "07:15", 0, "Open", None, 5.25, None],
    ]
    response = await upload(orders, "orders:importXlsx", workbook(rows), headers={"X-Timezone": "+02:00"})
    assert response.status_code == 200, response.text
    first, second = await orders.data("orders:list", sort="id")
    assert first["n"] == 1234
    assert first["price"] == "15.00"
    assert first["at"] == "2024-03-10T07:00:00.000Z"
    assert first["day"] == second["day"] == "2024-03-10"
    assert first["clock"] == "12:00:00"
    assert (first["done"], second["done"]) == (True, False)
    assert (first["state"], second["state"]) == ("c", "o")
    assert first["tags"] == ["b", "r"]
    assert (first["title"], second["title"]) == ("17", "5.25")
    assert first["extra"] == 3
    assert second["n"] is None
    assert second["at"] == "2024-03-10T06:00:00.000Z"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["Title", "N"], ["ok", 1], ["bad", "abc"]], "Row 3: N: 'abc' is not a whole number"),
        ([["Title", "N"]], "no rows"),
        ([["Foo", "Bar"], ["x", 1]], "Headers not found"),
        ([["Title", "N"], *[["x", 1]] * 2001], "more than 2,000 rows"),
    ],
)
async def test_a_wrong_file_changes_nothing(orders: Api, rows: Any, words: str) -> None:
    response = await upload(orders, "orders:importXlsx", workbook(rows), COLUMNS[:2])
    assert response.status_code == 400
    assert words in response.json()["errors"][0]["message"]
    assert await orders.data("orders:list") == []


async def test_a_taken_value_names_its_row(orders: Api) -> None:
    rows = workbook([["Title", "Code"], ["one", "x"], ["two", "x"]])
    response = await upload(orders, "orders:importXlsx", rows, [COLUMNS[0], COLUMNS[-1]])
    assert response.json()["errors"][0]["message"] == "Row 3: Code already exists"
    assert await orders.data("orders:list") == []


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", b""])
async def test_what_is_no_table_is_refused(orders: Api, content: bytes) -> None:
    response = await upload(orders, "orders:importXlsx", content, COLUMNS[:1])
    assert response.status_code == 400, response.text


async def test_files_have_a_limit_of_their_own(orders: Api, app: Application) -> None:
    response = await upload(orders, "orders:importXlsx", b"x" * (9 << 20), COLUMNS[:1])
    assert response.status_code == 413
    assert "at most 8 MB" in response.text
    left = [path for path in (app.storage / "temporary").rglob("*") if path.is_file()]
    assert left == []


async def test_relations_are_exported_and_who_made_a_record_is_not_imported(orders: Api) -> None:
    await orders.data("orders:create", {"title": "one", "code": "1"})
    columns = [{"dataIndex": ["createdBy", "username"], "title": "By"}]
    response = await orders.call("orders:export", {"columns": columns})
    assert rows_of(response.content) == [["By"], ["nocobase"]]
    response = await upload(orders, "orders:importXlsx", workbook([["By"], ["x"]]), columns)
    assert response.status_code == 400
    assert "'createdBy' cannot be imported" in response.text
    columns = [{"dataIndex": ["createdBy", "roles", "name"], "title": "Roles"}]
    response = await orders.call("orders:export", {"columns": columns})
    assert set(rows_of(response.content)[1][0].split(", ")) == {"root", "admin", "member"}
    for path in (["createdBy", "password"], ["createdBy", "roles"], ["nope"], ["nope", "x"]):
        response = await orders.call("orders:export", {"columns": [{"dataIndex": path}]})
        assert response.status_code in (400, 501), path


async def test_rights_decide_who_imports_and_what_is_exported(orders: Api) -> None:
    await orders.data("orders:create", {"title": "of root", "code": "1"})
    await orders.data("users:create", {"username": "bob", "password": "secret-123", "roles": ["member"]})
    bob = await orders.sign_in("bob", "secret-123")
    for action in ("export", "downloadXlsxTemplate"):
        assert (await bob.call(f"orders:{action}", {"columns": COLUMNS})).status_code == 403
    rows = workbook([["Title"], ["x"]])
    assert (await upload(bob, "orders:importXlsx", rows, COLUMNS[:1])).status_code == 403


async def test_the_template_has_the_titles(orders: Api) -> None:
    response = await orders.call(
        "orders:downloadXlsxTemplate", {"columns": COLUMNS[:2], "title": "T", "explain": "Fill in"}
    )
    assert rows_of(response.content) == [["Fill in", None], ["Title", "N"]]


@pytest.mark.parametrize("sort", ["id", "-n", "n,-title", "-at", "price", "-day", "done,state"])
async def test_going_through_in_batches_gives_each_record_once(
    orders: Api, app: Application, sort: str
) -> None:
    values = [
        {
            "title": f"t{index % 3}" if index % 4 else None,
            "n": index % 5 or None,
            "price": f"{index % 7}.10",
            "at": f"2024-03-{index % 9 + 1:02}T00:00:00.001Z" if index % 2 else None,
            "day": f"2024-03-{index % 4 + 1:02}" if index % 3 else None,
            "done": index % 3 == 0 if index % 5 else None,
            "state": "o" if index % 2 else "c",
            "code": str(index),
        }
        for index in range(41)
    ]
    await orders.data("orders:create", values)
    collection = app.collections.own()["orders"]
    expected = [row["id"] for row in await orders.data("orders:list", sort=sort, pageSize=100)]
    for size in (1, 7, 41, 100):
        found = [
            row["id"]
            async for batch in app.records.scan(collection, {"sort": sort}, Caller(), size=size)
            for row in batch
        ]
        assert found == expected, size
