"""One contract of the ledger for SQLite in memory, in a file, and for PostgreSQL."""

from __future__ import annotations

import threading

import pytest

from gateway.core.errors import Conflict, InternalError, InvalidRequest, Unavailable
from gateway.core.ids import request_id
from gateway.ledger.booking import Reading, book, lapse
from gateway.state.database import open_engine
from gateway.state.ledger_store import Balance, LedgerStore, Total
from gateway.state.ledger_transaction import Hold, Moved
from gateway.state.migrate import upgrade
from tests.fakes.clock import ManualClock
from tests.gateway.ledger.ledgers import (
    LEASE_S,
    USD,
    balances_of,
    empty,
    make_ledger,
    release,
    reserve,
    settle,
)

MINUTE = 1_700_000_040  # a whole minute
PAID = USD * 725 // 10_000


@pytest.fixture(scope="module")
def postgres_url(postgres_server):
    """A database for the tests of this file, as migrations make it."""
    url = postgres_server.create("ledger_store")
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture
def clock():
    """Time that only the test moves."""
    return ManualClock(wall_s=1_700_000_000.0)


@pytest.fixture(params=["memory", "file", "postgres"])
def store(request, tmp_path, clock):
    """An empty ledger, once for each kind of database."""
    urls = {"memory": "sqlite://", "file": f"sqlite:///{tmp_path}/ledger.db"}
    url = urls.get(request.param) or request.getfixturevalue("postgres_url")
    opened = make_ledger(url, clock)
    opened.prepare()
    empty(opened.engine)
    yield opened
    opened.engine.dispose()


def spent(store, scope, name, since_s, until_s=MINUTE + 3600.0, *, bucket_s=60):
    """In the books, by bucket."""
    return store.spend_between(scope, name, since_s, until_s, bucket_s=bucket_s)


def say(store, *charges):
    """Book *charges* as one page; how many were billed."""
    start = store.read_bytes("j/1")
    return book(store, charges, Reading("j/1", start, start + 1))


def balance(store, tenant="acme"):
    """What may be spent and what is held, in nano-dollars."""
    found = store.balance(tenant)
    return found.available_nano_usd, found.held_nano_usd


def test_golden_example(store):
    """0.50 becomes 0.05: the fee is 0.0225, the tenant pays 0.0725 and keeps 0.4275."""
    store.top_up("acme", 10 * USD, note="invoice 1", by="ann", idempotency_key="i1")
    say(store, reserve(1))
    assert balance(store) == (10 * USD - PAID, PAID)
    say(store, settle(1))

    assert balance(store) == (10 * USD - PAID, 0)
    assert 50 * USD // 100 - PAID == 4275 * USD // 10_000
    assert balances_of(store) == {
        "fees": 225 * USD // 10_000,
        "provider:openai": 5 * USD // 100,
        "tenant:acme/available": 10 * USD - PAID,
        "tenant:acme/held": 0,
        "tenant:acme/top-ups": -10 * USD,
    }


def test_begins_with_a_new_file(tmp_path, clock):
    """The folder, the file and its tables are made when they are needed."""
    engine = open_engine(f"sqlite:///{tmp_path}/new/ledger.db")
    store = LedgerStore(engine, clock)
    assert store.balance("acme") == Balance()
    say(store, reserve(1), settle(1), reserve(2))

    assert balance(store) == (-2 * PAID, PAID)
    engine.dispose()


def test_own_keys_cost_no_credits(store):
    """With a provider key of its own a tenant pays the fee; the cost is a memo that limits see."""
    say(store, reserve(1, on_credits=False))
    fee, cost = 225 * USD // 10_000, 5 * USD // 100
    assert balance(store) == (-fee, fee)
    say(store, settle(1, on_credits=False))

    assert balances_of(store) == {
        "fees": fee,
        "provider:openai/own": cost,
        "tenant:acme/available": -fee,
        "tenant:acme/held": 0,
        "tenant:acme/own": -cost,
    }
    assert spent(store, "tenant", "acme", 0) == [(1_699_999_980, cost + fee)]
    assert store.credits_used("acme", MINUTE) == fee


def test_an_attempt_is_billed_once(store):
    """In the same page, in another, and after its journal was forgotten: the first one holds."""
    assert say(store, reserve(1), settle(1), settle(1, cost_nano_usd=7)) == 1
    assert say(store, settle(1), settle(2)) == 1
    assert say(store, reserve(1), release(1)) == 0

    assert balance(store) == (-2 * PAID, 0)
    assert store.check().sum_nano_usd == 0


def test_settled_before_reserved(store):
    """A reservation that comes after its settlement holds nothing."""
    say(store, settle(1))
    say(store, reserve(1))

    assert balance(store) == (-PAID, 0)
    assert store.check().open_reservations == 0


def test_released_costs_nothing(store):
    """What came to nothing gives everything back."""
    say(store, reserve(1), reserve(2))
    assert balance(store) == (-2 * PAID, 2 * PAID)
    say(store, release(1))
    say(store, release(1), release(2), release(3))

    assert balance(store) == (0, 0)


