"""The rules that people give fields (http-api.md 5.5): values are checked, never converted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from atoll.application.collections.model import Collection
from atoll.application.fields.base import Field
from atoll.errors import BadRequest

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
Rule = Callable[[Any, list[Any]], str | None]


def check_rules(collection: Collection, field: Field, value: Any) -> list[str]:
    """All violations of one value, as texts; "" and null only break `required`."""
    validation = field.options.get("validation")
    rules = validation.get("rules") if isinstance(validation, Mapping) else None
    if not isinstance(rules, list):
        return []
    label = f"{collection.title}: {field.title}"
    if value is None or value == "":
        needed = any(isinstance(rule, Mapping) and rule.get("name") == "required" for rule in rules)
        return [f"{label} is required"] if needed else []
    problems = []
    for rule in rules:
        if not isinstance(rule, Mapping) or rule.get("name") == "required":
            continue
        check = RULES.get(str(rule.get("name")))
        if check is None:
            raise BadRequest(f"{label}: the rule {rule.get('name')!r} is not supported")
        args = rule.get("args")
        found = check(value, list(args.values()) if isinstance(args, Mapping) else [])
        if found:
            problems.append(f"{label} {found}")
    return problems


def _size(value: Any) -> float:
    if isinstance(value, (str, list)):
        return len(value)
    return _number(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadRequest(f"{value!r} is not a number") from None


def _limit(holds: Callable[[float, float], bool], word: str) -> Rule:
    def check(value: Any, args: list[Any]) -> str | None:
        limit = _number(args[0] if args else 0)
        if holds(_size(value), limit):
            return None
        unit = " characters" if isinstance(value, str) else ""
        return f"must be {word} {limit:g}{unit}"

    return check


def _pattern(value: Any, args: list[Any]) -> str | None:
    text = str(args[0]) if args else ""
    if text.startswith("/") and text.rfind("/") > 0:
        text = text[1 : text.rfind("/")]
    try:
        return None if re.search(text, str(value)) else "does not match the required pattern"
    except re.error:
        raise BadRequest(f"The pattern {text!r} is not a regular expression") from None


def _email(value: Any, args: list[Any]) -> str | None:
    return None if isinstance(value, str) and _EMAIL.fullmatch(value) else "must be an e-mail address"


def _uri(value: Any, args: list[Any]) -> str | None:
    return None if isinstance(value, str) and urlsplit(value).scheme else "must be a URL"


def _uuid(value: Any, args: list[Any]) -> str | None:
    try:
        UUID(str(value))
    except ValueError:
        return "must be a UUID"
    return None


def _integer(value: Any, args: list[Any]) -> str | None:
    return None if _number(value).is_integer() else "must be a whole number"


def _precision(value: Any, args: list[Any]) -> str | None:
    limit = int(_number(args[0] if args else 0))
    decimals = len(str(value).partition(".")[2])
    return None if decimals <= limit else f"must have at most {limit} decimals"


def _multiple(value: Any, args: list[Any]) -> str | None:
    base = _number(args[0] if args else 1)
    return None if base and _number(value) % base == 0 else f"must be a multiple of {base:g}"


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "min": _limit(lambda size, limit: size >= limit, "at least"),
        "max": _limit(lambda size, limit: size <= limit, "at most"),
        "length": _limit(lambda size, limit: size == limit, "exactly"),
        "greater": _limit(lambda size, limit: size > limit, "more than"),
        "less": _limit(lambda size, limit: size < limit, "less than"),
        "pattern": _pattern,
        "email": _email,
        "uri": _uri,
        "uuid": _uuid,
        "guid": _uuid,
        "integer": _integer,
        "precision": _precision,
        "multiple": _multiple,
    }
)
