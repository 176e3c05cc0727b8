"""The main app's database: reachable, new enough, sufficient rights, quick, and in time."""

from __future__ import annotations

import time
from typing import Any

from atoll.cli.checks.result import Check, ok, remark, wrong
from atoll.database import provision
from atoll.database.config import DatabaseConfig
from atoll.database.drivers import Database, connect
from atoll.errors import AtollError
from atoll.server.databases import main_database
from atoll.settings import Settings

SLOW_SECONDS = 0.05
SKEW_SECONDS = 1.0


async def database_checks(settings: Settings) -> list[Check]:
    """What stands against using the database, else its address, speed and clock."""
    config = main_database(settings)
    if config.storage is not None and not config.storage.exists():
        return [ok("database", f"{config.address} is made at the first start")]
    findings = await provision.check(config)
    if findings:
        return [wrong("database", finding.message, finding.remedy) for finding in findings]
    database = connect(config)
    await database.open()
    try:
        return await _measure(database, config)
    except AtollError as error:
        return [wrong("database", error.message, "look at the database server and at DB_*")]
    finally:
        await database.close()


async def _measure(database: Database, config: DatabaseConfig) -> list[Check]:
    await database.ping()
    began = time.perf_counter()
    await database.ping()
    latency = time.perf_counter() - began
    text = f"{config.address} answers in {latency * 1000:.1f} ms"
    slow = "put the database nearer to this server, or look at its load"
    checks = [ok("database", text) if latency < SLOW_SECONDS else remark("database", text, slow)]
    if database.kind == "postgres":
        row: Any = await database.fetch_one("SELECT extract(epoch FROM clock_timestamp())::float8")
        skew = abs(float(row[0]) - time.time())
        text = f"its clock differs by {skew:.1f} s"
        remedy = "let both machines set their clocks by NTP"
        checks.append(ok("database", text) if skew <= SKEW_SECONDS else wrong("database", text, remedy))
    return checks
