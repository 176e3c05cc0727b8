"""Accounts as people have them: made by themselves, signed in with a code, lent to programs as keys."""

from __future__ import annotations

import re
import time

import httpx
import pyotp
import pytest
from playwright.async_api import Page, expect

from atoll.testing.client import Account
from atoll.testing.oidc_provider import oidc_provider

from .accessibility import all_looks
from .installation import ACCOUNT, Installation
from .steps import give_credentials, sign_in, toast

pytestmark = pytest.mark.anyio
KIM = Account("kim", "chosen-by-kim")


async def open_from_menu(page: Page, entry: str) -> None:
    await page.get_by_role("button", name="Account of").click()
    await page.get_by_role("menuitem", name=entry, exact=True).click()


async def sign_out(page: Page) -> None:
    await open_from_menu(page, "Sign out")
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


async def test_a_key_is_shown_once_and_refused_when_it_is_deleted(
    page: Page, installation: Installation
) -> None:
    await sign_in(page, ACCOUNT)
    await open_from_menu(page, "API keys")
    await page.get_by_role("button", name="New API key").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("nightly export")
    await dialog.get_by_label("Role").select_option("Admin")
    await dialog.get_by_role("button", name="Create key").click()
    token = await dialog.get_by_label("Token", exact=True).inner_text()
    found = await all_looks(page, "new key")
    async with httpx.AsyncClient(
        base_url=installation.url, headers={"Authorization": f"Bearer {token}"}
    ) as key:
        assert (await key.get("/api/roles:check")).json()["data"]["role"] == "admin"
        await dialog.get_by_role("button", name="I have copied it").click()
        await page.reload()
        row = page.get_by_role("row").filter(has_text="nightly export")
        await expect(row).to_contain_text(f"…{token[-4:]}")
        assert token not in await page.content()
        await row.get_by_role("button", name="Actions").click()
        await page.get_by_role("menuitem", name="Delete key").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete key").click()
        await expect(toast(page, "The key nightly export is deleted.")).to_be_visible()
        assert (await key.get("/api/roles:check")).status_code == 401
    assert found == []


async def test_a_person_makes_an_account_and_protects_it_with_a_code(page: Page) -> None:
    await page.goto("/signin")
    await page.get_by_role("link", name="Create account").click()
    await expect(page.get_by_label("Password again")).to_be_visible()  # the form, not the one before it
    await page.get_by_label("User name").fill(KIM.username)
    await page.get_by_label("Password", exact=True).fill(KIM.password)
    await page.get_by_label("Password again").fill(KIM.password)
    found = await all_looks(page, "sign-up")
    await page.get_by_role("button", name="Create account").click()
    await open_from_menu(page, "Profile")
    await page.get_by_role("button", name="Set up").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("img", name="QR code")).to_be_visible()
    secret = await dialog.get_by_text(re.compile(r"^[A-Z2-7]{32}$")).inner_text()
    await dialog.get_by_label("Code").fill(pyotp.TOTP(secret).generate_otp(int(time.time()) // 30))
    await dialog.get_by_role("button", name="Switch on").click()
    await expect(dialog.get_by_role("listitem")).to_have_count(10)
    recovery = await dialog.get_by_role("listitem").all_inner_texts()
    await dialog.get_by_role("button", name="I have kept them").click()
    await expect(page.get_by_text("On. 10 recovery codes are left.")).to_be_visible()
    found += await all_looks(page, "profile")
    await sign_out(page)
    await page.get_by_label("User name or e-mail").fill(KIM.username)
    await page.get_by_label("Password", exact=True).fill(KIM.password)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("Code").fill("000000")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("The code is wrong")
    await page.get_by_label("Code").fill(recovery[0])
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation", name="Main navigation")).to_be_visible()
    assert found == []


async def test_a_second_way_to_sign_in_is_a_tab(page: Page) -> None:
    await sign_in(page, ACCOUNT)
    await open_from_menu(page, "Ways to sign in")
    await page.get_by_role("button", name="New way to sign in").click()
    drawer = page.get_by_role("dialog")
    await drawer.get_by_label("Title").fill("Partners")
    await drawer.get_by_label("Identifier").fill("partners")
    await drawer.get_by_role("button", name="Save").click()
    await expect(toast(page, "Saved.")).to_be_visible()
    found = await all_looks(page, "ways to sign in")
    await sign_out(page)
    await expect(page.get_by_role("link", name="Create account")).to_be_visible()
    await page.get_by_role("tab", name="Partners").click()
    await expect(page.get_by_role("link", name="Create account")).to_have_count(0)
    await expect(page.get_by_role("link", name="Forgot password?")).to_have_count(0)
    await give_credentials(page, ACCOUNT)
    assert found == []


async def test_signing_out_everywhere_else_leaves_this_one(page: Page, installation: Installation) -> None:
    async with httpx.AsyncClient(base_url=installation.url) as other:
        values = {"account": ACCOUNT.username, "password": ACCOUNT.password}
        token = (await other.post("/api/auth:signIn", json=values)).json()["data"]["token"]
        other.headers["Authorization"] = f"Bearer {token}"
        assert (await other.get("/api/auth:check")).status_code == 200
        await sign_in(page, ACCOUNT, "/admin/profile")
        await page.get_by_role("button", name="Sign out everywhere else").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_role("button", name="Sign out everywhere else").click()
        await expect(
            page.get_by_role("list", name="Where you are signed in").get_by_role("listitem")
        ).to_have_count(1)
        assert (await other.get("/api/auth:check")).status_code == 401
    await page.reload()
    await expect(page.get_by_role("heading", name="Profile")).to_be_visible()


async def test_people_sign_in_at_a_provider(page: Page) -> None:
    with oidc_provider() as issuer:
        await sign_in(page, ACCOUNT, "/admin/settings/authenticators")
        await page.get_by_role("button", name="New way to sign in").click()
        drawer = page.get_by_role("dialog")
        await drawer.get_by_label("Kind").select_option("OpenID Connect")
        await drawer.get_by_label("Title").fill("Company")
        await drawer.get_by_label("Identifier").fill("company")
        await drawer.get_by_label("Issuer").fill(issuer)
        await drawer.get_by_label("Client ID").fill("atoll")
        await drawer.get_by_label("Client secret").fill("a secret")
        await drawer.get_by_label("Make an account for those who have none").check(force=True)
        found = await all_looks(page, "provider")
        await drawer.get_by_role("button", name="Save").click()
        await expect(toast(page, "Saved.")).to_be_visible()
        await sign_out(page)
        await page.get_by_role("button", name="Sign in with Company").click()
        await page.locator("input[name=sub]").fill("lee")
        await page.get_by_role("button", name="Authorize").first.click()
        await expect(page.get_by_role("navigation", name="Main navigation")).to_be_visible()
        await sign_out(page)
        await page.goto("/signin/callback?code=x&state=y")
        await expect(page.get_by_role("alert")).to_contain_text("not begun in this window")
    assert found == []
