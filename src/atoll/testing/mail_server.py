"""A mail server for tests: takes mails over SMTP and keeps them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Condition
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

PATIENCE = 10.0


class MailServer:
    """What arrived. `answer` is the reply to each mail, such as `451 later`; None takes it."""

    def __init__(self) -> None:
        self.host, self.port = "127.0.0.1", 0
        self.answer: str | None = None
        self._mails: list[tuple[str, EmailMessage]] = []
        self._arrived = Condition()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Called by the server for each mail."""
        if self.answer is not None:
            return self.answer
        content = message_from_bytes(envelope.original_content, policy=default)
        with self._arrived:
            self._mails.append((envelope.rcpt_tos[0], content))
            self._arrived.notify_all()
        return "250 OK"

    @property
    def mails(self) -> list[tuple[str, EmailMessage]]:
        """Receiver and content of what arrived so far."""
        with self._arrived:
            return list(self._mails)

    def wait(self, count: int = 1) -> list[tuple[str, EmailMessage]]:
        """The mails once there are `count`; blocks, so call it in a thread. Raises TimeoutError."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._mails) >= count, PATIENCE):
                raise TimeoutError(f"{len(self._mails)} of {count} mails after {PATIENCE:g} s")
            return list(self._mails)


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


@contextmanager
def mail_server(
    *, tls: ssl.SSLContext | None = None, account: tuple[str, str] | None = None
) -> Iterator[MailServer]:
    """A server on a free port of this machine.

    Args:
        tls: offer STARTTLS with this certificate, and insist on it.
        account: the only user and password that may send.
    """
    server = MailServer()

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == account, handled=False)

    options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None}
    if account is not None:
        options |= {"authenticator": check, "auth_required": True, "auth_require_tls": tls is not None}
    server.port = _free_port()
    controller = Controller(server, hostname=server.host, port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
