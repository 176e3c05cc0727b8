"""`python -m benchmarks`: runs everything, writes JSON and the reference page.

`--only apps,cold,records,proxy,shared,queue` picks parts, `--quick` takes fewer and shorter samples (and
writes no page).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from atoll import __version__
from atoll.testing.deployment import PostgresAddress
from benchmarks import apps, bench_instances, bench_proxy, bench_queue, bench_shared, records
from benchmarks.measure import Result, machine
from benchmarks.report import page
from benchmarks.services import services

PARTS = ("cold", "apps", "records", "instances", "proxy", "shared", "queue")
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    seconds: float
    crowd: int
    rows: int


FULL = Effort(rounds=5, seconds=4, crowd=50, rows=10_000)
QUICK = Effort(rounds=2, seconds=1, crowd=10, rows=500)


def main() -> None:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="comma list of " + ", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="fewer and shorter samples, no page")
    parser.add_argument(
        "--json", type=Path, default=ROOT / "dist" / "benchmarks.json", help="where results go"
    )
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "reference" / "benchmarks.md")
    chosen = parser.parse_args()
    parts = [part for part in chosen.only.split(",") if part]
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}")
    effort = QUICK if chosen.quick else FULL
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results = runner.run(_run(parts, effort))
    _write(chosen.json, chosen.page, results, whole=set(parts) == set(PARTS) and not chosen.quick)


async def _run(parts: list[str], effort: Effort) -> list[Result]:
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="atoll-bench-") as name, services() as (redis_url, postgres):
        folder = Path(name)
        for part in parts:
            print(f"{part} …", file=sys.stderr, flush=True)
            for result in await _part(part, folder / part, redis_url, postgres, effort):
                results.append(result)
                print(f"  {result.name}: {result.value:.4g} {result.unit}", file=sys.stderr, flush=True)
    return results


async def _part(
    part: str, folder: Path, redis_url: str, postgres: PostgresAddress, effort: Effort
) -> list[Result]:
    ways: dict[str, Callable[[], Awaitable[list[Result]]]] = {
        "cold": lambda: apps.cold_start(folder, rounds=effort.rounds),
        "apps": lambda: apps.run(folder, redis_url, postgres, rounds=effort.rounds, crowd=effort.crowd),
        "records": lambda: records.run(
            folder, postgres, rows=effort.rows, rounds=effort.rounds, seconds=effort.seconds
        ),
        "instances": lambda: bench_instances.run(
            folder, redis_url, postgres, rows=effort.rows, rounds=effort.rounds, seconds=effort.seconds
        ),
        "queue": lambda: bench_queue.run(redis_url, rounds=effort.rounds, items=effort.rows),
        "proxy": lambda: bench_proxy.run(folder, rounds=effort.rounds, seconds=effort.seconds),
        "shared": lambda: bench_shared.run(redis_url, rounds=effort.rounds, seconds=effort.seconds),
    }
    return await ways[part]()


def _write(file: Path, target: Path, results: list[Result], *, whole: bool) -> None:
    now = datetime.now(UTC)
    about = machine()
    document = {
        "version": __version__,
        "at": now.isoformat(timespec="seconds"),
        "machine": about,
        "results": [result.as_json() for result in results],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    print(f"wrote {file}", file=sys.stderr)
    if whole:
        target.write_text(page(about, __version__, f"{now:%Y-%m-%d}", results), "utf-8")
        print(f"wrote {target}", file=sys.stderr)


if __name__ == "__main__":
    main()
