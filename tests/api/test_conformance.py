"""Recorded scenarios of the reference API, replayed against a real server.

`conformance.json` names the steps that pass on each database. They must go on passing; steps that begin to
pass are reported, to be added to the file.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from atoll.application.app import RootAccount
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import connect

from .conftest import CHEAP, make_app

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"
EXPECTED: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("conformance.json").read_text(encoding="utf-8")
)
ROOT = RootAccount("nocobase", "root@example.com", "Super Admin", password_hash=CHEAP.hash("admin123"))


def load_runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("replay", VECTORS / "replay.py")
    if spec is None or spec.loader is None:
        pytest.skip(f"no replay.py in {VECTORS}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def serving(config: DatabaseConfig, storage: Path) -> Iterator[str]:
    """The URL of a server that runs in a thread of its own."""
    started = threading.Event()
    address: list[str] = []
    server: list[uvicorn.Server] = []

    async def run() -> None:
        database = connect(config)
        await database.open()
        app = make_app(database, storage)
        await app.install(ROOT)
        await app.start()
        settings = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", access_log=False)
        server.append(uvicorn.Server(settings))
        sockets = [settings.bind_socket()]
        address.append(f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
        started.set()
        await server[0].serve(sockets)
        await app.stop()
        await database.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert started.wait(60), "the server did not start"
    yield address[0]
    server[0].should_exit = True
    thread.join(30)


@contextmanager
def replaying(config: DatabaseConfig, storage: Path) -> Iterator[Any]:
    """A runner of scenarios against a fresh app on that database."""
    if not VECTORS.is_dir():
        pytest.skip(f"the recorded scenarios are not at {VECTORS}")
    with serving(config, storage) as url:
        runner = load_runner().Runner(
            argparse.Namespace(
                base_url=url,
                root_account="nocobase",
                root_password="admin123",
                timeout=60,
                clean_first=False,
                no_quirks=False,
            )
        )
        yield runner
        if runner.client.conn is not None:
            runner.client.conn.close()


@pytest.fixture(scope="module")
def sqlite_runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("conformance")
    with replaying(DatabaseConfig("sqlite", storage=folder / "main.sqlite"), folder) as runner:
        yield runner


@pytest.fixture(scope="module")
def postgres_runner(
    postgres_admin: DatabaseConfig, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    name = f"conformance_{secrets.token_hex(4)}"
    asyncio.run(administer(postgres_admin, f"CREATE DATABASE {name} TEMPLATE template0"))
    with replaying(replace(postgres_admin, database=name), tmp_path_factory.mktemp("conformance")) as runner:
        yield runner
    asyncio.run(administer(postgres_admin, f"DROP DATABASE {name} WITH (FORCE)"))


async def administer(config: DatabaseConfig, statement: str) -> None:
    database = connect(config)
    await database.open()
    await database.execute(statement)
    await database.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("name", sorted({name for steps in EXPECTED.values() for name in steps}))
def test_scenario(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    expected = set(EXPECTED[kind].get(name, ()))
    runner = request.getfixturevalue(f"{kind}_runner")
    scenario: dict[str, Any] = {
        **json.loads((VECTORS / "vectors" / f"{name}.json").read_text(encoding="utf-8")),
        "name": name,
    }
    _, results, _ = runner.scenario(scenario)
    failures = {step["id"]: diffs for step, _, diffs, phase in results if phase == "step" and diffs}
    passed = {step["id"] for step, _, diffs, phase in results if phase == "step" and not diffs}
    lost = {step: failures.get(step, "not run") for step in sorted(expected - passed)}
    assert not lost
    if passed - expected:
        print(f"{kind} {name} passes more, add to conformance.json: {sorted(passed - expected)}")  # noqa: T201
