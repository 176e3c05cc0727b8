"""The command line as a script sees it: what is written where, and the exit codes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from atoll import __version__, settings
from atoll.cli import COMMANDS, build
from atoll.cli.client import ServerClient
from atoll.cli.exits import CommandFailed, ExitCode, exit_code
from atoll.cli.local import redis_server
from atoll.errors import AtollError, PortTaken, SettingsError

TIMEOUT = 60


def atoll(*words: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs the command line in `folder`, with nothing of the caller's environment but the search path."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "atoll", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def test_version(tmp_path: Path) -> None:
    done = atoll("--version", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"atoll {__version__}\n", "")


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    done = atoll("nonsense", folder=tmp_path)
    assert done.returncode == ExitCode.USAGE
    assert "nonsense" in done.stderr


def test_settings_as_json_hide_secrets(tmp_path: Path) -> None:
    done = atoll("settings", "--json", folder=tmp_path, APP_PORT="1234", APP_KEY="do not show")
    assert done.returncode == 0
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert (rows["APP_PORT"]["value"], rows["APP_PORT"]["source"]) == ("1234", "environment")
    assert rows["APP_KEY"]["value"] == settings.MASK
    assert rows["APP_KEY"]["secret"] is True
    assert rows["APP_HOST"]["source"] == "default"
    assert "do not show" not in done.stdout + done.stderr


def test_settings_on_a_pipe_keep_one_row_per_line(tmp_path: Path) -> None:
    done = atoll("settings", "--changed", folder=tmp_path, APP_PORT="1234", TZ="Asia/Shanghai")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["variable", "APP_PORT", "TZ"]


def test_settings_come_from_an_env_file_too(tmp_path: Path) -> None:
    (tmp_path / "other.env").write_text("APP_PORT=1111\nTZ='Asia/Shanghai'\n")
    done = atoll("settings", "--json", folder=tmp_path, APP_ENV_PATH="other.env", APP_PORT="2222")
    rows = {row["name"]: row["value"] for row in json.loads(done.stdout)}
    assert (rows["APP_PORT"], rows["TZ"]) == ("2222", "Asia/Shanghai")


@pytest.mark.parametrize("command", ["start", "settings"])
def test_wrong_settings_are_told_one_per_line(tmp_path: Path, command: str) -> None:
    done = atoll(command, folder=tmp_path, APP_PORT="0", APP_MODE="boss", REDIS_URL="redis:/one-slash")
    assert done.returncode == ExitCode.BAD_SETTINGS
    problems = [line for line in done.stderr.splitlines() if line.startswith("error [INVALID_SETTINGS]")]
    assert len(problems) == 3
    assert any("APP_PORT=0" in line and "1 to 65535" in line for line in problems)
    assert "one-slash" not in done.stderr


def test_nobody_at_the_address(tmp_path: Path) -> None:
    done = atoll("env", "list", "--url", "http://127.0.0.1:9", "--token", "t", folder=tmp_path)
    assert done.returncode == ExitCode.UNREACHABLE
    assert "error [UNREACHABLE]" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("url", ["nonsense", "127.0.0.1:14000", "ftp://host"])
def test_an_address_that_is_none_is_a_usage_error(tmp_path: Path, url: str) -> None:
    done = atoll("env", "list", "--url", url, "--token", "t", folder=tmp_path)
    assert done.returncode == ExitCode.USAGE
    assert "http://127.0.0.1:14000" in done.stderr


@pytest.mark.parametrize("name", ["", "a,b", "../x", "crm?filter={}", "CRM"])
def test_what_cannot_be_an_app_never_reaches_the_server(tmp_path: Path, name: str) -> None:
    done = atoll("app", "remove", name, "--yes", "--token", "t", folder=tmp_path)
    assert done.returncode == ExitCode.USAGE
    assert "small letters" in done.stderr


@pytest.mark.parametrize("content", [None, b"APP_PORT=\xff\n"])
def test_an_env_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "my.env").write_bytes(content)
    done = atoll("settings", folder=tmp_path, APP_ENV_PATH="my.env")
    assert done.returncode == ExitCode.BAD_SETTINGS
    assert "my.env" in done.stderr


def test_without_token_and_key_a_command_says_what_to_give(tmp_path: Path) -> None:
    done = atoll("app", "list", folder=tmp_path)
    assert done.returncode == ExitCode.NOT_ALLOWED
    assert "--token" in done.stderr
    assert not (tmp_path / "storage").exists()


def test_up_refuses_a_taken_port_and_leaves_no_account(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        done = atoll("up", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert done.returncode == ExitCode.PORT_TAKEN
    assert not (tmp_path / "storage" / "first-account.json").exists()


def test_without_any_redis_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "_packaged", lambda: None)
    with pytest.raises(CommandFailed) as failed:
        redis_server.find("/nowhere")
    assert failed.value.code is ExitCode.PROGRAM_MISSING
    assert "redis-server" in failed.value.message


def test_doctor_finds_what_is_wrong_and_says_what_to_do(tmp_path: Path) -> None:
    done = atoll("doctor", "--json", folder=tmp_path, REDIS_URL="redis://:hidden@127.0.0.1:9", APP_PORT="9")
    rows = json.loads(done.stdout)
    assert done.returncode == ExitCode.UNHEALTHY
    wrong = [row for row in rows if row["state"] == "wrong"]
    assert [row["subject"] for row in wrong if row["subject"].startswith("Redis")] == ["Redis 127.0.0.1:9"]
    assert all(row["remedy"] for row in wrong)
    assert {"Python", "SQLite", "clock", "storage", "database"} <= {row["subject"] for row in rows}
    assert "hidden" not in done.stdout + done.stderr


def test_doctor_reports_wrong_settings_as_lines(tmp_path: Path) -> None:
    done = atoll("doctor", folder=tmp_path, APP_MODE="worker", REDIS_URL="redis://127.0.0.1:9")
    assert done.returncode == ExitCode.UNHEALTHY
    assert "ENVIRONMENT_NAME" in done.stdout


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_building_one_command_gives_the_same_as_building_all(name: str) -> None:
    everything = typer.main.get_command(build())
    alone = typer.main.get_command(build(name))
    assert list(alone.commands) == [name]  # type: ignore[attr-defined]
    assert [item.name for item in alone.commands[name].params] == [  # type: ignore[attr-defined]
        item.name
        for item in everything.commands[name].params  # type: ignore[attr-defined]
    ]


def test_starting_a_server_does_not_wait_for_other_commands() -> None:
    script = "import sys, atoll.cli; atoll.cli.build('start'); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "'httpx'" not in loaded
    assert "'redis'" not in loaded


def test_exit_codes_are_numbers_of_their_own_with_a_meaning() -> None:
    assert len({member.value for member in ExitCode}) == len(ExitCode)
    assert all(member.meaning for member in ExitCode)
    assert exit_code(SettingsError([])) is ExitCode.BAD_SETTINGS
    assert exit_code(PortTaken("")) is ExitCode.PORT_TAKEN
    assert exit_code(AtollError("")) is ExitCode.FAILED


def test_an_unreachable_server_is_named_in_the_error() -> None:
    with ServerClient("http://127.0.0.1:9", "token") as client, pytest.raises(CommandFailed) as failed:
        client.rows("applications:list")
    assert failed.value.code is ExitCode.UNREACHABLE
    assert "http://127.0.0.1:9" in failed.value.message
    assert "token" not in failed.value.message
