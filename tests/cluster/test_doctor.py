"""The doctor looks at real services and says what to do about each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from atoll.cli.exits import ExitCode
from atoll.database.config import DatabaseConfig
from atoll.testing.processes import free_port
from atoll.testing.rabbitmq import RabbitServer, rabbitmq_server
from atoll.testing.services import redis_server

pytestmark = pytest.mark.anyio
TIMEOUT = 60


def doctor(folder: Path, **environ: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "atoll", "doctor", "--json"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.stdout, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return done.returncode, rows


def wrong(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["state"] == "wrong"]


def postgres(config: DatabaseConfig, **changes: str) -> dict[str, str]:
    return {
        "DB_DIALECT": "postgres",
        "DB_HOST": config.host,
        "DB_PORT": str(config.port),
        "DB_DATABASE": config.database,
        "DB_USER": config.user,
        "DB_PASSWORD": config.password,
        **changes,
    }


def test_a_careless_redis_is_noticed(tmp_path: Path) -> None:
    options = ("--maxmemory-policy", "allkeys-lru", "--maxmemory", "64mb", "--appendonly", "no", "--save", "")
    with redis_server(*options) as server:
        code, rows = doctor(tmp_path, REDIS_URL=server.url)
    assert code == ExitCode.UNHEALTHY
    found = {(row["state"], row["text"]): row["remedy"] for row in rows if row["subject"].startswith("Redis")}
    assert "noeviction" in found["wrong", "eviction policy allkeys-lru, at most 64 MiB"]
    assert "appendonly" in found["note", "does not write its data to disk"]


def test_a_good_redis_is_good(tmp_path: Path) -> None:
    with redis_server("--maxmemory-policy", "noeviction", "--appendonly", "yes") as server:
        _, rows = doctor(tmp_path, REDIS_URL=server.url)
    states = {row["state"] for row in rows if row["subject"].startswith("Redis")}
    assert "wrong" not in states


def test_a_redis_for_the_cache_alone_may_evict(tmp_path: Path) -> None:
    with redis_server("--maxmemory-policy", "allkeys-lru", "--maxmemory", "64mb") as server:
        _, rows = doctor(tmp_path, CACHE_DEFAULT_STORE="redis", CACHE_REDIS_URL=server.url)
    found = [row for row in rows if row["subject"].startswith("Redis")]
    assert {row["state"] for row in found} == {"ok"}
    assert any("for the cache only" in row["text"] for row in found)


def test_a_user_without_rights_and_missing_sentinels_are_told(tmp_path: Path) -> None:
    with redis_server("--user", "atoll", "on", ">pw", "~*", "+ping") as server:
        url = f"redis://atoll:pw@{server.host}:{server.port}"
        _, rows = doctor(tmp_path, REDIS_URL=url)
        (row,) = [row for row in wrong(rows) if row["subject"].startswith("Redis")]
        assert "ACL" in row["remedy"]
        _, rows = doctor(tmp_path, REDIS_URL="redis+sentinel://:pw@127.0.0.1:9/main/0")
        (row,) = [row for row in wrong(rows) if row["subject"].startswith("Redis")]
        assert (row["subject"], row["text"]) == (
            "Redis 127.0.0.1:9/main/0",
            "no sentinel knows a master of this name",
        )


async def test_a_database_that_can_be_used_is_measured(
    tmp_path: Path, postgres_config: DatabaseConfig
) -> None:
    _, rows = doctor(tmp_path, **postgres(postgres_config))
    found = [row for row in rows if row["subject"] == "database"]
    assert {row["state"] for row in found} <= {"ok", "note"}
    assert any("answers in" in row["text"] for row in found)
    assert any("clock" in row["text"] for row in found)


async def test_what_is_wrong_with_a_database_is_told_with_a_remedy(
    tmp_path: Path, postgres_config: DatabaseConfig
) -> None:
    for changes in ({"DB_PASSWORD": "not-this-one"}, {"DB_DATABASE": "nothing_here"}, {"DB_PORT": "9"}):
        code, rows = doctor(tmp_path, **postgres(postgres_config, **changes))
        assert code == ExitCode.UNHEALTHY
        found = [row for row in wrong(rows) if row["subject"] == "database"]
        assert len(found) == 1, changes
        assert found[0]["remedy"]
        assert "not-this-one" not in json.dumps(rows)


def test_rabbitmq_is_looked_at(tmp_path: Path, rabbitmq_service: RabbitServer) -> None:
    def found(url: str) -> tuple[int, list[tuple[str, str]]]:
        code, rows = doctor(tmp_path, QUEUE_ADAPTER="rabbitmq", QUEUE_ADAPTER_RABBITMQ_URL=url)
        assert "guest:" not in json.dumps(rows)
        return code, [(row["state"], row["text"]) for row in rows if row["subject"].startswith("RabbitMQ")]

    _, rows = found(rabbitmq_service.url)
    assert rows[0][1].startswith("version ")
    assert rows[1] == ("ok", "takes messages into classic queues with priorities, no alarm")
    assert rows[2][1].startswith("confirms in ")
    code, rows = found(rabbitmq_service.url.replace("guest:guest", "guest:other"))
    assert (code, rows) == (ExitCode.UNHEALTHY, [("wrong", "refused the user or password")])
    code, rows = found(f"amqp://guest:guest@127.0.0.1:{free_port()}/")
    assert code == ExitCode.UNHEALTHY
    assert rows[0][1].startswith("no answer")


@pytest.mark.slow
def test_an_alarm_of_rabbitmq_is_told(tmp_path: Path, rabbitmq_service: RabbitServer) -> None:
    """`rabbitmq_service` has made sure that there is a program for it."""
    with rabbitmq_server("vm_memory_high_watermark.absolute = 1MB") as server:
        _, rows = doctor(tmp_path, QUEUE_ADAPTER="rabbitmq", QUEUE_ADAPTER_RABBITMQ_URL=server.url)
        assert ("wrong", "takes no messages now") in {(row["state"], row["text"]) for row in rows}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, rows = doctor(tmp_path, STORAGE_PATH=str(tmp_path / "file/storage"))
    assert code == ExitCode.UNHEALTHY
    assert [row["subject"] for row in wrong(rows)] == ["storage"]


def test_a_key_that_others_can_read_is_told(tmp_path: Path) -> None:
    key = tmp_path / "storage/apps/main/jwt_secret.dat"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"x" * 32)
    key.chmod(0o644)
    code, rows = doctor(tmp_path)
    assert code == ExitCode.UNHEALTHY
    assert [(row["subject"], row["remedy"]) for row in wrong(rows)] == [("keys", f"chmod 600 {key}")]
