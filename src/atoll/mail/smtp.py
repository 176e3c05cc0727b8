"""Mail over SMTP: one connection for each mail, as few are sent and servers close idle ones."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid, parseaddr
from typing import Literal

import aiosmtplib
from typing_extensions import override

from atoll.errors import MailRefused, MailUnavailable
from atoll.mail.base import Mail, MailSender

Security = Literal["starttls", "tls", "none"]
_SECONDS = 20.0
_PERMANENT = 500


class SmtpSender(MailSender):
    """Hands mails to a mail server.

    Args:
        sender: the address mails come from, `Name <address>` or only an address.
        security: "starttls" (asks for encryption and insists on it), "tls" from the first byte, or "none".
        user, password: sign in with these; neither for a server that asks nobody.
        context: certificates to believe; the system's when None.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        security: Security = "starttls",
        user: str | None = None,
        password: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port = host, port
        self._sender = sender
        self._security = security
        self._user, self._password = user, password
        self._context = context

    def __repr__(self) -> str:
        return f"<SmtpSender {self._host}:{self._port}>"

    @override
    async def send(self, mail: Mail) -> None:
        message = self._message(mail)
        try:
            _ = await aiosmtplib.send(
                message,
                sender=parseaddr(self._sender)[1],
                recipients=[mail.to],
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._security == "tls",
                start_tls=self._security == "starttls",
                tls_context=self._context,
                timeout=_SECONDS,
            )
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as error:
            raise self._refusal(error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise MailUnavailable(
                f"The mail server {self._host}:{self._port} cannot be used. Check SMTP_HOST, SMTP_PORT and "
                "SMTP_SECURITY, and try again",
                detail=str(error),
            ) from error

    def _refusal(
        self, error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException
    ) -> MailUnavailable | MailRefused:
        inner = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
        if inner.code < _PERMANENT:
            return MailUnavailable("The mail server takes no mail now. Try again later", detail=inner.message)
        if isinstance(inner, aiosmtplib.SMTPAuthenticationError):
            text = "The mail server refuses the sign-in. Check SMTP_USER and SMTP_PASSWORD"
        elif isinstance(inner, aiosmtplib.SMTPSenderRefused):
            text = "The mail server refuses the sender. Check MAIL_FROM"
        else:
            text = "The mail server refuses this mail. Check the address"
        return MailRefused(text, detail=f"{inner.code} {inner.message}")

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        try:
            message["From"], message["To"] = self._sender, mail.to
            message["Subject"] = mail.subject
        except (ValueError, IndexError) as error:
            raise MailRefused("The mail has a subject or an address that no mail can have") from error
        message["Date"] = formatdate(usegmt=True)
        message["Message-ID"] = make_msgid(domain=parseaddr(self._sender)[1].rpartition("@")[2] or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
        return message
