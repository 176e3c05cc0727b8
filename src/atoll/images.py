"""Small images that people give as a `data:` address: icons of apps, the logo."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "data:image/"
#: A picture for a 48 pixel icon on a fine screen fits easily; the UI makes it that small before it sends it.
MOST_BYTES: Final = 32 * 1024
_SIGNS: Final = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "webp": (b"RIFF",),
    "gif": (b"GIF87a", b"GIF89a"),
}


@dataclass(frozen=True)
class Image:
    """A picture that was looked at: its first bytes are those of its type."""

    media_type: str
    content: bytes


def read(address: str) -> Image:
    """The picture of a `data:image/…;base64,…` address.

    Raises ValueError with a text for people: not of a known type, too large, or not what it says it is.
    SVG is refused because it can carry scripts.
    """
    head, _, text = address.partition(",")
    kind = head.removeprefix(PREFIX).removesuffix(";base64")
    if not head.startswith(PREFIX) or not head.endswith(";base64") or kind not in _SIGNS:
        raise ValueError("give a PNG, JPEG, WebP or GIF picture.")
    if len(text) > MOST_BYTES * 4 // 3 + 4:
        raise ValueError(f"the picture has more than {MOST_BYTES // 1024} KiB; make it smaller.")
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("the picture is not complete.") from error
    if not content.startswith(_SIGNS[kind]) or (kind == "webp" and content[8:12] != b"WEBP"):
        raise ValueError(f"the picture is not what it says it is ({kind}).")
    return Image(f"image/{kind}", content)
