"""Files on which processes agree, and the folders that two servers must not share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from atoll import settings
from atoll.agreement import Disagreement, agree
from atoll.errors import StorageOwned
from atoll.server import owners
from atoll.server.keys import kept_secret
from atoll.server.owners import owned

HOLD = (
    "import sys; from pathlib import Path; from atoll.agreement import agree\n"
    "agree(Path(sys.argv[1]), sys.argv[2]); print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def holders() -> Iterator[list[subprocess.Popen[str]]]:
    found: list[subprocess.Popen[str]] = []
    yield found
    for process in found:
        process.kill()
        process.communicate()


def hold(holders: list[subprocess.Popen[str]], file: Path, text: str) -> subprocess.Popen[str]:
    """Another process that holds the file until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file), text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    holders.append(process)
    output: IO[str] | None = process.stdout
    assert output is not None
    assert output.readline() == "held\n"
    return process


def chosen(tmp_path: Path, **environ: str) -> settings.Settings:
    return settings.load({"STORAGE_PATH": str(tmp_path), "REDIS_URL": "redis://h:1", **environ}).settings


def worker(tmp_path: Path, name: str) -> settings.Settings:
    return chosen(
        tmp_path, APP_MODE="worker", ENVIRONMENT_NAME=name, ENVIRONMENT_URL="http://localhost:15000"
    )


def test_who_says_the_same_shares_and_who_does_not_is_refused(
    tmp_path: Path, holders: list[subprocess.Popen[str]]
) -> None:
    file = tmp_path / "agreed"
    process = hold(holders, file, "one")
    os.close(agree(file, "one"))
    with pytest.raises(Disagreement) as other:
        agree(file, "two")
    assert other.value.found == "one"
    process.kill()
    process.wait()
    seen: list[str] = []
    descriptor = agree(file, "two", seen.append)
    assert seen == ["one"], "a killed holder is gone; what it said was still there to be seen"
    with pytest.raises(Disagreement):
        agree(file, "one")
    os.close(descriptor)


def test_many_at_once_agree_on_one(tmp_path: Path) -> None:
    """Half of them say something else: one half holds it in the end, the other is told so."""
    code = (
        "import sys; from pathlib import Path; from atoll.agreement import agree, Disagreement\n"
        "try:\n    agree(Path(sys.argv[1]), sys.argv[2]); print('held', flush=True)\n"
        "except Disagreement: print('refused', flush=True)\n"
        "sys.stdin.read()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "agreed"), "ab"[number % 2]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    try:
        said = [process.stdout.readline().strip() if process.stdout else "" for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert {said[number] for number in range(0, 8, 2)} != {said[number] for number in range(1, 8, 2)}
    assert set(said) == {"held", "refused"}
    assert said[0::2] in (["held"] * 4, ["refused"] * 4)


def test_two_servers_do_not_share_a_storage_folder(tmp_path: Path) -> None:
    """F73."""
    with owned(worker(tmp_path, "env_a")):
        with owned(worker(tmp_path, "env_a")):
            pass  # another instance of the same environment
        with pytest.raises(StorageOwned, match="worker env_a") as refused, owned(worker(tmp_path, "env_b")):
            pass
        assert "STORAGE_PATH of its own" in refused.value.message
    with owned(worker(tmp_path, "env_b")):
        pass


def test_two_machines_do_not_share_sqlite_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F73: on a shared volume, write-ahead logs of two machines destroy the file."""
    with owned(chosen(tmp_path)):
        monkeypatch.setattr(owners, "machine", lambda: "another")
        with pytest.raises(StorageOwned, match="PostgreSQL"), owned(chosen(tmp_path)):
            pass
        postgres = {"DB_DIALECT": "postgres", "DB_DATABASE": "d", "DB_USER": "u"}
        with owned(chosen(tmp_path, **postgres)):
            pass


def test_many_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    """What instances must share is made once, whoever comes first."""
    code = (
        "import sys; from pathlib import Path; from atoll.server.keys import kept_secret\n"
        "sys.stdin.readline(); print(kept_secret(Path(sys.argv[1])).hex())"
    )
    file = tmp_path / "apps" / "main" / "aes_key.dat"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(6)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    made = {process.communicate()[0].strip() for process in processes}
    assert made == {kept_secret(file).hex()}
