"""Query strings with nested brackets, as the clients send them (http-api.md 1.4).

`a[b]=1`, `a[]=1&a[]=2`, `a[0]=x`; a key without `=` is None. Arrays go up to index 100, brackets nest five
levels deep and at most 1000 parameters are read; what is beyond stays part of the key or becomes an object.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

_MAX_PARAMETERS = 1000
_MAX_DEPTH = 5
_MAX_INDEX = 100
_BRACKET = re.compile(r"\[[^\[\]]*\]")


class _Sparse(dict[int, Any]):
    """An array while it is put together: index to value."""

    def push(self, value: Any) -> None:
        self[max(self, default=-1) + 1] = value


def parse(query: str) -> dict[str, Any]:
    """Decodes a query string; leaf values are `str` or None."""
    if not query:
        return {}
    flat: dict[str, Any] = {}
    nested = False
    for part in query.split("&")[:_MAX_PARAMETERS]:
        if not part:
            continue
        key, value = _split(part)
        if not key or "__proto__" in key:
            continue
        nested = nested or "[" in key
        if key in flat:
            old = flat[key]
            flat[key] = [*old, value] if isinstance(old, list) else [old, value]
        else:
            flat[key] = value
    return _nest(flat) if nested else flat


def _split(part: str) -> tuple[str, str | None]:
    closing = part.find("]=")
    at = part.find("=") if closing < 0 else closing + 1
    if at < 0:
        return _decode(part), None
    return _decode(part[:at]), _decode(part[at + 1 :])


def _decode(text: str) -> str:
    text = text.replace("+", " ")
    return unquote(text) if "%" in text else text


def _nest(flat: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in flat.items():
        segments = _segments(key)
        leaf = _Sparse(enumerate(value)) if isinstance(value, list) else value
        _merge_into(result, segments[0], _chain(segments[1:], leaf))
    return {key: _compact(value) for key, value in result.items()}


def _segments(key: str) -> list[str]:
    start = key.find("[")
    if start < 0:
        return [key]
    segments = [key[:start]] if start else []
    position = start
    while (match := _BRACKET.match(key, position)) and len(segments) <= _MAX_DEPTH:
        segments.append(match.group())
        position = match.end()
    if position < len(key):
        segments.append(f"[{key[position:]}]")
    if not start:
        segments[0] = segments[0][1:-1]
    return segments


def _chain(segments: list[str], leaf: Any) -> Any:
    value = leaf
    for segment in reversed(segments):
        name = segment[1:-1]
        if not name:
            value = value if isinstance(value, _Sparse) else _Sparse({0: value})
        elif name.isdigit() and str(int(name)) == name and int(name) <= _MAX_INDEX:
            value = _Sparse({int(name): value})
        else:
            value = {name: value}
    return value


def _merge_into(target: dict[Any, Any], key: Any, value: Any) -> None:
    target[key] = _merge(target[key], value) if key in target else value


def _merge(old: Any, new: Any) -> Any:
    if isinstance(old, _Sparse) and isinstance(new, _Sparse):
        for index, item in new.items():
            if index not in old:
                old[index] = item
            elif isinstance(old[index], dict) and isinstance(item, dict):
                old[index] = _merge(old[index], item)
            else:
                old.push(item)
        return old
    if isinstance(old, _Sparse):
        if isinstance(new, dict):
            return _merge({str(index): item for index, item in old.items()}, new)
        old.push(new)
        return old
    if isinstance(old, dict):
        if isinstance(new, _Sparse):
            new = {str(index): item for index, item in new.items()}
        if isinstance(new, dict):
            for key, item in new.items():
                _merge_into(old, key, item)
        elif new is not None:
            old[new] = True
        return old
    if isinstance(new, _Sparse):
        return _Sparse(enumerate([old, *(new[index] for index in sorted(new))]))
    return _Sparse({0: old, 1: new})


def _compact(value: Any) -> Any:
    if isinstance(value, _Sparse):
        return [_compact(value[index]) for index in sorted(value)]
    if isinstance(value, dict):
        return {key: _compact(item) for key, item in value.items()}
    return value
