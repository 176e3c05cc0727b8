"""What a file is: by its first bytes, and only then by its name and by what the client says."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, Final

import puremagic

UNKNOWN: Final = "application/octet-stream"
_SVG: Final = "image/svg+xml"
HEAD_BYTES: Final = 64 << 10
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_SURE: Final = 0.3
# Types whose files cannot be told by a signature: a claim of one of them is believed if the bytes are text.
_TEXTS: Final = frozenset(
    {"application/json", "application/xml", "application/javascript", "application/yaml"}
)
# What browsers run or draw with scripts when it is shown by itself.
_ACTIVE: Final = frozenset(
    {
        "application/javascript",
        "application/pdf",
        "application/xhtml+xml",
        "application/xml",
        "application/xslt+xml",
        _SVG,
        "text/html",
        "text/javascript",
        "text/xml",
    }
)
_ACTIVE_ENDINGS: Final = frozenset(
    [
        ".htm",
        ".html",
        ".js",
        ".mjs",
        ".pdf",
        ".shtml",
        ".svg",
        ".svgz",
        ".xht",
        ".xhtml",
        ".xml",
        ".xsl",
        ".xslt",
    ]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a file.

    Attributes:
        mimetype: what it is called.
        proven: the type that rules look at: `application/octet-stream` when the bytes do not show that the
            file is what it is called.
    """

    mimetype: str
    proven: str


def kind_of(head: bytes, name: str, declared: str) -> Kind:
    """The type of a file.

    Args:
        head: its first `HEAD_BYTES` bytes.
        name: its name, as the client gave it.
        declared: the type the client gave, "" for none.
    """
    by_name = mimetypes.guess_type(name, strict=False)[0]
    claimed = by_name or (declared if _TYPE.fullmatch(declared) else "") or UNKNOWN
    if _draws(head[:4096].lower(), claimed):
        return Kind(_SVG, _SVG)
    try:
        found = puremagic.magic_string(head, name) if head else []
    except puremagic.PureError:
        found = []
    if any(each.mime_type == claimed for each in found):
        return Kind(claimed, claimed)
    shown = next((each.mime_type for each in found if each.confidence >= _SURE and each.mime_type), None)
    if shown is not None:
        return Kind(shown, shown)
    textual = claimed.startswith("text/") or claimed in _TEXTS
    return Kind(claimed, claimed if textual and _is_text(head) else UNKNOWN)


def allowed(kind: Kind, rule: Any) -> bool:
    """Whether a rule such as `image/*` or `["image/*", "application/pdf"]` lets a file through."""
    if isinstance(rule, str):
        rule = [part.strip() for part in rule.split(",")]
    patterns = [each for each in rule if isinstance(each, str) and each] if isinstance(rule, list) else []
    return not patterns or any(fnmatchcase(kind.proven, pattern.lower()) for pattern in patterns)


def is_active(mimetype: str, filename: str) -> bool:
    """Whether a browser that shows the file might run something: such files are only offered to be saved."""
    return mimetype in _ACTIVE or PurePosixPath(filename).suffix.lower() in _ACTIVE_ENDINGS


def content_type(mimetype: str) -> str:
    """The header for a type."""
    return f"{mimetype}; charset=utf-8" if mimetype.startswith("text/") else mimetype


def _draws(beginning: bytes, claimed: str) -> bool:
    return b"<svg" in beginning and (
        claimed == _SVG or beginning.lstrip().startswith((b"<?xml", b"<!--", b"<svg"))
    )


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and len(head) >= HEAD_BYTES  # a character that was cut
    return True
