"""The access proxy beside nginx, Traefik and Caddy: one upstream, one run, one load.

The upstream is nginx with a fixed answer of 1 KB; each proxy runs with one worker process as it comes, keeps
connections to the upstream, and is loaded by wrk with 32 connections. Rounds take turns, so that a busy
moment of the machine hits all alike. `python -m benchmarks.bench_proxy` prints a table and JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import socket
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import uvloop

from atoll.gateway.asgi import Gateway
from atoll.gateway.decision import Switchboard
from atoll.gateway.edge import Edge, EdgeLimits
from atoll.gateway.readiness import Readiness
from atoll.gateway.server import HttpServer
from atoll.supervisor.access_proxy import AccessProxy
from atoll.supervisor.identity import KeyPair
from atoll.supervisor.proxy_identity import Prover, Signer, identity_answer, new_nonce
from atoll.supervisor.proxy_limits import AppLoad, ProxyLimits
from atoll.supervisor.proxy_trust import TrustedProxies
from atoll.supervisor.routing import Address, Forward, Identity, Route, Router, Target
from benchmarks.measure import Result, load, rate

GROUP = "Access proxy"
CONNECTIONS = 32
PATH = "/api/__app/crm/posts:list?page=1"
BODY = json.dumps({"data": ["x" * 64] * 15})
BUDGETS = {"nginx": 0.5, "Traefik": 1.2, "Caddy": 1.2}


async def run(folder: Path, *, rounds: int, seconds: float) -> list[Result]:
    """Measures all; a peer that is not installed is left out with a message."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything is measured
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(_upstream(folder))
        ports: dict[str, int] = {"upstream alone": upstream}
        ports["Atoll"] = await stack.enter_async_context(_atoll(folder, upstream))
        for name, start in (("nginx", _nginx), ("Traefik", _traefik), ("Caddy", _caddy)):
            program = _program(name.lower())
            if program is None:
                print(f"  {name} is not installed and is left out", file=sys.stderr)
            else:
                ports[name] = await stack.enter_async_context(start(program, folder, upstream))
        samples: dict[str, list[float]] = {name: [] for name in ports}
        for _ in range(rounds + 1):  # the first round warms up
            for name, port in ports.items():
                url = f"http://127.0.0.1:{port}{PATH}"
                samples[name].append(await load(url, seconds=seconds, connections=CONNECTIONS))
    results = {name: rate(GROUP, name, values[1:]) for name, values in samples.items()}
    return [*results.values(), *_ratios(results)]


def _ratios(results: dict[str, Result]) -> list[Result]:
    ours = results["Atoll"]
    lines = []
    for name, least in BUDGETS.items():
        if name in results:
            value = ours.value / results[name].value
            lines.append(
                Result(
                    GROUP,
                    f"Atoll beside {name}",
                    value,
                    "×",
                    budget=f"≥ {least:g} ×",
                    kept=value >= least,
                    beside=name,
                )
            )
    return lines


# --- the parties


@asynccontextmanager
async def _upstream(folder: Path) -> AsyncIterator[int]:
    """nginx with a fixed answer; the identity is answered by a small server behind it."""
    program = _program("nginx")
    if program is None:
        raise RuntimeError("nginx is not on the PATH; install the package nginx")
    port = _free_port()
    keys = KeyPair.generate()
    (folder / "public-key").write_text(keys.public)
    async with _identity(_Keys(keys)) as identity:
        locations = f"""
            location = /api/__identity {{ proxy_pass http://127.0.0.1:{identity}; }}
            location / {{ default_type application/json; return 200 '{BODY}'; }}"""
        async with _nginx_process(program, folder / "upstream", port, "", locations):
            yield port


@asynccontextmanager
async def _atoll(folder: Path, upstream: int) -> AsyncIterator[int]:
    port = _free_port()
    key = (folder / "public-key").read_text()
    command = [
        sys.executable,
        "-m",
        "benchmarks.bench_proxy",
        "--serve",
        str(port),
        "--upstream",
        str(upstream),
    ]
    async with _process([*command, "--key", key], port):
        yield port


@asynccontextmanager
async def _nginx(program: str, folder: Path, upstream: int) -> AsyncIterator[int]:
    port = _free_port()
    pool = f"upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; }}"
    location = """
            location / {
              proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection "";
              proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
              proxy_set_header X-Forwarded-Proto $scheme;
            }"""
    async with _nginx_process(program, folder / "nginx", port, pool, location):
        yield port


