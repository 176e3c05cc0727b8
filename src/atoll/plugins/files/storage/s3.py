"""Files in a bucket of S3, or of a service that speaks like it. Needs the extra `s3` of the package."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from typing_extensions import override

from atoll.errors import (
    AtollError,
    BadRequest,
    FileMissing,
    FileStorageFull,
    FileStorageUnavailable,
    NotSupported,
)
from atoll.plugins.files.storage.base import PIECE, KeyTaken, Span, Storage
from atoll.plugins.files.storage.local import forget_partial

PART: Final = 8 << 20
_MOST_PARTS: Final = 9_000
_TAKEN: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412"})
_MISSING: Final = frozenset({"NoSuchKey", "404"})
_FULL: Final = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "EntityTooLarge"})
_REFUSED: Final = frozenset(
    {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403", "Forbidden", "AllAccessDisabled"}
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where objects are, and as whom.

    Attributes:
        endpoint: the address of a service other than Amazon's, None for that.
    """

    name: str
    region: str
    endpoint: str | None
    access_key: str
    secret_key: str

    @classmethod
    def read(cls, options: Mapping[str, Any], secret: str | None) -> Bucket:
        """From the options of a storage; raises BadRequest."""
        texts = {
            name: options.get(name).strip() if isinstance(options.get(name), str) else ""  # type: ignore[union-attr]
            for name in ("bucket", "region", "endpoint", "accessKeyId")
        }
        # A key must be given: the server's own rights are not for those who describe storages.
        for name, value in (*texts.items(), ("secretAccessKey", secret)):
            if not value and name != "endpoint" and not (name == "region" and texts["endpoint"]):
                raise BadRequest(f"`options.{name}` is required for a storage of type s3")
        endpoint = texts["endpoint"]
        if endpoint and not endpoint.startswith(("http://", "https://")):
            raise BadRequest("`options.endpoint` is an address like https://host:port")
        region = texts["region"] or "us-east-1"
        return cls(texts["bucket"], region, endpoint or None, texts["accessKeyId"], secret or "")


class S3Storage(Storage):
    """Objects of a bucket. A file of more than `PART` bytes is sent in parts, of which memory holds one."""

    def __init__(self, bucket: Bucket, workspace: Path) -> None:
        self.workspace = workspace
        self._bucket = bucket
        self._stack = AsyncExitStack()
        self._client: Any = None
        self._connecting = asyncio.Lock()

    @override
    async def put(self, source: Path, key: str, mimetype: str) -> None:
        size = (await asyncio.to_thread(source.stat)).st_size
        stream = await asyncio.to_thread(source.open, "rb")
        try:
            if size <= PART:
                await self._put_whole(stream, key, mimetype)
            else:
                await self._put_parts(stream, size, key, mimetype)
        finally:
            await asyncio.to_thread(stream.close)

    async def _put_whole(self, stream: IO[bytes], key: str, mimetype: str) -> None:
        content = await asyncio.to_thread(stream.read)
        async with self._calling() as client:
            await client.put_object(
                Bucket=self._bucket.name, Key=key, Body=content, ContentType=mimetype, IfNoneMatch="*"
            )

    async def _put_parts(self, stream: IO[bytes], size: int, key: str, mimetype: str) -> None:
        where = {"Bucket": self._bucket.name, "Key": key}
        async with self._calling() as client:
            begun = await client.create_multipart_upload(**where, ContentType=mimetype)
            where["UploadId"] = begun["UploadId"]
            try:
                parts: list[dict[str, Any]] = []
                length = max(PART, math.ceil(size / _MOST_PARTS))
                while content := await asyncio.to_thread(stream.read, length):
                    number = len(parts) + 1
                    sent = await client.upload_part(**where, PartNumber=number, Body=content)
                    parts.append({"PartNumber": number, "ETag": sent["ETag"]})
                await client.complete_multipart_upload(
                    **where, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
                )
            except BaseException:
                # Also when the request was cancelled: what has been sent would be paid for ever.
                await asyncio.shield(client.abort_multipart_upload(**where))
                raise

    @override
    async def open(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        wanted = f"bytes={span.start}-{span.start + span.size - 1}"
        async with self._calling() as client:
            answer = await client.get_object(Bucket=self._bucket.name, Key=key, Range=wanted)
            async with answer["Body"] as body:
                async for piece in body.iter_chunks(PIECE):
                    yield piece

    @override
    async def remove(self, key: str) -> None:
        async with self._calling() as client:
            await client.delete_object(Bucket=self._bucket.name, Key=key)
            found = await client.list_multipart_uploads(Bucket=self._bucket.name, Prefix=key)
            for upload in found.get("Uploads", ()):
                if upload["Key"] == key:
                    await client.abort_multipart_upload(
                        Bucket=self._bucket.name, Key=key, UploadId=upload["UploadId"]
                    )

    @override
    async def tidy(self, older_than: float) -> int:
        return await asyncio.to_thread(forget_partial, self.workspace, older_than)

    @override
    async def close(self) -> None:
        self._client = None
        await self._stack.aclose()

    @asynccontextmanager
    async def _calling(self) -> AsyncIterator[Any]:
        """The client; its errors become those of the contract."""
        try:
            from aiohttp import ClientError as HttpError
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError as error:
            raise NotSupported("Storages of type s3 need the package's extra: atoll[s3]") from error
        try:
            yield await self._connected()
        except ClientError as error:
            raise self._explained(str(error.response.get("Error", {}).get("Code", ""))) from error
        except (BotoCoreError, HttpError, TimeoutError, OSError) as error:
            raise FileStorageUnavailable(
                f"The storage {self._bucket.name} does not answer. Check its address, and that it runs.",
                detail=f"{type(error).__name__}: {error}",
            ) from error

    async def _connected(self) -> Any:
        from aiobotocore.config import AioConfig
        from aiobotocore.session import get_session

        async with self._connecting:
            if self._client is None:
                bucket = self._bucket
                options: dict[str, Any] = {"addressing_style": "path"} if bucket.endpoint else {}
                config = AioConfig(
                    connect_timeout=5,
                    read_timeout=30,
                    retries={"total_max_attempts": 2, "mode": "standard"},
                    s3=options,
                    signature_version="s3v4",
                    # Services other than Amazon's do not know the newer checksums.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                self._client = await self._stack.enter_async_context(
                    get_session().create_client(
                        "s3",
                        region_name=bucket.region,
                        endpoint_url=bucket.endpoint,
                        aws_access_key_id=bucket.access_key,
                        aws_secret_access_key=bucket.secret_key,
                        config=config,
                    )
                )
        return self._client

    def _explained(self, code: str) -> Exception:
        name = self._bucket.name
        if code in _TAKEN:
            return KeyTaken(code)
        error: AtollError
        if code in _MISSING:
            error = FileMissing("The file is not there any more")
        elif code in _FULL:
            error = FileStorageFull(f"The storage {name} is full. Free space there, or choose another one.")
        elif code in _REFUSED:
            error = FileStorageUnavailable(
                f"The storage {name} refuses the key. Check accessKeyId, secretAccessKey and their rights."
            )
        elif code == "NoSuchBucket":
            error = FileStorageUnavailable(f"There is no bucket {name}. Make it, or correct its name.")
        else:
            error = FileStorageUnavailable(f"The storage {name} does not do what it is asked: {code}.")
        error.detail = f"S3: {code}"
        return error
