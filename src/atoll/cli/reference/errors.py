"""The page of error codes: every class of the error tree, and every code given where an error is raised."""

from __future__ import annotations

from atoll import errors
from atoll.cli.exits import ExitCode
from atoll.cli.reference.source import raised
from atoll.errors import AtollError

OTHER_TEXT = "The text says what happened."


def classes() -> list[type[AtollError]]:
    """All classes of the error tree, in the order of the file."""
    return [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, AtollError)
    ]


def raised_codes() -> dict[str, str]:
    """Codes that no class has but that are given where an error or finding is made, with the text there."""
    known = {item.code for item in classes()}
    return {code: text for code, text in sorted(raised().items()) if code not in known}


def page() -> str:
    """The page as Markdown."""
    lines = [
        "# Error codes",
        "",
        "Codes are stable: scripts and other programs may rely on them. Texts are for people and may change.",
        "An answer carries the code in `errors[].code` (from an app) or `error.code` (from the entry point,",
        "when the app itself could not be asked). The status is the HTTP status of the answer.",
        "",
        "| code | status | meaning |",
        "|---|---|---|",
    ]
    lines += [f"| `{known.code}` | {known.status} | {_about(known)} |" for known in classes()]
    lines += ["", "## More specific codes", ""]
    lines += [
        "These replace the code of their class where more is known, or are findings of a check before",
        "something is created. Parts that vary are shown as `…`.",
        "",
        "| code | text |",
        "|---|---|",
    ]
    lines += [f"| `{code}` | {_cell(text or OTHER_TEXT)} |" for code, text in raised_codes().items()]
    lines += ["", "## Exit codes of the command line", "", "| number | name | meaning |", "|---|---|---|"]
    lines += [f"| {member.value} | `{member.name}` | {member.meaning} |" for member in ExitCode]
    return "\n".join(lines) + "\n"


def _about(known: type[AtollError]) -> str:
    text = (known.__doc__ or "").strip().split("\n\n")[0]
    return _cell(" ".join(text.split()))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
