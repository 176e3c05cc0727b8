"""What tests read from the outside: starts in a log, traces of an app that should be gone."""

from __future__ import annotations

import json
from collections import Counter

from atoll.testing.client import CallFailed
from atoll.testing.deployment import Deployment
from atoll.testing.processes import ServerProcess


def starts(server: ServerProcess, name: str) -> int:
    """How often the server started the app, by its log. Layers may each say so: the most talkative counts."""
    lines = (json.loads(line) for line in server.log().splitlines() if line.startswith("{"))
    told = Counter(
        line["logger"] for line in lines if line["message"] == "app started" and line["app"] == name
    )
    return max(told.values(), default=0)


async def traces(deployment: Deployment, name: str) -> list[str]:
    """What still tells of an app: row, route, database, role, schema, Redis key, file."""
    found: list[str] = []
    try:
        if await deployment.client.app_row(name) is not None:
            found.append("row")
    except CallFailed as error:
        assert error.status == 404, error
    for url, client in [(deployment.supervisor.url, deployment.client)]:
        if (await client.ask(name)).status_code != 404:
            found.append(f"route at {url}")
    for worker in deployment.workers:
        async with deployment.worker(worker) as client:
            if (await client.ask(name)).status_code != 404:
                found.append(f"route at {worker}")
    if deployment.postgres is not None:
        found += [f"database {each}" for each in await deployment.app_databases() if name in each]
        roles = await deployment.admin("SELECT rolname FROM pg_roles")
        found += [f"role {role}" for (role,) in roles if name in role]
    found += [f"Redis key {key}" for key in await deployment.redis_content() if name in key]
    for server in deployment.servers:
        storage = server.folder / "storage"
        logs = storage / "logs"  # what happened to an app may be read after it is gone
        kept = (file for file in storage.rglob("*") if not file.is_relative_to(logs))
        found += [f"file {file}" for file in kept if name in file.name]
    return found
