"""App selection: precedence, decoding, and no second reading of a path that leads elsewhere (F51, F54)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proxy_kit import StaticRouter

from atoll.errors import AppNotFound, BadRequest
from atoll.gateway.decision import REMEMBERED_LENGTH, Switchboard
from atoll.gateway.resolver import Kind, Resolved, resolve, split_target
from atoll.supervisor.proxy_head import notable_of
from atoll.supervisor.proxy_trust import TrustedProxies
from atoll.supervisor.routing import Local, Unavailable


def chosen(target: str, host: str = "entry.test", **headers: str) -> Resolved:
    path, query, _ = split_target(target.encode())
    notable = notable_of(
        [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    )
    hosts = {"crm.example.com": "crm"}
    return resolve(path, query, notable, host.encode(), hosts.get)


@pytest.mark.parametrize(
    ("target", "headers", "app"),
    [
        ("/api/posts:list", {}, "main"),
        ("/api/posts:list", {"x_app": "crm"}, "crm"),
        ("/api/posts:list?__appName=shop", {"x_app": "crm"}, "shop"),
        ("/api/posts:list?a=1&__appName=shop&b=2", {}, "shop"),
        ("/api/posts:list?%5F%5FappName=shop", {}, "shop"),
        ("/api/__app/hr/posts:list?__appName=shop", {"x_app": "crm"}, "hr"),
        ("/files/hr/1.png?__appName=shop", {}, "hr"),
        ("/apps/hr/admin", {"x_app": "crm"}, "hr"),
        ("/apps/hr", {}, "hr"),
        ("/apps/", {}, "main"),
        ("/apps", {}, "main"),
        ("/apps/%68r/admin", {}, "hr"),
        ("/ws?__appName=shop", {}, "shop"),
        ("/api/posts:list", {"x_app": ""}, "main"),
        ("/api/posts:list?__appName=", {"x_app": "crm"}, "crm"),
    ],
)
def test_later_sources_override_earlier_ones(target: str, headers: dict[str, str], app: str) -> None:
    assert chosen(target, **headers).app == app


@pytest.mark.parametrize(
    ("target", "kind", "path"),
    [
        ("/api/__app/crm/posts:list?x=1", Kind.API, b"/api/posts:list"),
        ("/api/__app/crm", Kind.API, b"/api/"),
        ("/api/__app/crm/__app/shop/x", Kind.API, b"/api/__app/shop/x"),
        ("/api", Kind.PAGE, b"/api"),
        ("/API/x", Kind.PAGE, b"/API/x"),
        ("//api/x", Kind.PAGE, b"//api/x"),
        ("/x/../api/__app/crm/y", Kind.PAGE, b"/x/../api/__app/crm/y"),
        ("/api/__app/crm/a%2Fb/%20@/..//%C3%A9", Kind.API, b"/api/a%2Fb/%20@/..//%C3%A9"),
        ("/api/%5F%5Fapp/crm/x", Kind.API, b"/api/%5F%5Fapp/crm/x"),
        ("/ws", Kind.SOCKET, b"/ws"),
        ("/wsx", Kind.PAGE, b"/wsx"),
        ("/_ui/b1/assets/x.js", Kind.ASSET, b"/_ui/b1/assets/x.js"),
        ("/api/__health_check", Kind.HEALTH, b"/api/__health_check"),
        ("/api/__app/crm/__health_check", Kind.HEALTH, b"/api/__health_check"),
        ("/api/__ready", Kind.READY, b"/api/__ready"),
        ("/api/__identity?nonce=x", Kind.IDENTITY, b"/api/__identity"),
        ("/api/__app/crm/__identity", Kind.API, b"/api/__identity"),
        ("/files/crm/a.png", Kind.FILE, b"/files/crm/a.png"),
        ("/signin?redirect=/x", Kind.PAGE, b"/signin"),
    ],
)
def test_kind_and_path_as_the_app_sees_it(target: str, kind: Kind, path: bytes) -> None:
    found = chosen(target)
    assert (found.kind, found.path) == (kind, path)


@pytest.mark.parametrize(
    "target",
    [
        "/apps/../api/x",
        "/apps/%2e%2e/x",
        "/apps/crm%2f..%2fshop/x",
        "/apps/crm%00/x",
        "/apps//x",
        "/api/__app//x",
        "/api/__app/../x",
        "/api/__app/crm%2Fshop/x",
        "/api/__app/%25%36%33rm/x",
        "/api/x?__appName=../../etc",
        "/api/x?__appName=crm%0d%0aX-App:%20shop",
        "/api/__app/" + "a" * 64 + "/x",
        "/files/%2e%2e/x",
    ],
)
def test_what_cannot_be_a_name_is_no_app(target: str) -> None:
    with pytest.raises(AppNotFound):
        chosen(target)


@pytest.mark.parametrize(
    ("host", "app"),
    [
        ("crm.example.com", "crm"),
        ("entry.test", "main"),
        ("sub.crm.example.com", "main"),
        ("crm.example.com.evil.test", "main"),
        ("127.0.0.1", "main"),
        ("", "main"),
    ],
)
def test_custom_domain_by_exact_name_only(host: str, app: str) -> None:
    assert chosen("/admin", host=host).app == app


def test_anything_said_in_the_request_beats_the_host() -> None:
    assert chosen("/api/x", host="crm.example.com", x_app="shop").app == "shop"
    assert chosen("/apps/shop/", host="crm.example.com").app == "shop"


def test_environment_by_query_then_header() -> None:
    assert chosen("/api/x", x_environment="env_a").environment == "env_a"
    assert chosen("/api/x?__env=env_b", x_environment="env_a").environment == "env_b"
    assert chosen("/api/x").environment is None
    with pytest.raises(BadRequest):
        chosen("/api/x?__env=a/b")


def test_contradicting_choices_are_refused() -> None:
    with pytest.raises(BadRequest):
        chosen("/api/x?__appName=a&__appName=b")
    notable = notable_of([(b"x-app", b"crm"), (b"x-app", b"shop")])
    with pytest.raises(BadRequest):
        resolve(b"/api/x", b"", notable, b"", lambda host: None)
    assert chosen("/api/x?__appName=a&__appName=a").app == "a"


def test_base_path_of_pages() -> None:
    assert chosen("/apps/crm/admin").base == "/apps/crm"
    assert chosen("/admin", host="crm.example.com").base == ""


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        (b"/a?b", (b"/a", b"b", None)),
        (b"/a?", (b"/a", b"", None)),
        (b"http://h.test:1/a?b?c", (b"/a", b"b?c", b"h.test:1")),
        (b"HTTP://h.test", (b"/", b"", b"h.test")),
        (b"http://h.test?x=/", (b"/", b"x=/", b"h.test")),
        (b"*", (b"/", b"", None)),
    ],
)
def test_forms_of_the_request_target(target: bytes, parts: tuple[bytes, bytes, bytes | None]) -> None:
    assert split_target(target) == parts


@pytest.mark.parametrize("target", [b"host:443", b"x", b"ftp://h/x"])
def test_targets_that_name_nothing_here(target: bytes) -> None:
    with pytest.raises(BadRequest):
        split_target(target)


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_an_app_path_selects_its_first_segment_or_nothing(tail: str) -> None:
    """Whatever follows the name, no other app is chosen."""
    target = f"/api/__app/crm/{tail}".replace("?", "/")
    found = chosen(target)
    assert found.app == "crm"
    assert found.path == b"/api/" + target[len("/api/__app/crm/") :].encode()


def test_a_path_seen_before_is_decided_by_all_the_rest_of_the_request() -> None:
    """Only what the path itself says is remembered: not the host, the headers, the query, nor the route."""
    router = StaticRouter(hosts={"crm.example.com": "crm"})
    switchboard = Switchboard(router, TrustedProxies())

    def app(path: bytes, query: bytes = b"", host: bytes = b"entry.test", **headers: bytes) -> str:
        notable = {b"host": host, **{f"x-{name}".encode(): value for name, value in headers.items()}}
        return switchboard.decide(path, query, notable, b"", trusted=False).resolved.app

    for _ in range(2):
        assert app(b"/api/x") == "main"
        assert app(b"/api/x", host=b"crm.example.com") == "crm"
        assert app(b"/api/x", app=b"shop") == "shop"
        assert app(b"/api/x", b"__appName=shop") == "shop"
        assert app(b"/api/__app/blog/x", app=b"shop") == "blog"

    async def answers(scope: object, receive: object, send: object) -> None:
        raise NotImplementedError

    def route() -> object:
        return switchboard.decide(b"/api/__app/blog/x", b"", {b"host": b"h"}, b"", trusted=False).route

    assert isinstance(route(), Unavailable)
    router.routes["blog"] = Local(answers, "blog")
    assert isinstance(route(), Local)


@pytest.mark.parametrize("length", [REMEMBERED_LENGTH, REMEMBERED_LENGTH + 1])
def test_paths_of_any_length_are_decided_alike(length: int) -> None:
    switchboard = Switchboard(StaticRouter(), TrustedProxies())
    good = b"/api/__app/crm/".ljust(length, b"x")
    bad = b"/api/__app/c!m/".ljust(length, b"x")
    for _ in range(2):
        decided = switchboard.decide(good, b"", {b"host": b"h"}, b"", trusted=False)
        assert (decided.resolved.app, decided.resolved.path) == ("crm", good.replace(b"__app/crm/", b""))
        refused = switchboard.decide(bad, b"", {b"host": b"h"}, b"", trusted=False)
        assert isinstance(refused.route, Unavailable)
        assert isinstance(refused.route.error, AppNotFound)
