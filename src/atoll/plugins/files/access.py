"""Reading files: who may, and which bytes (http-api.md 7.2)."""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from atoll.application.api.actions.records import restricted
from atoll.application.collections.model import Collection
from atoll.application.context import Context, RawAnswer, StreamAnswer
from atoll.application.records.rights import refused
from atoll.errors import BadRequest, FileMissing, PageMethodNotAllowed
from atoll.plugins.files.kinds import content_type, is_active
from atoll.plugins.files.objects import Objects, StoredObject
from atoll.plugins.files.places import Places
from atoll.plugins.files.previews import MIMETYPE, Previews
from atoll.plugins.files.storage import Span
from atoll.plugins.files.uploads import files_of

TICKET: Final = "ticket"
_REDIRECTED_SECONDS: Final = 600.0
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
# Whatever the file is, nothing in it runs and nothing is loaded by it.
_POLICY: Final = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"


@dataclass(frozen=True, slots=True)
class Tickets:
    """Signed permissions to read one file for a while, for addresses that carry no session."""

    key: bytes

    def issue(self, collection: str, record_key: Any, seconds: float) -> str:
        """A ticket that ends after that time."""
        until = int(time.time() + seconds)
        return f"{until}.{self._signature(collection, record_key, until)}"

    def admits(self, ticket: object, collection: str, record_key: Any) -> bool:
        """Whether the ticket is for this file and has not ended."""
        until, _, signature = ticket.partition(".") if isinstance(ticket, str) else ("", "", "")
        if not (until.isascii() and until.isdigit() and len(until) < 12) or int(until) < time.time():
            return False
        return hmac.compare_digest(
            signature.encode(), self._signature(collection, record_key, int(until)).encode()
        )

    def _signature(self, collection: str, record_key: Any, until: int) -> str:
        digest = hmac.digest(self.key, f"{collection}\0{record_key}\0{until}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Reading:
    """The actions that give files.

    Args:
        temporary_seconds: how long a temporary address works.
    """

    places: Places
    objects: Objects
    tickets: Tickets
    temporary_seconds: float
    previews: Previews

    async def open_file(self, ctx: Context) -> object:
        """`/files/…`: checks the right, then leads to where the bytes are."""
        collection, key = files_of(ctx), _key(ctx)
        await self._admit(ctx, collection, key)
        ticket = self.tickets.issue(collection.name, key, _REDIRECTED_SECONDS)
        more = "".join(f"&{name}=1" for name in ("download", "preview") if ctx.params.get(name) == "1")
        prefix = "/api/" if ctx.app.name == "main" else f"/api/__app/{ctx.app.name}/"
        address = f"{prefix}{collection.name}:getFile/{quote(str(key), safe='')}?{TICKET}={ticket}{more}"
        ctx.status = 302
        ctx.set_header("location", address)
        ctx.set_header("cache-control", "no-store")
        return RawAnswer(b"", "text/plain; charset=utf-8")

    async def create_temporary_url(self, ctx: Context) -> object:
        """An address that needs no session, for a few minutes."""
        collection, key = files_of(ctx), _key(ctx)
        await self._admit(ctx, collection, key)
        found = await self._object(collection, key)
        ticket = self.tickets.issue(collection.name, key, self.temporary_seconds)
        ending = "." + found.key.rpartition(".")[2] if "." in found.key.rpartition("/")[2] else ""
        address = f"/files/{ctx.app.name}/main/{collection.name}/{quote(str(key), safe='')}{ending}"
        return {"url": f"{address}?{TICKET}={ticket}"}

    async def get_file(self, ctx: Context) -> object:
        """The bytes, or the range that is asked for; with `preview=1` a small picture if there is one."""
        collection, key = files_of(ctx), _key(ctx)
        await self._admit(ctx, collection, key)
        found = await self._object(collection, key)
        if ctx.params.get("preview") == "1" and (small := await self.previews.of(found)) is not None:
            return await self._preview(ctx, found, small)
        self._describe(ctx, found)
        etag = f'"{found.id}"'
        if etag in ctx.headers.get("if-none-match", ""):
            ctx.status = 304
            return RawAnswer(b"", content_type(found.mimetype))
        span = _span(ctx, found, etag)
        if span is None:
            ctx.status = 416
            ctx.set_header("content-range", f"bytes */{found.size}")
            return RawAnswer(b"", content_type(found.mimetype))
        ctx.set_header("content-type", content_type(found.mimetype))
        ctx.set_header("content-length", str(span.size))
        if ctx.method == "HEAD" or not span.size:
            return StreamAnswer(_nothing())
        place = await self.places.by_id(found.storage_id)
        return StreamAnswer(await _begun(place.storage.open(found.key, span)))

    async def _preview(self, ctx: Context, found: StoredObject, small: Path) -> object:
        etag = f'"{found.id}-small"'
        ctx.set_header("x-content-type-options", "nosniff")
        ctx.set_header("content-security-policy", _POLICY)
        ctx.set_header("cache-control", "private, max-age=600")
        ctx.set_header("etag", etag)
        if etag in ctx.headers.get("if-none-match", ""):
            ctx.status = 304
            return RawAnswer(b"", MIMETYPE)
        return RawAnswer(await asyncio.to_thread(small.read_bytes), MIMETYPE)

    def _describe(self, ctx: Context, found: StoredObject) -> None:
        saved = ctx.params.get("download") == "1" or is_active(found.mimetype, found.filename)
        name = quote(found.filename, safe="-_.!~*()")
        ctx.set_header("content-disposition", f"attachment; filename*=UTF-8''{name}" if saved else "inline")
        ctx.set_header("x-content-type-options", "nosniff")
        ctx.set_header("content-security-policy", _POLICY)
        ctx.set_header("cache-control", "private, max-age=600")
        ctx.set_header("accept-ranges", "bytes")
        ctx.set_header("etag", f'"{found.id}"')
        ctx.set_header("last-modified", formatdate(found.modified, usegmt=True))

    async def _admit(self, ctx: Context, collection: Collection, key: Any) -> None:
        """Raises Forbidden unless there is a ticket, or the caller may view the record."""
        if ctx.method not in ("GET", "HEAD") and ctx.action != "createTemporaryURL":
            raise PageMethodNotAllowed("Files can only be read.")
        if self.tickets.admits(ctx.params.get(TICKET), collection.name, key):
            return
        if ctx.rights is None or ctx.rights.on(collection, "view") is None:
            raise refused()
        wanted = {"filterByTk": key, "fields": [collection.target_key or ""]}
        if await ctx.app.records.get(collection, wanted, restricted(ctx)) is None:
            raise FileMissing("There is no such file") if ctx.rights.unlimited else refused()

    async def _object(self, collection: Collection, key: Any) -> StoredObject:
        found = await self.objects.of_record(collection.name, key)
        if found is None:
            raise FileMissing("There is no such file")
        return found


def _key(ctx: Context) -> Any:
    key = ctx.params.get("filterByTk")
    if not isinstance(key, str) or not key:
        raise BadRequest("`filterByTk` is required: the key of the file's record")
    return key


def _span(ctx: Context, found: StoredObject, etag: str) -> Span | None:
    """The part to send: all, or one range; None when the range lies outside."""
    whole = Span(0, found.size)
    match = _RANGE.fullmatch(ctx.headers.get("range", "").strip())
    condition = ctx.headers.get("if-range")
    if match is None or match[0] == "bytes=-" or (condition is not None and condition != etag):
        return whole
    first, last = match[1][:18], match[2][:18]
    start = int(first) if first else max(0, found.size - int(last))
    end = min(int(last) if first and last else found.size - 1, found.size - 1)
    if start > end:
        return None
    ctx.status = 206
    ctx.set_header("content-range", f"bytes {start}-{end}/{found.size}")
    return Span(start, end - start + 1)


async def _nothing() -> AsyncGenerator[bytes, None]:
    yield b""


async def _begun(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same pieces; the first is there already, so a file that is missing is known before the head."""
    first = await anext(pieces)
    return _joined(first, pieces)


async def _joined(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        await rest.aclose()
