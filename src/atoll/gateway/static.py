"""The built UI as this server serves it: read once, kept in memory, found by exact name only."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from atoll.supervisor.proxy_head import Header
from atoll.web import UserInterface

BOOT = re.compile(r'(<script\b[^>]*\bid="boot"[^>]*)(>).*?(</script>)', re.DOTALL)
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
IMMUTABLE = b"public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file with its ready-made encodings (name of the coding to content)."""

    content: bytes
    media_type: bytes
    etag: bytes
    encoded: Mapping[str, bytes] = field(default_factory=dict)

    def choose(self, accept_encoding: bytes) -> tuple[bytes, bytes]:
        """The content for a client, and its content coding (b"" for none)."""
        accepted = {
            part.partition(b";")[0].strip(): part.replace(b" ", b"").endswith((b";q=0", b";q=0.0"))
            for part in accept_encoding.lower().split(b",")
        }
        for coding, _ in ENCODINGS:
            name = coding.encode("ascii")
            if coding in self.encoded and accepted.get(name, True) is False:
                return self.encoded[coding], name
        return self.content, b""


class BuiltUi:
    """One build of the UI, ready to be served under `/_ui/<build>/`."""

    def __init__(self, ui: UserInterface) -> None:
        self.build = ui.build
        self._files = dict(_read(ui.assets))
        prefix = f"/_ui/{ui.build}/assets/"
        html = re.sub(r'(["\'])\./assets/', rf"\g<1>{prefix}", ui.index)
        found = BOOT.search(html)
        if found is None:
            raise ValueError('index.html of the UI has no <script type="application/json" id="boot">')
        self._before = html[: found.start()] + found[1]
        self._after = found[3] + html[found.end() :]

    def file(self, path: str) -> StaticFile | None:
        """The file of `/_ui/<any build>/assets/<name>`.

        Names carry a hash of the content, so a page of an older build gets what it asks for or nothing.
        """
        parts = path.split("/", 4)  # "", "_ui", build, "assets", name
        if len(parts) != 5 or parts[3] != "assets":
            return None
        return self._files.get(parts[4])

    def page(self, boot: Mapping[str, object], nonce: str) -> bytes:
        """index.html with the boot data of an app."""
        data = msgspec.json.encode({**boot, "build": self.build}).decode()
        for character, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
            data = data.replace(character, escape)
        return f'{self._before} nonce="{nonce}">{data}{self._after}'.encode()


def page_policy(nonce: str) -> bytes:
    """Content-Security-Policy of a page: everything from here, styles also with the nonce."""
    return (
        "default-src 'self'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob: https:; font-src 'self' data:; connect-src 'self' ws: wss:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ).encode("ascii")


SAFE: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
)


def _read(folder: Path) -> list[tuple[str, StaticFile]]:
    files = []
    suffixes = tuple(suffix for _, suffix in ENCODINGS)
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.endswith((*suffixes, ".map")):
            continue
        content = path.read_bytes()
        encoded = {}
        for coding, suffix in ENCODINGS:
            variant = path.with_name(path.name + suffix)
            if variant.is_file():
                encoded[coding] = variant.read_bytes()
        media = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if path.suffix in (".js", ".mjs"):
            media = "text/javascript"
        if media.startswith("text/") or media == "application/json":
            media += "; charset=utf-8"
        tag = hashlib.sha256(content).hexdigest()[:20]
        name = path.relative_to(folder).as_posix()
        files.append((name, StaticFile(content, media.encode(), f'"{tag}"'.encode(), encoded)))
    return files
