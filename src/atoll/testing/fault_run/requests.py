"""What became of each request, and whether the instance that failed it could have done better."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from atoll.testing.fault_run.faults import FaultLog

INSTANCE_HEADER = "x-instance"
"""Set by the balancer: addresses of the instances that were asked, the last one answered."""


@dataclass(frozen=True)
class Failure:
    """A request that was not answered with success. `who`: the instance, "" when nobody knows."""

    what: str
    reason: str
    who: str
    began: float
    ended: float


@dataclass
class Requests:
    """All requests of one run.

    Args:
        instances: their names by address, as `127.0.0.1:13000`.
    """

    instances: Mapping[str, str]
    log: FaultLog
    times: list[float] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    async def send(
        self, http: httpx.AsyncClient, method: str, url: str, *, who: str = "", **more: Any
    ) -> httpx.Response | None:
        """Sends a request once; None when it was not answered with success, which is noted.

        Args:
            who: the instance that is asked, for requests that do not go through the balancer.
        """
        began = time.time()
        try:
            answer = await http.request(method, url, **more)
        except httpx.TransportError as error:
            self._failed(url, type(error).__name__, who, began)
            return None
        finally:
            self.times.append(time.time())
        if answer.is_success:
            return answer
        last = answer.headers.get(INSTANCE_HEADER, "").rpartition(",")[2].strip()
        reason = f"{answer.status_code} {_code(answer)}".strip()
        self._failed(url, reason, who or self.instances.get(last, last), began)
        return None

    def _failed(self, url: str, reason: str, who: str, began: float) -> None:
        what = url.partition("?")[0].removeprefix("/api/").partition("/")[0]
        self.failures.append(Failure(what, reason, who, began, time.time()))

    def blamed(self) -> list[Failure]:
        """Failures of instances that were well. Without an answer any hurt one may have been it."""
        return [each for each in self.failures if not self._excused(each)]

    def _excused(self, failure: Failure) -> bool:
        possible = [failure.who] if failure.who else list(self.instances.values())
        return any(self.log.excuses(who, failure.began, failure.ended) for who in possible)

    def reasons(self) -> Counter[str]:
        """How many failed, by what the client saw."""
        return Counter(each.reason for each in self.failures)

    def between(self, since: float, until: float) -> int:
        """How many ended in a time."""
        return sum(since <= each <= until for each in self.times)


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["errors"][0].get("code", ""))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
