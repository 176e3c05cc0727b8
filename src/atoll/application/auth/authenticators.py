"""Authenticators: the ways to sign in that an app offers, and what each lets strangers do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from atoll.application.auth.accounts import Settings
from atoll.errors import BadRequest

PASSWORD: Final = "Email/Password"  # noqa: S105 - the name of a kind
OIDC: Final = "OIDC"
MASK: Final = "••••"
FORM_FIELDS: Final = ("username", "email", "nickname", "phone")


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of a sign-up form, beside the password."""

    name: str
    required: bool


_USUAL = [FormField("username", required=True), FormField("nickname", False), FormField("email", False)]


def chosen(settings: Settings, name: str | None, kind: str = PASSWORD) -> Mapping[str, Any] | None:
    """The enabled authenticator of that name and kind, else the first enabled one of the kind."""
    enabled = [each for each in in_order(settings) if each["authType"] == kind]
    return next((each for each in enabled if each["name"] == name), enabled[0] if enabled else None)


def in_order(settings: Settings) -> list[Mapping[str, Any]]:
    """The enabled authenticators in the order people gave them."""
    enabled = [each for each in settings.authenticators if each["enabled"]]
    return sorted(enabled, key=lambda each: (each["sort"] or 0, each["id"]))


def public_options(authenticator: Mapping[str, Any]) -> dict[str, Any]:
    """The options that everybody may see."""
    public = (authenticator["options"] or {}).get("public")
    return public if isinstance(public, dict) else {}


def secret_of(name: str) -> str:
    """What the sealed client secret of an authenticator is about."""
    return f"the client secret of {name}"


def may_reset(authenticator: Mapping[str, Any]) -> bool:
    """Whether a forgotten password may be reset by mail: unless it is switched off."""
    return public_options(authenticator).get("enableResetPassword") is not False


def sign_up_form(authenticator: Mapping[str, Any]) -> list[FormField]:
    """The fields of the sign-up form: those that `signupForm` shows, else user name, nickname and e-mail."""
    form = public_options(authenticator).get("signupForm")
    return read_form(form) if form is not None else list(_USUAL)


def read_form(form: object) -> list[FormField]:
    """The shown fields of a list of `{"field", "show", "required"}`.

    Raises:
        BadRequest: it is no such list, or nobody could sign in with what it asks for.
    """
    if not isinstance(form, list) or not all(isinstance(each, dict) for each in form):
        raise BadRequest("`signupForm` is a list of objects with field, show and required")
    found: dict[str, FormField] = {}
    for each in form:
        name = each.get("field")
        if name not in FORM_FIELDS or name in found:
            raise BadRequest(f"`signupForm` names each of {', '.join(FORM_FIELDS)} at most once")
        if each.get("show") is True:
            found[name] = FormField(name, each.get("required") is True)
    if not any(name in found and found[name].required for name in ("username", "email")):
        raise BadRequest(
            "A sign-up form requires the user name or the e-mail: people sign in with one of them"
        )
    return list(found.values())
