"""Tests of kernels/json_spans.py."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.json_spans import member_spans, string_end, value_end
from tests import reference_json_spans

ROWS = 16

tricky = st.sampled_from(
    ['"', "\\", '\\"', "}", "{", "]", "[", ",", ":", '","', "é", "🐶", "\n", ""]
)
strings = st.lists(st.one_of(tricky, st.text(max_size=4)), max_size=5).map("".join)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    strings,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(strings, inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.dictionaries(strings, values, max_size=ROWS)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", "\t: \r\n")])


def spans(text: bytes, rows: int = ROWS) -> tuple[int, list[list[int]]]:
    """What the kernel returns, and the rows that it wrote."""
    found = np.full((rows, 4), -1, dtype=np.int64)
    count = member_spans(np.frombuffer(text, dtype=np.uint8), found)
    return count, found[: max(0, count)].tolist()


@given(objects, separators, st.booleans(), st.sampled_from(["", " ", "\n\t"]))
@settings(deadline=None, max_examples=200)
def test_member_spans_agrees_with_the_reference(members, between, ascii_only, around):
    """Keys and values begin and end where the standard library's scanner finds them."""
    text = around + json.dumps(members, separators=between, ensure_ascii=ascii_only) + around
    expected = reference_json_spans.member_spans(text)

    assert spans(text.encode()) == (len(expected), expected)


@given(values, st.sampled_from(["", " \n"]))
@settings(deadline=None, max_examples=100)
def test_member_spans_of_what_is_no_object(value, before):
    """Any other JSON value is told from an empty object."""
    text = before + json.dumps(value)
    is_object = reference_json_spans.member_spans(text) is not None

    assert (spans(text.encode())[0] == -2) is not is_object


@given(st.one_of(st.binary(max_size=80), st.text('{}[]",:\\ a1', max_size=80).map(str.encode)))
@settings(deadline=None, max_examples=200)
def test_member_spans_of_anything_stay_inside(text):
    """Bytes that are no JSON end, and give rows in order and inside the text."""
    count, rows = spans(text)

    assert -2 <= count <= ROWS
    ends = [bound for row in rows for bound in row]
    assert ends == sorted(ends)
    assert all(0 <= bound <= len(text) for bound in ends)


def test_member_spans_says_when_there_are_too_many():
    """One member more than rows is -1, not a write behind the array."""
    text = json.dumps({str(k): k for k in range(4)}).encode()

    assert spans(text, rows=4)[0] == 4
    assert spans(text, rows=3)[0] == -1


@pytest.mark.parametrize(
    ("text", "end"),
    [(b'"ab"c', 4), (rb'"a\"b"', 6), (rb'"a\\"b', 5), (b'"open', 5), (b'"open\\', 6)],
)
def test_string_end(text, end):
    """A string ends behind its closing quote; escaped quotes close nothing."""
    found = string_end(np.frombuffer(text, dtype=np.uint8), 0)
    assert min(found, len(text)) == end


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (b"12, 3", 2),
        (b"true}", 4),
        (b"null ]", 4),
        (b'{"a":[1,{"b":"}"}]},', 19),
        (b'["]"] ', 5),
        (b"-1.5e3", 6),
        (b'"x",', 3),
        (b"[[", 2),
    ],
)
def test_value_end(text, end):
    """A value ends behind its last byte, with strings and nesting skipped."""
    assert value_end(np.frombuffer(text, dtype=np.uint8), 0) == end
