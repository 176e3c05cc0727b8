"""The page of settings."""

from __future__ import annotations

from atoll import settings


def page() -> str:
    """The page as Markdown."""
    lines = [
        "# Settings",
        "",
        "Everything is set by environment variables. A file `.env` in the working folder (or the file that",
        "`APP_ENV_PATH` names) is read too; a real variable wins over it. An empty value counts as not set.",
        "A wrong value stops the start with one line per problem. `atoll settings` shows the present values.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for row in settings.describe({}):
        default = f"`{row.default}`" if row.default else ""
        secret = " Secret: never shown." if row.secret else ""
        lines.append(f"| `{row.name}` | {default} | {row.help}{secret} |".replace("||", "|"))
    lines += ["", "## Other spellings", ""]
    lines += [
        f"- `{other}` is read as `{name}`, with a warning."
        for name, other in sorted(settings.ALIASES.items())
    ]
    lines += [
        "- `ATOLL_TOKEN` is read by `atoll app` and `atoll env` only: the token they use.",
        "",
        "## Accepted plugin names",
        "",
        "The features behind these names of `APPEND_PRESET_BUILT_IN_PLUGINS` are built in, so naming them",
        "changes nothing. Each may be written with or without `@nocobase/plugin-` in front. Others are left",
        "out with a warning.",
        "",
    ]
    lines += [f"- `{name}`" for name in sorted(settings.BUILT_IN_PLUGINS)]
    return "\n".join(lines) + "\n"
