"""Heads on their way through the proxy: what passes, what does not, byte for byte."""

from __future__ import annotations

import pytest
from proxy_kit import Answer, Request, StaticRouter, client, forward, gateway, head, upstream

pytestmark = pytest.mark.anyio
PEER = "127.0.0.1"


async def seen(raw: str, *, trusted: tuple[str, ...] = (), app: str = "crm") -> Request:
    """The request as it arrives at the upstream."""
    async with upstream() as env, gateway(StaticRouter(forward(app, env)), trusted=trusted) as running:
        async with client(running) as user:
            answer = await user.ask(raw, "GET")
            assert answer.status == 200, answer
        return env.requests[0]


async def answered(*lines: str, status: str = "200 OK", app: str = "crm") -> Answer:
    """The answer as it arrives at the client."""

    async def handler(request: Request) -> None:
        await request.answer(b"x", status, lines)

    async with (
        upstream(handler) as env,
        gateway(StaticRouter(forward(app, env))) as running,
        client(running) as user,
    ):
        return await user.get(f"/api/__app/{app}/x")


@pytest.mark.parametrize(
    "target",
    [
        "/api/__app/crm/a%2Fb",
        "/api/__app/crm/a%20b@c",
        "/api/__app/crm//x",
        "/api/__app/crm/../shop/x",
        "/api/__app/crm/%2e%2e/x",
        "/api/__app/crm/%C3%A9",
        "/api/__app/crm/x?",
        "/api/__app/crm/x?a=%20+&b[]=1&c==&&#",
        "/api/__app/crm/x?a?b",
        "/api/__app/crm/;p=1",
        "/apps/crm/admin/%7Bx%7D",
        "/files/crm/%E4%B8%AD.png?download=1",
    ],
)
async def test_path_and_query_arrive_byte_for_byte(target: str) -> None:
    """F51."""
    request = await seen(head("GET", target))
    assert request.target == target.encode("latin-1")
    assert request.values("x-app") == ["crm"]


async def test_the_trace_of_a_client_goes_on_to_the_app() -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    request = await seen(head("GET", "/api/__app/crm/x", traceparent=trace, tracestate="a=b"))
    assert request.values("traceparent") == [trace]
    assert request.values("tracestate") == ["a=b"]


async def test_prefix_is_announced_for_pages_below_apps() -> None:
    assert (await seen(head("GET", "/apps/crm/admin"))).header("x-forwarded-prefix") == "/apps/crm"
    assert (await seen(head("GET", "/api/x", X_App="crm"))).header("x-forwarded-prefix") is None


async def test_forged_forwarding_headers_of_strangers_are_dropped() -> None:
    """F52: plain, underscored, doubled, and under other names."""
    request = await seen(
        "GET /api/x HTTP/1.1\r\nHost: entry.test\r\nX-App: crm\r\nX_App: shop\r\nX-Forwarded-For: 6.6.6.6\r\n"
        "X-Forwarded-For: 7.7.7.7\r\nX_Forwarded_For: 8.8.8.8\r\nX-Forwarded-Host: evil\r\n"
        "X-Forwarded-Proto: https\r\n"
        "X-Forwarded-Prefix: /evil\r\nX-Forwarded-Port: 1\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n"
        "X-Request-Id: mine\r\nX-Hostname: evil\r\nX-Original-URL: /admin\r\nX-Atoll-Anything: 1\r\n"
        "X-Environment: env_a\r\n\r\n"
    )
    assert request.values("x-forwarded-for") == [PEER]
    assert request.values("x-forwarded-host") == ["entry.test"]
    assert request.values("x-forwarded-proto") == ["http"]
    assert request.values("x-app") == ["crm"]
    assert request.header("x-request-id") != "mine"
    names = {name for name, _ in request.headers}
    assert names == {
        "host", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-app", "x-request-id"
    }  # fmt: skip
    assert b"6.6.6.6" not in request.raw


