"""The ring of the newest records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.record.recent import Recent
from tests.gateway.record.records import make_record


def test_a_watcher_gets_each_record_once():
    """From its number on, in their order."""
    recent = Recent(kept=10)
    recent.observe([make_record(1), make_record(2)])
    number, first = recent.after(0)
    recent.observe([make_record(3)])
    number, second = recent.after(number)

    assert [record.request_id for record in first] == ["req_1", "req_2"]
    assert [record.request_id for record in second] == ["req_3"]
    assert recent.after(number) == (3, [])


def test_long_names_fill_the_ring_sooner():
    """The ring is bounded in bytes too, as clients choose how long a name is."""
    recent = Recent(kept=100, kept_bytes=50_000)
    recent.observe([make_record(number, path="x" * 20_000) for number in range(10)])

    assert len(recent.after(0)[1]) == 2


@given(
    batches=st.lists(st.integers(0, 6), max_size=8), kept=st.integers(1, 5), at=st.integers(0, 60)
)
def test_a_late_watcher_misses_the_oldest(batches, kept, at):
    """What the ring has lost is skipped; what it holds comes, whatever number was asked for."""
    recent, made = Recent(kept), []
    for size in batches:
        more = [make_record(len(made) + k) for k in range(size)]
        recent.observe(more)
        made += more
    number, found = recent.after(at)

    assert number == len(made)
    assert found == (made[at:][-kept:] if at <= len(made) else [])
