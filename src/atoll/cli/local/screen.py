"""What `atoll up` shows: prefixed lines of its processes, progress, and the panel with the address."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.console import Console
from rich.panel import Panel
from rich.status import Status
from rich.text import Text

COLOURS = ("cyan", "green", "magenta", "blue", "yellow")
OWN = "atoll"


class Screen:
    """Writes to the terminal, or plain lines to a pipe.

    Args:
        names: the processes, for the width and colour of the prefix.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self._width = max(len(name) for name in (*names, OWN))
        self._colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}

    def say(self, name: str, line: str) -> None:
        """One line of a process."""
        prefix = Text(f"{name:>{self._width}} │ ", style=self._colours.get(name, "bold"))
        self.console.print(prefix + Text.from_ansi(line))

    def own(self, line: str) -> None:
        """One line of `atoll up` itself."""
        self.say(OWN, line)

    def waiting(self, text: str) -> Status | AbstractContextManager[object]:
        """A spinner with a text while something is waited for."""
        return self.console.status(text)

    def panel(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """A box with names and values."""
        width = max(len(name) for name, _ in rows)
        if not self.console.is_terminal:
            for name, value in rows:
                self.own(f"{name:<{width}}  {value}")
            return
        body = Text("\n").join(
            Text.assemble((f"{name:<{width}}  ", "dim"), (value, "bold")) for name, value in rows
        )
        self.console.print(Panel(body, title=title, border_style="green", expand=False, padding=(1, 2)))