@asynccontextmanager
async def _nginx_process(
    program: str, folder: Path, port: int, pool: str, locations: str
) -> AsyncIterator[None]:
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - before anything is measured
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; keepalive_requests 100000000; {paths} {pool}
          server {{ listen 127.0.0.1:{port} backlog=2048; {locations} }}
        }}"""
    )
    async with _process([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], port):
        yield


@asynccontextmanager
async def _traefik(program: str, folder: Path, upstream: int) -> AsyncIterator[int]:
    port = _free_port()
    routes = folder / "traefik.yml"  # JSON is YAML
    routes.write_text(
        json.dumps(
            {
                "http": {
                    "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "up", "entryPoints": ["web"]}},
                    "services": {
                        "up": {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{upstream}"}]}}
                    },
                }
            }
        )
    )
    command = [
        program,
        f"--entrypoints.web.address=127.0.0.1:{port}",
        f"--providers.file.filename={routes}",
        "--log.level=ERROR",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]
    async with _process(command, port):
        yield port


@asynccontextmanager
async def _caddy(program: str, folder: Path, upstream: int) -> AsyncIterator[int]:
    port = _free_port()
    file = folder / "caddy.json"
    handler = {"handler": "reverse_proxy", "upstreams": [{"dial": f"127.0.0.1:{upstream}"}]}
    file.write_text(
        json.dumps(
            {
                "admin": {"disabled": True},
                "logging": {"logs": {"default": {"level": "ERROR"}}},
                "apps": {
                    "http": {
                        "servers": {
                            "web": {
                                "listen": [f"127.0.0.1:{port}"],
                                "automatic_https": {"disable": True},
                                "routes": [{"handle": [handler]}],
                            }
                        }
                    }
                },
            }
        )
    )
    async with _process([program, "run", "--config", str(file)], port):
        yield port


# --- processes


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def _process(command: list[str], port: int) -> AsyncIterator[None]:
    """Runs a program until it answers on its port, and ends it afterwards."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(20), httpx.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"http://127.0.0.1:{port}{PATH}")).status_code == 200:
                        break
                if process.returncode is not None:
                    raise RuntimeError(f"{command[0]} ended with {process.returncode}")
                await asyncio.sleep(0.05)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


class _Keys(Signer):
    environment = "env_a"
    instance = "env_a-1"

    def __init__(self, keys: KeyPair) -> None:
        self._keys = keys

    def sign(self, data: bytes) -> bytes:
        return self._keys.sign(data)

    def believes(self, data: bytes, proof: bytes) -> bool:
        return False  # nginx answers without a look at it


class _Prover(Prover):
    def __init__(self, keys: KeyPair) -> None:
        self._keys = keys

    def prove(self, data: bytes) -> bytes:
        return self._keys.sign(data)


@asynccontextmanager
async def _identity(signer: Signer) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        nonce = head.split(b" ")[1].rpartition(b"nonce=")[2].decode()
        body = json.dumps(identity_answer(signer, nonce, new_nonce())).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


# --- Atoll's side, in a process of its own


class _OneRoute(Router):
    def __init__(self, target: Target) -> None:
        self._forward = Forward("crm", (target,))

    def route(self, app: str, environment: str | None) -> Route:
        return self._forward

    def app_by_host(self, host: str) -> str | None:
        return None

    def report(self, target: Target, failure: Exception | None) -> None:
        pass


async def _serve(port: int, upstream: int, key: str) -> None:
    router = _OneRoute(Target("env_a", Address("http", "127.0.0.1", upstream), Identity(key, "env_a-1")))
    switchboard = Switchboard(router, TrustedProxies())
    limits = ProxyLimits()
    load_of_apps = AppLoad(limits.per_app)
    readiness = Readiness({})
    proxy = AccessProxy(router, limits, load_of_apps, _Prover(KeyPair.generate()))
    server = HttpServer(
        host="127.0.0.1",
        port=port,
        edge=Edge(switchboard, proxy, EdgeLimits()),
        gateway=Gateway(switchboard, load=load_of_apps, readiness=readiness),
        readiness=readiness,
    )
    await server.start()
    await asyncio.Event().wait()


def main() -> None:
    """Measures and prints; with --serve, is the process that is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--upstream", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--key", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    loop: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop) as runner:
        if chosen.serve:
            runner.run(_serve(chosen.serve, chosen.upstream, chosen.key))
            return
        with tempfile.TemporaryDirectory(prefix="atoll-bench-") as folder:
            results = runner.run(run(Path(folder), rounds=chosen.rounds, seconds=chosen.seconds))
    for result in results:
        verdict = {True: "kept", False: "MISSED", None: ""}[result.kept]
        print(f"{result.name:24} {result.value:10,.2f} {result.unit:12} {result.budget:10} {verdict}")
    print(json.dumps([result.as_json() for result in results], indent=2))


if __name__ == "__main__":
    main()
