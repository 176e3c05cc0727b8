"""The words of the mails about accounts."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Final

from atoll.mail import Mail

_RESET: Final[Mapping[str, tuple[str, str, str, str]]] = MappingProxyType(
    {
        "en": (
            "Set a new password for {title}",
            "Somebody, probably you, asked for a new password for your account on {title}.",
            "Choose one here within {minutes} minutes:",
            "If you did not ask for this, you need to do nothing: your password stays as it is.",
        ),
        "zh": (
            "为 {title} 设置新密码",
            "有人（可能是您本人）请求为您在 {title} 的账户设置新密码。",
            "请在 {minutes} 分钟内通过此链接设置：",
            "如果不是您本人的请求，则无需任何操作，您的密码不会改变。",
        ),
    }
)


def reset_mail(to: str, link: str, *, title: str, locale: str, minutes: int) -> Mail:
    """The mail that brings a link for a new password; in English where a language is not known."""
    texts = _RESET.get(locale.split("-", maxsplit=1)[0], _RESET["en"])
    plain = " ".join(title.split())
    subject, why, choose, ignore = (text.format(title=plain, minutes=minutes) for text in texts)
    return Mail(
        to=to,
        subject=subject,
        text=f"{why}\n\n{choose}\n{link}\n\n{ignore}\n",
        html=(
            f"<p>{escape(why)}</p><p>{escape(choose)}<br>"
            f'<a href="{escape(link)}">{escape(link)}</a></p><p>{escape(ignore)}</p>'
        ),
    )