def test_reserved_twice_is_held_once(store):
    """A page that is read again opens nothing."""
    say(store, reserve(1))
    say(store, reserve(1))

    assert balance(store) == (-PAID, PAID)


def test_leases_end(store, clock):
    """Credits of a dead attempt come back once; a settlement that comes after all is billed."""
    say(store, reserve(1), reserve(2))
    assert lapse(store) == 0
    clock.advance(LEASE_S + 1)
    assert lapse(store) == 2
    assert lapse(store) == 0
    assert balance(store) == (0, 0)
    assert store.check().lapsed == 2
    say(store, reserve(1))
    assert balance(store) == (0, 0)
    say(store, settle(1))

    assert balance(store) == (-PAID, 0)
    assert store.check().lapsed == 1


def test_lapses_a_few_at_a_time(store, clock):
    """A long outage is worked off in small transactions, the oldest first."""
    say(store, *(reserve(n, lease_until_s=clock.wall() + n) for n in range(5)))
    clock.advance(LEASE_S)
    with store.begin("lapses") as books:
        first = books.lapse(2)
    with store.begin("lapses") as books:
        rest = books.lapse(10)

    assert {hold.attempt_id for hold in first} == {"req_0/1", "req_1/1"}
    assert len(rest) == 3
    assert first[0] == Hold(first[0].attempt_id, "acme", PAID)


def test_a_page_is_booked_once(store):
    """Whoever reads on where somebody else has read already is told, and nothing is booked."""
    book(store, [settle(1)], Reading("j/1", 0, 100))
    for start, end in ((0, 50), (50, 120), (120, 130)):
        with pytest.raises(Moved):
            book(store, [settle(2)], Reading("j/1", start, end))
    book(store, [settle(3)], Reading("j/1", 100, 120))

    assert store.read_bytes("j/1") == 120
    assert store.read_bytes("j/2") == 0
    assert balance(store) == (-2 * PAID, 0)
    store.forget_segments(["j/1", "j/2"])
    assert store.read_bytes("j/1") == 0


def test_a_page_is_booked_whole_or_not_at_all(store):
    """What the database refuses leaves nothing behind, not even how far was read."""
    with pytest.raises(InternalError) as caught:
        say(store, settle(1), settle(2, tenant=None))

    assert not isinstance(caught.value, Unavailable)
    assert balances_of(store) == {}
    assert store.read_bytes("j/1") == 0
    assert say(store, settle(1)) == 1


def test_entries_sum_to_zero(store):
    """Money that comes from nowhere is refused."""
    with pytest.raises(InternalError, match="sum to zero"), store.begin("charges") as books:
        books.post({"fees": 1})

    assert balances_of(store) == {}


def test_top_ups_are_done_once(store):
    """The same request again changes nothing; another one with its key is told."""
    for _ in range(2):
        found = store.top_up("acme", 5 * USD, note="n", by="ann", idempotency_key="k1")
        assert found == Balance(available_nano_usd=5 * USD, given_nano_usd=5 * USD)
    store.adjust("acme", -USD, note="goodwill the other way", by="ann", idempotency_key="k2")

    for tenant, amount in (("acme", 6 * USD), ("bolt", 5 * USD)):
        with pytest.raises(Conflict):
            store.top_up(tenant, amount, note="n", by="ann", idempotency_key="k1")
    with pytest.raises(Conflict):
        store.adjust("acme", 5 * USD, note="n", by="ann", idempotency_key="k1")
    given = Balance(available_nano_usd=4 * USD, given_nano_usd=4 * USD)
    assert store.balances() == {"acme": given}
    assert store.balance("acme") == given
    assert given.used_nano_usd == 0
    assert balances_of(store)["tenant:acme/adjustments"] == USD


@pytest.mark.parametrize("amount", [0, -1])
def test_amounts_that_are_none(store, amount):
    """A top-up is above 0, and an adjustment changes something."""
    with pytest.raises(InvalidRequest):
        store.top_up("acme", amount, note="", by="ann", idempotency_key="k")
    with pytest.raises(InvalidRequest):
        store.adjust("acme", 0, note="", by="ann", idempotency_key="k")


def test_spend_by_bucket(store):
    """Each bucket sums its minutes, from the minute of the start on, for one scope."""
    charges = [
        settle(1, wall_s=MINUTE - 1.0, cost_nano_usd=1, fee_nano_usd=0),
        settle(2, wall_s=MINUTE + 0.0, cost_nano_usd=10, fee_nano_usd=1, key_id="k2"),
        settle(3, wall_s=MINUTE + 59.9, cost_nano_usd=100, fee_nano_usd=2, provider="groq"),
        settle(4, wall_s=MINUTE + 60.0, cost_nano_usd=1000, fee_nano_usd=3, project="web"),
        settle(5, wall_s=MINUTE + 60.0, cost_nano_usd=10_000, fee_nano_usd=4, tenant="bolt"),
    ]
    for one in charges:
        say(store, one)

    since = MINUTE + 30.0
    assert spent(store, "tenant", "acme", since) == [(MINUTE, 113), (MINUTE + 60, 1003)]
    assert spent(store, "tenant", "acme", since, MINUTE + 59.0) == [(MINUTE, 113)]
    assert spent(store, "key", "k2", since) == [(MINUTE, 11)]
    assert spent(store, "project", "shop", since) == [(MINUTE, 113), (MINUTE + 60, 10_004)]
    assert spent(store, "provider", "openai", since, bucket_s=3600) == [(1_699_999_200, 11_010)]
    assert spent(store, "tenant", "nobody", 0) == []


