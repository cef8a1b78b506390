"""Put any text into a header: RFC 9110 knows visible ASCII and spaces only."""

from __future__ import annotations

import string
from collections.abc import Iterable
from urllib.parse import quote

REASON_CHARS_MAX = 512  # a sentence or three
LIST_CHARS_MAX = 2048  # clients refuse 8 to 16 KiB of headers as a whole
PRINTABLE = string.ascii_letters + string.digits + string.punctuation + " "

# What our own sentences hold beside ASCII; the rest, foreign names mostly, is percent-encoded.
PLAIN = str.maketrans(
    {
        "→": "->",
        "–": "-",
        "—": "-",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "…": "...",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "\n": " ",
        "\t": " ",
        "\r": " ",
    }
)


def header_text(text: str, chars_max: int = REASON_CHARS_MAX) -> str:
    """
    *text* as a header value: typographic marks in ASCII, other letters percent-encoded as UTF-8,
    cut at *chars_max*. A percent sign of the text itself stays as it is.
    """
    if not (text.isascii() and text.isprintable()):
        text = quote(text.translate(PLAIN), safe=PRINTABLE, errors="replace")
    text = text.strip()
    return text if len(text) <= chars_max else text[: chars_max - 3] + "..."


def header_list(texts: Iterable[str]) -> str:
    """*texts* as one comma-separated value; commas inside become semicolons."""
    return header_text(", ".join(text.replace(",", ";") for text in texts), LIST_CHARS_MAX)
