"""Any text in a header."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.header_text import header_list, header_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("saves 85 % on gpt-4", "saves 85 % on gpt-4"),
        ("gpt-4 → mini – 3 × cheaper", "gpt-4 -> mini - 3 x cheaper"),
        ("a\r\nX-Evil: 1", "a  X-Evil: 1"),
        ("模型", "%E6%A8%A1%E5%9E%8B"),
        ("\ud800", "?"),
        (" padded ", "padded"),
        ("\x00\x7f", "%00%7F"),
    ],
)
def test_text_becomes_ascii(text, value):
    """Marks are transliterated, letters percent-encoded, line ends are no line ends."""
    assert header_text(text) == value


@given(st.text(max_size=2000))
def test_no_text_breaks_a_header(text):
    """Whatever a client names its model, the header holds printable ASCII of bounded length."""
    value = header_text(text, 100)

    assert value.isascii()
    assert value.isprintable()
    assert len(value) <= 100


def test_foreign_names_can_be_read_back():
    """Percent-encoding is UTF-8, as in a URL."""
    assert unquote(header_text("modèle")) == "modèle"


def test_lists_keep_their_entries_apart():
    """A comma inside an entry would make two of it."""
    assert header_list(["a, b", "c"]) == "a; b, c"
