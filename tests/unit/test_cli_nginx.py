"""What `atoll nginx` prints, and what it refuses to print."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.cli.exits import CommandFailed
from atoll.cli.nginx import configuration


def test_each_instance_is_named() -> None:
    text = configuration(
        ["10.0.0.1:13000", "app-2.internal:13000", "[::1]:80"], 8080, "a.example *.b.example"
    )
    assert text.count("max_fails=1") == 3
    assert "server [::1]:80 max_fails" in text
    assert "listen 8080;" in text
    assert "server_name a.example *.b.example;" in text


def test_https() -> None:
    text = configuration(["h:1"], 443, "_", Path("/etc/a.pem"), Path("/etc/b c.pem"))
    assert "listen 443 ssl http2;" in text
    assert 'ssl_certificate_key "/etc/b c.pem";' in text


@pytest.mark.parametrize(
    "instance", ["host", "h:0", "h:70000", "h:1; }", "h:1\n", "http://h:1", "$h:1", "-h:1"]
)
def test_nothing_else_gets_into_the_text_as_an_address(instance: str) -> None:
    with pytest.raises(CommandFailed, match="no address"):
        configuration([instance], 80, "_")


def test_nothing_else_gets_into_the_text_as_a_name_or_file() -> None:
    for name, certificate, key in (
        ("a;b", None, None),
        ("_", Path('/a"b'), Path("/c")),
        ("_", Path("/$a"), Path("/c")),
        ("_", Path("/a"), None),
    ):
        with pytest.raises(CommandFailed):
            configuration(["h:1"], 80, name, certificate, key)
