"""Looking something up in the log files of this process's folder, newest line first.

Files are read backwards and lines merged by time, so that the newest lines of a folder of any size are found
without reading it all. Times are as lines have them: ISO 8601 in UTC, to the millisecond, so that comparing
them as texts compares them as times.
"""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias

import msgspec
from msgspec import Struct, field

from atoll.logs.folder import NAME
from atoll.logs.formats import MASK, SECRET_NAMES, masked, moment

Level: TypeAlias = Literal["error", "warn", "info", "debug"]
Kind: TypeAlias = Literal["system", "request"]
MOST_LINES = 200

_SEVERITY = {"debug": 0, "info": 1, "warn": 2, "warning": 2, "error": 3, "critical": 3}
_FILE = re.compile(r"(system|request)(?:_(\d{4}-\d\d-\d\d))?(?:\.?(\d+))?\.log")
_BLOCK = 32 << 10
#: How much one question may read; a longer search goes on from where it came to.
_MOST_BYTES = 8 << 20
#: How much one answer holds; an unusually long line is cut.
_MOST_ANSWER = 128 << 10
_LONG_LINE = 16 << 10
_LONG_TEXT = 2000
#: Lines of one file may stand in another order than their times, by as much.
_DISORDER_SECONDS = 2.0
_MOST_FILES = 64


