"""What files are called: for people, and in their storage."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from typing import Final

from atoll.errors import BadRequest

RENAME_MODES: Final = ("appendRandomID", "random", "none")
_ALPHABET: Final = string.ascii_lowercase + string.digits
_UNSAFE: Final = re.compile(r"""[\x00-\x1f\x7f/\\:*?"<>|%#&;]+""")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9_-]{1,16}")
_FOLDER: Final = re.compile(r"[^\x00-\x1f\x7f/\\:*?\"<>|]+")
# Storages count bytes: 255 of a name, with room for what is appended.
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class FileName:
    """The title of a file for people, and its extension with the dot, "" for none."""

    title: str
    extension: str

    @classmethod
    def read(cls, given: str) -> FileName:
        """Takes apart what a client called the file; folders in it are dropped."""
        last = re.split(r"[/\\]", given)[-1].strip()
        stem, dot, ending = last.rpartition(".")
        extension = dot + ending
        if not stem or not _EXTENSION.fullmatch(extension):
            return cls(_cut(last) or "file", "")
        return cls(_cut(stem), extension)

    def stored(self, mode: str) -> str:
        """A name in the storage; with `none` it may be taken."""
        if mode == "random":
            return _random(16) + self.extension
        stem = _UNSAFE.sub("_", self.title).strip(". ") or "file"
        if mode == "none":
            return stem + self.extension
        return f"{stem}-{_random(6)}{self.extension}"


def folder(path: object) -> str:
    """A storage's `path` without slashes at its ends; raises BadRequest for one that leads elsewhere."""
    parts = [part for part in str(path or "").split("/") if part]
    if any(part in (".", "..") or not _FOLDER.fullmatch(part) for part in parts):
        raise BadRequest(f"The path {str(path)!r} is not allowed: give names of folders, separated by /")
    return "/".join(parts)


def _cut(text: str) -> str:
    return text.encode()[:_LONGEST].decode("utf-8", "ignore")


def _random(size: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(size))
