"""Small pictures of pictures: made when they are first asked for, kept beside the app's other files."""

from __future__ import annotations

import asyncio
import warnings
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

from PIL import Image, ImageOps, UnidentifiedImageError

from atoll.plugins.files.objects import StoredObject
from atoll.plugins.files.places import Places
from atoll.plugins.files.storage import Span

MIMETYPE: Final = "image/webp"
EDGE: Final = 320
#: Decoded, a picture takes four bytes for each.
MOST_PIXELS: Final = 40_000_000
MOST_BYTES: Final = 50 << 20
_FORMATS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/bmp": "BMP",
}


class Previews:
    """Makes and keeps them.

    Args:
        slots: pictures that are decoded at a time, of all apps of a process.
    """

    def __init__(self, folder: Path, places: Places, slots: asyncio.Semaphore) -> None:
        self._folder = folder
        self._places = places
        self._slots = slots

    async def of(self, found: StoredObject) -> Path | None:
        """The small picture of an object; None when it has none: no picture, too large, or damaged."""
        if found.mimetype not in _FORMATS or not 0 < found.size <= MOST_BYTES:
            return None
        target = self._path(found)
        state = await asyncio.to_thread(_state, target)
        if state is None:
            async with self._slots:
                await self._make(found, target)
            state = await asyncio.to_thread(_state, target)
        return target if state else None

    async def forget(self, gone: StoredObject) -> None:
        """Removes what was made of an object."""
        with suppress(OSError):
            await asyncio.to_thread(self._path(gone).unlink, missing_ok=True)

    def _path(self, found: StoredObject) -> Path:
        return self._folder / found.id[:2] / f"{found.id}.webp"

    async def _make(self, found: StoredObject, target: Path) -> None:
        """Makes the file; an empty one says that there can be none."""
        draft = target.with_name(f".{uuid4()}")
        source = target.with_name(f".{uuid4()}")
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        place = await self._places.by_id(found.storage_id)
        try:
            stream = await asyncio.to_thread(source.open, "wb")
            try:
                async with aclosing(place.storage.open(found.key, Span(0, found.size))) as pieces:
                    async for piece in pieces:
                        await asyncio.to_thread(stream.write, piece)
            finally:
                await asyncio.to_thread(stream.close)
            await asyncio.to_thread(_shrink, source, draft, _FORMATS[found.mimetype])
            await asyncio.to_thread(draft.replace, target)
        finally:
            for path in (draft, source):
                await asyncio.to_thread(path.unlink, missing_ok=True)


def _state(target: Path) -> bool | None:
    """True: there is a picture; False: there can be none; None: nobody has tried."""
    try:
        return target.stat().st_size > 0
    except FileNotFoundError:
        return None


def _shrink(source: Path, target: Path, kind: str) -> None:
    """The size is looked at before anything is decoded; only the decoder of the known type is used."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is lower
            with Image.open(source, formats=(kind,)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    target.write_bytes(b"")
                    return
                picture.draft("RGB", (EDGE, EDGE))  # JPEG is decoded smaller right away
                small = ImageOps.exif_transpose(picture)
                small.thumbnail((EDGE, EDGE))
                small.convert("RGBA" if "transparency" in small.info or "A" in small.mode else "RGB").save(
                    target, "WEBP", quality=80
                )
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        target.write_bytes(b"")
