"""What must hold after all that: each check is a name, whether it holds, and its figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.chaos_books import Books
from bench.chaos_load import TENANTS, VISITOR, Answer
from bench.chaos_upstream import script
from gateway.ledger.exchange import TICK_S

WINDOW_S = 60.0
UNHEARD_S = TICK_S + 0.05  # reports are so far apart, and on their way for a moment
REFUSALS = {429: "paced", 402: "spender, prepaid"}  # that are expected, and whose
NANO = 10**9


@dataclass(frozen=True)
class Check:
    """One line of the table. *holds* None: it is only told. *timed*: it hangs on the machine."""

    name: str
    holds: bool | None
    figures: str
    timed: bool = False


@dataclass(frozen=True)
class Bounds:
    """What the tenants may use."""

    requests_per_minute: int
    spend_nano_usd: int
    credits_nano_usd: int
    replicas: int


@dataclass(frozen=True)
class Seen:
    """
    What was seen from outside: answers, the calls that the upstream had, and the processes that
    were *killed*. *lapses*: the leases of what was torn are over.
    """

    answers: Sequence[Answer]
    truth: Sequence[tuple[int, str, int]]
    killed: Collection[int]
    lapses: bool

    @property
    def answered(self) -> list[Answer]:
        """Requests that were answered to the end, or as far as the upstream went."""
        return [one for one in self.answers if one.status == 200 and not self._broke(one)]

    @property
    def torn(self) -> list[Answer]:
        """Requests whose connection broke, though the upstream did not cut it."""
        return [one for one in self.answers if self._broke(one)]

    def unheard(self, tenant: str) -> list[Answer]:
        """
        What killed processes answered *tenant* last: the other replicas hear of it in reports, and
        the last one of these was never sent.
        """
        last_s: dict[int, float] = {}
        for one in self.answers:
            if one.pid in self.killed and one.status == 200:
                last_s[one.pid] = max(one.done_s, last_s.get(one.pid, 0.0))
        return [
            one
            for one in self.answers
            if one.tenant == tenant
            and one.status == 200
            and one.done_s > last_s.get(one.pid, math.inf) - UNHEARD_S
        ]

    def _broke(self, one: Answer) -> bool:
        return not one.whole and not (script(one.number).cut and one.pid not in self.killed)


def checks(seen: Seen, books: Books, bounds: Bounds) -> Iterator[Check]:
    """All that can be read from these."""
    yield from clients(seen)
    yield from bills(seen, books)
    yield from balanced(seen, books)
    yield from against_truth(seen, books)
    yield from records(seen, books)
    yield rate_limit(seen, bounds.requests_per_minute)
    yield from money(seen, books, bounds)


def clients(seen: Seen) -> Iterator[Check]:
    """What clients saw."""
    load = [one for one in seen.answers if one.number < VISITOR]
    for tenant in TENANTS:
        mine = [one for one in load if one.tenant == tenant]
        statuses = Counter(str(one.status or one.code) for one in mine)
        yield Check(f"answers to {tenant}", None, listed(statuses))
    wrong = Counter(
        f"{one.status} {one.code} ({one.tenant})"
        for one in load
        if one.status not in (0, 200) and one.tenant not in REFUSALS.get(one.status, "")
    )
    yield Check("errors because of Redis, PostgreSQL or a restart", not wrong, listed(wrong))
    broken = Counter("killed" if one.pid in seen.killed else "alive" for one in seen.torn)
    held = not broken["alive"]
    yield Check("connections that broke, by process", held, listed(broken))


def listed(counts: Counter[str]) -> str:
    """*counts* in words."""
    return ", ".join(f"{n} x {what}" for what, n in sorted(counts.items()) if n) or "none"


def bills(seen: Seen, books: Books) -> Iterator[Check]:
    """Each request exactly once, with the right amount."""
    done = seen.answered
    missing = [one for one in done if one.request_id not in books.by_request]
    left = books.open.keys() | set(books.lapsed)
    # Whoever is killed after the last byte of a stream, and before it says so, has it reserved.
    late = sum(one.pid in seen.killed and one.request_id in left for one in missing)
    once = sum(len(books.by_request.get(one.request_id, ())) == 1 for one in done)
    told = f"{once} of {len(done)}; {late} reserved by a process that was killed just then"
    yield Check("answered requests settled exactly once", once + late == len(done), told)
    twice = sum(len(found) > 1 for found in books.by_request.values())
    yield Check("requests settled twice, whoever answered", not twice, str(twice))
    refused = [one for one in seen.answers if one.status not in (0, 200)]
    billed = sum(one.request_id in books.by_request for one in refused)
    yield Check("refused requests billed", not billed, f"{billed} of {len(refused)}")
    exact = [
        (bill, script(one.number).nano_usd)
        for one in done
        if told_usage(one)
        for bill in books.by_request.get(one.request_id, ())
    ]
    right = sum(bill.nano_usd == cost and not bill.estimated for bill, cost in exact)
    yield Check("settled with the true amount", right == len(exact), f"{right} of {len(exact)}")


def balanced(seen: Seen, books: Books) -> Iterator[Check]:
    """What must hold in any books."""
    check = books.check
    yield Check("entries sum to zero", check.sum_nano_usd == 0, f"{check.sum_nano_usd} nano-USD")
    wrong_sums = ", ".join(check.wrong_balances) or "none"
    yield Check("balances that are not their entries' sum", not check.wrong_balances, wrong_sums)
    settled = sum(bill.nano_usd for bill in books.bills)
    same = settled == books.spend_nano_usd
    yield Check("spend by minute is the settlements' sum", same, f"{settled / NANO:.6f} USD")
    told = f"{len(books.open)} open, {len(books.lapsed)} lapsed"
    torn = len(seen.torn)
    few = len(books.open) + len(books.lapsed) <= torn and not (seen.lapses and books.open)
    yield Check(f"reservations left, of {torn} torn requests", few, told)
    held = sum(balance.held_nano_usd for balance in books.balances.values())
    explained = held == 0 or (not seen.lapses and bool(books.open))
    yield Check("held credits", explained, f"{held} nano-USD")
    yield Check("journals that wait", books.waiting_bytes == 0, f"{books.waiting_bytes} bytes")


def told_usage(answer: Answer) -> bool:
    """Whether the upstream told what it used."""
    found = script(answer.number)
    return not found.cut and not found.unsaid


def against_truth(seen: Seen, books: Books) -> Iterator[Check]:
    """The upstream's own log against the ledger."""
    answers, truth = seen.answers, seen.truth
    served = {number: cost for number, what, cost in truth if what in ("whole", "stream")}
    done = {one.number for one in seen.answered if told_usage(one)}
    known = {one.request_id for one in answers if one.request_id}
    lost = served.keys() - done
    unknown = [bill for bill in books.bills if bill.request_id not in known]
    theirs = sum(served.values())
    exact = {one.request_id for one in answers if told_usage(one)}
    ours = sum(b.nano_usd for b in books.bills if b.request_id in exact)
    late = sum(bill.nano_usd for bill in unknown)
    missing = sum(served[number] for number in lost)
    told = (
        f"{theirs / NANO:.6f} USD there; here {ours / NANO:.6f} and {late / NANO:.6f} of "
        f"{len(unknown)} whose client is gone; {missing / NANO:.6f} of {len(lost)} torn"
    )
    broken = {one.number for one in seen.torn}
    right = theirs - missing <= ours + late <= theirs and lost <= broken
    yield Check("true cost is the ledger's, within what was torn", right, told)


