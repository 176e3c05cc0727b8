"""`atoll app`: apps seen and changed from the command line, through the Supervisor's HTTP API."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from atoll.cli.client import ServerClient
from atoll.cli.connect import AsJson, Storage, Token, Url, connect
from atoll.cli.exits import CommandFailed, ExitCode
from atoll.cli.output import note, print_json, print_table

POLL_SECONDS = 0.2


def _known_form(name: str) -> str:
    """Refuses what no app can be called, before it could mean something else in an address."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise typer.BadParameter(
            "an application ID has small letters, digits and _, and begins with a letter"
        )
    return name


NewName = Annotated[str, typer.Argument(metavar="NAME", help="Application ID, for example crm.")]
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Application ID, for example crm.", callback=_known_form)
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="How many seconds to wait at most.")]


def list_apps(url: Url = None, token: Token = None, storage: Storage = None, as_json: AsJson = False) -> None:
    """List all apps with their status in each environment."""
    with connect(url, token, storage) as server:
        rows = server.rows("applications:list")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["app", "title", "status", "environments", "address"],
        [
            [
                row["name"],
                row.get("displayName") or "",
                row["status"],
                _places(row),
                f"/apps/{row['name']}/admin/",
            ]
            for row in rows
        ],
    )


def create_app(
    name: NewName,
    environment: Annotated[
        list[str] | None,
        typer.Option(
            "--environment", "-e", help="Where it runs; give it again for several. Otherwise any one."
        ),
    ] = None,
    display: Annotated[str, typer.Option("--display", help="Name shown to people.")] = "",
    start: Annotated[bool, typer.Option("--start/--no-start", help="Start it at once.")] = True,
    wait: Wait = True,
    timeout: Timeout = 120,
    url: Url = None,
    token: Token = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Create an app: its database, its tables and its first account, on one environment or several."""
    with connect(url, token, storage) as server:
        places = environment or [_some_environment(server)]
        values = {"name": name, "displayName": display or name, "environments": places, "start": start}
        row = server.write("applications:create", values)
        if wait:
            wanted = "running" if start else "initialized"
            row = _wait(server, name, timeout, lambda row: row is not None and _all(row, wanted))
        _done(row, as_json)


def start_app(
    name: Name,
    wait: Wait = True,
    timeout: Timeout = 120,
    url: Url = None,
    token: Token = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Start an app in all its environments, one after another."""
    with connect(url, token, storage) as server:
        server.write(f"applications:start/{name}")
        row = (
            _wait(server, name, timeout, lambda row: row is not None and _all(row, "running"))
            if wait
            else None
        )
        _done(row or _get(server, name), as_json)


def stop_app(
    name: Name,
    wait: Wait = True,
    timeout: Timeout = 60,
    url: Url = None,
    token: Token = None,
    storage: Storage = None,
    as_json: AsJson = False,
) -> None:
    """Stop an app in all its environments; it stays stopped until it is started again."""
    with connect(url, token, storage) as server:
        server.write(f"applications:stop/{name}")
        row = (
            _wait(server, name, timeout, lambda row: row is not None and _all(row, "stopped"))
            if wait
            else None
        )
        _done(row or _get(server, name), as_json)


def remove_app(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    drop_database: Annotated[
        bool, typer.Option("--drop-database", help="Delete its data too. This cannot be undone.")
    ] = False,
    wait: Wait = True,
    timeout: Timeout = 60,
    url: Url = None,
    token: Token = None,
    storage: Storage = None,
) -> None:
    """Delete an app. Its database stays unless --drop-database is given."""
    with connect(url, token, storage) as server:
        _get(server, name)
        data = "and all its data" if drop_database else "(its database stays)"
        if not yes and not typer.confirm(f"Delete the app {name} {data}?", err=True):
            raise typer.Exit(ExitCode.OK)
        server.write(f"applications:destroy/{name}", removeDatabase=drop_database)
        if wait:
            _wait(server, name, timeout, lambda row: row is None)
        note(f"{name} is deleted")


def _get(server: ServerClient, name: str) -> dict[str, Any]:
    row = _row(server, name)
    if row is None:
        raise CommandFailed(ExitCode.NOT_FOUND, f"there is no app {name}; atoll app list shows all")
    return row


def _row(server: ServerClient, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] | None = server.read(f"applications:get/{name}").get("data")
    except CommandFailed as error:
        if error.code is ExitCode.NOT_FOUND:
            return None
        raise
    return found


def _wait(
    server: ServerClient,
    name: str,
    timeout: float,
    reached: Callable[[dict[str, Any] | None], bool],
) -> dict[str, Any] | None:
    """Polls the app until `reached`, and tells each change. Raises when it fails or takes too long."""
    deadline = time.monotonic() + timeout
    told = ""
    while True:
        row = _row(server, name)
        if reached(row):
            return row
        if row is not None:
            if (now := _places(row)) != told:
                note(f"{name}: {now}")
                told = now
            if row["status"] == "error":
                raise _failure(name, row)
        if time.monotonic() > deadline:
            why = (row or {}).get("reason") or {}
            because = " ".join(str(why[part]) for part in ("message", "remedy") if why.get(part))
            raise CommandFailed(
                ExitCode.TIMED_OUT,
                f"{name} is not as asked after {timeout:g} s (now {told or 'unknown'}). It goes on; atoll "
                f"app list shows how far it is. {because}".rstrip(),
            )
        time.sleep(POLL_SECONDS)


def _all(row: dict[str, Any], status: str) -> bool:
    statuses = _statuses(row)
    return row["status"] == status and all(value == status for value in statuses.values())


def _statuses(row: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = row.get("statuses") or {}
    return found


def _places(row: dict[str, Any]) -> str:
    statuses = _statuses(row)
    return ", ".join(f"{name}: {statuses.get(name, '?')}" for name in row.get("environments") or statuses)


def _done(row: dict[str, Any] | None, as_json: bool) -> None:
    if row is None:
        return
    if as_json:
        print_json(row)
    else:
        note(f"{row['name']} is {row['status']} ({_places(row)})")


def _some_environment(server: ServerClient) -> str:
    rows = [row for row in server.rows("environments:list") if row["available"]]
    if not rows:
        raise CommandFailed(
            ExitCode.REFUSED,
            "no environment is available; atoll env list shows them. Start a worker, then try again.",
        )
    return str(rows[0]["name"])


def _failure(name: str, row: dict[str, Any]) -> CommandFailed:
    """The first reason that the row gives, in its own words."""
    per_environment: dict[str, dict[str, Any]] = row.get("reasons") or {}
    reasons = [reason for reason in (row.get("reason"), *per_environment.values()) if reason]
    reason = reasons[0] if reasons else {"message": "it failed; the log of its environment says why"}
    text = " ".join(str(reason[part]) for part in ("message", "remedy") if reason.get(part))
    return CommandFailed(ExitCode.REFUSED, f"{name}: {text}", reason=str(reason.get("code") or ""))
