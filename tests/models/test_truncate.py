"""The tokens that are kept of a long excerpt."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.truncate import truncate

MARK = 1


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        pytest.param([5, 6, 7], [5, 6, 7], id="short: untouched"),
        pytest.param(list(range(10, 30)), [10, 11, 12, 13, 14, 27, 28, 29], id="both ends"),
        pytest.param([9] * 20 + [MARK, 5], [9] * 6 + [MARK, 5], id="short ask: whole"),
        pytest.param(
            [8, 9, MARK, *range(10, 30)],
            [9, MARK, 10, 11, 12, 27, 28, 29],
            id="long ask: a quarter",
        ),
    ],
)
def test_both_ends_of_the_ask_and_the_end_of_the_turns_before_stay(
    ids: list[int], kept: list[int]
) -> None:
    """Eight tokens are kept of each."""
    assert truncate(ids, 8, MARK) == kept


@settings(deadline=None, max_examples=100)
@given(ids=st.lists(st.integers(0, 9), max_size=60), limit=st.integers(1, 40))
def test_the_limit_holds_and_is_used(ids: list[int], limit: int) -> None:
    """As many tokens stay as fit, the last one among them."""
    kept = truncate(ids, limit, MARK)
    assert len(kept) == min(len(ids), limit)
    assert kept[-1:] == ids[-1:]
