"""Tests of kernels/json_tokens.py."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.json_tokens import COLUMNS, DEPTH_MAX, TOO_DEEP, TOO_MANY, json_tokens
from tests.kernels.test_json_spans import separators, values
from tests.reference_json_tokens import Writer


def tokens(text: bytes, rows: int | None = None) -> tuple[int, list[list[int]]]:
    """What the kernel returns, and the rows that it wrote."""
    found = np.full((len(text) // 2 + 1 if rows is None else rows, COLUMNS), -9, dtype=np.int32)
    count = json_tokens(np.frombuffer(text, dtype=np.uint8), found)
    return count, found[: max(0, count)].tolist()


@given(values, separators, st.booleans())
@settings(deadline=None, max_examples=100)
def test_tokens_agree_with_the_reference(value, between, ascii_only):
    """Each token stands where it was written, under its name and in its object."""
    writer = Writer(*between, ascii_only=ascii_only)
    writer.write(value)

    assert tokens(writer.text.encode()) == (len(writer.rows), writer.rows)


@given(st.one_of(st.binary(max_size=80), st.text('{}[]",:\\ a19-', max_size=80).map(str.encode)))
@settings(deadline=None, max_examples=200)
def test_tokens_of_anything_stay_inside(text):
    """Bytes that are no JSON end, and give rows inside the text that name earlier rows."""
    _, rows = tokens(text, rows=len(text) + 1)

    for row, (kind, start, end, owner, name) in enumerate(rows):
        assert 0 <= kind <= 3
        assert 0 <= start < end <= len(text)
        assert -1 <= owner < row
        assert -1 <= name < row


def test_tokens_say_when_there_are_too_many_or_too_deep():
    """One row or one level more than there is room for is a code, not a write behind an array."""
    assert tokens(b'["a","b"]', rows=2)[0] == 2
    assert tokens(b'["a","b"]', rows=1)[0] == TOO_MANY
    assert tokens(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)[0] == 0
    assert tokens(b"[" * (DEPTH_MAX + 1))[0] == TOO_DEEP
