"""What every benchmark needs: repeated samples, medians, the machine, and load from wrk."""

from __future__ import annotations

import os
import platform
import re
import shutil
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import anyio
import psutil


@dataclass(frozen=True)
class Result:
    """One line of the report.

    Args:
        group: heading it belongs to.
        name: what was measured.
        value: the median, in `unit`.
        samples: all values, in the order taken.
        budget: what the architecture promises, as text; "" for none.
        kept: whether the budget was kept; None without one.
        beside: name of the result of the same run that this one is a ratio of.
    """

    group: str
    name: str
    value: float
    unit: str
    samples: list[float] = field(default_factory=list)
    budget: str = ""
    kept: bool | None = None
    beside: str = ""

    def as_json(self) -> dict[str, Any]:
        """As it is written to the file."""
        return asdict(self)


def at_most(group: str, name: str, samples: Sequence[float], unit: str, limit: float | None = None) -> Result:
    """The median of samples, where less is better; `limit` is the budget."""
    value = statistics.median(samples)
    budget = "" if limit is None else f"≤ {limit:g} {unit}"
    return Result(group, name, value, unit, list(samples), budget, None if limit is None else value <= limit)


def rate(group: str, name: str, samples: Sequence[float], unit: str = "requests/s") -> Result:
    """The median of samples, where more is better."""
    return Result(group, name, statistics.median(samples), unit, list(samples))


def ratio(group: str, name: str, of: Result, beside: Result) -> Result:
    """How much of `beside` was reached in the same run."""
    return Result(group, name, of.value / beside.value, "×", beside=beside.name)


def machine() -> dict[str, str]:
    """What the numbers were taken on."""
    model = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        found = re.search(r"model name\s*:\s*(.+)", information.read_text("utf-8"))
        model = found[1].strip() if found else model
    return {
        "processor": f"{os.cpu_count()} × {model}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


async def load(
    url: str,
    *,
    seconds: float,
    connections: int = 16,
    headers: Mapping[str, str] | None = None,
    script: Path | None = None,
) -> float:
    """Requests per second that wrk gets answered with 2xx.

    Raises:
        RuntimeError: wrk is missing, or any answer was an error: such a number would say nothing.
    """
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is not on the PATH; install the package wrk")
    command = [program, "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if script is not None:
        command += ["-s", str(script)]
    done = await anyio.run_process([*command, url], stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode()
    found = re.search(r"Requests/sec:\s*([\d.]+)", text)
    if found is None or "Non-2xx" in text or "Socket errors" in text:
        raise RuntimeError(f"wrk on {url}: {text}")
    return float(found[1])
