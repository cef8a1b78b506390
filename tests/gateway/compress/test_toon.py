"""Tests of gateway/compress/toon.py."""

from __future__ import annotations

import json

import pytest
import toon_format
from hypothesis import given
from hypothesis import strategies as st

from gateway.compress.toon import JSON_CHARS_MAX, to_toon

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
STRINGS = st.sampled_from(
    ["1", "1.0", "true", "null", "-", "a,b", "a: b", "[2]: x", " x ", "", "#"]
)
VALUES = st.recursive(
    SCALARS | STRINGS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | STRINGS, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=4) | st.dictionaries(st.text(), VALUES, max_size=4))
def test_gives_the_same_value_back(value: object) -> None:
    """Whatever is written reads back as what was there."""
    written = to_toon(json.dumps(value, ensure_ascii=False))
    assert written is None or toon_format.decode(written) == json.loads(json.dumps(value))


def test_writes_a_table() -> None:
    """Objects with the same members say their names once."""
    rows = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "1"}]
    assert to_toon(f" {json.dumps(rows)}\n") == '[2]{id,name}:\n  1,Ada\n  2,"1"'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        '"words"',
        "{words}",
        "[1, 2",
        '{"a": 1} and more',
        "{}",  # TOON writes nothing for it
        '{"a": 1, "a": 2}',
        '{"a": 0.1000000000000000055511151231257827}',
        '{"a": 1e999}',
        '{"a": NaN}',
        '["\\ud800"]',
        "[" * 5_000 + "]" * 5_000,
        "[" + "1," * JSON_CHARS_MAX + "1]",
    ],
    ids=lambda text: text[:12],
)
def test_leaves_what_it_cannot_carry(text: str) -> None:
    """No JSON value, an empty one, a name twice, a number that is no float, too deep, too long."""
    assert to_toon(text) is None
