"""An environment believes its Supervisor's access proxy about where people come from, and nobody else."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from proxy_kit import (
    Client,
    KeyProver,
    KeySigner,
    Running,
    StaticRouter,
    client,
    gateway,
    head,
    local_app,
)
from websockets.asyncio.client import connect

from atoll.supervisor.identity import KeyPair, proxy_proof
from atoll.supervisor.proxy_identity import PROOF_HEADER
from atoll.supervisor.proxy_trust import TrustedProxies
from atoll.supervisor.routing import Address, Forward, Identity, Local, Target
from atoll.supervisor.sealing import PairSealer, Sealer, SharedKeySealer, sealer
from atoll.testing.supervisor_scene import scene

pytestmark = pytest.mark.anyio
PROOF = PROOF_HEADER.decode().replace("-", "_")


@dataclass
class Pair:
    supervisor: Running
    environment: Running
    signer: KeySigner
    keys: KeyPair


@asynccontextmanager
async def pair(
    *, proves: bool = True, supervisor_trusts: Sequence[str] = (), environment_trusts: Sequence[str] = ()
) -> AsyncIterator[Pair]:
    """A Supervisor in front of an environment with the app crm, which answers what it sees."""
    mine, its = KeyPair.generate(), KeyPair.generate()
    signer = KeySigner("env_a", its, mine)
    here = StaticRouter({"crm": Local(local_app, "crm")})
    async with AsyncExitStack() as stack:
        environment = await stack.enter_async_context(
            gateway(here, signer=signer, trusted=environment_trusts)
        )
        address = Address("http", "127.0.0.1", environment.port)
        target = Target("env_a", address, Identity(its.public, signer.instance))
        router = StaticRouter({"crm": Forward("crm", (target,))})
        prover = KeyProver(mine) if proves else None
        supervisor = await stack.enter_async_context(
            gateway(router, prover=prover, trusted=supervisor_trusts)
        )
        yield Pair(supervisor, environment, signer, mine)


async def challenge(user: Client) -> str:
    return str((await user.get("/api/__identity?nonce=0123456789abcdef")).json["challenge"])


def proof(keys: KeyPair, text: str, environment: str = "env_a", instance: str = "env_a-1") -> str:
    return base64.b64encode(keys.sign(proxy_proof(text, environment, instance))).decode()


async def seen(user: Client, **headers: str) -> str:
    answer = await user.get("/api/x", X_App="crm", X_Forwarded_For="6.6.6.6", **headers)
    return str(answer.json["client"])


# --- through the Supervisor


async def test_the_address_of_a_visitor_passes_without_any_setting() -> None:
    async with pair(supervisor_trusts=["127.0.0.1"]) as both, client(both.supervisor) as user:
        for _ in range(3):
            answer = await user.get(
                "/api/x", X_App="crm", X_Forwarded_For="5.5.5.5, 7.7.7.7", X_Forwarded_Proto="https",
                X_Real_IP="5.5.5.5", X_Request_Id="given-1",
            )  # fmt: skip
            assert (answer.json["client"], answer.json["scheme"]) == ("7.7.7.7", "https")
            assert answer.header("x-request-id") == "given-1"
            assert PROOF_HEADER.decode() not in str(answer.json["headers"])
        assert len(both.signer.asked) == 1, "checked once per connection, not per request"


async def test_a_stranger_at_the_supervisor_cannot_lie_through_it() -> None:
    async with pair() as both, client(both.supervisor) as user:
        answer = await user.get(
            "/api/x", X_App="crm", X_Forwarded_For="6.6.6.6", X_Real_IP="6.6.6.6", X_Atoll_Proof="x"
        )
        assert answer.json["client"] == "127.0.0.1"


async def test_without_a_proof_nothing_is_believed() -> None:
    async with pair(proves=False, supervisor_trusts=["127.0.0.1"]) as both, client(both.supervisor) as user:
        assert await seen(user) == "127.0.0.1"


async def test_websocket_sees_the_visitor_too() -> None:
    async with pair(supervisor_trusts=["127.0.0.1"]) as both:
        url = f"ws://127.0.0.1:{both.supervisor.port}/ws?__appName=crm"
        async with connect(url, additional_headers={"X-Forwarded-For": "7.7.7.7"}) as socket:
            await socket.send("who")
            assert await socket.recv() == "/ws who from 7.7.7.7"


# --- at the environment's own door


async def test_a_right_proof_counts_on_its_connection_and_for_requests_that_bring_it() -> None:
    async with pair() as both:
        async with client(both.environment) as user:
            right = proof(both.keys, await challenge(user))
            assert await seen(user, **{PROOF: right}) == "6.6.6.6"
            assert await seen(user) == "127.0.0.1", "a balancer may send others' requests on this connection"
            assert await seen(user, **{PROOF: right}) == "6.6.6.6"
            assert len(both.signer.asked) == 1
        async with client(both.environment) as user:
            assert await seen(user, **{PROOF: right}) == "127.0.0.1", "heard on another connection"
            await challenge(user)
            assert await seen(user, **{PROOF: right}) == "127.0.0.1", "made for another challenge"


async def test_forged_proofs_are_ignored_and_a_challenge_is_good_for_one_try() -> None:
    async with pair() as both:
        forgeries: list[Callable[[str], str]] = [
            lambda text: proof(KeyPair.generate(), text),
            lambda text: proof(both.keys, text, environment="env_b"),
            lambda text: proof(both.keys, text, instance="env_a-2"),
            lambda text: "not base64!",
            lambda text: "A" * 300,
        ]
        for wrong in forgeries:
            async with client(both.environment) as user:
                text = await challenge(user)
                assert await seen(user, **{PROOF: wrong(text)}) == "127.0.0.1"
                checked = len(both.signer.asked)
                assert await seen(user, **{PROOF: proof(both.keys, text)}) == "127.0.0.1"
                assert len(both.signer.asked) == checked
                again = proof(both.keys, await challenge(user))
                assert await seen(user, **{PROOF: again}) == "6.6.6.6"


async def test_a_new_challenge_ends_what_was_proven_before() -> None:
    async with pair() as both, client(both.environment) as user:
        right = proof(both.keys, await challenge(user))
        assert await seen(user, **{PROOF: right}) == "6.6.6.6"
        await challenge(user)
        assert await seen(user, **{PROOF: right}) == "127.0.0.1"


async def test_listed_proxies_are_not_believed_about_x_real_ip() -> None:
    async with pair(environment_trusts=["127.0.0.1"]) as both, client(both.environment) as user:
        answer = await user.get("/api/x", X_App="crm", X_Real_IP="6.6.6.6", X_Forwarded_For="7.7.7.7")
        assert answer.json["client"] == "7.7.7.7"


async def test_two_requests_at_once_cannot_mix_proofs() -> None:
    """The first request of a pipeline brings the proof, the second none."""
    async with pair() as both, client(both.environment) as user:
        right = proof(both.keys, await challenge(user))
        said = {"X_App": "crm", "X_Forwarded_For": "6.6.6.6"}
        await user.send(head("GET", "/api/1", **said, **{PROOF: right}) + head("GET", "/api/2", **said))
        answers = [await user.answer() for _ in range(2)]
        assert [answer.json["client"] for answer in answers] == ["6.6.6.6", "127.0.0.1"]


# --- what the proof is made of


@pytest.mark.parametrize("scheme", ["pair", "shared"])
def test_attestations_belong_to_one_purpose_and_one_sender(scheme: str) -> None:
    mine, other = KeyPair.generate(), KeyPair.generate()

    def made(keys: KeyPair, key: bytes) -> Sealer:
        return PairSealer(keys) if scheme == "pair" else SharedKeySealer(keys, key)

    me, friend, stranger = made(mine, b"k" * 32), made(other, b"k" * 32), made(other, b"o" * 32)
    signature = me.attest("proxy", b"data")
    assert friend.attests(mine.public, "proxy", b"data", signature)
    assert not friend.attests(mine.public, "proxy", b"other", signature)
    assert not friend.attests(mine.public, "card", b"data", signature)
    assert not friend.attests(mine.public, "proxy", b"data", stranger.attest("proxy", b"data"))


def test_the_right_most_stranger_is_the_client_and_a_proven_peer_may_name_it() -> None:
    trusted = TrustedProxies(["10.0.0.0/8"])
    said = [(b"x-forwarded-for", b"1.1.1.1, 2.2.2.2, 10.0.0.9"), (b"x-real-ip", b"3.3.3.3")]
    assert trusted.client("10.0.0.1", said) == "2.2.2.2"
    assert trusted.client("9.9.9.9", said) == "9.9.9.9"
    assert trusted.client("9.9.9.9", said, proven=True) == "3.3.3.3"
    assert trusted.client("9.9.9.9", said[:1], proven=True) == "2.2.2.2"


@pytest.mark.parametrize("shared_key", [None, b"s" * 32], ids=["key-pairs", "shared-key"])
async def test_an_environment_believes_the_supervisor_it_obeys(
    tmp_path: Path, shared_key: bytes | None
) -> None:
    async with scene(tmp_path, "env_a", shared_key=shared_key) as s:
        environment = s.environments["env_a"]
        early = s.supervisor.prove(b"data")
        assert environment.believes(b"data", early) is (shared_key is not None), (
            "no instruction was given yet"
        )
        await s.running_app("env_a")
        assert environment.believes(b"data", s.supervisor.prove(b"data"))
        assert not environment.believes(b"other", s.supervisor.prove(b"data"))
        stranger = sealer(KeyPair.generate(), shared_key and b"o" * 32)
        assert not environment.believes(b"data", stranger.attest("proxy", b"data"))
