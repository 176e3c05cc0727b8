"""The report of a run: plain data, kept as JSON, and its table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec


class KindOfFault(msgspec.Struct, frozen=True):
    """What became of all faults of one kind. Times in seconds; a fault that never ended has none.

    Attributes:
        requests: that ended between injection and recovery.
        excused: failed requests at the instances it hurt.
        blamed: failed requests at instances that were well.
    """

    name: str
    injected: int
    recovered: list[float]
    requests: int
    excused: int
    blamed: int


class Report(msgspec.Struct, frozen=True):
    """One run.

    Attributes:
        standing: how many items were in the queue, as a median of twice a second.
        jobs_twice: items whose handler began more than once; their effect is there once.
        jobs_unexplained: of those, the ones without a fault at that time.
        writes_lost: acknowledged writes that are not there at the end.
        writes_twice: writes that are there more than once.
        stale: answers that did not know of a change which was acknowledged before the question.
        note: what a person has to add.
        not_recovered: after which faults not everything worked again in time; the run ended there.
        ids_repeated: ids given twice, and worker ids held by two processes at a time.
        ticks_wrong: ticks that are missing, left out, or not done once.
    """

    date: str
    machine: str
    queue: str
    seed: int
    seconds: float
    instances: str
    faults: list[KindOfFault]
    requests: int
    failed: dict[str, int]
    blamed: list[str]
    jobs_in: int
    jobs_done: int
    jobs_twice: int
    jobs_unexplained: int
    jobs_lost: int
    effects_twice: int
    writes: int
    writes_lost: int
    writes_twice: int
    tasks: int
    tasks_wrong: list[str]
    changes: int
    reads_after_change: int
    stale: list[str]
    ids: int
    ids_repeated: int
    worker_ids: int
    ticks: int
    ticks_wrong: list[str]
    not_recovered: list[str] = []
    standing: int | None = None
    note: str = ""

    @property
    def failures(self) -> list[str]:
        """What must not be, in words; nothing when all is well."""
        counts = {
            "jobs lost": self.jobs_lost,
            "effects twice": self.effects_twice,
            "jobs run twice without a fault near": self.jobs_unexplained,
            "acknowledged writes lost": self.writes_lost,
            "writes twice": self.writes_twice,
            "ids repeated": self.ids_repeated,
        }
        lists = (self.not_recovered, self.blamed, self.tasks_wrong, self.stale, self.ticks_wrong)
        return [f"{what}: {count}" for what, count in counts.items() if count] + [
            line for lines in lists for line in lines
        ]

    def table(self) -> str:
        """For people; Markdown as well."""
        rows = [
            [
                each.name,
                str(each.injected),
                _seconds(statistics.median(each.recovered)) if each.recovered else "-",
                _seconds(max(each.recovered)) if each.recovered else "-",
                str(each.requests),
                str(each.excused),
                str(each.blamed),
            ]
            for each in self.faults
        ]
        head = [
            "fault",
            "injected",
            "recovered after, p50",
            "at most",
            "requests meanwhile",
            "failed at hurt instances",
            "failed at healthy ones",
        ]
        reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(self.failed.items())) or "none"
        measured = [
            ["requests", f"{self.requests}, {self.requests / self.seconds:.0f}/s"],
            ["failed requests by reason", reasons],
            ["of them at healthy instances", str(len(self.blamed))],
            ["jobs standing in the queue", "not noted" if self.standing is None else str(self.standing)],
            ["jobs in / done", f"{self.jobs_in} / {self.jobs_done}"],
            ["jobs begun twice (with their effect once)", str(self.jobs_twice)],
            ["of them without a fault near", str(self.jobs_unexplained)],
            ["jobs lost / effects twice", f"{self.jobs_lost} / {self.effects_twice}"],
            [
                "acknowledged writes / lost / twice",
                f"{self.writes} / {self.writes_lost} / {self.writes_twice}",
            ],
            ["imports and bulk changes / wrong", f"{self.tasks} / {len(self.tasks_wrong)}"],
            ["changes of configuration", str(self.changes)],
            ["reads after them / stale", f"{self.reads_after_change} / {len(self.stale)}"],
            ["ids given / repeated", f"{self.ids} / {self.ids_repeated}"],
            ["worker ids used", str(self.worker_ids)],
            ["scheduled ticks / wrong", f"{self.ticks} / {len(self.ticks_wrong)}"],
        ]
        return f"{_aligned(head, rows)}\n\n{_aligned(['measured', 'figure'], measured)}"

    def text(self) -> str:
        """The circumstances, the table, and what must not be if there is such."""
        wrong = "".join(f"wrong: {line}\n" for line in self.failures[:20])
        return (
            f"Queue {self.queue}, seed {self.seed}, {self.seconds:.0f} s, {self.instances}\n"
            f"{self.date}, {self.machine}\n\n{self.table()}\n{wrong}"
        )

    def save(self, file: Path) -> None:
        """Writes it as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads what `save` wrote."""
        return msgspec.json.decode(file.read_bytes(), type=cls)


@dataclass(frozen=True)
class Page:
    """The page of the documentation."""

    reports: Sequence[Report]

    def text(self) -> str:
        """All of it."""
        parts = [HEAD]
        for report in sorted(self.reports, key=lambda each: each.queue):
            parts.append(
                f"## Queue on {report.queue}\n\n```\n{report.text()}```\n\n{report.note}".rstrip() + "\n"
            )
        return "\n".join(parts)


HEAD = """\
# Runs with random faults

Three instances of one app (one of them with two processes) behind the nginx configuration of `atoll nginx`,
on PostgreSQL, Redis and, in one run, RabbitMQ. People read and write, the queue is never empty, imports, bulk
changes and a scheduled job run, collections, roles and settings change; meanwhile a seeded sequence of faults
is injected. These are the last runs, as they were printed.

An instance is hurt from the moment it is killed or paused until everything works again; all are while the
database says nothing. A Redis that is stopped, emptied or cut off, a RabbitMQ that is restarted, a slow
database and a roll by SIGHUP hurt nobody: no request may fail because of them. "Recovered" is when each
instance is ready and writes, and a new item of the queue was worked on; it counts from the repair of the
cause.

People keep to a pace of 300 requests per second together, and wait for their answers: a fault that makes
everybody wait costs some of that.

`make faults` repeats the runs and writes this page; `args="--fault-seed 1"` for the same faults in the same
order, `--fault-seconds 60` for shorter runs.
"""


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _aligned(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(head), rule, *(line(row) for row in rows)])
