"""`atoll env`: the environments a Supervisor knows."""

from __future__ import annotations

from atoll.cli.connect import AsJson, Storage, Token, Url, connect
from atoll.cli.output import print_json, print_table


def list_environments(
    url: Url = None, token: Token = None, storage: Storage = None, as_json: AsJson = False
) -> None:
    """List all environments: address, version, whether they are alive."""
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
                "yes" if row["available"] else "no",
                row.get("url") or "",
                row.get("proxyUrl") or "",
                row.get("appVersion") or "",
                row.get("lastHeartbeatAt") or "",
            ]
            for row in rows
        ],
    )


def see_environments() -> None:
    """See environments."""
