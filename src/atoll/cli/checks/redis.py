"""Redis: reachable, new enough, keeps what it is given, quick, and in time."""

from __future__ import annotations

import statistics
import time
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from atoll.cli.checks.result import Check, ok, remark, wrong
from atoll.cli.local.redis_server import LEAST_VERSION
from atoll.settings import Settings

PINGS = 20
SLOW_SECONDS = 0.02
SKEW_SECONDS = 1.0
TIMEOUT_SECONDS = 3.0


def redis_checks(settings: Settings) -> list[Check]:
    """All Redis addresses among the settings, each once."""
    addresses: dict[str, list[str]] = {}
    for name in (
        "app_supervisor_redis_url",
        "app_command_redis_url",
        "pubsub_adapter_redis_url",
        "lock_adapter_redis_url",
        "redis_url",
    ):
        if (url := getattr(settings, name)) is not None:
            addresses.setdefault(url, []).append(name.upper())
    if not addresses:
        return [ok("Redis", "not used: this server works in memory")]
    checks = []
    for url, names in addresses.items():
        checks += check(url, names[0])
    return checks


def check(url: str, variable: str) -> list[Check]:
    """One Redis; `variable` is the setting that names it. The password is never shown."""
    subject = f"Redis {_place(url)}"
    client: Redis = Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, decode_responses=True
    )
    try:
        latency = _latency(client)
        info: dict[str, Any] = client.info()
        seconds, micros = client.time()
        snapshots = _snapshots(client, info)
    except AuthenticationError:
        return [wrong(subject, "refused the user or password", f"correct them in {variable}")]
    except RedisError as error:
        return [
            wrong(subject, f"no answer ({type(error).__name__})", f"start Redis there, or correct {variable}")
        ]
    finally:
        client.close()
    return [
        _version(subject, str(info["redis_version"])),
        _eviction(subject, str(info.get("maxmemory_policy", "unknown")), int(info.get("maxmemory", 0))),
        _persistence(subject, info, snapshots),
        _speed(subject, latency),
        _clock(subject, seconds + micros / 1e6 - time.time()),
    ]


def _latency(client: Redis) -> float:
    client.ping()
    samples = []
    for _ in range(PINGS):
        began = time.perf_counter()
        client.ping()
        samples.append(time.perf_counter() - began)
    return statistics.median(samples)


def _snapshots(client: Redis, info: dict[str, Any]) -> bool:
    try:
        return bool(client.config_get("save")["save"])
    except ResponseError:  # some services do not show their configuration
        return bool(info.get("rdb_saves"))


def _version(subject: str, version: str) -> Check:
    if int(version.split(".")[0]) < LEAST_VERSION:
        return wrong(subject, f"version {version}", f"install Redis {LEAST_VERSION} or newer")
    return ok(subject, f"version {version}")


def _eviction(subject: str, policy: str, limit: int) -> Check:
    text = f"eviction policy {policy}" + (f", at most {limit >> 20} MiB" if limit else ", no memory limit")
    if policy != "noeviction":
        remedy = "set maxmemory-policy noeviction: commands and presence must not be thrown away under load"
        return wrong(subject, text, remedy)
    return ok(subject, text)


def _persistence(subject: str, info: dict[str, Any], snapshots: bool) -> Check:
    if info.get("aof_enabled"):
        return ok(subject, "keeps its data (append-only file)")
    if snapshots:
        return ok(subject, "keeps its data (snapshots)")
    return remark(
        subject,
        "does not write its data to disk",
        "set appendonly yes: the database is the truth, but commands under way would be lost",
    )


def _speed(subject: str, latency: float) -> Check:
    text = f"answers in {latency * 1000:.1f} ms"
    if latency > SLOW_SECONDS:
        return remark(
            subject, text, "put Redis nearer to this server or look at its load: redis-cli --latency"
        )
    return ok(subject, text)


def _clock(subject: str, skew: float) -> Check:
    text = f"its clock differs by {abs(skew):.1f} s"
    if abs(skew) > SKEW_SECONDS:
        return wrong(subject, text, "let both machines set their clocks by NTP")
    return ok(subject, text)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}{parts.path}"
