"""applications:* and environments:* with whatever people may send: clear errors, and nothing half-done.

Bodies and parameters are made by hypothesis, always the same ones (`derandomize`), and sent to a real server.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atoll.application.app import Application
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import connect
from atoll.testing.client import Account
from atoll.testing.processes import ServerProcess

from .conftest import make_app

ACCOUNT = Account()
STEADY = "steady"


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


class Target:
    """A server with one app, which must be the same afterwards."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.http = httpx.Client(base_url=server.url, timeout=30, trust_env=False)
        values = {"account": ACCOUNT.username, "password": ACCOUNT.password}
        token = self.http.post("/api/auth:signIn", json=values).json()["data"]["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def send(self, method: str, action: str, **given: Any) -> httpx.Response:
        """Sends a request; whatever it is, the answer is no failure of the server and says what is wrong."""
        answer = self.http.request(method, f"/api/{action}", **given)
        what = f"{method} {action} {given!r:.600}: {answer.status_code} {answer.text:.400}"
        assert answer.status_code < 500, what
        if answer.status_code >= 400:
            body = answer.json()
            told = body.get("errors") or [body.get("error")]
            assert told, what
            assert all(each["code"] and each["message"] for each in told), what
        return answer

    def names(self) -> set[str]:
        rows = self.send("GET", "applications:list", params={"paginate": "false"}).json()["data"]
        return {row["name"] for row in rows}

    def steady(self) -> dict[str, Any]:
        row: dict[str, Any] = self.send("GET", f"applications:get/{STEADY}").json()["data"]
        for changing in ("traffic", "instances", "updatedAt", "operation", "restartNeeded"):
            row.pop(changing)
        return row

    def remove(self, name: str) -> None:
        """Deletes an app with its data; 202 says that the environment is still at it."""
        answer = self.send("POST", f"applications:destroy/{name}", params={"removeDatabase": "true"})
        assert answer.status_code in (200, 202), answer.text
        deadline = time.monotonic() + 60
        while name in self.names():
            assert time.monotonic() < deadline, f"{name} is still there"
            time.sleep(0.05)

    def databases(self) -> set[str]:
        storage = Path(self.server.environment["STORAGE_PATH"])
        return {file.name for file in storage.rglob("*.sqlite") if file.is_file()}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    variables = {
        "INIT_ROOT_USERNAME": ACCOUNT.username,
        "INIT_ROOT_PASSWORD": ACCOUNT.password,
        "INIT_ROOT_EMAIL": ACCOUNT.email,
    }
    server = ServerProcess("server", tmp_path_factory.mktemp("fuzz"), variables)
    try:
        asyncio.run(server.start())
        made = Target(server)
        assert made.send("POST", "applications:create", json={"name": STEADY}).status_code == 200
        while made.steady()["status"] != "running":
            assert server.running
        yield made
        made.http.close()
    finally:
        asyncio.run(server.close())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    ["", " ", "\x00", "a\x00b", "main", "..", "../../etc", "a" * 300, "名", "crm;drop table x", "%2e", STEADY]
)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.sampled_from([10**400, -(10**400), 2**53, 2**63])
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)
DATABASE = st.fixed_dictionaries(
    {},
    optional={
        "dialect": st.sampled_from(["sqlite", "postgres", "mysql"]) | JSON,
        "host": st.just("127.0.0.1") | TEXT,
        "port": st.integers(-1, 70_000) | JSON,
        "database": TEXT,
        "storage": TEXT,
        "schema": TEXT,
        "tablePrefix": TEXT,
        "password": JSON,
    },
)
ADMIN = st.fixed_dictionaries(
    {}, optional={"username": TEXT, "password": TEXT, "email": TEXT, "copyCaller": st.booleans() | JSON}
)


