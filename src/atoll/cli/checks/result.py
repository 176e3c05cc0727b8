"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Check:
    """What was found.

    Args:
        subject: what was looked at.
        state: ok, a note (works, but look at it), or wrong.
        text: what was found.
        remedy: what to do; empty when ok.
    """

    subject: str
    state: State
    text: str
    remedy: str = ""


def ok(subject: str, text: str) -> Check:
    """All is well."""
    return Check(subject, "ok", text)


def remark(subject: str, text: str, remedy: str) -> Check:
    """It works, but could be better."""
    return Check(subject, "note", text, remedy)


def wrong(subject: str, text: str, remedy: str) -> Check:
    """Something must be done."""
    return Check(subject, "wrong", text, remedy)
