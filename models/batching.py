"""
The queue before an encoder, as data: who waits, for how long, and who goes next. No thread, no
clock, no timer: a batch is whatever waits when the one before it is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum
from itertools import islice

import msgspec

from models.opinion import Opinion

# Estimates only: English has some 0.21 tokens in a byte, most other languages 0.15 to 0.35. The
# pace below corrects what is wrong on average.
TOKENS_PER_BYTE = 0.25
PACE_STEP = 1.03  # twice as slow is learnt in 24 batches
PROBE_EVERY = 20  # refusals of an idle encoder, after which one is let in to measure again


class Refusal(StrEnum):
    """Why an entry was not let in; the words are stages of Scores."""

    OVERLOAD = "overload"  # the queue is full
    DEADLINE = "deadline"  # it would be answered too late


class QueueLimits(msgspec.Struct, frozen=True):
    """How many may wait, and how many bytes of UTF-8 they may hold together."""

    entries: int
    bytes: int


class BatchLimits(msgspec.Struct, frozen=True):
    """Of one batch. *tokens*: its padded size, rows x longest row."""

    rows: int
    tokens: int


class Entry(msgspec.Struct, eq=False):
    """
    One text that waits for the encoder.

    *gone* tells whether its caller has an answer or has left. *settle* gives it the opinion,
    or None when there will be none; the worker calls it once, on the caller's event loop.
    """

    text: str
    bytes: int
    tokens: int  # estimated, see tokens_of
    gone: Callable[[], bool]
    settle: Callable[[Opinion | None], None]


def tokens_of(text_bytes: int, tokens_max: int) -> int:
    """The tokens, ends included, that a text of so many bytes will have about."""
    return min(tokens_max, 2 + int(text_bytes * TOKENS_PER_BYTE))


class Cost:
    """
    What a batch costs: seconds for each call and for each padded token, both measured when the
    encoder was loaded, times a *pace* that follows the machine (1.0: as then). It follows the
    median and not the mean, which the few batches that the scheduler forgot would rule.
    """

    def __init__(self, call_s: float, token_s: float) -> None:
        self.call_s = call_s
        self.token_s = token_s
        self.pace = 1.0

    def seconds(self, calls: int, tokens: int) -> float:
        """So many calls over so many tokens in all."""
        return self.pace * (calls * self.call_s + tokens * self.token_s)

    def learn(self, tokens: int, took_s: float) -> None:
        """A batch of *tokens* took *took_s* seconds."""
        if took_s > self.seconds(1, tokens):
            self.pace *= PACE_STEP
        else:
            self.pace /= PACE_STEP


def take_batch(waiting: deque[Entry], limits: BatchLimits) -> list[Entry]:
    """
    Remove and return the next batch, in order of arrival.

    The oldest entry always goes, even above ``limits.tokens``: so nobody waits for ever, and none
    blocks the others. Those who go with it are the ones closest to it in length, because a batch
    costs rows x longest row. Entries whose caller has gone are dropped and cost nothing.

    Returns:
        The batch; empty only when nobody waits any more.
    """
    drop_gone(waiting)
    if not waiting:
        return []
    first = waiting[0]
    chosen, longest = {id(first)}, first.tokens
    if limits.rows > 1:
        others = sorted(islice(waiting, 1, None), key=lambda e: abs(e.tokens - first.tokens))
        for entry in others:
            if len(chosen) == limits.rows:
                break
            grown = max(longest, entry.tokens)
            if grown * (len(chosen) + 1) <= limits.tokens:
                chosen.add(id(entry))
                longest = grown
    batch = [entry for entry in waiting if id(entry) in chosen]
    keep(waiting, lambda entry: id(entry) not in chosen)
    return batch


def drop_gone(waiting: deque[Entry]) -> None:
    """Forget those whose caller has gone."""
    keep(waiting, lambda entry: not entry.gone())


def keep(waiting: deque[Entry], wanted: Callable[[Entry], bool]) -> None:
    """Only the *wanted* entries, in their order."""
    for _ in range(len(waiting)):
        entry = waiting.popleft()
        if wanted(entry):
            waiting.append(entry)


def padded(batch: list[Entry]) -> int:
    """Tokens of a batch with every row as long as the longest."""
    return len(batch) * max((entry.tokens for entry in batch), default=0)


class BatchQueue:
    """
    Entries that wait, within limits, and the batch that runs. Not safe for threads: the worker
    holds a lock around it. Times are monotonic seconds that the caller reads.
    """

    def __init__(self, limits: QueueLimits, batches: BatchLimits, cost: Cost) -> None:
        self.cost = cost
        self.batches_run = 0
        self.rows_run = 0
        self._limits = limits
        self._batches = batches
        self._waiting: deque[Entry] = deque()
        self._running: list[Entry] = []
        self._begun_s = 0.0
        self._refused_idle = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, entry: Entry, now_s: float, budget_s: float | None) -> Refusal | None:
        """
        Let *entry* wait, unless the queue is full or the answer would take longer than
        *budget_s*; None: any time will do.
        """
        drop_gone(self._waiting)
        held = sum(other.bytes for other in self._waiting) + entry.bytes
        if len(self._waiting) >= self._limits.entries or held > self._limits.bytes:
            return Refusal.OVERLOAD
        if budget_s is not None and self.estimate_s(entry, now_s) > budget_s:
            if self._waiting or self._running:
                return Refusal.DEADLINE
            # Without a try now and then a pace that was measured on a bad day would stay for ever.
            self._refused_idle += 1
            if self._refused_idle % PROBE_EVERY:
                return Refusal.DEADLINE
        self._waiting.append(entry)
        return None

    def estimate_s(self, entry: Entry, now_s: float) -> float:
        """Seconds until *entry* would have its answer: what runs, who waits, and itself."""
        rows = len(self._waiting) + 1
        tokens = sum(other.tokens for other in self._waiting) + entry.tokens
        limits = self._batches
        calls = max(-(-rows // limits.rows), -(-tokens // limits.tokens))
        left_s = 0.0
        if self._running:
            left_s = self.cost.seconds(1, padded(self._running)) - (now_s - self._begun_s)
        return max(left_s, 0.0) + self.cost.seconds(calls, tokens)

    def begin(self, now_s: float) -> list[Entry]:
        """The next batch, which runs from now on; empty when nobody waits."""
        self._running = take_batch(self._waiting, self._batches)
        self._begun_s = now_s
        return self._running

    def end(self, now_s: float) -> None:
        """The batch that ran is done."""
        if self._running:
            self.cost.learn(padded(self._running), now_s - self._begun_s)
            self.batches_run += 1
            self.rows_run += len(self._running)
            self._running = []

    def empty(self) -> list[Entry]:
        """Everybody who waits, who then waits no more."""
        left = list(self._waiting)
        self._waiting.clear()
        return left
