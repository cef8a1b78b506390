"""What was answered lately."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.memory import ENTRY_BYTES, KEY_BYTES, Memory, key_of
from models.scores import UNSCORED


def memory_of(entries):
    return Memory(entries * ENTRY_BYTES)


def test_what_was_put_is_found():
    """The same text finds its scores, another finds none."""
    memory = memory_of(2)
    memory.put(key_of("a"), UNSCORED)

    assert memory.get(key_of("a")) is UNSCORED
    assert memory.get(key_of("b")) is None


def test_the_one_asked_for_longest_ago_goes_first():
    """Asking keeps an entry; the other one makes room."""
    memory = memory_of(2)
    memory.put(b"a", UNSCORED)
    memory.put(b"b", UNSCORED)
    memory.get(b"a")
    memory.put(b"c", UNSCORED)

    assert [memory.get(key) is not None for key in (b"a", b"b", b"c")] == [True, False, True]


@given(st.lists(st.integers(0, 20)), st.integers(0, 5))
def test_it_never_holds_more_than_it_may(keys, entries):
    """Whatever is put, no more entries than the bytes allow."""
    memory = memory_of(entries)
    for key in keys:
        memory.put(bytes([key]), UNSCORED)

    assert len(memory) == min(entries, len(set(keys)))


def test_keys_hold_no_words():
    """A key is as long for any text, half a surrogate pair included."""
    assert {len(key_of(text)) for text in ("", "a secret " * 100, "\ud800")} == {KEY_BYTES}
