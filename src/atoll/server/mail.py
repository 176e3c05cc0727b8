"""The server's way to send mail."""

from __future__ import annotations

from atoll.mail import MailSender, SmtpSender
from atoll.settings import Settings


def mail_sender(settings: Settings) -> MailSender | None:
    """The mail server of the settings; None when there is none."""
    if settings.smtp_host is None:
        return None
    return SmtpSender(
        settings.smtp_host,
        settings.smtp_port,
        sender=settings.mail_from or "",
        security=settings.smtp_security,
        user=settings.smtp_user,
        password=settings.smtp_password,
    )
