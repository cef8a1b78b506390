"""The queue before the encoder: pure, so no thread and no sleep here."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.batching import (
    PROBE_EVERY,
    BatchLimits,
    BatchQueue,
    Cost,
    Entry,
    QueueLimits,
    Refusal,
    padded,
    take_batch,
    tokens_of,
)


def entry(tokens, *, size=10, gone=False):
    return Entry("", size, tokens, lambda: gone, lambda said: None)


def entries(*lengths):
    return deque(entry(n) for n in lengths)


def lengths_of(batch):
    return [e.tokens for e in batch]


def queue_of(*, entries=10, size=1000, rows=1, tokens=1000, cost=None):
    limits = QueueLimits(entries=entries, bytes=size)
    return BatchQueue(limits, BatchLimits(rows, tokens), cost or Cost(call_s=0.0, token_s=1.0))


@pytest.mark.parametrize(
    ("lengths", "taken"),
    [
        ([], []),
        ([10, 10, 10], [10, 10, 10]),  # 3 x 10 fits 30 exactly
        ([10, 10, 11], [10, 10]),  # one longer row makes all three cost 33
        ([31, 1], [31]),  # too long for any batch: goes alone
        ([1, 1, 1, 1, 1], [1, 1, 1]),  # the row limit comes first
        ([5, 9, 6, 5], [5, 6, 5]),  # the closest in length go along, in order of arrival
        ([9, 30, 8], [9, 8]),  # the oldest goes, the longer one waits for its turn
    ],
)
def test_a_batch_fills_with_the_closest_in_length(lengths, taken):
    """A batch stops at the row limit or the padded token limit; the oldest is always in it."""
    waiting = entries(*lengths)

    batch = take_batch(waiting, BatchLimits(rows=3, tokens=30))

    assert lengths_of(batch) == taken
    assert len(waiting) == len(lengths) - len(taken)


def test_callers_that_have_gone_cost_nothing():
    """A cancelled entry is in no batch, wherever it stands."""
    waiting = deque([entry(5, gone=True), entry(6), entry(7, gone=True), entry(8)])

    assert lengths_of(take_batch(waiting, BatchLimits(rows=4, tokens=100))) == [6, 8]
    assert not waiting


@given(st.lists(st.integers(1, 600)), st.integers(1, 64), st.integers(1, 4096))
def test_any_queue_drains(lengths, rows, tokens):
    """Whatever the limits, every entry leaves exactly once, the oldest with the next batch."""
    waiting, limits = entries(*lengths), BatchLimits(rows=rows, tokens=tokens)
    drained = []
    while waiting:
        oldest = waiting[0]
        batch = take_batch(waiting, limits)
        assert batch[0] is oldest
        assert len(batch) <= rows
        assert len(batch) == 1 or padded(batch) <= tokens
        drained += batch

    assert sorted(lengths_of(drained)) == sorted(lengths)
    assert len({id(e) for e in drained}) == len(lengths)


@pytest.mark.parametrize(("size", "tokens"), [(0, 2), (40, 12), (10_000, 128)])
def test_tokens_are_guessed_from_bytes(size, tokens):
    """A quarter of the bytes and the two ends, but no more than is read."""
    assert tokens_of(size, 128) == tokens


@pytest.mark.parametrize("limits", [{"entries": 2}, {"size": 20}])
def test_a_full_queue_refuses(limits):
    """The third of three entries of ten bytes finds no room for two, or for twenty bytes."""
    queue = queue_of(**limits)

    assert [queue.offer(entry(1), 0.0, None) for _ in range(3)] == [None, None, Refusal.OVERLOAD]
    assert len(queue) == 2


def test_room_is_made_by_those_who_have_gone():
    """An entry that nobody waits for any more fills no queue and delays nobody."""
    queue, left = queue_of(entries=1), []
    first = Entry("", 10, 100, lambda: bool(left), lambda said: None)
    queue.offer(first, 0.0, None)
    left.append(True)

    assert queue.offer(entry(1), 0.0, 5.0) is None
    assert lengths_of(queue.begin(0.0)) == [1]


def test_the_estimate_counts_what_runs_and_who_waits():
    """One second per token: ten run since three seconds, twenty wait, five of its own."""
    queue = queue_of()
    queue.offer(entry(10), 0.0, None)
    queue.begin(100.0)
    queue.offer(entry(20), 100.0, None)

    assert queue.estimate_s(entry(5), 103.0) == pytest.approx(7 + 20 + 5)
    assert queue.offer(entry(5), 103.0, 31.9) is Refusal.DEADLINE
    assert queue.offer(entry(5), 103.0, 32.1) is None


def test_a_batch_that_takes_longer_than_thought_is_nearly_done():
    """What should have ended by now adds nothing to the estimate, and takes nothing off it."""
    queue = queue_of()
    queue.offer(entry(10), 0.0, None)
    queue.begin(0.0)

    assert queue.estimate_s(entry(5), 60.0) == pytest.approx(5)


@pytest.mark.parametrize(("rows", "tokens", "calls"), [(1, 1000, 3), (3, 1000, 1), (3, 16, 2)])
def test_the_estimate_counts_calls(rows, tokens, calls):
    """Each batch that is needed costs a call: by rows, or by tokens."""
    queue = queue_of(rows=rows, tokens=tokens, cost=Cost(call_s=100.0, token_s=1.0))
    queue.offer(entry(10), 0.0, None)
    queue.offer(entry(10), 0.0, None)

    assert queue.estimate_s(entry(10), 0.0) == pytest.approx(calls * 100 + 30)


def test_an_idle_queue_lets_one_in_now_and_then():
    """A cost that was measured on a bad day is measured again, however bad it was."""
    queue = queue_of()

    answers = [queue.offer(entry(100), 0.0, 1.0) for _ in range(PROBE_EVERY)]

    assert answers == [Refusal.DEADLINE] * (PROBE_EVERY - 1) + [None]


def test_the_pace_follows_the_machine():
    """Twice as slow for a while doubles the estimate; a stall now and then hardly moves it."""
    cost = Cost(call_s=0.0, token_s=1.0)
    for at in range(300):
        cost.learn(10, 20.0 if at % 10 else 10_000.0)

    assert cost.seconds(1, 10) == pytest.approx(20.0, rel=0.1)


def test_the_pace_goes_down_too():
    """What was slow and is fast again is trusted again."""
    cost = Cost(call_s=0.0, token_s=1.0)
    cost.pace = 8.0
    for _ in range(100):
        cost.learn(10, 10.0)

    assert cost.seconds(1, 10) == pytest.approx(10.0, rel=0.05)


def test_what_ran_is_counted():
    """Batches and rows for metrics; ending twice counts once."""
    queue = queue_of(rows=4)
    for _ in range(3):
        queue.offer(entry(5), 0.0, None)
    queue.begin(0.0)
    queue.end(1.0)
    queue.end(2.0)

    assert (queue.batches_run, queue.rows_run, queue.begin(2.0)) == (1, 3, [])


def test_emptying_leaves_nobody():
    """Who waits is handed out once."""
    queue = queue_of()
    queue.offer(entry(5), 0.0, None)

    assert lengths_of(queue.empty()) == [5]
    assert queue.empty() == []
