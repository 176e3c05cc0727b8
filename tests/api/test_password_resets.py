"""A forgotten password: a mail, a link, a new one, once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from atoll.application.app import Application
from atoll.database.drivers import Database
from atoll.mail import SmtpSender
from atoll.testing.mail_server import MailServer, mail_server, text_of

from .conftest import ROOT, Api, client_of, make_app

pytestmark = pytest.mark.anyio
BASIC = {"X-Authenticator": "basic"}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
async def app(database: Database, tmp_path: Path, server: MailServer) -> AsyncIterator[Application]:
    mail = SmtpSender(server.host, server.port, sender="atoll@example.com", security="none")
    running = make_app(database, tmp_path, mail=mail, address="https://apps.example.com/apps/crm")
    await running.install(ROOT)
    await running.start()
    yield running
    await running.stop()


async def ask(api: Api, email: str = "root@example.com", **headers: str) -> int:
    values = {"email": email, "baseURL": "https://evil.example.com"}
    return (await api.call("auth:lostPassword", values, headers={**BASIC, **headers})).status_code


async def link(server: MailServer) -> str:
    mails = await asyncio.to_thread(server.wait)
    found = re.search(r"https?://\S+", text_of(mails[-1][1]))
    assert found is not None
    return found[0]


async def token_from(api: Api, server: MailServer) -> str:
    assert await ask(api) == 200
    return (await link(server)).partition("resetToken=")[2]


async def redeem(api: Api, token: str, password: str = "new-12345") -> int:
    values = {"resetToken": token, "password": password}
    return (await api.call("auth:resetPassword", values)).status_code


async def test_a_link_sets_a_new_password_once(anonymous: Api, server: MailServer) -> None:
    session = await anonymous.sign_in("nocobase", "admin123")
    token = await token_from(anonymous, server)
    assert (await anonymous.call("auth:checkResetToken", {"resetToken": token})).status_code == 200
    assert await redeem(anonymous, token, "1") == 400
    assert await redeem(anonymous, token) == 200
    assert await redeem(anonymous, token) == 401
    assert (await anonymous.call("auth:checkResetToken", {"resetToken": token})).status_code == 401
    assert (await session.call("auth:check")).status_code == 401
    again = await anonymous.sign_in("nocobase", "new-12345")
    assert len(await again.data("auth:listSessions")) == 1


async def test_links_lead_to_the_address_of_the_settings(anonymous: Api, server: MailServer) -> None:
    assert await ask(anonymous, Host="evil.example.com", Origin="https://evil.example.com") == 200
    assert (await link(server)).startswith("https://apps.example.com/apps/crm/reset-password?resetToken=")
    [(to, mail)] = server.mails
    assert to == "root@example.com"
    assert "evil" not in mail.as_string()


async def test_the_mail_speaks_the_language_of_the_page(anonymous: Api, server: MailServer) -> None:
    assert await ask(anonymous, **{"X-Locale": "zh-CN"}) == 200
    [(_, mail)] = await asyncio.to_thread(server.wait)
    assert "设置新密码" in mail["Subject"]


async def test_nobody_learns_who_has_an_account(anonymous: Api, server: MailServer) -> None:
    unknown = await anonymous.call("auth:lostPassword", {"email": "nobody@example.com"}, headers=BASIC)
    known = await anonymous.call("auth:lostPassword", {"email": "root@example.com"}, headers=BASIC)
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (200, {})
    assert await link(server)
    assert [to for to, _ in server.mails] == ["root@example.com"]


async def test_one_mail_a_minute(anonymous: Api, root: Api, server: MailServer) -> None:
    await root.data("users:create", {"username": "kim", "email": "kim@example.com", "password": "kim-12345"})
    for _ in range(3):
        assert await ask(anonymous) == 200
    assert await ask(anonymous, "kim@example.com") == 200
    await asyncio.to_thread(server.wait, 2)
    assert sorted(to for to, _ in server.mails) == ["kim@example.com", "root@example.com"]
    assert [await ask(anonymous) for _ in range(8)][-1] == 429


async def test_of_several_at_once_one_changes_the_password(anonymous: Api, server: MailServer) -> None:
    token = await token_from(anonymous, server)
    answers = await asyncio.gather(*(redeem(anonymous, token, f"new-1234{number}") for number in range(4)))
    assert sorted(answers) == [200, 401, 401, 401]


async def test_what_is_kept_redeems_nothing(
    app: Application, database: Database, anonymous: Api, server: MailServer
) -> None:
    token = await token_from(anonymous, server)
    table = app.collections.system["passwordResets"].table
    [(kept, *_)] = (await database.run(table.select())).rows
    assert token != kept
    assert await redeem(anonymous, kept) == 401
    await database.run(table.update().values(expires=1))
    late = await anonymous.call("auth:resetPassword", {"resetToken": token, "password": "new-12345"})
    assert (late.status_code, late.json()["errors"][0]["code"]) == (401, "RESET_TOKEN_EXPIRED")
    await app.password_resets.forget_expired()
    assert (await database.run(table.select())).rows == []


async def test_refusals(anonymous: Api, root: Api) -> None:
    assert (await anonymous.call("auth:lostPassword", {"email": "root@example.com"})).status_code == 400
    assert await ask(anonymous, "no address") == 400
    [method] = await anonymous.data("authenticators:publicList")
    assert method["options"]["enableResetPassword"] is True
    options = {"public": {"allowSignUp": True, "enableResetPassword": False}}
    await root.data("authenticators:update", {"options": options}, filterByTk=1)
    assert await ask(anonymous) == 403
    [method] = await anonymous.data("authenticators:publicList")
    assert method["options"]["enableResetPassword"] is False


async def test_without_mail_it_is_not_offered(database: Database, tmp_path: Path) -> None:
    app = make_app(database, tmp_path)
    await app.install(ROOT)
    await app.start()
    async with client_of(app) as api:
        refused = await api.call("auth:lostPassword", {"email": "root@example.com"}, headers=BASIC)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "MAIL_NOT_CONFIGURED")
        [method] = await api.data("authenticators:publicList")
        assert method["options"]["enableResetPassword"] is False
    await app.stop()
