"""Sign-in, sessions and their end."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from atoll.application.app import Application
from atoll.application.auth import tokens
from atoll.cluster.pubsub import MemoryPubSub
from atoll.database.drivers import Database

from .conftest import ROOT, SECRET, Api, client_of, make_app, until

pytestmark = pytest.mark.anyio


async def code_of(api: Api, action: str = "auth:check", **headers: str) -> tuple[int, str | None]:
    response = await api.call(action, headers=headers)
    return response.status_code, response.json()["errors"][0]["code"] if response.status_code != 200 else None


async def test_tokens_of_another_app_or_secret_are_refused(app: Application, anonymous: Api) -> None:
    for token in (
        tokens.issue(SECRET, "crm", 1),
        tokens.issue(b"another secret of thirty-two byte", "main", 1),
        "not.a.token",
        "",
    ):
        assert await code_of(Api(anonymous.client, token), Authorization=f"Bearer {token}") == (
            401,
            "INVALID_TOKEN",
        )
    assert await code_of(anonymous) == (401, "EMPTY_TOKEN")
    assert await code_of(Api(anonymous.client, tokens.issue(SECRET, "main", 1))) == (200, None)
    assert await code_of(Api(anonymous.client, tokens.issue(SECRET, "main", 77))) == (401, "NOT_EXIST_USER")


async def test_token_ages(anonymous: Api) -> None:
    long_ago = int((time.time() - 8 * 86400) * 1000)
    old = tokens.issue(SECRET, "main", 1, signed_in_at=long_ago)
    assert await code_of(Api(anonymous.client, old)) == (401, "EXPIRED_SESSION")
    lapsed = tokens.issue(SECRET, "main", 1, lifetime=-2 * 86400)
    assert await code_of(Api(anonymous.client, lapsed)) == (401, "EXPIRED_SESSION")
    unknown = tokens.issue(SECRET, "main", 1, lifetime=-5)
    assert await code_of(Api(anonymous.client, unknown)) == (401, "TOKEN_RENEW_FAILED")
    key = tokens.issue(SECRET, "main", 1, lifetime=-5, role="admin")
    assert await code_of(Api(anonymous.client, key)) == (401, "INVALID_TOKEN")


async def test_parallel_renewals_agree(app: Application, root: Api) -> None:
    assert root.token is not None
    claims = tokens.read(SECRET, "main", root.token)
    lapsed = tokens.issue(
        SECRET, "main", 1, lifetime=-5, token_id=claims.token_id, signed_in_at=claims.signed_in_at
    )
    old = Api(root.client, lapsed)
    first, second = (await old.call("auth:check")), (await old.call("auth:check"))
    renewed = [tokens.read(SECRET, "main", each.headers["x-new-token"]) for each in (first, second)]
    assert renewed[0].token_id == renewed[1].token_id != claims.token_id
    assert renewed[0].signed_in_at == claims.signed_in_at


async def test_sign_out_ends_the_session_everywhere(database: Database, tmp_path: Path) -> None:
    bus = MemoryPubSub()
    one = make_app(database, tmp_path, bus.scope("main"))
    two = make_app(database, tmp_path, bus.scope("main"))
    await one.install(ROOT)
    await one.start()
    await two.start()
    async with client_of(one) as first, client_of(two) as second:
        session = await first.sign_in("nocobase", "admin123")
        other = Api(second.client, session.token)
        assert await code_of(other) == (200, None)
        assert (await session.call("auth:signOut", {})).json() == {}
        assert await code_of(session) == (401, "BLOCKED_TOKEN")
        await until(lambda: code_of(other), lambda answer: answer[0] == 401)
        assert await code_of(other) == (401, "BLOCKED_TOKEN")
    await two.stop()
    await two.start()
    async with client_of(two) as second:
        assert await code_of(Api(second.client, session.token)) == (401, "BLOCKED_TOKEN")
    await one.stop()
    await two.stop()


async def test_changed_password_ends_older_sessions(root: Api) -> None:
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    values = {"oldPassword": "kim-12345", "newPassword": "kim-67890", "confirmPassword": "kim-67890"}
    await kim.data("auth:changePassword", values)
    assert await code_of(kim) == (401, "INVALID_TOKEN")
    assert (await root.call("auth:signIn", {"account": "kim", "password": "kim-12345"})).status_code == 401
    again = await root.sign_in("kim", "kim-67890")
    assert await code_of(again) == (200, None)


async def test_guessing_is_slowed_down(app: Application, anonymous: Api) -> None:
    wrong = {"account": "nocobase", "password": "guess"}
    answers = [(await anonymous.call("auth:signIn", wrong)).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    blocked = await anonymous.call("auth:signIn", {"account": "nocobase", "password": "admin123"})
    assert blocked.status_code == 429
    assert int(blocked.headers["retry-after"]) > 0
    async with client_of(app, address="127.0.0.2") as elsewhere:
        assert (await elsewhere.sign_in("nocobase", "admin123")).token


async def test_unknown_and_wrong_answer_the_same(anonymous: Api) -> None:
    unknown = await anonymous.call("auth:signIn", {"account": "nobody", "password": "x"})
    wrong = await anonymous.call("auth:signIn", {"account": "nocobase", "password": "x"})
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()


async def test_destroyed_user_is_out_at_once(root: Api) -> None:
    made = await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    assert await code_of(kim) == (200, None)
    assert await root.data("users:destroy", {}, filterByTk=made["id"]) == 1
    assert await code_of(kim) == (401, "NOT_EXIST_USER")


async def test_first_user_cannot_be_destroyed_by_any_filter(root: Api) -> None:
    for params in ({"filterByTk": "1"}, {"filter": '{"id.$gt":0}'}, {"filterByTk": "[1,2]"}):
        assert (await root.call("users:destroy", {}, **params)).status_code == 403
    assert (await root.call("users:destroy", {})).status_code == 400
    assert await root.data("users:get", filterByTk=1)


async def test_password_hashes_never_leave(root: Api) -> None:
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    for action, params in (
        ("users:list", {}),
        ("users:list", {"fields": "id,password"}),
        ("users:get", {"filterByTk": 1}),
        ("auth:check", {}),
    ):
        assert "argon2" not in (await root.call(action, **params)).text
    assert (await root.call("users:list", filter='{"password.$startsWith":"$argon2"}')).status_code == 400
    assert (await root.call("users:list", sort="password")).status_code == 400


async def test_admins_cannot_become_root(root: Api) -> None:
    made = await root.data(
        "users:create", {"username": "adm", "password": "adm-12345", "roles": ["admin", "member"]}
    )
    adm = await root.sign_in("adm", "adm-12345")
    for action, values, params in (
        ("users:update", {"roles": ["root"]}, {"filterByTk": made["id"]}),
        ("users:create", {"username": "x", "roles": [{"name": "root"}]}, {}),
        ("users:update", {"password": "taken-over"}, {"filterByTk": 1}),
        ("users:update", {"nickname": "x"}, {"filter": '{"id.$gt":0}'}),
        (f"users/{made['id']}/roles:add", ["root"], {}),
        ("roles/root/users:add", [made["id"]], {}),
        ("users/1/roles:remove", ["root"], {}),
    ):
        assert (await adm.call(action, values, **params)).status_code == 403, action
    assert (await adm.data("roles:check"))["role"] == "admin"
    assert (
        await root.call("auth:signIn", {"account": "nocobase", "password": "admin123"})
    ).status_code == 200
    assert await root.data("users:update", {"roles": ["root"]}, filterByTk=made["id"])


async def test_names_and_passwords_of_users(root: Api) -> None:
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    for values in (
        {"username": "root@example.com", "password": "abc-12345"},
        {"username": "b<>", "password": "abc-12345"},
        {"username": "", "password": "abc-12345"},
        {"username": "lee", "password": "1"},
        {"username": "lee", "password": 5},
    ):
        assert (await root.call("users:create", values)).status_code == 400, values
    again = await root.call("users:create", {"username": "kim", "password": "kim-12345"})
    assert (again.status_code, again.json()["errors"][0]["message"]) == (400, "Username already exists")


BROWSERS = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Mozilla/5.0 (iPhone) Safari/605")


async def sign_in_from(api: Api, browser: str) -> Api:
    values = {"account": "nocobase", "password": "admin123"}
    answer = await api.call("auth:signIn", values, headers={"User-Agent": browser})
    return Api(api.client, answer.json()["data"]["token"])


async def test_sessions_are_listed_and_ended_one_by_one(anonymous: Api) -> None:
    here, there = [await sign_in_from(anonymous, browser) for browser in BROWSERS]
    sessions = await here.data("auth:listSessions")
    assert [(each["current"], each["agent"]) for each in sessions] == [
        (True, BROWSERS[0]),
        (False, BROWSERS[1]),
    ]
    assert {each["address"] for each in sessions} == {"127.0.0.1"}
    assert (await here.call("auth:endSession", {"id": sessions[1]["id"]})).json() == {}
    assert await code_of(there) == (401, "BLOCKED_TOKEN")
    assert await code_of(here) == (200, None)
    assert (await here.call("auth:endSession", {"id": sessions[1]["id"]})).status_code == 404
    await here.data("auth:signOut", {})
    again = await sign_in_from(anonymous, BROWSERS[0])
    assert len(await again.data("auth:listSessions")) == 1


async def test_other_sessions_end_but_not_this_one(root: Api) -> None:
    others = [await root.sign_in("nocobase", "admin123") for _ in range(2)]
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    [theirs] = await kim.data("auth:listSessions")
    assert (await root.call("auth:endSession", {"id": theirs["id"]})).status_code == 404
    assert await root.data("auth:endOtherSessions", {}) == 2
    assert [await code_of(each) for each in others] == [(401, "BLOCKED_TOKEN")] * 2
    assert await code_of(root) == await code_of(kim) == (200, None)
    assert await root.data("users:signOutEverywhere", {}, filter='{"username":"kim"}') == 1
    assert await code_of(kim) == (401, "BLOCKED_TOKEN")
    assert (await root.call("users:signOutEverywhere", {})).status_code == 400


async def test_a_renewed_token_does_not_outlive_its_session(app: Application, root: Api) -> None:
    """Ended under the id of an older token, whoever holds the newer one is out."""
    other = await root.sign_in("nocobase", "admin123")
    assert other.token is not None
    claims = tokens.read(SECRET, "main", other.token)
    lapsed = tokens.issue(
        SECRET, "main", 1, lifetime=-5, token_id=claims.token_id, signed_in_at=claims.signed_in_at
    )
    [listed] = [each for each in await root.data("auth:listSessions") if not each["current"]]
    renewed = (await Api(root.client, lapsed).call("auth:check")).headers["x-new-token"]
    await root.data("auth:endSession", {"id": listed["id"]})
    assert await code_of(Api(root.client, renewed)) == (401, "BLOCKED_TOKEN")
    assert await code_of(Api(root.client, lapsed)) == (401, "TOKEN_RENEW_FAILED")


async def test_a_new_password_empties_the_list_of_sessions(root: Api) -> None:
    values = {"oldPassword": "admin123", "newPassword": "admin-456", "confirmPassword": "admin-456"}
    await root.sign_in("nocobase", "admin123")
    await root.data("auth:changePassword", values)
    again = await root.sign_in("nocobase", "admin-456")
    assert [each["current"] for each in await again.data("auth:listSessions")] == [True]


async def test_a_sign_up_form_asks_for_what_it_shows(anonymous: Api, root: Api) -> None:
    form = [
        {"field": "email", "show": True, "required": True},
        {"field": "phone", "show": True, "required": False},
        {"field": "nickname", "show": False, "required": True},
    ]
    options = {"public": {"allowSignUp": True, "signupForm": form}}
    await root.data("authenticators:update", {"options": options}, filterByTk=1)
    [method] = await anonymous.data("authenticators:publicList")
    assert [each["field"] for each in method["options"]["signupForm"]] == ["email", "phone"]
    given = {"password": "kim-12345", "confirm_password": "kim-12345", "nickname": "x", "username": "kim"}
    assert (await anonymous.call("auth:signUp", given)).status_code == 400
    for wrong in ({"email": "kim"}, {"email": "kim@example.com", "phone": "<b>"}):
        assert (await anonymous.call("auth:signUp", {**given, **wrong})).status_code == 400, wrong
    right = {**given, "email": "kim@example.com", "phone": "+49 30 1"}
    assert (await anonymous.call("auth:signUp", right)).json() == {}
    [made] = await root.data("users:list", filter='{"email":"kim@example.com"}')
    assert (made["phone"], made["nickname"], made["username"]) == ("+49 30 1", None, None)


async def test_forms_that_nobody_could_sign_in_with_are_refused(root: Api) -> None:
    for form in (
        [{"field": "nickname", "show": True, "required": True}],
        [{"field": "username", "show": True, "required": False}],
        [{"field": "password", "show": True, "required": True}],
        "username",
        [1],
    ):
        options = {"public": {"allowSignUp": True, "signupForm": form}}
        assert (
            await root.call("authenticators:update", {"options": options}, filterByTk=1)
        ).status_code == 400


async def test_the_kind_of_an_authenticator_stays(root: Api) -> None:
    await root.data("authenticators:update", {"authType": "Other", "title": "Staff"}, filterByTk=1)
    assert (await root.data("authenticators:get", filterByTk=1))["authType"] == "Email/Password"
    assert (await root.call("authenticators:create", {"name": "x", "authType": "Other"})).status_code == 400
