"""The built web UI as files: where they are, and what one page needs. The gateway serves them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from atoll.errors import UserInterfaceMissing

STATIC = Path(__file__).resolve().parent / "static"


@dataclass(frozen=True)
class UserInterface:
    """One build of the UI.

    Attributes:
        build: identifies the build; changes whenever the sources of the UI change.
        index: text of index.html. Asset addresses start with `./assets/`; the server puts its own prefix in
            their place and fills `<script type="application/json" id="boot">…</script>`.
        assets: folder whose files have content hashes in their names and may be cached for ever.
    """

    build: str
    index: str
    assets: Path


def load(static: Path = STATIC) -> UserInterface:
    """Read the build once, at start; raises UserInterfaceMissing when this installation has none."""
    try:
        build = str(json.loads((static / "build.json").read_text("utf-8"))["id"])
        index = (static / "index.html").read_text("utf-8")
    except FileNotFoundError as error:
        raise UserInterfaceMissing(
            "The web user interface is not built. In a source tree run `make web`; "
            "otherwise install a released package of Atoll again.",
            detail=str(error),
        ) from error
    return UserInterface(build=build, index=index, assets=static / "assets")
