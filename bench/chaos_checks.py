"""What must hold after all that: each check is a name, whether it holds, and its figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bench.chaos_books import Books
from bench.chaos_load import TENANTS, VISITOR, Answer
from bench.chaos_upstream import script

WINDOW_S = 60.0
REFUSALS = {429: "paced", 402: "spender, prepaid"}  # that are expected, and whose
NANO = 10**9


@dataclass(frozen=True)
class Check:
    """One line of the table. *holds* None: it is only told."""

    name: str
    holds: bool | None
    figures: str


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


def checks(seen: Seen, books: Books, bounds: Bounds) -> Iterator[Check]:
    """All that can be read from these."""
    answers = seen.answers
    yield from clients(answers)
    yield from ledger(answers, books, lapses=seen.lapses)
    yield from against_truth(answers, books, seen.truth)
    yield from records(answers, books, seen.killed)
    yield rate_limit(answers, bounds.requests_per_minute)
    yield from money(answers, books, bounds)


def torn(answers: Iterable[Answer]) -> list[Answer]:
    """Requests whose connection broke, though the upstream did not cut it."""
    return [one for one in answers if not one.whole and not script(one.number).cut]


def answered(answers: Iterable[Answer]) -> list[Answer]:
    """Those that were answered to the end, or as far as the upstream went."""
    return [one for one in answers if one.status == 200 and (one.whole or script(one.number).cut)]


def clients(answers: Sequence[Answer]) -> Iterator[Check]:
    """What clients saw."""
    load = [one for one in answers if one.number < VISITOR]
    for tenant in TENANTS:
        mine = [one for one in load if one.tenant == tenant]
        statuses = Counter(str(one.status or one.code) for one in mine)
        told = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        yield Check(f"answers to {tenant}", None, told)
    wrong = Counter(
        f"{one.status} {one.code} ({one.tenant})"
        for one in load
        if one.status not in (0, 200) and one.tenant not in REFUSALS.get(one.status, "")
    )
    told = ", ".join(f"{count} x {what}" for what, count in wrong.items()) or "none"
    yield Check("errors because of Redis, PostgreSQL or a restart", not wrong, told)
    broken = Counter(f"process {one.pid}" for one in torn(load))
    told = ", ".join(f"{count} at {where}" for where, count in broken.items()) or "none"
    yield Check("connections that broke", None, told)


def ledger(answers: Sequence[Answer], books: Books, *, lapses: bool) -> Iterator[Check]:
    """Exactly once, and balanced."""
    done = answered(answers)
    counts = Counter(len(books.by_request.get(one.request_id, ())) for one in done)
    more = len(done) - counts[0] - counts[1]
    told = f"{counts[1]} of {len(done)}, {counts[0]} missing, {more} more than once"
    yield Check("answered requests settled exactly once", counts[1] == len(done), told)
    twice = sum(len(bills) > 1 for bills in books.by_request.values())
    yield Check("requests settled twice, whoever answered", not twice, str(twice))
    refused = [one for one in answers if one.status not in (0, 200)]
    billed = sum(one.request_id in books.by_request for one in refused)
    yield Check("refused requests billed", not billed, f"{billed} of {len(refused)}")
    wrong = [
        one.request_id
        for one in done
        for bill in books.by_request.get(one.request_id, ())
        if told_usage(one)
        and (bill.nano_usd, bill.estimated) != (script(one.number).nano_usd, False)
    ]
    exact = sum(map(told_usage, done))
    yield Check("settled with the true amount", not wrong, f"{exact - len(wrong)} of {exact}")
    check = books.check
    yield Check("entries sum to zero", check.sum_nano_usd == 0, f"{check.sum_nano_usd} nano-USD")
    wrong_sums = ", ".join(check.wrong_balances) or "none"
    yield Check("balances that are not their entries' sum", not check.wrong_balances, wrong_sums)
    settled = sum(bill.nano_usd for bill in books.bills)
    same = settled == books.spend_nano_usd
    yield Check("spend by minute is the settlements' sum", same, f"{settled / NANO:.6f} USD")
    told = f"{len(books.open)} open, {len(books.lapsed)} lapsed"
    killed = len(torn(answers))
    few = len(books.open) + len(books.lapsed) <= killed and not (lapses and books.open)
    yield Check(f"reservations left, of {killed} torn requests", few, told)
    held = sum(balance.held_nano_usd for balance in books.balances.values())
    yield Check("held credits", held == 0 or (not lapses and bool(books.open)), f"{held} nano-USD")
    yield Check("journals that wait", books.waiting_bytes == 0, f"{books.waiting_bytes} bytes")


def told_usage(answer: Answer) -> bool:
    """Whether the upstream told what it used."""
    found = script(answer.number)
    return not found.cut and not found.unsaid


def against_truth(
    answers: Sequence[Answer], books: Books, truth: Sequence[tuple[int, str, int]]
) -> Iterator[Check]:
    """The upstream's own log against the ledger."""
    served = {number: cost for number, what, cost in truth if what in ("whole", "stream")}
    done = {one.number for one in answered(answers) if told_usage(one)}
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
    broken = {one.number for one in torn(answers)}
    right = theirs - missing <= ours + late <= theirs and lost <= broken
    yield Check("true cost is the ledger's, within what was torn", right, told)


