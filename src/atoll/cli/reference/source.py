"""Finds error codes and their texts in the source: calls with `code="..."`, or `Finding("...", text)`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import atoll

CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
#: Calls whose first argument is a code and whose second is its text.
POSITIONAL = frozenset({"Finding", "Reason"})
ELSEWHERE = frozenset({"cli", "testing"})

Texts = Mapping[str, str]


def raised() -> dict[str, str]:
    """Each code with the first text found for it, else its remedy, else ""."""
    folder = Path(atoll.__file__).parent
    trees = {
        file: ast.parse(file.read_text(encoding="utf-8"))
        for file in sorted(folder.rglob("*.py"))
        if file.relative_to(folder).parts[0] not in ELSEWHERE
    }
    shared: dict[str, str] = {}
    for tree in trees.values():
        shared |= _assigned(tree.body)
    found: dict[str, str] = {}
    for tree in trees.values():
        for code, text in _codes(tree, shared | _assigned(tree.body)):
            found[code] = found.get(code) or text
    return found


def _codes(tree: ast.Module, constants: Texts) -> Iterator[tuple[str, str]]:
    for scope, call in _calls(tree):
        known = constants if scope is None else {**constants, **_assigned(_before(scope, call.lineno))}
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        first, second, third = (*call.args, None, None, None)[:3]
        remedy = _text(named.get("remedy") or third, known)
        if "code" in named:
            code, text = _text(named["code"], known), _text(named.get("message") or first, known)
        elif isinstance(call.func, ast.Name) and call.func.id in POSITIONAL:
            code, text = _text(first, known), _text(second, known)
        else:
            continue
        if code and CODE.fullmatch(code):
            yield code, text or remedy or ""


def _calls(tree: ast.Module) -> Iterator[tuple[ast.AST | None, ast.Call]]:
    """Each call with the innermost function around it."""
    waiting: list[tuple[ast.AST | None, ast.AST]] = [(None, tree)]
    while waiting:
        scope, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                yield scope, child
            inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
            waiting.append((inner, child))


def _before(scope: ast.AST, line: int) -> list[ast.stmt]:
    """The assignments of a function above a line, in their order."""
    found = [node for node in ast.walk(scope) if isinstance(node, ast.Assign) and node.lineno <= line]
    return sorted(found, key=lambda node: node.lineno)


def _assigned(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            text = _text(node.value, found)
            if text is not None:
                found[node.targets[0].id] = text
    return found


def _text(node: ast.expr | None, known: Texts) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "…"
            for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, known), _text(node.right, known)
        return f"{left or '…'}{right or '…'}"
    return None
