"""The parts of `atoll up` that need no server: layout, ports, account, lock and record, child processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest
from argon2 import PasswordHasher

from atoll import settings
from atoll.cli.exits import CommandFailed, ExitCode
from atoll.cli.local import ports, record, redis_server
from atoll.cli.local.account import FILE, first_account
from atoll.cli.local.children import GUARD, Child
from atoll.cli.local.layout import environment_names, plan

DEADLINE = 20.0


def chosen(**environ: str) -> settings.Settings:
    return settings.load(environ).settings


def reserved(
    tmp_path: Path, host: str = "127.0.0.1", *, processes: int = 1, **environ: str
) -> dict[str, dict[str, str]]:
    layout = plan(
        storage=tmp_path,
        host=host,
        ports=[14000, 14001, 14002],
        redis_url="redis://:word@127.0.0.1:1/0",
        account={"INIT_ROOT_USERNAME": "root"},
        environ=environ,
        processes=processes,
    )
    return {server.name: dict(server.variables) for server in layout.servers}


def test_each_planned_server_is_accepted_by_the_settings(tmp_path: Path) -> None:
    servers = reserved(tmp_path, PATH="/bin", LOGGER_LEVEL="debug")
    assert list(servers) == ["supervisor", "env_a", "env_b"]
    loaded = {name: settings.load(variables) for name, variables in servers.items()}
    assert all(not item.warnings for item in loaded.values())
    supervisor, worker = loaded["supervisor"].settings, loaded["env_a"].settings
    assert (supervisor.app_mode, worker.app_mode) == ("supervisor", "worker")
    assert worker.environment_name == "env_a"
    assert worker.environment_url == f"http://127.0.0.1:{worker.app_port}"
    assert supervisor.logger_level == "debug"
    assert supervisor.init_root_username == "root"


def test_each_environment_may_be_several_processes(tmp_path: Path) -> None:
    servers = reserved(tmp_path, processes=3, CLUSTER_MODE="7")
    counts = {name: settings.load(variables).settings.processes for name, variables in servers.items()}
    assert counts == {"supervisor": 1, "env_a": 3, "env_b": 3}


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_nobody_on_this_machine_is_believed_unasked(tmp_path: Path, host: str) -> None:
    for trusted in ((), ("10.0.0.7",)):
        given = ",".join(trusted)
        for server in reserved(tmp_path, host=host, TRUSTED_PROXIES=given).values():
            assert settings.load(server).settings.trusted_proxies == trusted


def test_databases_share_one_folder_and_storage_does_not(tmp_path: Path) -> None:
    servers = reserved(tmp_path)
    assert len({Path(item["DB_STORAGE"]).parent for item in servers.values()}) == 1
    assert len({item["DB_STORAGE"] for item in servers.values()}) == len(servers)
    assert len({item["STORAGE_PATH"] for item in servers.values()}) == len(servers)


def test_a_damaged_account_file_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(CommandFailed, match=FILE):
        first_account(chosen(), tmp_path)
    assert (tmp_path / FILE).read_text() == "{"


def test_settings_of_another_deployment_do_not_reach_the_children(tmp_path: Path) -> None:
    servers = reserved(
        tmp_path,
        APP_MODE="worker",
        APP_KEY="shared",
        DB_DIALECT="postgres",
        DB_PASSWORD="secret",
        REDIS_URL="redis://elsewhere:6379",
        CACHE_REDIS_URL="redis://elsewhere:6379",
        ENVIRONMENT_NAME="other",
        APP_ENV_PATH="other.env",
    )
    for variables in servers.values():
        assert "elsewhere" not in " ".join(variables.values())
        assert "APP_KEY" not in variables
        assert "DB_PASSWORD" not in variables
        assert variables["DB_DIALECT"] == "sqlite"
        assert variables["APP_ENV_PATH"] == os.devnull
    assert "ENVIRONMENT_NAME" not in servers["supervisor"]


def test_environment_names_go_on_after_z() -> None:
    names = environment_names(28)
    assert names[:2] == ["env_a", "env_b"]
    assert names[25:] == ["env_z", "env_aa", "env_ab"]
    assert len(set(names)) == 28


def test_a_taken_port_is_refused_and_following_ports_are_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        with pytest.raises(CommandFailed) as failed:
            ports.choose("127.0.0.1", port, 1)
        assert failed.value.code is ExitCode.PORT_TAKEN
        assert str(port) in failed.value.message
    found = ports.choose("127.0.0.1", 0, 3)
    assert len(set(found)) == 4
    assert found == sorted(found)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CommandFailed) as failed:
        ports.choose("192.0.2.1", 0, 1)
    assert failed.value.code is ExitCode.USAGE


def test_a_generated_password_is_known_once_and_kept_only_as_a_hash(tmp_path: Path) -> None:
    first = first_account(chosen(), tmp_path)
    assert first.new
    assert first.password is not None
    assert "INIT_ROOT_PASSWORD" not in first.variables
    assert PasswordHasher().verify(first.variables["INIT_ROOT_PASSWORD_HASH"], first.password)
    file = tmp_path / FILE
    assert first.password not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = first_account(chosen(), tmp_path)
    assert again.password is None
    assert not again.new
    assert again.variables == first.variables


def test_a_given_password_is_used_and_also_kept_as_a_hash(tmp_path: Path) -> None:
    given = first_account(chosen(INIT_ROOT_PASSWORD="from the outside", INIT_ROOT_USERNAME="ada"), tmp_path)
    assert (given.username, given.password, given.new) == ("ada", "from the outside", False)
    later = first_account(chosen(), tmp_path)
    assert later.username == "ada"
    assert PasswordHasher().verify(later.variables["INIT_ROOT_PASSWORD_HASH"], "from the outside")


def test_one_storage_folder_serves_one_installation(tmp_path: Path) -> None:
    with record.exclusive(tmp_path):
        member = record.Member("supervisor", "http://127.0.0.1:14000", os.getpid())
        record.write(tmp_path, record.UpRecord(os.getpid(), member, []))
        with pytest.raises(CommandFailed) as failed, record.exclusive(tmp_path):
            pass
        assert failed.value.code is ExitCode.ALREADY_RUNNING
        assert "http://127.0.0.1:14000" in failed.value.message
    with record.exclusive(tmp_path):
        pass


def test_a_record_left_by_a_killed_run_counts_as_nothing(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    record.write(tmp_path, record.UpRecord(gone.pid, record.Member("supervisor", "http://x", 1), []))
    assert record.read(tmp_path) is None
    (tmp_path / record.RECORD).write_text("{")
    assert record.read(tmp_path) is None


def test_the_record_says_what_runs_where(tmp_path: Path) -> None:
    running = record.UpRecord(
        os.getpid(),
        record.Member("supervisor", "http://127.0.0.1:14000", 7),
        [record.Member("env_a", "http://127.0.0.1:14001", 8)],
    )
    record.write(tmp_path, running)
    assert record.read(tmp_path) == running
    assert msgspec.json.decode((tmp_path / "up.json").read_bytes())["environments"][0]["name"] == "env_a"
    record.remove(tmp_path)
    assert record.read(tmp_path) is None


def test_a_redis_that_is_too_old_is_not_taken(tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho 'Redis server v=6.2.14 sha=0:0'\n")
    program.chmod(0o755)
    assert redis_server.version(program) == (6, 2, 14)
    found = redis_server.find(str(tmp_path))
    assert found != program
    assert (redis_server.version(found) or ()) >= (redis_server.LEAST_VERSION,)


def child(*command: str, lines: list[str]) -> Child:
    return Child("it", command, dict(os.environ), lambda _, line: lines.append(line), lambda: None)


async def until(lines: list[str], text: str) -> None:
    async with asyncio.timeout(DEADLINE):
        while not any(text in line for line in lines):  # noqa: ASYNC110 - output of another process
            await asyncio.sleep(0.01)


@pytest.mark.anyio
async def test_a_child_that_dies_is_started_again_until_it_is_stopped() -> None:
    lines: list[str] = []
    it = child("sh", "-c", "echo up $$; kill -9 $$", lines=lines)
    running = asyncio.create_task(it.run(restart=lambda: True))
    await until(lines, "ended by signal SIGKILL; starting it again in 1 s")
    async with asyncio.timeout(DEADLINE):
        while sum(line.startswith("up ") for line in lines) < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    await it.stop(5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert it.pid == 0


@pytest.mark.anyio
async def test_a_child_that_may_not_be_restarted_tells_how_it_ended() -> None:
    lines: list[str] = []
    it = child("sh", "-c", "echo last words >&2; exit 78", lines=lines)
    await it.run(restart=lambda: False)
    assert lines == ["last words"]
    assert (it.exit_code, it.outcome()) == (78, "with code 78")


@pytest.mark.anyio
async def test_a_child_that_does_not_listen_to_a_stop_is_killed() -> None:
    lines: list[str] = []
    it = child("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done", lines=lines)
    running = asyncio.create_task(it.run(restart=lambda: True))
    await until(lines, "ready")
    await it.stop(0.2)
    await running
    assert it.outcome() == "by signal SIGKILL"
    assert any("did not stop within 0.2 s" in line for line in lines)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_child_does_not_outlive_a_killed_parent() -> None:
    script = (
        "import subprocess, sys, os, time;"
        "guard = [sys.executable, '-I', '-S', sys.argv[1], str(os.getpid())];"
        "child = subprocess.Popen([*guard, 'sleep', '1000']);"
        "print(child.pid, flush=True);"
        "time.sleep(1000)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(GUARD)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent, parent.stdout:
        pid = int(parent.stdout.readline())
        deadline = time.monotonic() + DEADLINE
        while psutil.Process(pid).cmdline()[:1] != ["sleep"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        parent.send_signal(signal.SIGKILL)
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