def records(answers: Sequence[Answer], books: Books, killed: Collection[int]) -> Iterator[Check]:
    """Of each answered request there is a record, but where a process died with it in memory."""
    done = answered(answers)
    lost = [one for one in done if one.request_id not in books.records]
    with_them = sum(one.pid in killed for one in lost)
    others = Counter(f"process {one.pid}" for one in lost if one.pid not in killed)
    told = ", ".join(f"{count} of {where}" for where, count in others.items()) or "none"
    yield Check(f"records lost, of {len(done)} answered requests", not others, told)
    yield Check("records lost with a killed process, in its memory", None, str(with_them))


def rate_limit(answers: Sequence[Answer], most: int) -> Check:
    """
    Requests that must have been admitted within one stretch of a minute: sent in it and done in
    it, by the client's clock. So nothing that measuring adds can make it look too many.
    """
    mine = [one for one in answers if one.tenant == "paced" and one.status == 200]
    sent = np.sort(np.array([one.sent_s for one in mine]))
    order = np.argsort([one.sent_s for one in mine])
    done = np.array([one.done_s for one in mine])[order]
    counts = [int(np.sum(done[start:] <= sent[start] + WINDOW_S)) for start in range(len(mine))]
    found = max(counts, default=0)
    refused = sum(one.tenant == "paced" and one.status == 429 for one in answers)
    told = f"{found} of {most} in the fullest minute, {refused} refused"
    return Check("requests per minute", found <= most and refused > 0, told)


def money(answers: Sequence[Answer], books: Books, bounds: Bounds) -> Iterator[Check]:
    """No more than what is allowed and one reservation per replica."""
    one = max((round(each.reserved_usd * NANO) for each in answers), default=0)
    for tenant, most in (("spender", bounds.spend_nano_usd), ("prepaid", bounds.credits_nano_usd)):
        spent = sum(bill.nano_usd for bill in books.bills if bill.tenant == tenant)
        refused = sum(each.tenant == tenant and each.status == 402 for each in answers)
        over = spent - most
        told = f"{spent / NANO:.6f} of {most / NANO:.6f} USD, {refused} refused; "
        told += f"over by {max(0, over) / one if one else 0:.1f} reservations of {one}"
        name = {"spender": "spend limit", "prepaid": "credits"}[tenant]
        yield Check(name, over <= bounds.replicas * one and refused > 0, told)
    balance = books.balances["prepaid"]
    spent = sum(bill.nano_usd for bill in books.bills if bill.tenant == "prepaid")
    right = balance.available_nano_usd + balance.held_nano_usd == bounds.credits_nano_usd - spent
    told = f"{balance.available_nano_usd / NANO:.6f} USD left"
    yield Check("balance is what was given less what was billed", right, told)
