"""Tests of kernels/json_members.py."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels.json_members import members_at_any_depth
from tests import reference_json_members
from tests.kernels.test_json_spans import separators, values


def members(text: bytes) -> int:
    """What the kernel counts."""
    return int(members_at_any_depth(np.frombuffer(text, np.uint8)))


@given(values, separators)
def test_counts_as_a_parser_does(value, written):
    """However it is written, and whatever stands in its strings."""
    text = json.dumps(value, separators=written, ensure_ascii=False).encode()

    assert members(text) == reference_json_members.members_at_any_depth(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b'{"a":1,"a":2}', 2),
        (b'[{"a":{"b":[{}]}},{"c":":"}]', 3),
        (b'{"\\"a:":"\\\\"}', 1),
        (b"[]", 0),
        (b"", 0),
        (b'{"a', 0),
    ],
)
def test_counts(text, count):
    """Two of the same name are two; a colon in a string is none."""
    assert members(text) == count


@given(st.binary(max_size=50))
def test_never_leaves_the_text(text):
    """Any bytes give a count no larger than they are."""
    assert 0 <= members(text) <= len(text)
