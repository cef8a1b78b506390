"""The memory: bounded in bytes, and honest about them."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cache.memory import Memory
from gateway.core.chat import Usage
from tests.gateway.cache.samples import ENTRY, entry

NOW_S = ENTRY.stored_s
MIB = 2**20


def test_what_was_put_is_there_until_its_time_is_over():
    """And not a moment longer; then its bytes are free."""
    memory = Memory(MIB)
    memory.put(b"a", ENTRY)

    assert memory.get(b"a", ENTRY.until_s - 0.001) is ENTRY
    assert memory.get(b"b", NOW_S) is None
    assert memory.get(b"a", ENTRY.until_s) is None
    assert (len(memory), memory.size) == (0, 0)


def test_the_longest_unused_goes_first():
    """Asking for one keeps it."""
    memory = Memory(3 * ENTRY.size)
    for key in (b"a", b"b", b"c"):
        memory.put(key, ENTRY)
    memory.get(b"a", NOW_S)
    memory.put(b"d", ENTRY)

    assert [memory.get(key, NOW_S) is not None for key in (b"a", b"b", b"c", b"d")] == [
        True,
        False,
        True,
        True,
    ]
    assert memory.evicted == 1


def test_a_newer_answer_takes_the_place_of_an_older():
    """Nothing is counted twice."""
    memory = Memory(MIB)
    newer = entry(body=b"x" * 100)
    memory.put(b"a", ENTRY)
    memory.put(b"a", newer)

    assert memory.get(b"a", NOW_S) is newer
    assert memory.size == newer.size


def test_one_that_is_larger_than_all_is_not_kept():
    """Nor does it push others out."""
    memory = Memory(3 * ENTRY.size)
    memory.put(b"a", ENTRY)

    assert not memory.put(b"b", entry(body=bytes(10_000)))
    assert len(memory) == 1


def test_a_lower_limit_counts_at_once():
    """A reload makes room; clearing leaves nothing."""
    memory = Memory(MIB)
    for number in range(10):
        memory.put(bytes([number]), ENTRY)
    memory.limit(4 * ENTRY.size)

    assert len(memory) == 4
    assert repr(memory) == f"<4 answers, {4 * ENTRY.size} of {4 * ENTRY.size} bytes>"
    memory.clear()
    assert (len(memory), memory.size) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3000)), max_size=40))
def test_the_sum_is_right_and_never_above_the_limit(puts):
    """Whatever is put in whatever order."""
    memory = Memory(8000)
    for number, size in puts:
        memory.put(bytes([number]), entry(body=bytes(size)))
        kept = [memory.get(bytes([key]), NOW_S) for key in range(6)]
        assert memory.size == sum(one.size for one in kept if one is not None)
        assert memory.size <= 8000


@pytest.mark.parametrize("size", [100, 4_000, 100_000])
def test_bytes_are_counted_honestly(size):
    """The process does not take more than what is counted."""
    memory = Memory(2**30)
    gc.collect()
    tracemalloc.start()
    for number in range(1000):
        kept = entry(
            body=bytes(size + number % 7),
            model=f"model-{number}",
            deployment=f"provider/model-{number}",
            usage=Usage(tokens_in=1000 + number, tokens_out=2000 + number),
            cost_nano_usd=10**9 + number,
            stored_s=NOW_S + number,
            until_s=NOW_S + 3600 + number,
        )
        memory.put(number.to_bytes(32, "big"), kept)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 0.5 * memory.size < taken <= memory.size
