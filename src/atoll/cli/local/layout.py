"""Who runs where in a local installation: names, ports, folders, and the variables of each process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
# What the layout decides itself. A value the caller has for another deployment must not reach the children.
DECIDED = (
    "APP_MODE",
    "APP_DISCOVERY_ADAPTER",
    "APP_PROCESS_ADAPTER",
    "APP_COMMAND_ADAPTER",
    "APP_COMMAND_ADPATER",
    "APP_HOST",
    "APP_PORT",
    "APP_KEY",
    "STORAGE_PATH",
    "CLUSTER_MODE",
    "WORKER_MODE",
    "LOCK_ADAPTER_DEFAULT",
    "CACHE_DEFAULT_STORE",
    "REDIS_NAMESPACE",
    "USE_DB_SCHEMA_IN_SUBAPP",
)
DECIDED_PREFIXES = (
    "DB_",
    "ENVIRONMENT_NAME",
    "ENVIRONMENT_URL",
    "ENVIRONMENT_PROXY_URL",
    "INIT_ROOT_",
    "QUEUE_",
)


@dataclass(frozen=True)
class Server:
    """One Atoll process.

    Args:
        name: "supervisor" or the environment's name.
        url: where people and the proxy reach it, without a slash at the end.
        variables: its whole environment.
    """

    name: str
    url: str
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """The processes of one installation."""

    supervisor: Server
    environments: tuple[Server, ...]

    @property
    def servers(self) -> tuple[Server, ...]:
        """All Atoll processes, the Supervisor first."""
        return (self.supervisor, *self.environments)


def environment_names(count: int) -> list[str]:
    """env_a, env_b, ... env_z, env_aa, ..."""
    names = []
    for number in range(1, count + 1):
        letters = ""
        rest = number
        while rest:
            rest, digit = divmod(rest - 1, 26)
            letters = chr(ord("a") + digit) + letters
        names.append(f"env_{letters}")
    return names


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what the layout decides."""
    return {
        name: value
        for name, value in environ.items()
        if name not in DECIDED and not name.startswith(DECIDED_PREFIXES) and not name.endswith("REDIS_URL")
    }


def plan(
    *,
    storage: Path,
    host: str,
    ports: list[int],
    redis_url: str,
    account: Mapping[str, str],
    environ: Mapping[str, str],
    processes: int = 1,
) -> Layout:
    """The variables of the reference deployment, for processes on this machine.

    All SQLite files lie in one folder: an app placed in several environments is the same file for each.
    No app can be called like the files of the main apps, because of their hyphen.

    Args:
        ports: the Supervisor's, then one for each environment.
        account: the INIT_ROOT_* variables.
        environ: the caller's environment.
        processes: how many serve each environment.
    """
    common = inherited(environ)
    common.setdefault("LOGGER_FORMAT", "console")
    common |= {
        # The children get everything from here; a .env file of the caller has been read already.
        "APP_ENV_PATH": os.devnull,
        "APP_DISCOVERY_ADAPTER": "remote",
        "APP_COMMAND_ADAPTER": "redis",
        "APP_SUPERVISOR_REDIS_URL": redis_url,
        "APP_COMMAND_REDIS_URL": redis_url,
        "APP_HOST": host,
        "DB_DIALECT": "sqlite",
        **account,
    }

    def server(name: str, port: int, **variables: str) -> Server:
        url = f"http://{address(host)}:{port}"
        own = {
            "APP_PORT": str(port),
            "STORAGE_PATH": str(storage / name),
            "DB_STORAGE": str(storage / "db" / f"main-{name}.sqlite"),
        }
        return Server(name, url, common | own | variables)

    supervisor = server("supervisor", ports[0], APP_MODE="supervisor", APP_PROCESS_ADAPTER="remote")
    workers = []
    reached = address(host)
    for name, port in zip(environment_names(len(ports) - 1), ports[1:], strict=True):
        url = f"http://{reached}:{port}"
        workers.append(
            server(
                name,
                port,
                APP_MODE="worker",
                APP_PROCESS_ADAPTER="local",
                CLUSTER_MODE=str(processes),
                ENVIRONMENT_NAME=name,
                ENVIRONMENT_URL=url,
                ENVIRONMENT_PROXY_URL=url,
            )
        )
    return Layout(supervisor, tuple(workers))


def address(host: str) -> str:
    """The host as it is written in a URL; a wildcard is reached on loopback."""
    return WILDCARDS.get(host, f"[{host}]" if ":" in host else host)
