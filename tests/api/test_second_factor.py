"""Codes of an authenticator app beside the password."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any

import pyotp
import pytest

from atoll.application.app import Application
from atoll.database.drivers import Database

from .conftest import Api

pytestmark = pytest.mark.anyio
ROOT = {"account": "nocobase", "password": "admin123"}


def code_of(secret: str, steps: int = 0) -> str:
    """The code that is valid some steps from now."""
    return pyotp.TOTP(secret).generate_otp(int(time.time()) // 30 + steps)


async def enrol(api: Api) -> tuple[str, list[str]]:
    secret = (await api.data("auth:beginSecondFactor", {}))["secret"]
    answer = await api.data("auth:confirmSecondFactor", {"code": code_of(secret)})
    return secret, answer["recoveryCodes"]


async def sign_in(api: Api, **more: Any) -> tuple[int, str | None]:
    response = await api.call("auth:signIn", {**ROOT, **more})
    ok = response.status_code == 200
    return response.status_code, None if ok else response.json()["errors"][0]["code"]


async def test_a_code_is_asked_for_once_it_is_confirmed(root: Api) -> None:
    begun = await root.data("auth:beginSecondFactor", {})
    assert begun["uri"].startswith("otpauth://totp/")
    assert b"<svg" in base64.b64decode(begun["picture"].partition(",")[2])
    assert await sign_in(root) == (200, None), "nothing changes before a code was seen"
    assert (await root.call("auth:confirmSecondFactor", {"code": "000000"})).status_code == 401
    secret, codes = await enrol(root)
    assert len(set(codes)) == 10
    assert await root.data("auth:secondFactor") == {"enabled": True, "recoveryCodes": 10}
    assert await sign_in(root) == (401, "SECOND_FACTOR_REQUIRED")
    assert await sign_in(root, code="000000") == (401, "SECOND_FACTOR_WRONG")
    assert await sign_in(root, password="wrong", code=code_of(secret, 1)) == (401, "SIGN_IN_FAILED")
    assert await sign_in(root, code=code_of(secret, 1)) == (200, None)
    assert (await root.call("auth:beginSecondFactor", {})).status_code == 400


async def test_a_code_is_good_once(root: Api) -> None:
    secret, codes = await enrol(root)
    code = code_of(secret, 1)
    answers = await asyncio.gather(*(sign_in(root, code=code) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [200, 401, 401]
    assert await sign_in(root, code=code_of(secret)) == (401, "SECOND_FACTOR_WRONG"), "an older one"
    answers = await asyncio.gather(*(sign_in(root, code=codes[0].upper()) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [200, 401, 401]
    assert (await root.data("auth:secondFactor"))["recoveryCodes"] == 9


async def test_codes_cannot_be_guessed(root: Api) -> None:
    await enrol(root)
    answers = [(await sign_in(root, code=f"00000{n % 10}"))[0] for n in range(11)]
    assert answers == [401] * 10 + [429]


async def test_it_is_removed_and_renewed_with_a_code_only(root: Api) -> None:
    secret, codes = await enrol(root)
    assert (await root.call("auth:removeSecondFactor", {})).status_code == 401
    assert (await root.call("auth:renewRecoveryCodes", {"code": "000000"})).status_code == 401
    renewed = (await root.data("auth:renewRecoveryCodes", {"code": codes[0]}))["recoveryCodes"]
    assert await sign_in(root, code=codes[1]) == (401, "SECOND_FACTOR_WRONG")
    assert (await root.call("auth:removeSecondFactor", {"code": renewed[0]})).json() == {}
    assert await sign_in(root) == (200, None)
    assert (await root.call("auth:removeSecondFactor", {"code": code_of(secret)})).status_code == 400


async def test_who_manages_users_helps_those_who_lost_it_but_not_root(root: Api) -> None:
    made = await root.data("users:create", {"username": "adm", "password": "adm-12345", "roles": ["admin"]})
    adm = await root.sign_in("adm", "adm-12345")
    await enrol(root)
    await enrol(adm)
    assert (await adm.call("users:removeSecondFactor", {}, filterByTk=1)).status_code == 403
    assert await root.data("users:removeSecondFactor", {}, filterByTk=made["id"]) == 1
    assert (await root.call("users:removeSecondFactor", {})).status_code == 400
    assert (await adm.data("auth:secondFactor"))["enabled"] is False
    assert await sign_in(root) == (401, "SECOND_FACTOR_REQUIRED")


async def test_what_is_kept_opens_nothing(app: Application, database: Database, root: Api) -> None:
    secret, codes = await enrol(root)
    kept = ""
    for name in ("secondFactors", "recoveryCodes"):
        kept += str((await database.run(app.collections.system[name].table.select())).rows)
    assert secret not in kept
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)
    await root.data("users:create", {"username": "kim", "password": "kim-12345"})
    kim = await root.sign_in("kim", "kim-12345")
    await enrol(kim)
    [found] = await root.data("users:list", filter='{"username":"kim"}')
    await root.data("users:destroy", {}, filterByTk=found["id"])
    assert (await app.second_factors.of(found["id"]))["enabled"] is False
