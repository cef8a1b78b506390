"""Whatever happens in whatever order, the books are right in the end."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from gateway.core.errors import Unavailable
from gateway.state import ledger_tables as tables
from tests.fakes.clock import ManualClock
from tests.gateway.ledger.ledgers import (
    LEASE_S,
    Ledger,
    Process,
    balances_of,
    empty,
    make_ledger,
    release,
    reserve,
    settle,
)

ATTEMPTS = 8
TENANTS = ("acme", "bolt")
number = st.integers(0, ATTEMPTS - 1)
process = st.integers(0, 1)
STEP = st.one_of(
    st.tuples(st.just("reserve"), process, number),
    st.tuples(st.just("settle"), process, number),
    st.tuples(st.just("release"), process, number),
    st.tuples(st.just("flush"), process, st.just(0)),
    st.tuples(st.just("fail"), process, st.integers(1, 14)),  # in that statement
    st.tuples(st.just("answer lost"), process, st.just(0)),  # of a commit
    st.tuples(st.just("crash"), process, st.just(0)),
    st.tuples(st.just("torn"), process, st.just(0)),  # crash in the middle of a line
    st.tuples(st.just("late"), process, st.just(0)),  # leases are over
)


class Shaky(Ledger):
    """A ledger whose database fails when told to."""

    def __init__(self, engine, clock):
        super().__init__(engine, clock)
        self.fail_at = 0  # that many statements from now
        self.lose_answer = False
        event.listen(engine, "before_cursor_execute", self._count)

    def _count(self, *_):
        self.fail_at -= 1
        if self.fail_at == 0:
            raise OperationalError("", {}, OSError("down"))

    @contextlib.contextmanager
    def begin(self, kind, *, actor="bookkeeper", note=""):
        with super().begin(kind, actor=actor, note=note) as books:
            yield books
        if self.lose_answer:
            self.lose_answer = False
            raise Unavailable("down")


class World:
    """Two processes on one database and one folder, and what they have said."""

    def __init__(self, store, clock, folder):
        self.store, self.clock, self.folder = store, clock, folder
        self.said = {}  # amounts that may be billed, by attempt
        self.processes = [self.born(), self.born()]

    def born(self):
        return Process(self.store, self.folder, self.clock, batch_max=3)

    def step(self, what, index, argument):
        one = self.processes[index]
        wall_s = self.clock.wall()
        tenant = {"tenant": TENANTS[argument % 2], "on_credits": argument % 3 > 0}
        if what == "reserve":
            one.append(reserve(argument, wall_s=wall_s, **tenant))
        elif what == "settle":
            cost = 100 * argument + index
            self.said.setdefault(f"req_{argument}/1", set()).add(cost)
            one.append(settle(argument, wall_s=wall_s, cost_nano_usd=cost, **tenant))
        elif what == "release":
            one.append(release(argument, wall_s=wall_s))
        elif what == "late":
            self.clock.advance(LEASE_S + 1)
        elif what in ("crash", "torn"):
            if what == "torn":
                path = one.journal.segments.path(one.journal.current)
                path.write_bytes(path.read_bytes() + b'["settled","req_0/1",')
            one.crash()
            self.processes[index] = self.born()
        else:
            self.store.fail_at = argument if what == "fail" else 0
            self.store.lose_answer = what == "answer lost"
            one.flush()
            self.store.fail_at, self.store.lose_answer = 0, False

    def end(self):
        """Time passes, and every journal is read."""
        for _ in range(2):
            self.clock.advance(LEASE_S + 1)
            for one in self.processes:
                assert one.flush()


def check(world):
    """Nothing billed twice, nothing lost, nothing held, and every sum is right."""
    store = world.store
    found = store.check()
    assert (found.sum_nano_usd, found.wrong_balances, found.open_reservations) == (0, (), 0)
    columns = tables.settlements.c
    with store.engine.begin() as connection:
        rows = connection.execute(select(columns.attempt_id, columns.cost_nano_usd)).all()
    billed = {row[0]: row[1] for row in rows}
    assert len(rows) == len(billed)
    assert billed.keys() == world.said.keys()
    assert all(cost in world.said[attempt] for attempt, cost in billed.items())
    assert all(balance.held_nano_usd == 0 for balance in store.balances().values())
    totals = store.totals(0, 1e11, ["tenant"])
    assert sum(total.attempts for total in totals) == len(billed)
    assert sum(total.cost_nano_usd for total in totals) == sum(billed.values())
    fees = sum(total.fee_nano_usd for total in totals)
    kept = balances_of(store)
    assert kept.get("fees", 0) == fees
    earned = sum(amount for name, amount in kept.items() if name.startswith("provider:"))
    assert earned == sum(billed.values())


@pytest.fixture(scope="module")
def shaky():
    """One database for all examples, which is emptied between them."""
    ledger = make_ledger()
    clock = ManualClock()
    store = Shaky(ledger.engine, clock)
    store.prepare()
    yield store, clock
    ledger.engine.dispose()


@settings(deadline=None, max_examples=150)
@given(st.lists(STEP, max_size=40))
def test_books_are_right_whatever_happens(shaky, steps):
    """Reservations, settlements, crashes, failures and lost answers in any order and number."""
    store, clock = shaky
    empty(store.engine)
    with tempfile.TemporaryDirectory() as folder:
        world = World(store, clock, Path(folder))
        for step in steps:
            world.step(*step)
        world.end()
        check(world)
        for one in world.processes:
            one.crash()