def test_credits_used_before_an_instant(store):
    """To the end of its minute; what is held is not used, and what was given does not matter."""
    store.top_up("acme", USD, note="", by="ann", idempotency_key="k")
    say(store, settle(1, wall_s=MINUTE + 59.0, cost_nano_usd=100, fee_nano_usd=2), reserve(2))
    say(store, settle(3, wall_s=MINUTE + 60.0, cost_nano_usd=1000, fee_nano_usd=4))
    say(store, settle(4, wall_s=MINUTE, cost_nano_usd=7, fee_nano_usd=1, on_credits=False))

    assert [store.credits_used("acme", MINUTE + s) for s in (1, 60, 61)] == [103, 103, 1107]
    assert store.credits_used("nobody", MINUTE) == 0


def test_totals(store):
    """Attempts, tokens, cost, fee and savings by any of the groups, of a stretch of time."""
    day = 86_400.0 * 19_000
    spent = [
        settle(1, wall_s=day, savings_nano_usd=-5),
        settle(2, wall_s=day + 86_399, model="large", estimated=True),
        settle(3, wall_s=day + 86_400, tenant="bolt", cost_nano_usd=7, fee_nano_usd=0),
    ]
    say(store, *spent)
    cost, fee, saved = 5 * USD // 100, 225 * USD // 10_000, 45 * USD // 100

    assert store.totals(day, day + 86_400, ["model"]) == [
        Total(("large",), 1, cost, fee, saved, 1000, 200, 1),
        Total(("small",), 1, cost, fee, -5, 1000, 200, 0),
    ]
    by_day = store.totals(0, 1e11, ["day", "tenant"])
    assert [total.group for total in by_day] == [(day, "acme"), (day + 86_400, "bolt")]
    assert by_day[0].cost_nano_usd == 2 * cost
    assert [t.attempts for t in store.totals(0, 1e11, [])] == [3]
    assert [t.attempts for t in store.totals(0, 1e11, ["key"], only={"tenant": "bolt"})] == [1]
    assert store.totals(0, 1.0, []) == []


def test_forgets_in_batches(store, clock):
    """Old settlements and lapsed reservations go, the oldest first; sums and young ones stay."""
    old = [f"{request_id(1000.0 + n)}/1" for n in range(3)]
    young = f"{request_id(clock.wall())}/1"
    say(store, *(settle(n, attempt_id=name, wall_s=1000.0) for n, name in enumerate(old)))
    say(store, settle(3, attempt_id=young), settle(0))  # the id of the last has no time in it
    held = f"{request_id(999.0)}/1"
    say(store, reserve(9, attempt_id=held, wall_s=999.0), reserve(8, attempt_id=young + "2"))
    assert store.forget(clock.wall(), 2) == 2
    clock.advance(LEASE_S + 1)
    assert lapse(store) == 2
    assert [store.forget(clock.wall() - LEASE_S - 1, 10) for _ in range(2)] == [2, 0]
    found = store.check()

    assert (found.sum_nano_usd, found.wrong_balances, found.lapsed) == (0, (), 1)
    assert balance(store) == (-5 * PAID, 0)
    assert say(store, settle(3, attempt_id=young), settle(0)) == 0
    assert store.totals(0, 1e11, [])[0].attempts == 5


def test_two_processes_share_a_ledger(store, clock):
    """Many pages at once, with the same attempts in both: everything once, and no lock forever."""
    memory = str(store.engine.url) == "sqlite://"  # which is one connection's own
    url = store.engine.url.render_as_string(hide_password=False)
    second = store if memory else make_ledger(url, clock)

    def work(ledger, journal):
        for page in range(10):
            numbers = range(page * 5, page * 5 + 10)  # half of them in the next page, too
            charges = [*(reserve(n) for n in numbers), *(settle(n) for n in numbers)]
            while True:
                try:
                    book(ledger, charges, Reading(journal, page, page + 1))
                    break
                except Unavailable:
                    continue

    threads = [
        threading.Thread(target=work, args=(store, "a/1")),
        threading.Thread(target=work, args=(second, "b/1")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert balance(store) == (-55 * PAID, 0)
    found = store.check()
    assert (found.sum_nano_usd, found.wrong_balances, found.open_reservations) == (0, (), 0)
    if not memory:
        second.engine.dispose()
