"""What a process uses, for its signs of life."""

from __future__ import annotations

import psutil

from atoll.supervisor.presence.base import Vitals


def measure(process: psutil.Process) -> Vitals:
    """What a process uses now; its processor time since the last call for the same object."""
    return Vitals(
        cpu=round(process.cpu_percent() / 100 / (psutil.cpu_count() or 1), 4),
        memory=process.memory_info().rss,
        machine_memory=psutil.virtual_memory().total,
    )
