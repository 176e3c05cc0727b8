"""What an instance does: answer requests, work in the background, or a part of that (`WORKER_MODE`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

ALL = "*"
REQUESTS = "!"
NOTHING = "-"
SERVICE_KEY = re.compile(r"[A-Za-z0-9@][A-Za-z0-9_@./-]*(:[A-Za-z0-9_@./-]+)*")


@dataclass(frozen=True, slots=True)
class WorkerMode:
    """The share of one instance.

    Attributes:
        serves_requests: whether it answers more than questions about its health.
        keys: service keys whose background work it does; None: all.
        stray_star: a `*` was given where it means nothing, which deserves a word.
    """

    serves_requests: bool = True
    keys: frozenset[str] | None = None
    stray_star: bool = False

    @classmethod
    def parse(cls, text: str) -> WorkerMode:
        """Reads the variable.

        Empty: requests and all services. `!`: requests only. `*`: all services, no requests. `-`: neither.
        Else a comma list of service keys, with requests if `!` is among them. A `*` beside others does not
        mean all, so `!,*` serves requests only.

        Raises ValueError for anything else; its text says what is expected.
        """
        words = [word.strip() for word in text.split(",")]
        if words == [""]:
            return cls()
        if words == [ALL]:
            return cls(serves_requests=False)
        if words == [NOTHING]:
            return cls(False, frozenset())
        keys = [word for word in words if word not in (REQUESTS, ALL)]
        if not all(SERVICE_KEY.fullmatch(key) for key in keys):
            raise ValueError("nothing, !, *, - or a comma list of ! and service keys like workflow:process")
        return cls(REQUESTS in words, frozenset(keys), ALL in words)

    def serving(self, key: str) -> bool:
        """Whether this instance does the background work of that service key."""
        return self.keys is None or key in self.keys
