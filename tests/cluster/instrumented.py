"""`atoll start` with two signals more, for tests only.

SIGUSR1 blocks the event loop for BLOCK_SECONDS: the handler sleeps in the main thread, where the loop runs,
and other threads go on. SIGUSR2 writes what the process holds to CENSUS_FILE as JSON: tasks, threads, file
descriptors, resident memory and objects after a collection.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil

from atoll.cli import main


def block(*_: object) -> None:
    time.sleep(float(os.environ["BLOCK_SECONDS"]))


def census(*_: object) -> None:
    gc.collect()
    process = psutil.Process()
    found = {
        "tasks": _tasks(),
        "threads": threading.active_count(),
        "files": process.num_fds(),
        "memory": process.memory_info().rss,
        "objects": len(gc.get_objects()),
    }
    file = Path(os.environ["CENSUS_FILE"])
    draft = file.with_suffix(".part")
    draft.write_text(json.dumps(found), "utf-8")
    draft.replace(file)


def _tasks() -> int:
    """Unfinished tasks of the loop that runs in this thread."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return sum(1 for each in gc.get_objects() if isinstance(each, asyncio.Task) and not each.done())


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, block)
    signal.signal(signal.SIGUSR2, census)
    sys.argv = ["atoll", "start"]
    main()
