"""Durations as the token policy writes them: `1d`, `12h`, `30m`, `10s`."""

from __future__ import annotations

import re

from atoll.errors import InvalidValue

_FORM = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|y)?\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31557600.0}


def seconds(text: object) -> float:
    """The duration in seconds; a number without a unit is milliseconds. Raises InvalidValue."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return text / 1000
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise InvalidValue(f"{text!r} is not a duration; expected a number and a unit such as 30m, 12h or 7d")
    return float(match[1]) * _SECONDS[match[2] or "ms"]