def mostly_right(good: dict[str, Any], odd: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """What is right but for one or two properties."""
    one = st.sampled_from(sorted(odd)).flatmap(lambda key: st.tuples(st.just(key), odd[key] | JSON))
    return st.lists(one, max_size=2).map(lambda pairs: good | dict(pairs))


OPTIONS = mostly_right(
    {"autoStart": False},
    {
        "autoStart": st.booleans(),
        "dbConnType": st.sampled_from(["new_database", "new_schema", "new_connection"]),
        "database": DATABASE,
        "authManager": st.fixed_dictionaries({"jwt": st.fixed_dictionaries({"secret": TEXT}) | JSON}),
        "admin": ADMIN,
        "template": TEXT,
        "lang": TEXT,
        "anything": JSON,
    },
)
APP = mostly_right(
    {"name": "fuzz1", "displayName": "Fuzz", "environments": ["local"]},
    {
        "name": TEXT,
        "displayName": TEXT,
        "icon": TEXT | st.sampled_from(["data:image/png;base64,AAAA", "data:text/html,x"]),
        "cname": st.sampled_from(["app.example.com", "APP.example.com:80", "-", "a..b"]),
        "pinned": st.booleans(),
        "sort": st.integers(),
        "environments": st.lists(TEXT, max_size=3),
        "environment": TEXT,
        "start": st.booleans(),
        "options": OPTIONS,
        "status": JSON,
        "nothing": JSON,
    },
)
BODY = st.one_of(APP, APP, JSON)


@fuzz(80)
@given(body=BODY)
def test_creating(target: Target, body: Any) -> None:
    before = target.databases()
    checked = target.send("POST", "applications:check", json=body)
    answer = target.send("POST", "applications:create", json=body)
    if answer.status_code == 200:
        name = answer.json()["data"]["name"]
        assert checked.json()["data"]["ok"], "what can be made passes the check"
        assert name != STEADY
        target.remove(name)
    elif checked.status_code == 200:
        assert not checked.json()["data"]["ok"], "what passes the check can be made"
    assert target.names() == {STEADY}
    assert target.databases() == before, "no database is left behind"


@fuzz(300)
@given(body=BODY)
def test_changing(target: Target, body: Any) -> None:
    if isinstance(body, dict) and body.get("name") == "fuzz1":
        del body["name"]
    before = target.steady()
    answer = target.send("POST", f"applications:update/{STEADY}", json=body)
    after = target.steady()
    if answer.status_code >= 400:
        assert after == before, "what is refused changes nothing"
    assert (after["name"], after["environments"]) == (STEADY, ["local"])
    assert target.names() == {STEADY}


@fuzz(400)
@given(
    action=st.sampled_from(
        ["applications:list", "applications:get", "environments:list", "environments:get"]
    ),
    filter_=st.none()
    | JSON
    | st.dictionaries(
        st.sampled_from(["name", "sort", "status", "environments.$in", "options", "$and", "$or", "traffic"]),
        JSON
        | st.dictionaries(
            st.sampled_from(["$eq", "$ne", "$in", "$gt", "$lte", "$includes", "$empty", "$nothing"]), JSON
        ),
        max_size=3,
    ),
    sort=st.none() | st.sampled_from(["name", "-sort", "-status,name", "options", "nothing"]) | TEXT,
    fields=st.none() | TEXT | st.just("name,status"),
    page=st.none() | st.integers(-3, 10**30) | TEXT,
    size=st.none() | st.integers(-3, 10**30) | TEXT,
)
def test_listing(
    target: Target, action: str, filter_: Any, sort: str | None, fields: str | None, page: Any, size: Any
) -> None:
    given_ = {"filter": json.dumps(filter_), "sort": sort, "fields": fields, "page": page, "pageSize": size}
    target.send("GET", action, params={key: str(value) for key, value in given_.items() if value is not None})


@fuzz(400)
@given(
    action=st.sampled_from(["start", "stop", "restart", "destroy", "events", "icon", "get", "update"]),
    key=TEXT.filter(lambda text: STEADY not in text),
    by_query=st.booleans(),
    flag=st.none() | TEXT,
    filter_=st.none() | JSON.filter(lambda value: value not in ({}, [], None, False, 0, "")),
)
def test_naming_apps_that_are_not_there(
    target: Target, action: str, key: str, by_query: bool, flag: str | None, filter_: Any
) -> None:
    by_query = by_query or not key.strip(".")  # clients take such a path apart themselves
    before = target.steady()
    method = "GET" if action in ("events", "icon", "get") else "POST"
    params = {"removeDatabase": flag, "force": flag, "filterByTk": key if by_query else None}
    if filter_ is not None and by_query:
        params["filter"] = json.dumps(filter_)
    path = f"applications:{action}" + ("" if by_query else f"/{quote(key, safe='')}")
    answer = target.send(
        method, path, params={name: value for name, value in params.items() if value is not None}
    )
    if action not in ("get", "update"):
        assert answer.status_code >= 400, (path, params)
    assert target.steady() == before


@fuzz(100)
@given(
    body=st.binary(max_size=60)
    | st.sampled_from([b"", b"{", b"[" * 5000, b'{"a":' * 5000, b'{"name":"x","name":"y"}', b"\xff\xfe{}"]),
    kind=st.sampled_from(
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "nonsense"]
    ),
)
def test_bodies_that_are_no_json(target: Target, body: bytes, kind: str) -> None:
    for action in ("applications:create", "applications:check", f"applications:update/{STEADY}"):
        target.send("POST", action, content=body, headers={"Content-Type": kind})
    created = target.names() - {STEADY}
    for name in created:  # an empty body is an app with a name of its own
        target.remove(name)
    assert target.names() == {STEADY}


