"""axe-core on the page that is open, in light and dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (tags) => {
  const only = { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'] };
  const found = await axe.run(document, only);
  return found.violations.map(({ id, impact, help, nodes }) => (
    { id, impact, help, nodes: nodes.map((node) => node.html.slice(0, 200)) }
  ));
}"""
#: True when the page has taken over a colour scheme and painted it.
SHOWN = """(scheme) => document.documentElement.dataset.mantineColorScheme === scheme
  && new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""
#: True when nothing moves any more; what turns for ever (spinners) does not count.
STILL = """() => document.getAnimations().every((each) =>
  each.playState !== 'running' || each.effect?.getTiming().iterations === Infinity)"""


async def violations(page: Page) -> list[dict[str, Any]]:
    """What axe finds serious or critical on the page as it is now."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8") + "\n;0")
    await page.wait_for_function(STILL)
    found: list[dict[str, Any]] = await page.evaluate(RUN, RULES)
    return [each for each in found if each["impact"] in ("serious", "critical")]


async def all_looks(page: Page, name: str) -> list[str]:
    """The same for each width and colour scheme; one line per finding."""
    lines: list[str] = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            await page.wait_for_function(SHOWN, arg=scheme)
            for each in await violations(page):
                lines.append(f"{name} {width}px {scheme}: {each['id']} ({each['help']}) {each['nodes'][:3]}")
    await page.set_viewport_size({"width": WIDTHS[0], "height": 800})
    await page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    return lines
