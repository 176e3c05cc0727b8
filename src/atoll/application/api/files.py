"""Files in requests and answers: received and sent piece by piece, whatever their size."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.responses import FileResponse, StreamingResponse

from atoll.application.context import Context, FileAnswer, StreamAnswer
from atoll.errors import AtollError, BadRequest, NotFound, PayloadTooLarge, TooManyFiles, UnexpectedFile

_FIELD_LIMIT = 1 << 20


def attachment(name: str) -> str:
    """The `Content-Disposition` of a download; the name is percent-encoded as clients of this API expect."""
    return f"attachment; filename={quote(name, safe='-_.!~*()')}"


async def send_file(
    answer: FileAnswer, headers: list[tuple[bytes, bytes]], scope: Any, receive: Any, send: Any
) -> None:
    """Sends a file; a request for a range of it gets that range."""
    response = FileResponse(answer.path, media_type=answer.content_type)
    disposition = (b"content-disposition", attachment(answer.name).encode("latin-1"))
    response.raw_headers.extend([disposition, *headers])
    await response(scope, receive, send)


async def send_stream(
    answer: StreamAnswer, status: int, headers: list[tuple[bytes, bytes]], scope: Any, receive: Any, send: Any
) -> None:
    """Sends pieces as they come, and nothing but the head for HEAD."""
    response = StreamingResponse(answer.pieces, status)
    response.raw_headers.extend(headers)
    async with aclosing(answer.pieces):
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": status, "headers": response.raw_headers})
            await send({"type": "http.response.body", "body": b""})
        else:
            await response(scope, receive, send)


@dataclass(slots=True)
class Upload:
    """What a multipart request brought: one file on disk, and the texts of its other fields.

    `declared` is what the client calls the type of the file.
    """

    name: str = ""
    declared: str = ""
    size: int = 0
    fields: dict[str, str] = field(default_factory=dict)


def _too_large(limit: int) -> AtollError:
    return PayloadTooLarge(f"The file is too large: at most {limit >> 20} MB are accepted")


async def receive_upload(
    ctx: Context, target: Path, limit: int, too_large: Callable[[int], AtollError] = _too_large
) -> Upload:
    """Writes the `file` of a multipart request to `target` while it arrives.

    Args:
        limit: bytes the file may have.
        too_large: makes the error for a larger one.

    Raises:
        BadRequest: the request is no form with a file.
        PayloadTooLarge: the file is larger than `limit`; nothing is left at `target`, as after any error.
    """
    kind, options = parse_options_header(ctx.headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise BadRequest("Send the file as multipart/form-data, in the field `file`")
    await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
    file = await asyncio.to_thread(target.open, "wb")
    form = _Form(file, limit, too_large)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        more = True
        while more:
            message = await ctx.receive()
            if message["type"] == "http.disconnect":
                raise BadRequest("The request was not sent completely")
            more = message.get("more_body", False)
            if message.get("body"):
                await asyncio.to_thread(parser.write, message["body"])
        if not form.has_file or not form.complete:
            raise BadRequest("The request has no file in the field `file`")
    except BaseException as error:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        if isinstance(error, MultipartParseError):
            raise BadRequest("The form with the file is damaged", detail=str(error)) from None
        raise
    finally:
        await asyncio.to_thread(file.close)
    return form.upload


class _Form:
    """Takes the pieces of a form: the first `file` goes to disk, texts are kept."""

    def __init__(self, file: IO[bytes], limit: int, too_large: Callable[[int], AtollError]) -> None:
        self.upload = Upload()
        self.has_file = False
        self.complete = False
        self._file = file
        self._limit = limit
        self._too_large = too_large
        self._header = b""
        self._value = b""
        self._disposition: dict[bytes, bytes] = {}
        self._type = ""
        self._text = bytearray()
        self._texts = 0

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
            "on_end": self._ends,
        }

    def _begin(self) -> None:
        self._disposition = {}
        self._type = ""
        self._text.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        name = self._header.lower()
        if name == b"content-disposition":
            self._disposition = parse_options_header(self._value)[1]
            if self._is_file:
                if self.has_file:
                    raise TooManyFiles("Send one file at a time")
                self.has_file = True
                self.upload.name = self._disposition[b"filename"].decode("utf-8", "replace")[-255:]
            elif b"filename" in self._disposition:
                raise UnexpectedFile("Send the file in the field `file`")
        elif name == b"content-type":
            self._type = self._value.decode("latin-1").partition(";")[0].strip().lower()
        self._header = self._value = b""

    @property
    def _is_file(self) -> bool:
        return self._disposition.get(b"name") == b"file" and b"filename" in self._disposition

    def _data(self, data: bytes, start: int, end: int) -> None:
        piece = data[start:end]
        if self._is_file:
            self.upload.size += len(piece)
            if self.upload.size > self._limit:
                raise self._too_large(self._limit)
            self._file.write(piece)
            return
        self._texts += len(piece)
        if self._texts > _FIELD_LIMIT:
            raise PayloadTooLarge("The fields of the form are too large")
        self._text += piece

    def _part_ends(self) -> None:
        name = self._disposition.get(b"name", b"").decode("utf-8", "replace")
        if self._is_file:
            self.upload.declared = self._type
        else:
            self.upload.fields[name] = self._text.decode("utf-8", "replace")

    def _ends(self) -> None:
        self.complete = True


async def existing(path: Path, what: str) -> Path:
    """The path of a file that is there; raises NotFound."""
    if not await asyncio.to_thread(path.is_file):
        raise NotFound(what)
    return path
