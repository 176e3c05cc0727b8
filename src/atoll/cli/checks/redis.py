"""Redis: reachable, new enough, keeps what it is given, quick, and in time."""

from __future__ import annotations

import statistics
import time
from typing import Any

from redis import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError
from redis.sentinel import MasterNotFoundError

from atoll.cli.checks.result import Check, ok, remark, wrong
from atoll.cli.local.redis_server import LEAST_VERSION
from atoll.cluster.redis_address import place, sync_client
from atoll.settings import Settings

CACHE = "cache_redis_url"
PINGS = 20
SLOW_SECONDS = 0.02
SKEW_SECONDS = 1.0
TIMEOUT_SECONDS = 3.0


def redis_checks(settings: Settings) -> list[Check]:
    """All Redis addresses among the settings, each once."""
    addresses: dict[str, list[str]] = {}
    names = ["app_supervisor_redis_url", "app_command_redis_url", "pubsub_adapter_redis_url"]
    names += ["lock_adapter_redis_url", "redis_url"]
    if settings.queue_adapter == "redis":
        names.append("queue_adapter_redis_url")
    if settings.cache_default_store == "redis":
        names.append(CACHE)
    for name in names:
        if (url := getattr(settings, name)) is not None:
            addresses.setdefault(url, []).append(name)
    if not addresses:
        return [ok("Redis", "not used: this server works in memory")]
    checks = []
    for url, names in addresses.items():
        checks += check(url, names[0].upper(), only_cache=names == [CACHE])
    return checks


def check(url: str, variable: str, *, only_cache: bool = False) -> list[Check]:
    """One Redis; `variable` is the setting that names it. The password is never shown.

    Args:
        only_cache: nothing but cached values is put there: it may throw away and forget.
    """
    subject = f"Redis {place(url).partition('://')[2]}"
    client = sync_client(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, decode_responses=True
    )
    try:
        latency = _latency(client)
        info: dict[str, Any] = client.info()
        seconds, micros = client.time()
        snapshots = _snapshots(client, info)
    except AuthenticationError:
        return [wrong(subject, "refused the user or password", f"correct them in {variable}")]
    except NoPermissionError:
        return [wrong(subject, "its user may not ask how it is", "add +info +time +config|get to its ACL")]
    except MasterNotFoundError:
        return [
            wrong(
                subject,
                "no sentinel knows a master of this name",
                f"start the sentinels, or correct hosts, name or sentinel_password in {variable}",
            )
        ]
    except RedisError as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            remedy = f"name its authority in {variable}: ?ssl_ca_certs=/path/to/ca.pem"
            return [wrong(subject, "its certificate is not trusted", remedy)]
        return [
            wrong(subject, f"no answer ({type(error).__name__})", f"start Redis there, or correct {variable}")
        ]
    finally:
        client.close()
    policy, limit = str(info.get("maxmemory_policy", "unknown")), int(info.get("maxmemory", 0))
    checks = [_version(subject, str(info["redis_version"]))]
    if only_cache:
        checks.append(_cache_eviction(subject, policy, limit))
    else:
        checks += [_eviction(subject, policy, limit), _persistence(subject, info, snapshots)]
    return [*checks, _speed(subject, latency), _clock(subject, seconds + micros / 1e6 - time.time())]


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


def _cache_eviction(subject: str, policy: str, limit: int) -> Check:
    """Cached values may go, and should rather than that new ones are refused."""
    text = f"for the cache only, eviction policy {policy}" + (f", at most {limit >> 20} MiB" if limit else "")
    if limit and policy == "noeviction":
        return remark(subject, text, "set maxmemory-policy allkeys-lru: a full cache then makes room")
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
