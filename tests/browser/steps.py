"""What a person does again and again: signing in, and moving around by names on the screen."""

from __future__ import annotations

import struct
import zlib

from playwright.async_api import FilePayload, Locator, Page, expect

from atoll.testing.client import Account

LONG_MS = 30_000


async def sign_in(page: Page, account: Account, path: str = "/admin") -> None:
    """Opens a page, is asked to sign in, does so, and is where it wanted to be."""
    await page.goto(path)
    await give_credentials(page, account)


async def give_credentials(page: Page, account: Account) -> None:
    """Fills in the form for signing in and waits for the page behind it."""
    await page.get_by_label("User name or e-mail").fill(account.username)
    await page.get_by_label("Password", exact=True).fill(account.password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation", name="Main navigation")).to_be_visible()


async def go(page: Page, name: str, *, heading: str = "") -> None:
    """Follows an entry of the main navigation."""
    await page.get_by_role("navigation", name="Main navigation").get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", name=heading or name, exact=True).first).to_be_visible()


async def close_record(page: Page) -> None:
    """After saving a record it is shown; this goes back to the list."""
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_role("button", name="Edit")).to_be_visible()
    await drawer.get_by_role("button", name="Close").click()
    await expect(drawer).to_have_count(0)


async def add_condition(page: Page, field: str, operator: str, value: str) -> None:
    """Filters the list that is open by one condition."""
    await page.get_by_role("button", name="Filter", exact=True).click()
    builder = page.get_by_role("dialog", name="Filter")
    await builder.get_by_label("Field").select_option(field)
    await builder.get_by_label("Operator").select_option(operator)
    await builder.get_by_label(f"Value for {field}").fill(value)
    await builder.get_by_role("button", name="Done").click()


def toast(page: Page, text: str) -> Locator:
    """A message at the edge of the window. The same words are in the live region, which only is heard."""
    return page.get_by_role("group").get_by_text(text)


def row(page: Page, text: str) -> Locator:
    """The row of a list that shows a text."""
    return page.get_by_role("row").filter(has_text=text)


async def open_menu(page: Page, name: str, entry: str) -> None:
    """Chooses an entry of a row's menu."""
    await row(page, name).first.get_by_role("button", name="Actions for").click()
    await page.get_by_role("menuitem", name=entry).click()


def png_file(name: str, pixels: int = 8) -> FilePayload:
    """A picture to upload: a square of one colour."""

    def part(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", pixels, pixels, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes((11, 110, 120)) * pixels) * pixels
    content = (
        b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    )
    return {"name": name, "mimeType": "image/png", "buffer": content}
