"""Sending mail. `base.py` is the contract, one file per way of sending."""

from atoll.mail.base import Mail, MailSender
from atoll.mail.smtp import SmtpSender

__all__ = ["Mail", "MailSender", "SmtpSender"]
