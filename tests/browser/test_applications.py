"""The list of applications: cards, pictures, what went wrong, and many at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import LONG_MS, go, open_menu, png_file, row, sign_in

pytestmark = pytest.mark.anyio

APPS = "/admin/settings/supervisor/apps"


async def test_a_picture_is_uploaded_and_shown_on_a_card(page: Page, installation: Installation) -> None:
    await sign_in(page, ACCOUNT)
    await page.goto(f"{APPS}?create=true")
    drawer = page.get_by_role("dialog", name="New application")
    await drawer.get_by_label("Display name").fill("Gallery")
    text = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    chooser = drawer.locator("input[type=file]")
    await chooser.set_input_files({**png_file("x.png"), **text})  # type: ignore[arg-type]
    await expect(drawer.get_by_role("alert")).to_have_text("Choose a PNG, JPEG, WebP or GIF picture.")
    await chooser.set_input_files(png_file("icon.png", 300))
    await expect(drawer.locator("img[src^='data:image/']")).to_be_visible()
    await drawer.get_by_role("radio", name="Inventory").check()
    await drawer.get_by_role("radio", name="env_a").check()
    found = await all_looks(page, "form for a new app")
    await drawer.get_by_role("button", name="Create and start").click()
    await expect(page.get_by_role("link", name="Open application")).to_be_visible(timeout=LONG_MS)
    await expect(page.get_by_text("Template filled in")).to_be_visible()
    await page.goto(APPS)
    await page.get_by_role("radiogroup", name="View").get_by_text("Cards").click(force=True)
    card = page.get_by_role("article", name="Gallery")
    picture = card.locator("img[src^='/api/applications:icon/gallery']")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.complete && image.naturalWidth > 0")
    await expect(card.get_by_text("Running")).to_be_visible()
    found += await all_looks(page, "cards")
    await page.get_by_role("searchbox", name="Search").fill("nothing like this")
    await expect(card).to_have_count(0)
    await page.get_by_role("searchbox", name="Search").fill("gall")
    await expect(card).to_be_visible()
    assert found == [], "\n".join(found)


async def test_an_error_is_explained_and_tried_again(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("broken", ["env_b"])
        await client.call("applications:stop/broken")
        await client.wait_status("broken", "stopped")
        [file] = await asyncio.to_thread(_database_files, installation, "broken.sqlite")
        away = file.with_suffix(".away")
        await asyncio.to_thread(file.rename, away)
        await client.call("applications:start/broken")
        await client.wait_status("broken", "error")
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    await open_menu(page, "broken", "View error")
    panel = page.get_by_role("dialog", name="What is wrong with broken")
    for text in ("APP_DATA_MISSING", "env_b", "Restore the database from a backup"):
        await expect(panel.get_by_text(text).first).to_be_visible()
    around = panel.get_by_role("region", name="What was logged then")
    await expect(around.get_by_text("an app could not be brought to its desired state").first).to_be_visible()
    found = await all_looks(page, "error panel")
    await panel.get_by_role("button", name="Try to start again").click()
    await asyncio.to_thread(_put_back, away, file)
    await expect(panel.get_by_text("Running")).to_be_visible(timeout=LONG_MS)
    await expect(panel.get_by_text("Nothing is wrong any more.")).to_be_visible()
    await page.goto(f"{APPS}/broken")
    errors = page.get_by_role("region", name="Last errors")
    await expect(errors.get_by_text("APP_DATA_MISSING").first).to_be_visible()
    assert found == [], "\n".join(found)


async def test_log_lines_of_an_app_are_followed_and_filtered(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("talks", ["env_a"])
        await sign_in(page, ACCOUNT)
        await go(page, "Applications")
        await open_menu(page, "talks", "View logs")
        lines = page.get_by_role("list", name="Log lines")
        await expect(lines.get_by_text("app started")).to_have_count(1)
        await client.call("applications:stop/talks")
        await expect(lines.get_by_text("app stopped")).to_be_visible()
    await page.get_by_label("Text in the line").fill("APP STA")
    await expect(lines.get_by_text("app stopped")).to_have_count(0)
    await lines.get_by_role("button", name="app started").click()
    await expect(lines.get_by_text("atoll.supervisor.process.hosted")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Text in the line")).to_have_value("APP STA")
    await page.get_by_label("Least severity").select_option("error")
    await expect(page.get_by_text("No log lines in this range.")).to_be_visible()


async def test_one_environment_is_stopped_and_started_by_itself(
    page: Page, installation: Installation
) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("twice", ["env_a", "env_b"])
    await sign_in(page, ACCOUNT)
    await page.goto(f"{APPS}/twice/runtime")
    here, there = row(page, "env_a"), row(page, "env_b")
    await expect(there.get_by_text("Running")).to_be_visible()
    await there.get_by_role("button", name="Stop twice in env_b").click()
    await page.get_by_role("dialog").get_by_role("button", name="Stop app").click()
    await expect(there.get_by_text("Stopped")).to_be_visible()
    await expect(here.get_by_text("Running")).to_be_visible()
    await there.get_by_role("button", name="Start twice in env_b").click()
    await expect(there.get_by_text("Running")).to_be_visible(timeout=LONG_MS)
    await page.goto("/admin/settings/supervisor/environments/env_b")
    await page.get_by_role("button", name="Drain…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Drain").click()
    await expect(page.get_by_text("Draining")).to_be_visible()
    await page.get_by_role("button", name="Bring back").click()
    await expect(page.get_by_text("Online")).to_be_visible()


async def test_settings_are_taken_over_and_a_secret_is_rotated(
    page: Page, installation: Installation
) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("first", ["env_b"])
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    await open_menu(page, "first", "Duplicate…")
    drawer = page.get_by_role("dialog", name="New application like first")
    await expect(drawer.get_by_label("Application ID")).to_have_value("first_copy")
    await expect(drawer.get_by_role("radio", name="env_b")).to_be_checked()
    await expect(drawer.get_by_text("The platform's database user may do this.")).to_be_visible()
    await expect(drawer.get_by_text("A new schema needs an environment on PostgreSQL")).to_be_visible()
    await drawer.get_by_label("Custom domain").fill("nothing.invalid")
    await expect(drawer.get_by_text("Does not point anywhere yet")).to_be_visible()
    await drawer.get_by_label("Custom domain").fill("")
    await drawer.get_by_role("button", name="Create and start").click()
    await expect(page.get_by_role("link", name="Open application")).to_be_visible(timeout=LONG_MS)
    await page.goto(f"{APPS}/first/danger")
    await page.get_by_role("button", name="Rotate secret…").click()
    await page.get_by_role("dialog").get_by_label("Restart the application now").uncheck()
    await page.get_by_role("dialog").get_by_role("button", name="Rotate secret").click()
    await page.get_by_role("tab", name="Overview").click()
    await expect(page.get_by_text("Restart needed")).to_be_visible()
    await expect(page.get_by_role("region", name="History").get_by_text("New secret")).to_be_visible()


async def test_many_are_deleted_at_once(page: Page, installation: Installation) -> None:
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        for name in ("spare_1", "spare_2"):
            await client.create_app(name, ["env_a"])
    await sign_in(page, ACCOUNT)
    await go(page, "Applications")
    for name in ("spare_1", "spare_2"):
        await row(page, name).get_by_role("checkbox").check()
    await page.get_by_role("button", name="Delete…").click()
    dialog = page.get_by_role("dialog", name="Delete 2 applications?")
    button = dialog.get_by_role("button", name="Delete 2 applications")
    await expect(button).to_be_disabled()
    await dialog.get_by_label("To confirm, type").fill("delete 2")
    await dialog.get_by_label("Also delete their databases").check()
    await button.click()
    for name in ("spare_1", "spare_2"):
        await expect(row(page, name)).to_have_count(0, timeout=LONG_MS)


async def test_a_connection_is_tested_before_it_is_used(page: Page) -> None:
    await sign_in(page, ACCOUNT)
    await page.goto(f"{APPS}?create=true")
    drawer = page.get_by_role("dialog", name="New application")
    await drawer.get_by_role("radio", name="env_a").check()
    await drawer.get_by_label("Other database server").check()
    await drawer.get_by_label("Host").fill("127.0.0.1")
    await drawer.get_by_label("Port").fill("1")
    await drawer.get_by_label("Database name").fill("sales")
    await drawer.get_by_label("User name").first.fill("sales")
    await drawer.get_by_role("button", name="Test connection").click()
    await expect(drawer.get_by_text("The server is reached no")).to_be_visible()
    await expect(drawer.get_by_text("Sign-in works not tried")).to_be_visible()
    await expect(drawer.get_by_role("alert").filter(has_text="127.0.0.1:1")).to_be_visible()


def _put_back(away: Path, file: Path) -> None:
    """The attempts in between have made an empty database in its place."""
    for path in file.parent.glob(f"{file.name}-*"):
        path.unlink(missing_ok=True)
    away.replace(file)


def _database_files(installation: Installation, pattern: str) -> list[Path]:
    return sorted(installation.process.folder.rglob(pattern))


async def test_an_environment_is_added_step_by_step(page: Page) -> None:
    await sign_in(page, ACCOUNT)
    await go(page, "Environments")
    await page.get_by_role("button", name="Add environment").click()
    wizard = page.get_by_role("dialog", name="Add an environment")
    await wizard.get_by_role("radio", name="A command on a machine").check()
    await wizard.get_by_role("button", name="Next").click()
    await wizard.get_by_role("textbox", name="Name").fill("env_a")
    await expect(wizard.get_by_text("An environment with this name exists")).to_be_visible()
    await wizard.get_by_role("textbox", name="Name").fill("env_c")
    await expect(wizard.get_by_role("button", name="Next")).to_be_disabled()
    await wizard.get_by_role("textbox", name="URL", exact=True).fill("http://127.0.0.1:17000")
    await wizard.get_by_role("button", name="Next").click()
    await expect(wizard.get_by_text("export ENVIRONMENT_NAME='env_c'")).to_be_visible()
    found = await all_looks(page, "wizard for an environment")
    await wizard.get_by_role("button", name="It is started").click()
    await expect(wizard.get_by_text("It has announced itself over Redis")).to_be_visible()
    assert found == [], "\n".join(found)


async def test_figures_over_time_are_charts_and_a_table(page: Page) -> None:
    # The last test: figures of an installation that has been up for a while are there at once.
    await sign_in(page, ACCOUNT)
    await page.goto("/admin/settings/supervisor/environments/env_a/metrics")
    await expect(page.get_by_role("img", name="Memory of its processes: now")).to_be_visible(timeout=60_000)
    found = await all_looks(page, "metrics")
    await page.get_by_role("switch", name="As a table").check(force=True)
    await expect(page.get_by_role("columnheader", name="Requests per minute")).to_be_visible()
    assert found == [], "\n".join(found)
