"""Files on records: chosen in a form, shown as pictures, opened, saved; storages and their test."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, expect

from atoll.testing.client import AtollClient

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import close_record, give_credentials, row

pytestmark = pytest.mark.anyio

APP = "/apps/shop/admin"
# Files come in the order in which they arrived.
BOTH = re.compile("photo.jpg, notes.txt|notes.txt, photo.jpg")


def photo(color: str = "teal") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (1200, 800), color).save(made, "JPEG")
    return made.getvalue()


@pytest.fixture(autouse=True)
async def shop(installation: Installation) -> None:
    """An app with orders that take files of at most 1 MB: pictures and texts."""
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        if await client.app_row("shop") is None:
            await client.create_app("shop", ["env_a"])
        async with client.other("shop") as app:
            await app.sign_in(ACCOUNT)
            await make_orders(app)


async def make_orders(app: AtollClient) -> None:
    if "orders" in {each["name"] for each in await app.call("collections:list", paginate="false")}:
        return
    rules = {"size": 1 << 20, "mimetype": ["image/*", "text/plain"]}
    await app.call("storages:create", {"name": "small", "title": "Small", "type": "local", "rules": rules})
    name = {"name": "name", "type": "string", "interface": "input", "uiSchema": {"title": "Name"}}
    field = {"name": "papers", "type": "belongsToMany", "interface": "attachment", "target": "attachments"}
    papers = {**field, "storage": "small", "uiSchema": {"title": "Papers"}}
    await app.call("collections:create", {"name": "orders", "title": "Orders", "fields": [name, papers]})
    await app.call("orders:create", {"name": "A-1"})


async def looked_at(page: Page, name: str, pictures: Path) -> None:
    """Nothing to complain of in any look; the light and wide one is kept."""
    assert await all_looks(page, name) == []
    await page.screenshot(path=pictures / f"{name}.png")


async def test_files_of_a_record(installation: Installation, page: Page, pictures: Path) -> None:
    await page.goto(f"{APP}/r/orders")
    await give_credentials(page, ACCOUNT)
    await row(page, "A-1").get_by_text("A-1").click()
    drawer = page.get_by_role("dialog")
    await drawer.get_by_role("button", name="Edit").click()
    papers = drawer.get_by_role("group", name="Papers")
    await expect(papers).to_contain_text("up to 1 MB")
    chosen = [
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo()},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Call Ann."},
        {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"x"},
        {"name": "large.txt", "mimeType": "text/plain", "buffer": b"x" * (2 << 20)},
        {"name": "fake.png", "mimeType": "image/png", "buffer": b"no picture"},
    ]
    await papers.locator("input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]
    await expect(papers.get_by_role("button", name="Remove photo.jpg")).to_be_visible()
    await expect(papers.get_by_role("button", name="Remove notes.txt")).to_be_visible()
    await expect(papers.get_by_role("alert").filter(has_text="film.mp4")).to_contain_text("only image/*")
    await expect(papers.get_by_role("alert").filter(has_text="large.txt")).to_contain_text("at most 1 MB")
    await expect(papers.get_by_role("alert").filter(has_text="fake.png")).to_contain_text("validation failed")
    await page.screenshot(path=pictures / "files-form.png")
    for name in ("film.mp4", "large.txt", "fake.png"):
        await papers.get_by_role("button", name=f"Cancel {name}").click()
    await expect(papers.get_by_role("alert")).to_have_count(0)
    await drawer.get_by_role("button", name="Save", exact=True).click()

    await close_record(page)
    cell = row(page, "A-1").get_by_role("img", name=BOTH)
    await expect(cell.locator("img")).to_have_count(1)
    await page.goto(f"{APP}/r/orders?record=1")
    await page.get_by_role("button", name="photo.jpg").click()
    shown = page.get_by_role("dialog", name="photo.jpg")
    await expect(shown.get_by_role("img", name="photo.jpg")).to_be_visible()
    await looked_at(page, "files-lightbox", pictures)
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("dialog", name="notes.txt")).to_contain_text("Call Ann.")
    async with installation.client() as client, client.other("shop") as app:
        await app.sign_in(ACCOUNT)
        file = (await app.call("orders:get", filterByTk="1", appends="papers"))["papers"][0]
        address = (await app.call("attachments:createTemporaryURL", filterByTk=str(file["id"])))["url"]
    # Through the Supervisor to the environment that has the app, without a session.
    whole = await page.request.get(address, headers={"Cookie": ""})
    assert (whole.status, len(await whole.body())) == (200, file["size"])
    assert (await page.request.get(file["url"], headers={"Cookie": ""})).status == 403
    async with page.expect_download() as download:
        await page.get_by_role("dialog", name="notes.txt").get_by_role("button", name="Download").click()
    assert (await download.value).suggested_filename == "notes.txt"


async def test_storages(installation: Installation, page: Page, pictures: Path) -> None:
    await page.goto(f"{APP}/settings/files")
    await give_credentials(page, ACCOUNT)
    await expect(row(page, "Local storage")).to_contain_text("Default")
    await page.get_by_role("button", name="New storage").click()
    drawer = page.get_by_role("dialog", name="New storage")
    await drawer.get_by_role("textbox", name="Name", exact=True).fill("cloud")
    await drawer.get_by_text("S3", exact=True).click()
    await drawer.get_by_label("Bucket").fill("files")
    await drawer.get_by_label("Address").fill("http://127.0.0.1:9")
    await drawer.get_by_label("Access key").fill("key")
    await drawer.get_by_role("textbox", name="Secret key").fill("secret")
    await drawer.get_by_role("button", name="Test").click()
    await expect(drawer.get_by_role("alert")).to_contain_text("does not answer")
    await drawer.get_by_text("Folder", exact=True).click()
    await drawer.get_by_label("Folder in the storage").fill("papers")
    await drawer.get_by_role("button", name="Test").click()
    await expect(drawer.get_by_role("status")).to_contain_text("was written, read and removed")
    await looked_at(page, "files-storage", pictures)
    await drawer.get_by_role("button", name="Save").click()
    await expect(row(page, "cloud")).to_contain_text("papers")
    await looked_at(page, "files-storages", pictures)
