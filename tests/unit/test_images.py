"""Pictures people give: known types only, small, and what they say they are."""

from __future__ import annotations

import base64

import pytest

from atoll import images

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def _address(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def test_a_picture_is_read() -> None:
    picture = images.read(_address(PNG))
    assert (picture.media_type, picture.content) == ("image/png", PNG)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (_address(b"<svg onload='x'/>", "svg+xml"), "PNG, JPEG"),
        (_address(b"<script>", "png"), "not what it says"),
        (_address(PNG, "jpeg"), "not what it says"),
        (_address(b"RIFF1234WAVE", "webp"), "not what it says"),
        (_address(PNG + bytes(images.MOST_BYTES)), "smaller"),
        ("data:image/png;base64,%%%", "not complete"),
        ("data:image/png,plain", "PNG, JPEG"),
        ("https://example.com/x.png", "PNG, JPEG"),
    ],
)
def test_anything_else_is_refused(address: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        images.read(address)
