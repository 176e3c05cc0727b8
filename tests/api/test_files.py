"""Files over HTTP: received, kept, given to those who may see them, and removed."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiobotocore.session import get_session
from PIL import Image
from sqlalchemy import select

from atoll.application.app import Application
from atoll.application.schedule import Tick
from atoll.database.drivers.base import Database
from atoll.plugins.files import Files
from atoll.plugins.files.cleaning import UNFINISHED_SECONDS, Cleaning
from atoll.plugins.files.storage import local
from atoll.plugins.files.tables import Tables
from atoll.settings import MASK
from atoll.testing.s3 import S3Server

from .conftest import ROOT, Api, client_of, make_app
from .test_rights import person

pytestmark = pytest.mark.anyio

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6364f80ff50c000e0180680168f57d6b0000000049454e44ae426082"
)


async def send(
    api: Api,
    content: bytes,
    name: str = "a.txt",
    kind: str = "text/plain",
    *,
    to: str = "attachments",
    **params: Any,
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {api.token}"}
    files = {"file": (name, content, kind)}
    return await api.client.post(f"/api/{to}:create", files=files, params=params, headers=headers)


async def sent(api: Api, content: bytes, name: str = "a.txt", kind: str = "text/plain", **more: Any) -> Any:
    answer = await send(api, content, name, kind, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def read(api: Api, url: str, **headers: str) -> httpx.Response:
    """Follows the address of a file, as browsers do: without the header after the redirect."""
    api.client.cookies.clear()  # of whoever signed in
    given = {"Authorization": f"Bearer {api.token}"} if api.token else {}
    answer = await api.client.get(url, headers=given)
    if answer.status_code != 302:
        return answer
    return await api.client.get(answer.headers["location"], headers=headers)


def stored(app: Application) -> list[Path]:
    return sorted(path for path in (app.storage / "files").rglob("*") if path.is_file())


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


async def hourly(app: Application) -> None:
    cleaning: Cleaning = next(each for each in app.plugins if isinstance(each, Files))._cleaning
    await cleaning.hourly(Tick("files/clean-up", None, 1))  # type: ignore[arg-type]


async def test_a_file_comes_back_as_it_was_in_whole_and_in_parts(root: Api) -> None:
    content = os.urandom(700_000)
    made = await sent(root, content, "Dr. Ü.bin", "application/x-thing")
    assert (made["title"], made["extname"], made["size"]) == ("Dr. Ü", ".bin", len(content))
    whole = await read(root, made["url"])
    assert (whole.status_code, whole.content == content) == (200, True)
    assert whole.headers["content-length"] == str(len(content))
    assert whole.headers["accept-ranges"] == "bytes"
    for header, part in {
        "bytes=0-9": content[:10],
        "bytes=699990-": content[-10:],
        "bytes=-5": content[-5:],
        "bytes=300000-600000": content[300_000:600_001],
    }.items():
        answer = await read(root, made["url"], Range=header)
        assert (answer.status_code, answer.content == part) == (206, True), header
        assert answer.headers["content-range"].startswith("bytes ")
    outside = await read(root, made["url"], Range="bytes=700000-")
    assert (outside.status_code, outside.headers["content-range"]) == (416, "bytes */700000")
    stale = await read(root, made["url"], Range="bytes=0-1", **{"If-Range": '"other"'})
    assert (stale.status_code, len(stale.content)) == (200, len(content))
    known = await read(root, made["url"], **{"If-None-Match": whole.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    head = await root.client.head(f"/api/attachments:getFile/{made['id']}?token={root.token}")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(content)))


async def test_nothing_in_a_file_runs_in_the_browser(root: Api) -> None:
    for name, kind, content in (
        ("x.html", "text/html", b"<script>alert(1)</script>"),
        ("x.svg", "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'),
        ("x.png", "image/png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("x.txt", "text/plain", b"<!doctype html><html><script>alert(1)</script></html>"),
        ("x.xml", "text/xml", b'<?xml version="1.0"?><a/>'),
        ("x.pdf", "application/pdf", b"%PDF-1.4\n"),
    ):
        made = await sent(root, content, name, kind)
        answer = await read(root, made["url"])
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''x."), name
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    picture = await sent(root, PNG, "x.png", "image/png")
    shown = await read(root, picture["url"])
    assert (shown.headers["content-disposition"], shown.headers["content-type"]) == ("inline", "image/png")
    saved = await read(root, picture["url"] + "?download=1")
    assert saved.headers["content-disposition"].startswith("attachment;")


async def test_files_are_for_those_who_may_see_their_records(root: Api, anonymous: Api) -> None:
    ann = await person(root, "ann", "nothing")
    seer = await person(root, "eve", "seer", attachments=[{"name": "view"}])
    made = await sent(root, b"secret")
    mine = await sent(ann, b"mine")
    for somebody in (anonymous, ann):
        assert code(await read(somebody, made["url"]))[0] == 403
        assert code(await somebody.call(f"attachments:getFile/{made['id']}"))[0] == 403
    assert (await somebody.call(f"attachments:createTemporaryURL/{made['id']}", {})).status_code == 403
    assert (await read(seer, made["url"])).text == "secret"
    assert (await read(ann, mine["url"])).status_code == 403, "she may upload, not view"
    assert (await anonymous.client.post(made["url"])).status_code == 405
    assert (await read(root, "/files/main/main/attachments/1.txt")).status_code == 404
    assert (await read(root, "/files/main/other/attachments/1.txt")).status_code == 404
    cookie = {"Cookie": f"nb_auth_token_main={root.token}"}
    assert (await anonymous.client.get(made["url"], headers=cookie)).status_code == 302
    assert (await anonymous.client.get("/api/users:list", headers=cookie)).status_code == 401


async def test_a_temporary_address_works_for_its_file_and_its_time(root: Api, anonymous: Api) -> None:
    one, other = await sent(root, b"one"), await sent(root, b"other")
    address = (await root.data(f"attachments:createTemporaryURL/{one['id']}", {}))["url"]
    assert (await read(anonymous, address)).text == "one"
    ticket = address.partition("ticket=")[2]
    for wrong in (
        ticket[:-2],
        f"9{ticket}",
        "1.x",
        "x",
        "",
        f"{int(time.time()) - 1}.{ticket.partition('.')[2]}",
    ):
        assert (await read(anonymous, f"{one['url']}?ticket={wrong}")).status_code == 403, wrong
    assert (await read(anonymous, f"{other['url']}?ticket={ticket}")).status_code == 403


async def test_others_cannot_take_over_an_object_through_a_record(root: Api) -> None:
    """Where the bytes are is not for clients to say."""
    bob = await person(root, "bob", "bobs", attachments=[{"name": "view", "scope": None}, {"name": "update"}])
    secret = await sent(root, b"secret")
    mine = await sent(bob, b"mine")
    stolen = {
        "filename": secret["filename"],
        "path": secret["path"],
        "storageId": secret["storageId"],
        "size": 6,
    }
    await bob.data(f"attachments:update/{mine['id']}", stolen)
    assert (await read(bob, mine["url"])).text == "mine"
    changed = await bob.data(f"attachments:update/{secret['id']}", {"title": "x"})
    assert changed == [], "not even somebody who may update attachments changes those of others"
    copied = await bob.data("attachments:create", {"title": "c", **stolen, "createdById": 1})
    assert (
        copied["createdById"],
        (await read(bob, f"/files/main/main/attachments/{copied['id']}")).status_code,
    ) == (
        (await bob.data("auth:check"))["id"],
        404,
    )


async def test_rules_of_a_storage_are_kept(app: Application, root: Api) -> None:
    await root.data(
        "storages:create",
        {"name": "small", "type": "local", "path": "a/b", "rules": {"size": 100, "mimetype": ["image/*"]}},
    )
    field = {"name": "att", "type": "belongsToMany", "interface": "attachment", "target": "attachments"}
    await root.data("collections:create", {"name": "posts", "fields": [{**field, "storage": "small"}]})
    here = {"attachmentField": "posts.att"}
    made = await sent(root, PNG, "x.png", "image/png", **here)
    assert made["path"] == "a/b"
    assert stored(app) == [app.storage / "files/a/b" / made["filename"]]
    assert code(await send(root, PNG * 2, "x.png", **here)) == (400, "LIMIT_FILE_SIZE")
    for name, kind, content in (
        ("x.txt", "text/plain", b"x"),
        ("x.png", "image/png", b"x"),
        ("x", "image/png", PNG[:4]),
    ):
        assert code(await send(root, content, name, kind, **here)) == (400, "FILE_REFUSED"), name
    assert len(stored(app)) == 1
    assert code(await send(root, b"x", attachmentField="posts.none")) == (400, "BAD_REQUEST")


async def test_names_in_the_storage(app: Application, root: Api) -> None:
    for number, mode in enumerate(("none", "random", "appendRandomID")):
        await root.data(
            "storages:create", {"name": mode, "type": "local", "path": f"p{number}", "renameMode": mode}
        )
        await root.data(
            "collections:create",
            {"name": f"c{number}", "template": "file", "storage": mode, "createdBy": True},
        )
    twice = [await sent(root, b"1", "../../etc/a b.txt", to="c0") for _ in range(2)]
    assert [each["title"] for each in twice] == ["a b", "a b"]
    assert twice[0]["filename"] == "a b.txt" != twice[1]["filename"], "nothing is replaced"
    assert (await sent(root, b"1", "a.txt", to="c1"))["filename"].endswith(".txt")
    hostile = await sent(root, b"1", "\\..\\x%2f\u0000<b>.txt", to="c2")
    assert not set(hostile["filename"]) & set('<>%\\/"\0')
    assert len(stored(app)) == 4
    for path in ("../x", "/..", "a/../../b"):
        assert (
            await root.call("storages:create", {"name": "bad", "type": "local", "path": path})
        ).status_code == 400
    for folder in ("/etc", "storage", "storage/uploads/../x", "storage/uploadsx"):
        values = {"name": "bad", "type": "local", "options": {"documentRoot": folder}}
        assert (await root.call("storages:create", values)).status_code == 400, folder


async def test_the_object_goes_with_its_record_in_every_way(app: Application, root: Api) -> None:
    await root.data("collections:create", {"name": "albums", "fields": [{"name": "name", "type": "string"}]})
    await root.data("collections:create", {"name": "pictures", "template": "file", "createdBy": True})
    pictures = {
        "name": "pictures",
        "type": "hasMany",
        "target": "pictures",
        "foreignKey": "albumId",
        "onDelete": "CASCADE",
    }
    await root.data("collections/albums/fields:create", pictures)
    made = [await sent(root, PNG, "x.png", "image/png", to="pictures") for _ in range(5)]
    assert len(stored(app)) == 5
    await root.data("pictures:destroy", {}, filterByTk=made[0]["id"])
    assert len(stored(app)) == 4
    album = await root.data("albums:create", {"name": "a", "pictures": [made[1]["id"]]})
    await root.data("albums:destroy", {}, filterByTk=album["id"])
    assert len(stored(app)) == 3
    await root.data("pictures:destroy", {}, filter='{"title":"x"}')
    assert stored(app) == []
    await sent(root, PNG, "x.png", "image/png", to="pictures")
    await root.data("collections:destroy", {}, filterByTk="pictures")
    await hourly(app)
    assert stored(app) == []


async def test_a_paranoid_storage_keeps_what_it_has(app: Application, root: Api) -> None:
    await root.data("storages:create", {"name": "keeps", "type": "local", "paranoid": True})
    await root.data("collections:create", {"name": "papers", "template": "file", "storage": "keeps"})
    made = await sent(root, b"x", to="papers")
    await root.data("papers:destroy", {}, filterByTk=made["id"])
    await hourly(app)
    assert len(stored(app)) == 1


async def test_an_upload_that_fails_leaves_nothing(
    app: Application, root: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "link", full)
        assert code(await send(root, b"x")) == (507, "FILE_STORAGE_FULL")
    assert stored(app) == []
    assert (await root.data("attachments:list")) == []

    # The record cannot be made: the object waits until no upload lasts that long.
    await root.data("collections:create", {"name": "papers", "template": "file", "fields": [
        {"name": "number", "type": "string", "allowNull": False}]})  # fmt: skip
    assert (await send(root, b"x", to="papers")).status_code == 400
    assert len(stored(app)) == 1
    await hourly(app)
    assert len(stored(app)) == 1
    much_later = time.time() + UNFINISHED_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: much_later)
    await hourly(app)
    assert stored(app) == []


async def test_what_a_killed_process_was_receiving_is_removed(app: Application, root: Api) -> None:
    left = app.storage / "files" / local.PARTIAL / "half"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half a file")
    fresh = left.with_name("fresh")
    fresh.write_bytes(b"")
    os.utime(left, (0, 0))
    await hourly(app)
    assert stored(app) == [fresh]


async def test_an_upload_that_is_cut_off_leaves_nothing(app: Application, root: Api) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    messages: list[Any] = [
        {"type": "http.request", "body": head + b"abc", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    answers: list[Any] = []

    async def send(message: Any) -> None:
        answers.append(message)

    headers = {"authorization": f"Bearer {root.token}", "content-type": "multipart/form-data; boundary=b"}
    scope = {
        "type": "http", "method": "POST", "path": "/api/attachments:create", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    await app(scope, receive, send)
    assert answers[0]["status"] == 400
    assert stored(app) == []


async def test_a_file_that_vanished_is_told_and_a_folder_that_is_away_too(
    app: Application, root: Api
) -> None:
    made = await sent(root, b"x")
    stored(app)[0].unlink()
    assert code(await read(root, made["url"])) == (404, "ENOENT")
    (app.storage / "files").rename(app.storage / "away")
    (app.storage / "files").write_text("no folder")
    assert code(await send(root, b"x")) == (503, "FILE_STORAGE_UNAVAILABLE")


async def test_records_have_attachments(root: Api) -> None:
    field = {"name": "files", "type": "belongsToMany", "interface": "attachment", "target": "attachments"}
    fields = [{"name": "title", "type": "string"}, field]
    await root.data("collections:create", {"name": "posts", "fields": fields})
    one, two = await sent(root, b"1", "one.txt"), await sent(root, b"2", "two.txt")
    post = await root.data("posts:create", {"title": "a", "files": [{"id": one["id"]}, two]})
    assert [each["title"] for each in post["files"]] == ["one", "two"]
    found = await root.data(f"posts:get/{post['id']}", appends="files")
    assert [each["url"] for each in found["files"]] == [one["url"], two["url"]]
    changed = await root.data(f"posts:update/{post['id']}", {"files": [two["id"]]})
    assert [each["title"] for each in changed[0]["files"]] == ["two"]
    assert [each["id"] for each in await root.data(f"posts/{post['id']}/files:list")] == [two["id"]]
    assert await root.data("posts:list", filter='{"files.extname":".txt"}')
    await root.data("attachments:destroy", {}, filterByTk=two["id"])
    assert (await root.data(f"posts:get/{post['id']}", appends="files"))["files"] == []
    assert (await root.call("collections/attachments/fields:create", field)).status_code == 400
    assert (await root.call("collections:destroy", {}, filterByTk="attachments")).status_code == 400


async def test_storages(root: Api) -> None:
    first = (await root.data("storages:list"))[0]
    assert (first["name"], first["type"], first["default"]) == ("local", "local", True)
    assert (await root.call("storages:destroy", {}, filterByTk=first["id"])).status_code == 400
    made = await root.data(
        "storages:create", {"name": "two", "type": "local", "default": True, "path": "two"}
    )
    assert [each["name"] for each in await root.data("storages:list") if each["default"]] == ["two"]
    assert (await root.data("storages:getBasicInfo"))["name"] == "two"
    assert (await root.data("storages:test", {}, filterByTk=made["id"]))["ok"] is True
    kept = await sent(root, b"x")
    assert kept["path"] == "two"
    for wrong in (
        {"options": {"documentRoot": "storage/uploads/x"}},
        {"name": "three"},
        {"default": False},
        {"rules": {"size": 0}},
    ):
        assert (await root.call(f"storages:update/{made['id']}", wrong)).status_code == 400, wrong
    await root.data(f"storages:update/{first['id']}", {"default": True})
    assert (await root.call("storages:destroy", {}, filterByTk=made["id"])).status_code == 400
    await root.data("attachments:destroy", {}, filterByTk=kept["id"])
    assert await root.data("storages:destroy", {}, filterByTk=made["id"]) == 1
    member = await person(root, "ann", "plain")
    assert (await member.call("storages:list")).status_code == 403
    assert (await member.data("storages:getBasicInfo"))["rules"] == {"size": 20 << 20}


@pytest.fixture
async def rooted(database: Database, tmp_path: Path) -> AsyncIterator[Api]:
    plugins = [Files(allowed_roots=[tmp_path / "mounted"])]
    app = make_app(database, tmp_path / "own", plugins=plugins, name="crm")
    await app.install(ROOT)
    await app.start()
    async with client_of(app) as api:
        yield await api.sign_in("nocobase", "admin123")
    await app.stop()


async def test_a_folder_that_is_allowed_and_an_app_that_is_not_main(rooted: Api, tmp_path: Path) -> None:
    options = {"documentRoot": str(tmp_path / "mounted" / "deep")}
    await rooted.data("storages:create", {"name": "m", "type": "local", "options": options, "default": True})
    made = await sent(rooted, b"x")
    assert made["url"].startswith("/files/crm/main/attachments/")
    assert (tmp_path / "mounted/deep/crm" / made["filename"]).read_bytes() == b"x"
    answer = await rooted.client.get(made["url"], headers={"Authorization": f"Bearer {rooted.token}"})
    assert answer.headers["location"].startswith("/api/__app/crm/attachments:getFile/")


async def test_many_uploads_at_once_get_names_and_records_of_their_own(app: Application, root: Api) -> None:
    await root.data("storages:create", {"name": "n", "type": "local", "renameMode": "none", "default": True})
    made = await asyncio.gather(*(sent(root, str(number).encode(), "same.txt") for number in range(8)))
    assert len({each["filename"] for each in made}) == 8
    for number, each in enumerate(made):
        assert (await read(root, each["url"])).text == str(number)


async def test_files_on_s3(app: Application, root: Api, s3_service: S3Server, database: Database) -> None:
    options = {
        "bucket": f"api-{secrets.token_hex(6)}",
        "endpoint": s3_service.url,
        "accessKeyId": s3_service.access_key,
        "secretAccessKey": s3_service.secret_key,
    }
    values = {"name": "cloud", "type": "s3", "path": "in/here", "options": options, "default": True}
    refused = await root.call("storages:test", {**values, "options": {**options, "secretAccessKey": "wrong"}})
    assert code(refused) == (503, "FILE_STORAGE_UNAVAILABLE")
    assert "wrong" not in refused.text
    await make_bucket(s3_service, options["bucket"])
    assert (await root.data("storages:test", values))["ok"] is True
    made = await root.data("storages:create", values)
    for shown in (made, (await root.data("storages:list"))[0], await root.data(f"storages:get/{made['id']}")):
        assert shown["options"].get("secretAccessKey", MASK) == MASK
        assert "sealed" not in shown
    rows = await database.run(select(Tables(database).storages.table))
    assert s3_service.secret_key not in str(rows.rows)
    sealed = next(row["sealed"] for row in rows.dicts() if row["name"] == "cloud")
    assert app.vault.open(sealed, "the storage cloud") == s3_service.secret_key, "all servers of the app can"
    kept = {"options": {**made["options"], "region": "eu-1"}, "title": "Cloud"}
    await root.data(f"storages:update/{made['id']}", kept)
    assert (await root.data("storages:test", {}, filterByTk=made["id"]))["ok"] is True, "the secret is kept"

    content = os.urandom(9 << 20)
    file = await sent(root, content, "big.bin", "application/octet-stream")
    assert stored(app) == []
    assert (await read(root, file["url"])).content == content
    part = await read(root, file["url"], Range="bytes=9000000-9000009")
    assert (part.status_code, part.content) == (206, content[9_000_000:9_000_010])
    await root.data("attachments:destroy", {}, filterByTk=file["id"])
    assert await until_empty(s3_service, options["bucket"]) == []
    assert list((app.storage / "receiving").iterdir()) == []
    other = await root.call("storages:create", {**values, "name": "none", "options": {"bucket": "b"}})
    assert other.status_code == 400, "never with the rights of the server itself"


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(made, kind)
    return made.getvalue()


async def test_pictures_have_small_ones(app: Application, root: Api) -> None:
    made = await sent(root, picture(1200, 600, "JPEG"), "photo.jpg", "image/jpeg")
    small = await read(root, made["preview"])
    assert (small.status_code, small.headers["content-type"]) == (200, "image/webp")
    with Image.open(io.BytesIO(small.content)) as seen:
        assert seen.size == (320, 160)
    again = await read(root, made["preview"], **{"If-None-Match": small.headers["etag"]})
    assert again.status_code == 304
    text = await sent(root, b"text")
    assert (await read(root, text["preview"])).text == "text"
    await root.data("attachments:destroy", {}, filterByTk=made["id"])
    assert [path for path in (app.storage / "previews").rglob("*") if path.is_file()] == []


async def test_no_small_picture_is_made_of_bombs_and_broken_ones(
    root: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    monkeypatch.setattr(Image.Image, "thumbnail", lambda self, size: decoded.append(str(self.size)))
    bomb = picture(9000, 9000)
    assert len(bomb) < 400_000
    for content in (bomb, picture(10, 10)[:40], b"GIF89a" + bytes(20)):
        made = await sent(root, content, "x.png", "image/png")
        whole = await read(root, made["preview"])
        assert whole.content == content
    assert decoded == []


async def make_bucket(server: S3Server, name: str) -> None:
    async with s3_client(server) as client:
        await client.create_bucket(Bucket=name)


async def until_empty(server: S3Server, bucket: str) -> list[str]:
    async with s3_client(server) as client, asyncio.timeout(10):
        while found := (await client.list_objects_v2(Bucket=bucket)).get("Contents", []):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return [each["Key"] for each in found]


def s3_client(server: S3Server) -> Any:
    return get_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
    )