def records(seen: Seen, books: Books) -> Iterator[Check]:
    """Of each answered request there is a record, as there is a bill."""
    done = seen.answered
    left = books.open.keys() | set(books.lapsed)
    lost = [one for one in done if one.request_id not in books.records]
    late = sum(one.pid in seen.killed and one.request_id in left for one in lost)
    told = f"{len(lost) - late}; {late} not billed either, see above"
    yield Check(f"records lost, of {len(done)} answered requests", len(lost) == late, told)


def rate_limit(seen: Seen, most: int) -> Check:
    """
    Requests that must have been admitted within one stretch of a minute: sent in it and done in
    it, by the client's clock. So nothing that measuring adds can make it look too many. Allowed
    are as many more as a killed process had no time to report.
    """
    answers, unheard = seen.answers, len(seen.unheard("paced"))
    mine = [one for one in answers if one.tenant == "paced" and one.status == 200]
    sent = np.sort(np.array([one.sent_s for one in mine]))
    order = np.argsort([one.sent_s for one in mine])
    done = np.array([one.done_s for one in mine])[order]
    counts = [int(np.sum(done[start:] <= sent[start] + WINDOW_S)) for start in range(len(mine))]
    found = max(counts, default=0)
    refused = sum(one.tenant == "paced" and one.status == 429 for one in answers)
    told = f"{found} of {most} in the fullest minute, {refused} refused; {unheard} unheard of"
    return Check("requests per minute", found <= most + unheard and refused > 0, told)


def money(seen: Seen, books: Books, bounds: Bounds) -> Iterator[Check]:
    """
    No more than what is allowed, one reservation per replica, and what a killed process had no
    time to report.
    """
    one = max((round(each.reserved_usd * NANO) for each in seen.answers), default=0)
    for tenant, most in (("spender", bounds.spend_nano_usd), ("prepaid", bounds.credits_nano_usd)):
        spent = sum(bill.nano_usd for bill in books.bills if bill.tenant == tenant)
        refused = sum(each.tenant == tenant and each.status == 402 for each in seen.answers)
        ids = {each.request_id for each in seen.unheard(tenant)}
        unheard = sum(bill.nano_usd for bill in books.bills if bill.request_id in ids)
        over = spent - most
        told = f"{spent / NANO:.6f} of {most / NANO:.6f} USD, {refused} refused; "
        told += f"over by {max(0, over)} nano-USD, {unheard} unheard of, reservations of {one}"
        name = {"spender": "spend limit", "prepaid": "credits"}[tenant]
        yield Check(name, over <= bounds.replicas * one + unheard and refused > 0, told)
    balance = books.balances["prepaid"]
    spent = sum(bill.nano_usd for bill in books.bills if bill.tenant == "prepaid")
    right = balance.available_nano_usd + balance.held_nano_usd == bounds.credits_nano_usd - spent
    told = f"{balance.available_nano_usd / NANO:.6f} USD left"
    yield Check("balance is what was given less what was billed", right, told)
