"""`atoll env`: the environments a Supervisor knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from atoll.cli.connect import AsJson, Storage, Token, Url, connect
from atoll.cli.output import note, print_json, print_table

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the environment, for example env_a.")]


def list_environments(
    url: Url = None, token: Token = None, storage: Storage = None, as_json: AsJson = False
) -> None:
    """List all environments: address, version, whether they are alive and whether they drain."""
    with connect(url, token, storage) as server:
        rows = server.rows("environments:list")
    if as_json:
        print_json(rows)
        return
    print_table(
        ["environment", "alive", "address", "proxy address", "version", "last heartbeat"],
        [
            [
                row["name"],
                _state(row),
                row.get("url") or "",
                row.get("proxyUrl") or "",
                row.get("appVersion") or "",
                row.get("lastHeartbeatAt") or "",
            ]
            for row in rows
        ],
    )


def _state(row: Mapping[str, Any]) -> str:
    return "no" if not row["available"] else "draining" if row["draining"] else "yes"


def drain_environment(
    name: Name, url: Url = None, token: Token = None, storage: Storage = None, as_json: AsJson = False
) -> None:
    """Take an environment out of service: it says that it is not ready, and gets no new apps.

    Requests for apps that also run elsewhere go there; what runs only here goes on.
    """
    _drain("drain", name, url, token, storage, as_json=as_json)


def undrain_environment(
    name: Name, url: Url = None, token: Token = None, storage: Storage = None, as_json: AsJson = False
) -> None:
    """Bring an environment back into service."""
    _drain("undrain", name, url, token, storage, as_json=as_json)


def _drain(action: str, name: str, url: Url, token: Token, storage: Storage, *, as_json: bool) -> None:
    with connect(url, token, storage) as server:
        row = server.write(f"environments:{action}", filterByTk=name)
    if as_json:
        print_json(row)
    else:
        note(f"{name} {'drains' if row['draining'] else 'is in service'}.")