def test_the_server_is_as_well_as_before(target: Target) -> None:
    assert target.http.get("/api/__ready").status_code == 200
    assert target.http.get(f"/api/__app/{STEADY}/app:getInfo").status_code == 200
    assert "Traceback" not in target.server.log()


def test_log_lines_of_an_app_are_found(target: Target) -> None:
    found = target.send("GET", "logs:query", params={"app": STEADY, "text": "APP STARTED"}).json()["data"]
    assert [line["message"] for line in found["lines"]] == ["app started"]
    line = found["lines"][0]
    assert (line["app"], line["environment"], line["level"], line["kind"]) == (
        STEADY,
        "local",
        "info",
        "system",
    )
    later = target.send("GET", "logs:query", params={"environment": "local", "since": "2100-01-01T00:00:00Z"})
    assert later.json()["data"] == {"lines": [], "reached": None, "problems": {}}


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({}, 400),
        ({"app": "nobody"}, 404),
        ({"environment": "nowhere"}, 404),
        ({"app": STEADY, "level": "loud"}, 400),
        ({"app": STEADY, "limit": "1000"}, 400),
        ({"app": STEADY, "since": "yesterday"}, 400),
        ({"app": STEADY, "until": "0001-01-01T00:00:00+14:00"}, 400),
        ({"app": STEADY, "text": "x" * 300}, 400),
    ],
)
def test_bad_questions_for_log_lines(target: Target, params: dict[str, str], status: int) -> None:
    assert target.send("GET", "logs:query", params=params).status_code == status


def test_a_new_secret_signs_everybody_out(target: Target) -> None:
    account = {"account": ACCOUNT.username, "password": ACCOUNT.password}
    inside = f"/api/__app/{STEADY}"
    token = target.http.post(f"{inside}/auth:signIn", json=account).json()["data"]["token"]
    mine = {"Authorization": f"Bearer {token}"}
    assert target.http.get(f"{inside}/auth:check", headers=mine).json()["data"]["id"]
    row = target.send("POST", f"applications:rotateSecret/{STEADY}", params={"restart": "true"}).json()[
        "data"
    ]
    assert row["operation"]["action"] == "rotate"
    while target.steady()["status"] != "running":
        time.sleep(0.02)
    assert target.http.get(f"{inside}/auth:check", headers=mine).status_code == 401
    assert target.http.post(f"{inside}/auth:signIn", json=account).status_code == 200
    assert target.send("POST", "applications:rotateSecret/nobody").status_code == 404


def test_a_domain_is_resolved_here(target: Target) -> None:
    def check(name: str) -> httpx.Response:
        return target.send("GET", "applications:checkDomain", params={"cname": name})

    here = check("localhost").json()["data"]
    assert here["pointsHere"] is True
    assert here["entry"] == "127.0.0.1"
    assert set(here["addresses"]) & {"127.0.0.1", "::1"}
    nowhere = check("nothing.invalid").json()["data"]
    assert (nowhere["addresses"], nowhere["pointsHere"]) == ([], None)
    assert nowhere["message"]
    assert check("no host name").status_code == check("").status_code == 400


def test_kinds_of_database_are_really_tried(target: Target) -> None:
    modes = target.send("GET", "applications:databaseModes", params={"environments": "local"}).json()["data"]
    assert modes["new_database"] is None
    assert modes["new_schema"]["code"]
    assert target.send("GET", "applications:databaseModes").status_code == 400
    assert target.send("GET", "applications:databaseModes", params={"environments": "x"}).status_code == 404


def test_stored_secrets_outlive_the_secret_of_tokens(tmp_path: Path) -> None:
    def app(name: str, secret: bytes, storage: bytes | None = None) -> Application:
        database = connect(DatabaseConfig(dialect="sqlite", storage=tmp_path / name))
        return make_app(database, tmp_path, secret=secret, storage_secret=storage)

    sealed = app("a", b"1" * 32).vault.seal("hush", "about")
    assert app("b", b"2" * 32, b"1" * 32).vault.open(sealed, "about") == "hush"


def test_figures_over_time(target: Target) -> None:
    def ask(**params: str) -> httpx.Response:
        return target.send("GET", "metrics:query", params=params)

    answer = ask(app=STEADY, range="15m").json()["data"]
    assert {len(each) for each in answer["series"].values()} == {72}
    assert ask(environment="local").json()["data"]["seconds"] == 50
    for params, status in (
        ({}, 400),
        ({"app": STEADY, "range": "1y"}, 400),
        ({"app": "nobody"}, 404),
        ({"environment": "nowhere"}, 404),
    ):
        assert ask(**params).status_code == status
