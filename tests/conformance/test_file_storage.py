"""The suite of file storages in a folder and on S3, and what only S3 can do to one."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import get_session

from atoll.errors import FileStorageUnavailable
from atoll.plugins.files.storage import Storage
from atoll.plugins.files.storage.base import KeyTaken
from atoll.plugins.files.storage.local import LocalStorage
from atoll.plugins.files.storage.s3 import Bucket, S3Storage
from atoll.testing.conformance.file_storage import LARGE, FileStorageConformance, read, received
from atoll.testing.s3 import S3Server


class TestLocalStorage(FileStorageConformance):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        return LocalStorage(tmp_path / "files")


def client_of(server: S3Server) -> Any:
    return get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    )


@pytest.fixture
async def bucket(s3_service: S3Server) -> Bucket:
    name = f"b{secrets.token_hex(6)}"
    async with client_of(s3_service) as client:
        await client.create_bucket(Bucket=name)
    return Bucket(name, "us-east-1", s3_service.url, s3_service.access_key, s3_service.secret_key)


@pytest.fixture
async def s3_storage(bucket: Bucket, tmp_path: Path) -> AsyncIterator[Storage]:
    storage = S3Storage(bucket, tmp_path / "receiving")
    yield storage
    await storage.close()


class TestS3Storage(FileStorageConformance):
    @pytest.fixture
    def storage(self, s3_storage: Storage) -> Storage:
        return s3_storage


pytestmark = pytest.mark.anyio


async def uploads(server: S3Server, bucket: Bucket) -> list[str]:
    async with client_of(server) as client:
        found = await client.list_multipart_uploads(Bucket=bucket.name)
    return [each["Key"] for each in found.get("Uploads", ())]


async def test_an_upload_that_fails_or_is_cancelled_is_aborted(
    s3_service: S3Server, bucket: Bucket, s3_storage: Storage
) -> None:
    await s3_storage.put(received(s3_storage, b"x"), "taken", "text/plain")
    with pytest.raises(KeyTaken):
        await s3_storage.put(received(s3_storage, bytes(LARGE)), "taken", "text/plain")
    task = asyncio.create_task(s3_storage.put(received(s3_storage, bytes(4 * LARGE)), "cut", "text/plain"))
    async with asyncio.timeout(20):
        while not await uploads(s3_service, bucket):
            assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await uploads(s3_service, bucket) == []


async def test_what_a_killed_process_began_goes_with_its_key_alone(
    s3_service: S3Server, bucket: Bucket, s3_storage: Storage
) -> None:
    async with client_of(s3_service) as client:
        for key in ("dead", "dead-2"):
            await client.create_multipart_upload(Bucket=bucket.name, Key=key)
    await s3_storage.remove("dead")
    assert await uploads(s3_service, bucket) == ["dead-2"]


async def test_texts_say_what_is_wrong(bucket: Bucket, tmp_path: Path) -> None:
    for wrong, said in (
        (replace(bucket, secret_key="other"), "refuses the key"),
        (replace(bucket, name="no-such-bucket"), "no bucket"),
        (replace(bucket, endpoint="http://127.0.0.1:9"), "does not answer"),
    ):
        storage = S3Storage(wrong, tmp_path / "receiving")
        try:
            with pytest.raises(FileStorageUnavailable, match=said) as caught:
                await read(storage, "k", 0, 1)
            assert "other" not in caught.value.detail
        finally:
            await storage.close()
