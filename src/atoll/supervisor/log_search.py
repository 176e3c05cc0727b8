"""Log lines of apps and environments: each environment looks into its own files; the answers are merged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from atoll.errors import AtollError
from atoll.logs.reading import LogPage, LogQuery
from atoll.supervisor.command.messages import ReadLogs
from atoll.supervisor.directory import Directory, offline
from atoll.supervisor.dispatch import Dispatcher

#: How long an environment may take to answer.
_SECONDS = 10.0
#: How many environments are asked for one answer.
_MOST_ENVIRONMENTS = 16


class LogSearch:
    """Asks environments for log lines."""

    def __init__(self, directory: Directory, dispatcher: Dispatcher) -> None:
        self._directory, self._dispatcher = directory, dispatcher

    async def find(self, environments: Sequence[str], query: LogQuery) -> dict[str, Any]:
        """The newest lines that fit, of all those environments.

        Gives `lines`, newest first: `id environment time level app kind message fields`; `reached`: the time
        down to which everything was looked at, None when nothing is left; `problems`: by environment, why
        it did not answer.
        """
        asked = environments[:_MOST_ENVIRONMENTS]
        pages = dict(
            zip(asked, await asyncio.gather(*(self._ask(name, query) for name in asked)), strict=True)
        )
        # Below the newest of these times, some environment's lines are missing.
        reached = max((page.reached for page in pages.values()), default="")
        lines = [
            {"environment": name, **msgspec.to_builtins(line)}
            for name, page in pages.items()
            for line in page.lines
            if line.time >= reached
        ]
        lines.sort(key=lambda line: line["time"], reverse=True)
        if len(lines) > query.limit:
            lines = lines[: query.limit]
            reached = lines[-1]["time"]
        problems = {name: page.problem for name, page in pages.items() if page.problem}
        for name in environments[_MOST_ENVIRONMENTS:]:
            problems[name] = f"Only {_MOST_ENVIRONMENTS} environments are asked at a time; choose this one."
        return {"lines": lines, "reached": reached or None, "problems": problems}

    async def _ask(self, environment: str, query: LogQuery) -> LogPage:
        view = self._directory.environments.get(environment)
        if view is None or not view.available:
            return LogPage(problem=offline(environment, view).message)
        try:
            return await self._dispatcher.ask(
                environment, view.public_key, ReadLogs(query), LogPage, _SECONDS
            )
        except AtollError as error:
            return LogPage(problem=error.message)
