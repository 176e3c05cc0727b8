"""Relations: described in two sentences, linked in forms, shown, filtered and unlinked."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from atoll.testing.client import AtollClient

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import add_condition, give_credentials, open_menu, row, toast

pytestmark = pytest.mark.anyio

APP = "/apps/shop/admin"
NAME = {"name": "name", "type": "string", "interface": "input", "uiSchema": {"title": "Name"}}


@pytest.fixture(autouse=True)
async def shop(installation: Installation) -> None:
    """An app with orders, customers and tags that know nothing of each other."""
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        if await client.app_row("shop") is None:
            await client.create_app("shop", ["env_a"])
        async with client.other("shop") as app:
            await app.sign_in(ACCOUNT)
            await _start_over(app)


async def _start_over(app: AtollClient) -> None:
    for collection in await app.call("collections:list", paginate="false", filter={"hidden.$isTruly": True}):
        await app.call("collections:destroy", filterByTk=collection["name"])
    present = {each["name"] for each in await app.call("collections:list", paginate="false")}
    if "places" in present:
        await app.call("collections:destroy", filterByTk="places")
    for name in ("orders", "customers", "tags"):
        if name in present:
            await app.call("collections:destroy", filterByTk=name)
        await app.call("collections:create", {"name": name, "title": name.title(), "fields": [NAME]})
    await app.call("orders:create", [{"name": "A-1"}, {"name": "A-2"}])
    await app.call("customers:create", [{"name": "Ann"}, {"name": "Bob"}])
    await app.call("tags:create", [{"name": "urgent"}, {"name": "gift"}, {"name": "paid"}])


async def wizard(page: Page, target: str, *, many: bool, title: str, name: str) -> None:
    """Adds a relation of orders in the designer; the other side has many of them."""
    await page.get_by_role("button", name="Add relation").first.click()
    drawer = page.get_by_role("dialog", name="New relation")
    await drawer.get_by_role("combobox", name="Linked collection").click()
    await page.get_by_role("option", name=target, exact=True).click()
    if many:
        await drawer.get_by_role("radiogroup", name=f"How many of {target}").get_by_text("many").click()
    await drawer.get_by_label("Title of the field").fill(title)
    await expect(drawer.get_by_label("Name", exact=True)).to_have_value(name)
    await drawer.get_by_role("button", name="Add relation").click()
    await expect(drawer).to_have_count(0)
    await expect(row(page, title).first).to_be_visible()


async def pick(page: Page, field: Locator, words: str) -> None:
    """Searches for a record in an input and chooses it."""
    await field.click()
    await field.fill(words)
    await page.get_by_role("option", name=words, exact=True).click()


async def test_from_two_collections_to_linked_records(page: Page) -> None:
    await page.goto(f"{APP}/settings/data/main/collections/orders/fields")
    await give_credentials(page, ACCOUNT)
    await wizard(page, "Customers", many=False, title="Customer", name="customer")
    await wizard(page, "Tags", many=True, title="Tags", name="tags")
    assert await all_looks(page, "fields with relations") == []

    await page.goto(f"{APP}/r/orders?record=1&edit=true")
    drawer = page.get_by_role("dialog")
    await pick(page, drawer.get_by_role("combobox", name="Customer"), "Ann")
    tags = drawer.get_by_role("combobox", name="Tags")
    for words in ("urgent", "gift", "paid"):
        await pick(page, tags, words)
    await tags.fill("brand-new")
    await page.get_by_role("option", name="Create “brand-new”").click()
    await expect(toast(page, "“brand-new” created in Tags")).to_be_visible()
    await page.keyboard.press("Escape")
    assert await all_looks(page, "form with relations") == []
    await drawer.get_by_role("button", name="Save").click()
    await expect(drawer.get_by_role("link", name="Ann")).to_be_visible()
    await drawer.get_by_role("button", name="Close").click()

    await expect(row(page, "A-1")).to_contain_text("Ann")
    await expect(row(page, "A-1")).to_contain_text("+2")
    await page.get_by_role("columnheader", name=re.compile("^Customer")).click()
    await expect(page).to_have_url(re.compile("sort=customer"))
    await expect(page.get_by_role("row").nth(1)).to_contain_text("A-1")
    assert await all_looks(page, "list with relations") == []
    await add_condition(page, "Customer › Name", "contains", "An")
    await expect(row(page, "A-2")).to_have_count(0)
    await expect(row(page, "A-1")).to_be_visible()
    await expect(page.get_by_role("button", name="Customer › Name contains An", exact=True)).to_be_visible()

    cell = row(page, "A-1").get_by_role("gridcell").filter(has=page.get_by_role("link", name="Ann"))
    await cell.focus()
    await page.keyboard.press("Shift+Enter")
    await page.get_by_role("tab", name="Orders 1").click()
    await expect(page).to_have_url(re.compile(r"/r/customers/1\?tab=orders$"))
    await expect(row(page, "A-1")).to_be_visible()
    await page.get_by_role("button", name="Add existing").click()
    dialog = page.get_by_role("dialog", name="Add to Orders")
    await pick(page, dialog.get_by_role("combobox", name="Orders"), "A-2")
    await dialog.get_by_role("button", name="Add 1 record").click()
    await expect(row(page, "A-2")).to_be_visible()
    assert await all_looks(page, "page of a record with relations") == []
    await page.get_by_role("button", name="New record").click()
    made = page.get_by_role("dialog", name="New record in Orders")
    await made.get_by_label("Name").fill("A-3")
    await made.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("tab", name="Orders 3")).to_be_visible()
    await open_menu(page, "A-2", "Unlink")
    await expect(row(page, "A-2")).to_have_count(0)
    await expect(page.get_by_role("tab", name="Orders 2")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(row(page, "A-2")).to_be_visible()


async def test_the_wizard_in_every_look(page: Page) -> None:
    await page.goto(f"{APP}/settings/data/main/collections/orders/fields?relation=true")
    await give_credentials(page, ACCOUNT)
    drawer = page.get_by_role("dialog", name="New relation")
    await drawer.get_by_role("button", name="Add relation").click()
    await expect(drawer.get_by_text("Choose a collection").first).to_be_visible()
    await drawer.get_by_role("combobox", name="Linked collection").click()
    await page.get_by_role("option", name="Tags", exact=True).click()
    assert await all_looks(page, "wizard: many to one") == []
    await drawer.get_by_role("radiogroup", name="How many of Tags").get_by_text("many").click()
    await expect(drawer.get_by_label("Collection in between")).to_have_value("orders_tags")
    assert await all_looks(page, "wizard: many to many") == []


async def test_a_tree(page: Page) -> None:
    await page.goto(f"{APP}/settings/data/main/collections?create=true")
    await give_credentials(page, ACCOUNT)
    drawer = page.get_by_role("dialog", name="New collection")
    await drawer.get_by_label("Title").first.fill("Places")
    await drawer.get_by_role("radio", name="Tree").check()
    await drawer.get_by_role("group", name="Field 1").get_by_label("Title").fill("Name")
    assert await all_looks(page, "new collection") == []
    await drawer.get_by_role("button", name="Create collection").click()
    await expect(page.get_by_role("tab", name="Data")).to_be_visible()

    await page.goto(f"{APP}/r/places")
    await _new(page, page.get_by_role("button", name="New record").first, "Europe")
    await open_menu(page, "Europe", "New record below")
    await _fill(page, "France")
    await page.get_by_role("button", name="Show what is below Europe").click()
    await open_menu(page, "France", "New record below")
    await _fill(page, "Paris")
    tree = page.get_by_role("treegrid", name="Places")
    france = tree.get_by_role("row").filter(has_text="France")
    await expect(france).to_have_attribute("aria-level", "2")
    await expect(france).to_have_attribute("aria-expanded", "false")
    await france.get_by_role("gridcell").filter(has_text="France").focus()
    await page.keyboard.press("ArrowRight")
    await expect(tree.get_by_role("row").filter(has_text="Paris")).to_have_attribute("aria-level", "3")
    assert await all_looks(page, "list of a tree") == []
    await page.get_by_role("searchbox", name="Search").first.fill("Pari")
    await expect(page).to_have_url(re.compile("q=Pari"))
    await expect(row(page, "Europe")).to_be_visible()
    await expect(row(page, "Paris")).to_be_visible()
    await open_menu(page, "Europe", "Delete")
    await expect(row(page, "Paris")).to_have_count(0)


async def _new(page: Page, button: Locator, name: str) -> None:
    await button.click()
    await _fill(page, name)


async def _fill(page: Page, name: str) -> None:
    """Saves the form that is open."""
    drawer = page.get_by_role("dialog", name="New record in Places")
    await drawer.get_by_label("Name").fill(name)
    await drawer.get_by_role("button", name="Save", exact=True).click()
    await expect(drawer).to_have_count(0)
