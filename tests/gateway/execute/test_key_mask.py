"""Hiding a key in what an upstream says of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.execute.key_mask import KeyMask

KEY = "sk-sk-12"


@pytest.mark.parametrize(
    ("said", "key", "seen"),
    [
        ("bad key sk-sk-12, sk-sk-12!", KEY, "bad key ********, ********!"),
        ("bad key sk-sk-1", KEY, "bad key sk-sk-1"),
        ('{"error": "none"}', "none", '{"error": "none"}'),  # what a server without keys is given
        ("bad key", None, "bad key"),
        ("bad key", "", "bad key"),
    ],
)
def test_key_mask(said: str, key: str | None, seen: str) -> None:
    """A whole key is never shown, and nothing else changes."""
    assert KeyMask(key).text(said) == seen
    assert KeyMask(key).whole(said.encode()) == seen.encode()


@given(st.lists(st.sampled_from(["s", "k", "-", "sk-", "1", "12", KEY, "x", KEY[:5]])))
def test_key_mask_of_pieces(parts: list[str]) -> None:
    """However a body is cut, what is shown of it is what is shown of the whole."""
    mask = KeyMask(KEY)
    pieces = [part.encode() for part in parts]

    shown = b"".join([*map(mask.piece, pieces), mask.piece(b"")])

    assert shown == KeyMask(KEY).whole(b"".join(pieces))
    assert KEY.encode() not in shown