class LogQuery(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is looked for.

    Args:
        app: only lines about this app; "" for all, and those of the environment itself.
        level: the least severity.
        text: somewhere in the line, in small or capital letters. request: the id of a request, or its trace.
        since, until: times, both included; "" for no limit.
        limit: at most so many lines, to `MOST_LINES`.
    """

    app: str = ""
    kind: Kind | Literal[""] = ""
    level: Level = "debug"
    text: str = ""
    request: str = ""
    since: str = ""
    until: str = ""
    limit: int = 100


class LogLine(Struct, frozen=True, kw_only=True):
    """One line. `id` names it among all lines of the folder; `fields` is all it holds besides the others."""

    id: str
    time: str
    level: str
    app: str
    kind: Kind
    message: str
    fields: dict[str, Any] = field(default_factory=dict)


class LogPage(Struct, frozen=True, kw_only=True):
    """Lines, newest first.

    Args:
        reached: what is older than this was not looked at; "" when nothing older is in question.
        problem: why there are no lines, for a person; "" for none.
    """

    lines: tuple[LogLine, ...] = ()
    reached: str = ""
    problem: str = ""


class LogReader:
    """Answers questions about a folder of log files. Blocks: call it in a thread.

    Args:
        environment: lines that another environment wrote into the same folder are left out; None for all.
        unreadable: why there is nothing to read, "" when there is.
    """

    def __init__(self, folder: Path, environment: str | None = None, unreadable: str = "") -> None:
        self._folder, self._environment, self._unreadable = folder, environment, unreadable

    def find(self, query: LogQuery) -> LogPage:
        """The newest lines that fit."""
        if self._unreadable:
            return LogPage(problem=self._unreadable)
        try:
            return self._find(query)
        except OSError as error:
            return LogPage(problem=f"The log files cannot be read ({error.strerror}).")

    def _find(self, query: LogQuery) -> LogPage:
        limit = max(1, min(query.limit, MOST_LINES))
        budget = _Budget()
        found: list[LogLine] = []
        size, time = 0, ""
        for time, raw in heapq.merge(*self._logs(query, budget), key=lambda each: each[0], reverse=True):
            if query.until and time > query.until:
                continue
            if query.since and time < query.since:
                continue
            line = self._read(raw, query)
            if line is not None:
                found.append(line)
                size += len(raw.text)
            if len(found) == limit or size > _MOST_ANSWER or budget.left <= 0:
                return LogPage(lines=tuple(found), reached=time)
        # A log whose share of the budget was used up has ended early.
        return LogPage(lines=tuple(found), reached=time if budget.left <= 0 else "")

    def _logs(self, query: LogQuery, budget: _Budget) -> list[Iterator[tuple[str, _Raw]]]:
        """One iterator per log; a log is an app's lines of one kind, in several files."""
        if query.app and not NAME.fullmatch(query.app):
            return []
        folders = [self._folder / query.app] if query.app else _folders(self._folder)
        logs: list[tuple[float, str, Kind, list[Path]]] = []
        for folder in folders:
            for kind, files in _files(folder, query.since).items():
                if query.kind in ("", kind):
                    logs.append((files[0].stat().st_mtime, folder.name, kind, files))
        logs.sort(key=lambda log: log[0], reverse=True)
        return [_lines(app, kind, files, query, budget) for _, app, kind, files in logs[:_MOST_FILES]]

    def _read(self, raw: _Raw, query: LogQuery) -> LogLine | None:
        """The line when it fits."""
        fields = raw.fields
        if query.text and query.text.lower() not in raw.text.decode("utf-8", "replace").lower():
            return None
        if _SEVERITY.get(str(fields.get("level")), 1) < _SEVERITY[query.level]:
            return None
        if query.request and query.request not in (fields.get("reqId"), fields.get("trace")):
            return None
        if self._environment and fields.get("environment", self._environment) != self._environment:
            return None
        shown = _shown(fields, cut=len(raw.text) > _LONG_LINE)
        return LogLine(
            id=f"{raw.app}/{raw.place}",
            time=str(shown.pop("time", "")),
            level=str(shown.pop("level", "info")),
            app=str(shown.pop("app", raw.app)),
            kind=raw.kind,
            message=str(shown.pop("message", ""))[:_LONG_TEXT],
            fields=shown,
        )


class _Budget:
    """How many bytes may still be read."""

    def __init__(self) -> None:
        self.left = _MOST_BYTES


class _Raw(Struct, frozen=True):
    app: str
    kind: Kind
    place: str
    text: bytes
    fields: dict[str, Any]


def _folders(folder: Path) -> list[Path]:
    try:
        return [each for each in folder.iterdir() if each.is_dir() and NAME.fullmatch(each.name)]
    except FileNotFoundError:
        return []


def _files(folder: Path, since: str) -> dict[Kind, list[Path]]:
    """The files of a folder by kind, newest first, without those last written before `since`."""
    found: dict[Kind, list[tuple[tuple[str, int], Path]]] = {}
    try:
        present = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    for file in present:
        match = _FILE.fullmatch(file.name)
        if match is None or (since and _written(file) < since):
            continue
        kind: Kind = "system" if match[1] == "system" else "request"
        found.setdefault(kind, []).append(((match[2] or "", int(match[3] or 0)), file))
    return {kind: [file for _, file in sorted(files, reverse=True)] for kind, files in found.items()}


def _written(file: Path) -> str:
    try:
        return moment(file.stat().st_mtime + _DISORDER_SECONDS)
    except FileNotFoundError:  # rotated away meanwhile
        return ""


def _lines(
    app: str, kind: Kind, files: list[Path], query: LogQuery, budget: _Budget
) -> Iterator[tuple[str, _Raw]]:
    """The lines of one log with their times, newest first, until they are older than anybody asked for."""
    earliest = _moved(query.since, -_DISORDER_SECONDS) if query.since else ""
    for path in files:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        with file:
            end = file.seek(0, os.SEEK_END)
            if query.until:
                end = _end(file, end, query.until)
            for offset, text in _backwards(file, end, budget):
                fields = _decoded(text)
                time = str(fields.get("time", ""))
                if not time:
                    continue
                if time < earliest:
                    return
                yield time, _Raw(app, kind, f"{path.name}:{offset}", text, fields)


def _end(file: BinaryIO, end: int, until: str) -> int:
    """Where lines begin that are later than `until`, give or take their disorder: found by halving."""
    latest = _moved(until, _DISORDER_SECONDS)
    low, high = 0, end
    while high - low > _BLOCK:
        middle = (low + high) // 2
        file.seek(middle)
        _ = file.readline()
        time = str(_decoded(file.readline()).get("time", ""))
        if time and time <= latest:
            low = middle
        else:
            high = middle
    file.seek(high)
    if high < end:
        _ = file.readline()
        return min(file.tell(), end)
    return end


def _backwards(file: BinaryIO, end: int, budget: _Budget) -> Iterator[tuple[int, bytes]]:
    """Whole lines before `end` with where they begin, the last one first."""
    rest = b""
    while end > 0 and budget.left > 0:
        begin = max(0, end - _BLOCK)
        file.seek(begin)
        block = file.read(end - begin) + rest
        budget.left -= end - begin
        lines = block.split(b"\n")
        rest = lines.pop(0)
        offset = begin + len(block)
        for line in reversed(lines):
            offset -= len(line)
            if line:
                yield offset, line
            offset -= 1
        end = begin
    if rest and end == 0:
        yield 0, rest


def _decoded(text: bytes) -> dict[str, Any]:
    """The fields of a line; none for a line of another form, or that is not whole."""
    try:
        fields = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _shown(value: Any, *, cut: bool) -> Any:
    """What people may see of it: lines were masked when they were written, and are once more."""
    if isinstance(value, dict):
        return {
            str(name): MASK if str(name).lower() in SECRET_NAMES else _shown(each, cut=cut)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_shown(each, cut=cut) for each in value]
    if isinstance(value, str):
        return masked(value[-_LONG_TEXT:] if cut else value)
    return value


def _moved(time: str, seconds: float) -> str:
    return moment(datetime.fromisoformat(time).timestamp() + seconds)