async def test_what_a_trusted_proxy_says_is_kept_and_extended() -> None:
    request = await seen(
        head("GET", "/api/x", X_App="crm", X_Forwarded_For="6.6.6.6, 9.9.9.9", X_Forwarded_Host="shown.test",
             X_Forwarded_Proto="https", X_Request_Id="abc-1"),
        trusted=("127.0.0.0/8",),
    )  # fmt: skip
    assert request.values("x-forwarded-for") == [f"6.6.6.6, 9.9.9.9, {PEER}"]
    assert request.header("x-forwarded-host") == "shown.test"
    assert request.header("x-forwarded-proto") == "https"
    assert request.header("x-request-id") == "abc-1"


async def test_hop_by_hop_and_listed_names_do_not_pass_to_the_upstream() -> None:
    """F53."""
    request = await seen(
        head("GET", "/api/x", X_App="crm",
             Connection="keep-alive, X-Secret, X-Forwarded-For, X-App, Host, Cookie",
             Keep_Alive="timeout=5", Proxy_Authorization="Basic x", Proxy_Connection="x", TE="trailers",
             Trailer="X-T", X_Secret="1", X_Kept="2", Cookie="a=b")
    )  # fmt: skip
    names = [name for name, _ in request.headers]
    for name in (
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "x-secret",
    ):
        assert name not in names
    assert request.header("x-kept") == "2"
    assert request.header("cookie") == "a=b"
    assert request.values("x-forwarded-for") == [PEER]
    assert request.values("x-app") == ["crm"]
    assert request.header("host") == "entry.test"


async def test_hop_by_hop_and_listed_names_do_not_pass_to_the_client() -> None:
    answer = await answered(
        "Connection: X-Inner, keep-alive", "X-Inner: 1", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic",
        "Upgrade: h2c", "X-Request-Id: theirs", "X-Outer: 2", "Set-Cookie: a=b", "Set-Cookie: c=d",
    )  # fmt: skip
    for name in ("x-inner", "keep-alive", "proxy-authenticate", "upgrade", "connection"):
        assert answer.header(name) is None, name
    assert answer.header("x-outer") == "2"
    assert answer.values("set-cookie") == ["a=b", "c=d"]
    assert len(answer.values("x-request-id")) == 1
    assert answer.header("x-request-id") != "theirs"


async def test_unusual_status_and_reason_pass() -> None:
    answer = await answered(status="299 Quite Fine")
    assert (answer.status, answer.reason) == (299, "Quite Fine")
    answer = await answered(status="404 Nowhere")
    assert (answer.status, answer.reason) == (404, "Nowhere")


async def test_cookies_of_other_apps_stay_away() -> None:
    """F55, by name: an app gets and sets its own cookies only."""
    request = await seen(
        head("GET", "/api/x", X_App="crm",
             Cookie="plain=1; nb_role_crm=a; nb_role_shop=b; nb_auth_token_main=c; "
                    "atoll_env_crm=env_a; atoll_env_x=y")
    )  # fmt: skip
    assert request.header("cookie") == "plain=1; nb_role_crm=a"
    answer = await answered("Set-Cookie: nb_auth_token_shop=evil; Path=/", "Set-Cookie: atoll_env_crm=evil",
                            "Set-Cookie:  nb_role_shop = evil; Domain=.entry.test; Path=/",
                            "Set-Cookie: nb_auth_token_crm=good; Path=/")  # fmt: skip
    assert answer.values("set-cookie") == ["nb_auth_token_crm=good; Path=/"]


async def test_two_hosts_or_none_are_refused() -> None:
    async with gateway(StaticRouter()) as running:
        for raw in (
            "GET /api/x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET /api/x HTTP/1.1\r\nX: y\r\n\r\n",
            "GET /api/x HTTP/1.1\r\nHost: a\r\nX-App: a\r\nX-App: b\r\n\r\n",
        ):
            async with client(running) as user:
                answer = await user.ask(raw)
                assert (answer.status, answer.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "raw",
    [
        "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na",
        "GET /x HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x y HTTP/1.1\r\nHost: a\r\n\r\n",
        "\x16\x03\x01\x00\xa5",
        "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /api/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_ambiguous_or_broken_requests_are_refused_and_closed(raw: str) -> None:
    async with (
        upstream() as env,
        gateway(StaticRouter(forward("main", env))) as running,
        client(running) as user,
    ):
        answer = await user.ask(raw, "POST")
        assert answer.status == 400
        assert answer.header("connection") == "close"
        assert await user.closed() == b""
        assert env.requests == []
