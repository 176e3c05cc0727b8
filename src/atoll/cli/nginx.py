"""`atoll nginx`: a configuration for nginx in front of several instances."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from atoll.cli.exits import CommandFailed, ExitCode

ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):([1-9]\d{0,4})")
NAME = re.compile(r"[A-Za-z0-9*_.-]+")
UPSTREAM = """\
# Made by `atoll nginx`. For a file in /etc/nginx/conf.d/, or any other that is included in `http { }`.
# Set TRUSTED_PROXIES on all instances to the address from which this nginx reaches them: only then do they
# believe who the client is.

upstream atoll {
    least_conn;
    # An instance that refuses or breaks a connection gets nothing for two seconds.
%(servers)s
    keepalive 64;
}

# WebSockets are upgraded; everything else keeps its connection to the instance.
map $http_upgrade $atoll_connection {
    default upgrade;
    ''      '';
}
"""
SERVER = """
server {
%(listen)s
    server_name %(name)s;

    # Atoll refuses what is too large itself, in words that clients understand.
    client_max_body_size 0;
    large_client_header_buffers 4 64k;

    location / {
        proxy_pass http://atoll;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $atoll_connection;
        # What a client says about itself is replaced, not added to.
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Request-Id $request_id;

        # Bodies pass as they come, in both directions: event streams, downloads, uploads.
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_connect_timeout 2s;
        # WebSockets and event streams say something at least every minute.
        proxy_read_timeout 180s;
        proxy_send_timeout 180s;

        # Only what may be repeated is: reading, and what no instance has begun to take.
        proxy_next_upstream error timeout invalid_header;
        proxy_next_upstream_tries 3;
        proxy_next_upstream_timeout 10s;
    }
}
"""


def nginx(
    instances: Annotated[
        list[str], typer.Argument(help="Where the instances listen, as 10.0.0.1:13000; at least one.")
    ],
    listen: Annotated[int, typer.Option("--listen", min=1, max=65535, help="Port of nginx.")] = 80,
    name: Annotated[str, typer.Option("--name", help="Host names it answers for, space separated.")] = "_",
    certificate: Annotated[
        Path | None, typer.Option("--certificate", help="File with the certificates, for HTTPS.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="File with the private key, for HTTPS.")] = None,
) -> None:
    """Print a configuration for nginx in front of several instances of one server.

    It balances, leaves out instances that fail, and passes WebSockets, streams and the client's address on.
    """
    sys.stdout.write(configuration(instances, listen, name, certificate, key))


def configuration(
    instances: list[str], listen: int, name: str, certificate: Path | None = None, key: Path | None = None
) -> str:
    """The text. Raises CommandFailed for what cannot stand in it."""
    for instance in instances:
        match = ADDRESS.fullmatch(instance)
        if match is None or int(match[3]) > 65535:
            raise CommandFailed(ExitCode.USAGE, f"{instance!r} is no address like 10.0.0.1:13000")
    for each in name.split():
        if not NAME.fullmatch(each):
            raise CommandFailed(ExitCode.USAGE, f"{each!r} is no host name")
    if (certificate is None) != (key is None):
        raise CommandFailed(ExitCode.USAGE, "--certificate and --key belong together")
    kind = " ssl http2" if certificate is not None else ""
    lines = [f"    listen {listen}{kind};", f"    listen [::]:{listen}{kind};"]
    for directive, file in (("ssl_certificate", certificate), ("ssl_certificate_key", key)):
        if file is not None:
            lines.append(f"    {directive} {_quoted(file.absolute())};")
    servers = "\n".join(f"    server {instance} max_fails=1 fail_timeout=2s;" for instance in instances)
    return UPSTREAM % {"servers": servers} + SERVER % {"listen": "\n".join(lines), "name": name}


def _quoted(path: Path) -> str:
    text = str(path)
    if re.search(r'["$\\\n]', text):
        raise CommandFailed(ExitCode.USAGE, f"{text!r} cannot stand in a configuration of nginx")
    return f'"{text}"'
