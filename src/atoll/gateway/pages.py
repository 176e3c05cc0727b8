"""Pages for people while an app cannot be shown: waiting, stopped, unknown, unreachable. No scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from atoll.errors import AppNotFound, AtollError
from atoll.supervisor.proxy_head import Header
from atoll.supervisor.routing import reason_code

WAITING = frozenset(
    {"APP_PREPARING", "APP_INITIALIZING", "APP_INITIALIZED", "APP_STARTING", "APP_COMMANDING", "COMMAND_END"}
)
REFRESH_SECONDS = 2
TEXTS = {
    "en": {
        "waiting": ("{app} is starting", "Starting automatically. This page will open by itself."),
        "stopped": (
            "{app} is stopped",
            "Someone with the right to do so can start it in the list of applications.",
        ),
        "missing": (
            "Nothing here",
            "There is no such application. Check the address, or choose one from the list.",
        ),
        "failed": ("{app} could not be shown", "This page tries again by itself."),
        "refused": ("This address does not work", "Check the address."),
        "home": "Go to the list of applications",
        "reason": "Reason",
    },
    "zh": {
        "waiting": ("{app} 正在启动", "正在自动启动，启动完成后本页会自动打开。"),
        "stopped": ("{app} 已停止", "有权限的人可以在应用列表中启动它。"),
        "missing": ("找不到应用", "没有这个应用。请检查地址，或从列表中选择。"),
        "failed": ("{app} 暂时无法显示", "本页会自动重试。"),
        "refused": ("这个地址无法使用", "请检查地址。"),
        "home": "返回应用列表",
        "reason": "原因",
    },
}
STYLE = """
:root{color-scheme:light dark;--bg:#f6f8f9;--card:#fff;--line:#dde3e7;
--text:#1c2226;--dim:#5b6570;--tone:#0b6e78}
@media (prefers-color-scheme:dark){:root{--bg:#14181b;--card:#1c2226;--line:#343d44;
--text:#e8edf0;--dim:#a3adb6;--tone:#51b4ba}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:16px;
background:var(--bg);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
"PingFang SC","Microsoft YaHei",sans-serif}
main{width:100%;max-width:440px;background:var(--card);border:1px solid var(--line);
border-radius:8px;padding:32px}
h1{font-size:1.375rem;line-height:1.3;margin:0 0 8px;overflow-wrap:anywhere}
p{margin:0 0 8px;color:var(--dim);overflow-wrap:anywhere}
code{font:0.875rem ui-monospace,Menlo,Consolas,monospace}
a{color:var(--tone)}
.bar{height:4px;border-radius:2px;background:var(--line);overflow:hidden;margin:0 0 24px}
.bar i{display:block;width:30%;height:100%;border-radius:2px;background:var(--tone);
animation:run 1.4s ease-in-out infinite}
@keyframes run{from{margin-left:-30%}to{margin-left:100%}}
@media (prefers-reduced-motion:reduce){.bar i{animation:none;width:100%;opacity:.5}}
""".strip()


def language(headers: Sequence[Header]) -> str:
    """ "zh" or "en", by the first language in Accept-Language that is one of them."""
    for name, value in headers:
        if name == b"accept-language":
            for part in value.decode("latin-1").split(","):
                tag = part.strip().lower()
                if tag.startswith("zh"):
                    return "zh"
                if tag.startswith("en"):
                    return "en"
    return "en"


def refreshes(error: AtollError) -> bool:
    """Whether the page should look again by itself."""
    return error.status >= 500 and reason_code(error) != "APP_STOPPED"


def state_page(error: AtollError, *, app: str, title: str, lang: str, nonce: str) -> bytes:
    """The page that says why the app is not shown.

    Args:
        title: name of the app for people; falls back to `app`.
    """
    texts = TEXTS[lang]
    code = reason_code(error)
    if isinstance(error, AppNotFound) or error.status == 404:
        kind = "missing"
    elif code == "APP_STOPPED":
        kind = "stopped"
    elif code in WAITING:
        kind = "waiting"
    else:
        kind = "failed" if refreshes(error) else "refused"
    heading, text = texts[kind]
    heading = escape(heading.format(app=title or app))
    refresh = f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">' if refreshes(error) else ""
    bar = (
        f'<div class="bar" role="progressbar" aria-label="{heading}"><i></i></div>'
        if kind == "waiting"
        else ""
    )
    home = f'<p><a href="/">{texts["home"]}</a></p>' if kind in ("missing", "stopped") else ""
    return (
        f'<!doctype html><html lang="{"zh-CN" if lang == "zh" else "en-US"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{refresh}'
        f'<meta name="robots" content="noindex"><title>{heading}</title>'
        f'<style nonce="{nonce}">{STYLE}</style></head>'
        f'<body><main data-code="{escape(code)}">{bar}<h1>{heading}</h1>'
        f'<p role="status">{escape(text)}</p>'
        f"<p>{texts['reason']}: {escape(error.message)} <code>{escape(code)}</code></p>"
        f"{home}</main></body></html>"
    ).encode()


def page_policy(nonce: str) -> bytes:
    """Content-Security-Policy of these pages."""
    return f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'".encode(
        "ascii"
    )
