"""The contract of a mail sender.

Promised
    When `send` returns, somebody has taken the mail over who is responsible for it from now on. Calls may
    come at once from several tasks; each stands for itself. A mail goes out with the subject and texts as
    given, in UTF-8; nothing in an address or a subject can add a header.

Not promised
    That the mail arrives, or when. That a mail goes out once only: after `MailUnavailable` it may have been
    taken over although the answer was lost.

Errors
    `MailUnavailable`: not now (no connection, no answer in time, a temporary refusal); trying again later may
    help. `MailRefused`: not this way (the address, the sender, the sign-in); trying again does not help.
    Neither text holds the mail's content or a password.

Life
    Nothing is opened before the first `send`, nothing stays open after it. There is no start and no stop.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person.

    Args:
        to: an address like `kim@example.com`.
        text: the plain text; every mail has one.
        html: the same for those who read HTML.
    """

    to: str
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


class MailSender(ABC):
    """Sends mails."""

    @abstractmethod
    async def send(self, mail: Mail) -> None:
        """Hands a mail over; see the module for what that means and for the errors."""
