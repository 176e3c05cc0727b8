"""What a check found, and the rules for names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from atoll.errors import BadRequest

LONGEST_NAME = 63  # bytes, PostgreSQL's limit
TEMPORARY_PREFIX = "atoll_new_"
_ALLOWED = re.compile(r"[^\W\d][\w$-]*")
_RESERVED = {"postgres", "template0", "template1", "information_schema", "public"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One obstacle.

    Args:
        code: stable, upper case: `DATABASE_UNREACHABLE`, `DATABASE_SIGN_IN_REFUSED`, `DATABASE_MISSING`,
            `DATABASE_VERSION_TOO_OLD`, `DATABASE_RIGHTS_MISSING`, `DATABASE_NAME_INVALID`,
            `DATABASE_NAME_TAKEN`, `DATABASE_FOLDER_UNUSABLE`, `DATABASE_DISK_FULL`.
        message: what is wrong, for people.
        remedy: what to do about it.
    """

    code: str
    message: str
    remedy: str


def name_problem(name: str) -> Finding | None:
    """Why `name` cannot name a new database or schema, or None when it can."""
    if len(name.encode()) > LONGEST_NAME:
        text = f"The name {name[:20]}… is longer than {LONGEST_NAME} bytes."
        return Finding("DATABASE_NAME_INVALID", text, "Choose a shorter name.")
    if not _ALLOWED.fullmatch(name):
        text = f"{name!r} cannot be the name of a database."
        return Finding(
            "DATABASE_NAME_INVALID", text, "Use letters, digits, _ and -, beginning with a letter."
        )
    if name.lower() in _RESERVED or name.lower().startswith(("pg_", TEMPORARY_PREFIX)):
        text = f"The name {name} is reserved."
        return Finding("DATABASE_NAME_INVALID", text, "Choose another name.")
    return None


def require_name(name: str) -> None:
    """Raises `BadRequest` for a name that cannot be used."""
    problem = name_problem(name)
    if problem is not None:
        raise BadRequest(f"{problem.message} {problem.remedy}")
