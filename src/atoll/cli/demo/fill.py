"""Creates the sample apps, one per environment, and fills them. What is there already is left as it is."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from atoll.cli.client import ServerClient
from atoll.cli.demo.data import APPS, Row, SampleApp, SampleCollection, folder
from atoll.cli.exits import CommandFailed, ExitCode

CHUNK = 200
START_SECONDS = 120.0
POLL_SECONDS = 0.2
SAMPLE_ACCOUNT = "demo"


@dataclass(frozen=True)
class SignIn:
    """An account whose password is known."""

    username: str
    password: str


@dataclass(frozen=True)
class SampleResult:
    """Where a sample app is, and with which account it is visited when that is not the usual one."""

    title: str
    address: str
    environment: str
    sign_in: SignIn | None = None
    remark: str = ""


def fill(main: ServerClient, account: SignIn | None, console: Console) -> list[SampleResult]:
    """Makes and fills the sample apps.

    Args:
        main: the Supervisor, signed in.
        account: the first account of new apps, None when its password is not known here any more. An app that
            must be made then gets an account of its own.

    Raises:
        CommandFailed: with the server's own code when it refuses a step.
    """
    data = folder()
    places = sorted(row["name"] for row in main.rows("environments:list") if row["available"])
    if not places:
        raise CommandFailed(ExitCode.REFUSED, "no environment is alive; atoll env list shows them")
    present = {row["name"]: row for row in main.rows("applications:list")}
    results = []
    with _progress(console) as progress:
        for number, app in enumerate(APPS):
            row = present.get(app.name)
            environment = row["environments"][0] if row else places[number % len(places)]
            address = f"{main.url}/apps/{app.name}/admin/"
            own: SignIn | None = None
            if row is None:
                own = None if account else SignIn(SAMPLE_ACCOUNT, secrets.token_urlsafe(12))
                _create(main, app, environment, own)
            elif row["status"] != "running":
                main.write(f"applications:start/{app.name}")
            _wait_running(main, app, progress)
            visitor = own or account
            if visitor is None:
                remark = "was there already; its records were not checked"
                results.append(SampleResult(app.title, address, environment, remark=remark))
                continue
            _fill_app(main.url, app, visitor, data, progress)
            results.append(SampleResult(app.title, address, environment, own))
    _leave_wizard(main)
    return results


def _leave_wizard(main: ServerClient) -> None:
    """Whoever has sample apps needs no wizard for a first app."""
    options = (main.read("systemSettings:get").get("data") or {}).get("options") or {}
    if options.get("setup") == "pending":
        main.write("systemSettings:put", {"options": {**options, "setup": "done"}})


def sign_in(url: str, account: SignIn, *, app: str = "main") -> str:
    """A token of the account in one app; raises CommandFailed."""
    with ServerClient(url, "", app=app) as client:
        data = client.write("auth:signIn", {"account": account.username, "password": account.password})
        token: str = data["token"]
        return token


def _create(main: ServerClient, app: SampleApp, environment: str, own: SignIn | None) -> None:
    values: Row = {"name": app.name, "displayName": app.title, "environments": [environment]}
    if own is not None:
        values["options"] = {"admin": {"username": own.username, "password": own.password}}
    main.write("applications:create", values)


def _wait_running(main: ServerClient, app: SampleApp, progress: Progress) -> None:
    task = progress.add_task(f"{app.title}: starting", total=None)
    deadline = time.monotonic() + START_SECONDS
    while True:
        row = main.read(f"applications:get/{app.name}").get("data") or {}
        status = row.get("status")
        progress.update(task, description=f"{app.title}: {status}")
        if status == "running":
            progress.remove_task(task)
            return
        if status == "error":
            raise CommandFailed(
                ExitCode.REFUSED, f"the sample app {app.name} did not start; its page says why"
            )
        if time.monotonic() > deadline:
            raise CommandFailed(
                ExitCode.TIMED_OUT, f"the sample app {app.name} is {status} after {START_SECONDS:g} s"
            )
        time.sleep(POLL_SECONDS)


def _fill_app(url: str, app: SampleApp, account: SignIn, data: Path, progress: Progress) -> None:
    with ServerClient(url, sign_in(url, account, app=app.name), app=app.name) as client:
        known = {row["name"] for row in client.rows("collections:list")}
        for collection in app.collections:
            if collection.name not in known:
                client.write("collections:create", collection.definition())
            _fill_collection(client, app, collection, data, progress)


def _fill_collection(
    client: ServerClient, app: SampleApp, collection: SampleCollection, data: Path, progress: Progress
) -> None:
    key = collection.key
    have = {str(row[key]) for row in client.rows(f"{collection.name}:list", fields=key)}
    rows = collection.rows(data)
    task = progress.add_task(f"{app.title}: {collection.title}", total=len(rows))
    missing = [row for row in rows if str(row[key]) not in have]
    progress.update(task, completed=len(rows) - len(missing))
    for chunk in _chunks(missing):
        client.write(f"{collection.name}:create", chunk)
        progress.advance(task, len(chunk))


def _chunks(rows: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), console=console, expand=False
    )
