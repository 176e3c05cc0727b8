"""How much a first visit loads, counted in the browser: requests, and bytes as they went over the wire."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, Response, expect

from .installation import ACCOUNT, Installation
from .steps import sign_in

pytestmark = pytest.mark.anyio

MOST_REQUESTS = 14
SIGN_IN_BYTES = 340_000
TABLE_BYTES = 480_000


class Counted:
    """The answers a page got; addresses and sizes of what came over the network."""

    def __init__(self, page: Page) -> None:
        self.urls: list[str] = []
        self.sizes: list[int] = []
        self._responses: list[Response] = []
        page.on("response", lambda response: self._responses.append(response))

    async def finish(self) -> None:
        """Reads the sizes; call it when the page has come to rest."""
        for response in self._responses:
            self.urls.append(response.url)
            self.sizes.append((await response.request.sizes())["responseBodySize"])


async def test_a_first_visit_is_light(browser: Browser, installation: Installation, page: Page) -> None:
    await _make_app(installation)
    counted = Counted(page)
    await page.goto("/apps/light/signin")
    await expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    await counted.finish()
    assert len(counted.urls) <= MOST_REQUESTS, "\n".join(counted.urls)
    assert sum(counted.sizes) <= SIGN_IN_BYTES
    await sign_in(page, ACCOUNT, "/apps/light/admin/r/things")
    context = await browser.new_context(
        base_url=installation.url, storage_state=await page.context.storage_state(), locale="en-US"
    )
    fresh = await context.new_page()
    counted = Counted(fresh)
    await fresh.goto("/apps/light/admin/r/things")
    await expect(fresh.get_by_role("row").filter(has_text="Lamp")).to_be_visible()
    await fresh.wait_for_load_state("networkidle")
    await counted.finish()
    assert len(counted.urls) <= MOST_REQUESTS, "\n".join(counted.urls)
    assert sum(counted.sizes) <= TABLE_BYTES
    await context.close()


async def _make_app(installation: Installation) -> None:
    """An app with one collection and one record."""
    async with installation.client() as client:
        await client.sign_in(ACCOUNT)
        await client.create_app("light", ["env_a"])
        async with client.other("light") as app:
            await app.sign_in(ACCOUNT)
            label = {"type": "string", "title": "Label", "x-component": "Input"}
            fields = [{"name": "label", "type": "string", "interface": "input", "uiSchema": label}]
            await app.call("collections:create", {"name": "things", "title": "Things", "fields": fields})
            await app.call("things:create", {"id": 1, "label": "Lamp"})
