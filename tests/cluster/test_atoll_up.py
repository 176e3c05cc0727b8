"""`atoll up` and the commands beside it, as a person uses them: everything on one machine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from atoll.cli.exits import ExitCode
from atoll.cli.local import record
from atoll.testing.client import Account, AtollClient
from atoll.testing.processes import ServerProcess, closing, eventually

pytestmark = pytest.mark.anyio

PASSWORD = re.compile(r"password +(\S+) +\(shown only now")
BANNER = "sign in as"


@asynccontextmanager
async def up(folder: Path, *words: str, **environ: str) -> AsyncIterator[ServerProcess]:
    """A running `atoll up` on free ports, ready to use."""
    process = ServerProcess("up", folder, environ)
    process.command = (sys.executable, "-P", "-m", "atoll", "up", "--port", str(process.port), *words)
    before = len(process.log())
    async with closing(process):
        process.spawn()

        async def shown() -> bool:
            assert process.running, process.log()
            return BANNER in process.log()[before:]

        await eventually(shown, within=90, what="atoll up is ready")
        yield process


async def atoll(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """Runs one command in the same folder."""
    return await anyio.run_process(
        [sys.executable, "-P", "-m", "atoll", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        check=False,
    )


async def answer(folder: Path, *words: str) -> Any:
    done = await atoll(folder, *words, "--json")
    assert done.returncode == ExitCode.OK, done.stderr.decode()
    return json.loads(done.stdout)


def running(folder: Path) -> record.UpRecord:
    found = record.read(folder / "storage")
    assert found is not None
    return found


async def gone(pids: list[int]) -> bool:
    return not any(
        psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids
    )


def children(process: ServerProcess) -> list[int]:
    return [child.pid for child in psutil.Process(process.pid).children(recursive=True)]


async def test_an_app_is_made_stopped_started_and_removed_from_the_command_line(tmp_path: Path) -> None:
    async with up(tmp_path):
        environments = await answer(tmp_path, "env", "list")
        assert {row["name"]: row["available"] for row in environments} == {"env_a": True, "env_b": True}
        assert await answer(tmp_path, "app", "list") == []
        made = await answer(tmp_path, "app", "create", "crm", "--display", "Customers", "-e", "env_a")
        assert (made["name"], made["displayName"], made["status"]) == ("crm", "Customers", "running")
        assert made["environments"] == ["env_a"]
        listed = (await atoll(tmp_path, "app", "list")).stdout.decode().splitlines()
        assert listed[1].split()[:2] == ["crm", "Customers"]
        taken = await atoll(tmp_path, "app", "create", "crm", "-e", "env_b")
        assert taken.returncode == ExitCode.REFUSED
        assert b"APP_NAME_TAKEN" in taken.stderr
        assert (await answer(tmp_path, "app", "stop", "crm"))["status"] == "stopped"
        assert (await answer(tmp_path, "app", "start", "crm"))["status"] == "running"
        unknown = await atoll(tmp_path, "app", "start", "nothing")
        assert unknown.returncode == ExitCode.NOT_FOUND, unknown.stderr
        removed = await atoll(tmp_path, "app", "remove", "crm", "--drop-database", "--yes")
        assert removed.returncode == ExitCode.OK, removed.stderr
        assert await answer(tmp_path, "app", "list") == []
        assert not (tmp_path / "storage/db/crm.sqlite").exists()
        doctor = await answer(tmp_path, "doctor")
        assert {row["state"] for row in doctor} <= {"ok", "note"}


async def test_an_app_in_both_environments_is_one_database(tmp_path: Path) -> None:
    async with up(tmp_path, INIT_ROOT_PASSWORD="password-of-this-test") as process:
        made = await answer(tmp_path, "app", "create", "wiki", "-e", "env_a", "-e", "env_b")
        assert made["statuses"] == {"env_a": "running", "env_b": "running"}
        account = Account(password="password-of-this-test")
        ids = []
        for environment in ("env_a", "env_b"):
            async with AtollClient(process.url, app="wiki", environment=environment) as client:
                await client.sign_in(account)
                ids.append((await client.call("auth:check"))["id"])
        assert ids[0] == ids[1]


async def test_the_generated_password_is_shown_once_and_opens_everything(tmp_path: Path) -> None:
    async with up(tmp_path) as process:
        found = PASSWORD.search(process.log())
        assert found is not None
        account = Account(password=found[1])
        async with AtollClient(process.url) as client:
            await client.sign_in(account)
        await process.stop()
    (tmp_path / "up.log").unlink()
    kept = [file for file in (tmp_path / "storage").rglob("*") if file.is_file()]
    assert not [file for file in kept if account.password.encode() in file.read_bytes()]
    async with up(tmp_path) as process:
        assert account.password not in process.log()
        assert PASSWORD.search(process.log()) is None
        await answer(tmp_path, "app", "create", "later", "-e", "env_b")
        async with AtollClient(process.url, app="later") as client:
            await client.sign_in(account)


async def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with up(tmp_path) as process:
        second = await atoll(tmp_path, "up", "--port", "0")
        assert second.returncode == ExitCode.ALREADY_RUNNING
        assert process.url.encode() in second.stderr
        assert process.running


async def test_it_stops_everything_in_order_and_starts_again_with_what_ran(tmp_path: Path) -> None:
    async with up(tmp_path) as process:
        await answer(tmp_path, "app", "create", "stays", "-e", "env_a")
        await answer(tmp_path, "app", "create", "rests", "-e", "env_b", "--no-start")
        pids = children(process)
        assert len(pids) == 4
        assert await process.stop() == 0
        assert await gone(pids)
        assert not (tmp_path / "storage/up.json").exists()
        log = process.log()
        assert "is killed" not in log
    (tmp_path / "up.log").unlink()
    async with up(tmp_path) as process:

        async def runs() -> bool:
            rows = {row["name"]: row["status"] for row in await answer(tmp_path, "app", "list")}
            return rows.get("stays") == "running"

        await eventually(runs, within=20, what="the app that ran runs again")


async def test_killing_it_leaves_no_orphans_and_it_starts_again(tmp_path: Path) -> None:
    async with up(tmp_path) as process:
        pids = children(process)
        await process.kill()

        async def ended() -> bool:
            return await gone(pids)

        await eventually(ended, within=10, what="all children ended")
    (tmp_path / "up.log").unlink()
    async with up(tmp_path):
        assert len(await answer(tmp_path, "env", "list")) == 2


async def test_a_killed_environment_is_started_again_and_its_app_returns(tmp_path: Path) -> None:
    async with up(tmp_path) as process:
        await answer(tmp_path, "app", "create", "crm", "-e", "env_a")
        before = running(tmp_path).environments[0]
        os.kill(before.pid, signal.SIGKILL)

        async def back() -> bool:
            now = running(tmp_path).environments[0]
            if now.pid in {0, before.pid}:
                return False
            async with AtollClient(process.url) as client:
                return (await client.ask("crm")).status_code == 200

        await eventually(back, within=60, what="the app answers again")
        assert "env_a │ ended by signal SIGKILL; starting it again" in process.log()


async def test_sample_apps_are_filled_once(tmp_path: Path) -> None:
    secret = "password-of-this-test"
    async with up(tmp_path, "--demo", INIT_ROOT_PASSWORD=secret) as process:
        assert "travel/admin/" in process.log()
        rows = {row["name"]: row for row in await answer(tmp_path, "app", "list")}
        assert {name: row["environments"] for name, row in rows.items()} == {
            "travel": ["env_a"],
            "garage": ["env_b"],
        }
        async with AtollClient(process.url, app="travel") as client:
            await client.sign_in(Account(password=secret))
            counts = await count(client, "airports"), await count(client, "seattle_weather")
            assert counts == (3376, 1461)
            fields = await client.call("collections/seattle_weather/fields:list", paginate="false")
            types = {row["name"]: (row["type"], row["interface"]) for row in fields}
            assert types["day"] == ("dateOnly", "date")
            assert types["weather"] == ("string", "select")
            assert types["freezing"] == ("boolean", "checkbox")
            one = (await client.call("airports:list", pageSize="1"))[0]
            await client.call(f"airports:update/{one['id']}", {"city": "changed by hand"})
            await client.call("airports:destroy", filter={"iata": {"$eq": "00R"}})
        await process.stop()
    (tmp_path / "up.log").unlink()
    async with (
        up(tmp_path, "--demo", INIT_ROOT_PASSWORD=secret) as process,
        AtollClient(process.url, app="travel") as client,
    ):
        await client.sign_in(Account(password=secret))
        assert await count(client, "airports") == 3376
        assert (await client.call(f"airports:get/{one['id']}"))["city"] == "changed by hand"


async def count(client: AtollClient, collection: str) -> int:
    number: int = (await client.envelope(f"{collection}:list", pageSize="1"))["meta"]["count"]
    return number
