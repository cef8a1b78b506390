"""What one request is billed: held before each attempt, settled once, and never held for long."""

from __future__ import annotations

import msgspec
import pytest

from gateway.charging import Charging
from gateway.core.charges import Released, Reserved, Settled
from gateway.core.chat import Usage
from gateway.core.errors import CreditsMissing, RateLimited, SpendLimitReached
from gateway.core.fleet import Price
from gateway.core.limits import Limit, Span, Unit, Window
from gateway.core.outcome import Ending, Outcome
from gateway.core.request import UNBOUND, Principal
from gateway.ledger.hold import Hold
from gateway.ledger.meters import Meters
from gateway.state.facts import Facts, GatewayKey, Limits, SpendLimit, Tenant
from tests.fakes.clock import ManualClock
from tests.gateway.decide.samples import deployment
from tests.gateway.execute.samples import decision, request

WHO = Principal("shop", "k1", "acme")
A_DOLLAR = Price(input=1_000_000, output=1_000_000, cache_read=0, cache_write=0)  # per 1 M tokens
PLACE = msgspec.structs.replace(deployment("m"), price=A_DOLLAR, output_tokens_max=10_000)
DEAR = msgspec.structs.replace(
    PLACE, id="dear/m", price=msgspec.structs.replace(A_DOLLAR, input=10_000_000)
)
EXPECTED = decision(tokens_in=1000, tokens_out=1000)
ASKED = request(principal=WHO)
OTHER = msgspec.structs.replace(PLACE, id="other/m", provider="other")
MOST = 4000 * 1000  # nano-USD: a long answer has three times the usual tokens


class Pages:
    """A journal that keeps what it is told."""

    def __init__(self):
        self.charges = []

    def append(self, charge):
        """One more."""
        self.charges.append(charge)

    @property
    def told(self):
        """Kinds and attempts, in order."""
        return [(type(one), one.attempt_id.partition("/")[2]) for one in self.charges]


class Desk:
    """A charging with one key."""

    def __init__(self, limits=None, tenant=None, given=0):
        self.journal = Pages()
        self.clock = ManualClock()
        self.charging = Charging(Meters(self.clock), self.journal, self.clock, lambda name: ())
        key = GatewayKey(
            tenant="acme", project="shop", hashes=(), prefix="", limits=limits or Limits()
        )
        facts = {"key": {"k1": key}, "tenant": {"acme": tenant or Tenant()}}
        self.charging.use(Facts(1, facts))
        self.charging.use_given({"acme": given})
        self.told = []
        self.charging.tell = lambda *notice: self.told.append(notice)

    def bill(self):
        """The bill of a request that is about to be sent."""
        bill = self.charging.bill(WHO)
        bill.expect(ASKED, EXPECTED, 0)
        return bill

    async def spend(self, nano_usd):
        """Of a request, from the start to the end."""
        bill = self.bill()
        await bill.attempt(PLACE, own_key=False)
        bill.settle(answered(nano_usd // 1000, 0), "m", fee_nano_usd=0, savings_nano_usd=0)

    def used(self, bill):
        """Of the first limit in money: used and held."""
        state = self.charging.meters.state(bill.terms.money[0])
        return state.used, state.held


def answered(tokens_in=1000, tokens_out=500, usage=True):
    """An outcome that costs a nano-dollar a token."""
    known = Usage(tokens_in=tokens_in, tokens_out=tokens_out) if usage else None
    return Outcome(
        ending=Ending.COMPLETE if usage else Ending.FAILED,
        status=200 if usage else 502,
        deployment=PLACE.id if usage else "",
        attempts=(),
        finish=None,
        usage=known,
        cost_nano_usd=(tokens_in + tokens_out) * 1000 if usage else 0,
        ttft_s=None,
        duration_s=1.0,
    )


def usd(amount, **more):
    """A spend limit a day."""
    return Limits(spend=(SpendLimit(usd=amount, window="day"),), **more)


async def test_an_answer_is_reserved_and_settled():
    """At what a long answer costs, then at what it cost."""
    desk = Desk(usd(1.0))
    bill = desk.bill()
    await bill.attempt(PLACE, own_key=False)
    assert desk.used(bill) == (0, MOST)
    bill.settle(answered(), "m", fee_nano_usd=7, savings_nano_usd=140)

    assert desk.used(bill) == (1_500_007, 0)
    assert desk.journal.told == [(Reserved, "1"), (Settled, "1")]
    settled = desk.journal.charges[-1]
    assert (settled.cost_nano_usd, settled.fee_nano_usd, settled.model) == (1_500_000, 7, "m")


async def test_a_failover_moves_the_reservation():
    """The attempt before is released; money is held once, for the model that bills."""
    desk = Desk(usd(1.0))
    bill = desk.bill()
    await bill.attempt(PLACE, own_key=False)
    await bill.attempt(DEAR, own_key=False)
    assert desk.used(bill) == (0, MOST + 9_000_000)
    bill.settle(answered(usage=False), "", fee_nano_usd=0, savings_nano_usd=0)

    assert desk.used(bill) == (0, 0)
    assert desk.journal.told == [(Reserved, "1"), (Released, "1"), (Reserved, "2"), (Released, "2")]


async def test_a_dearer_attempt_may_be_refused():
    """What was held for the one before stays held until the end."""
    desk = Desk(usd(0.005))
    bill = desk.bill()
    await bill.attempt(PLACE, own_key=False)
    with pytest.raises(SpendLimitReached, match="leaves"):
        await bill.attempt(DEAR, own_key=False)

    assert desk.used(bill) == (0, MOST)
    bill.settle(answered(usage=False), "", fee_nano_usd=0, savings_nano_usd=0)
    assert desk.used(bill) == (0, 0)


async def test_a_failover_leaves_the_limit_of_the_provider():
    """Each provider counts what it is asked, by its cost alone, and only its own."""
    desk = Desk()
    places = (PLACE.provider, OTHER.provider)
    limits = {
        name: Limit(f"provider:{name}/usd day", Unit.NANO_USD, 10**9, Window(Span.DAY))
        for name in places
    }
    desk.charging.provider_limits = {name: (limit,) for name, limit in limits.items()}

    def used():
        states = [desk.charging.meters.state(limits[name]) for name in places]
        return [(state.used, state.held) for state in states]

    bill = desk.charging.bill(WHO)
    bill.expect(ASKED, EXPECTED, 7)
    await bill.attempt(PLACE, own_key=False)
    assert used() == [(0, MOST), (0, 0)]
    await bill.attempt(OTHER, own_key=False)
    assert used() == [(0, 0), (0, MOST)]
    desk.charging.provider_limits = {}
    await bill.attempt(PLACE, own_key=False)
    assert used() == [(0, 0), (0, 0)]
    desk.charging.provider_limits = {"other": (limits["other"],)}
    await bill.attempt(OTHER, own_key=False)
    bill.settle(answered(), "m", fee_nano_usd=7, savings_nano_usd=140)

    assert used() == [(0, 0), (1_500_000, 0)]


async def test_the_limit_of_a_provider_is_not_told_to_its_clients():
    """How much the operator spends there is nobody's business."""
    desk = Desk()
    limit = Limit(f"provider:{PLACE.provider}/usd day", Unit.NANO_USD, 1000, Window(Span.DAY))
    desk.charging.provider_limits = {PLACE.provider: (limit,)}
    with pytest.raises(SpendLimitReached) as refused:
        await desk.bill().attempt(PLACE, own_key=False)

    message = f"The spend limit of provider {PLACE.provider} leaves too little for this request."
    assert refused.value.message == message


async def test_tokens_are_held_once_however_many_models_are_too_dear():
    """The next of the ranking is tried with what is held already."""
    desk = Desk(usd(0.005, tokens_per_minute=3000))
    bill = desk.bill()
    with pytest.raises(SpendLimitReached):
        await bill.attempt(DEAR, own_key=False)
    await bill.attempt(PLACE, own_key=False)
    assert [state.held for state in bill.states] == [2000]
    bill.settle(answered(600, 300), "m", fee_nano_usd=0, savings_nano_usd=0)

    assert [(state.used, state.held) for state in bill.states] == [(900, 0)]


async def test_what_nobody_settled_is_released():
    """A fault between the attempt and its end must not hold money for ever."""
    desk = Desk(usd(1.0), Tenant(credits=True), given=10**9)
    bill = desk.bill()
    await bill.attempt(PLACE, own_key=False)
    bill.drop()

    assert (desk.used(bill), bill.balance_nano_usd) == ((0, 0), 10**9)
    assert desk.journal.told == [(Reserved, "1"), (Released, "1")]


async def test_only_the_first_end_counts():
    """Settled twice, and dropped after that: billed once."""
    desk = Desk(usd(1.0))
    bill = desk.bill()
    await bill.attempt(PLACE, own_key=False)
    for _ in range(2):
        bill.settle(answered(), "m", fee_nano_usd=0, savings_nano_usd=0)
    bill.drop()

    assert desk.used(bill) == (1_500_000, 0)
    assert len(desk.journal.charges) == 2


async def test_tokens_a_minute_are_those_of_the_answer():
    """Held as predicted, settled as they came; the next one sees the difference."""
    desk = Desk(Limits(tokens_per_minute=3000))
    bill = desk.bill()
    await bill.attempt(PLACE, own_key=False)
    with pytest.raises(RateLimited, match="3000 tokens per minute"):
        await desk.bill().attempt(PLACE, own_key=False)
    bill.settle(answered(600, 300), "m", fee_nano_usd=0, savings_nano_usd=0)

    await desk.bill().attempt(PLACE, own_key=False)
    assert [state.used for state in bill.states] == [900]


async def test_what_no_minute_allows_is_not_to_be_tried_again():
    """More tokens than the whole limit: waiting does not help."""
    with pytest.raises(RateLimited) as refused:
        await Desk(Limits(tokens_per_minute=100)).bill().attempt(PLACE, own_key=False)
    assert (refused.value.retry, refused.value.retry_after_s) == (False, None)

    desk = Desk(Limits(concurrent=1))
    await desk.bill().hold_flow()
    with pytest.raises(RateLimited) as refused:
        await desk.bill().hold_flow()
    assert (refused.value.retry, refused.value.retry_after_s) == (True, 1.0)


async def test_a_request_that_is_refused_later_still_counts_as_one():
    """Dropped: it was one of the minute, and is none of those at once."""
    desk = Desk(Limits(requests_per_minute=1, concurrent=1))
    bill = desk.charging.bill(WHO)
    await bill.hold_flow()
    bill.drop()
    with pytest.raises(RateLimited, match="1 requests per minute"):
        await desk.charging.bill(WHO).hold_flow()


async def test_with_a_key_of_its_own_a_tenant_pays_the_fee_alone():
    """From its credits; the spend limit sees the whole."""
    desk = Desk(usd(1.0), Tenant(credits=True), given=100)
    bill = desk.bill()
    bill.expect(ASKED, EXPECTED, 60)
    await bill.attempt(PLACE, own_key=True)
    assert (bill.reserved_nano_usd, bill.balance_nano_usd, bill.on_credits) == (60, 40, False)
    bill.settle(answered(), "m", fee_nano_usd=50, savings_nano_usd=1000)

    assert (bill.deducted_nano_usd, bill.balance_nano_usd) == (50, 50)
    assert desk.used(bill) == (1_500_050, 0)
    poor = desk.bill()
    poor.expect(ASKED, EXPECTED, 60)
    with pytest.raises(CreditsMissing) as refused:
        await poor.attempt(PLACE, own_key=True)
    assert refused.value.code == "insufficient_routing_credits"


async def test_without_credits_nothing_is_sent():
    """The error has the balance and what the request may cost."""
    desk = Desk(tenant=Tenant(credits=True), given=1000)
    with pytest.raises(CreditsMissing) as refused:
        await desk.bill().attempt(PLACE, own_key=False)

    error = refused.value
    assert (error.code, error.balance_nano_usd, error.estimate_nano_usd) == (
        "insufficient_credits",
        1000,
        MOST,
    )
    assert desk.journal.charges == []


def test_a_caller_without_limits_is_unbound():
    """Nothing slows its decisions."""
    assert Desk().charging.grant(WHO) is UNBOUND
    assert Desk(usd(2.0)).charging.grant(WHO).spend_left_nano_usd == 2 * 10**9
    assert Desk(usd(2.0, at_limit="cheaper")).charging.grant(WHO).cheaper


async def test_operators_hear_once_that_a_limit_is_near():
    """At four fifths, and not of every request after; the next day again."""
    desk = Desk(usd(0.1))
    await desk.spend(79_000_000)
    assert desk.told == []
    await desk.spend(1_000_000)
    await desk.spend(5_000_000)

    assert [notice[:2] for notice in desk.told] == [("limit.near", "key:k1/usd day")]
    assert desk.told[0][2] == {
        "message": "Of the spend limit of key k1 (0.1 USD, day), 0.08 USD are used.",
        "scope": "key",
        "name": "k1",
        "window": "day",
        "used_nano_usd": 80_000_000,
        "most_nano_usd": 100_000_000,
    }
    desk.clock.advance(86_400)
    await desk.spend(90_000_000)
    assert len(desk.told) == 2


async def test_operators_hear_once_that_a_balance_is_low():
    """When it falls to the mark; after a top-up again."""
    tenant = Tenant(credits=True, low_balance_usd=0.05)
    desk = Desk(tenant=tenant, given=100_000_000)
    for _ in range(3):
        await desk.spend(30_000_000)

    left = {"tenant": "acme", "left_nano_usd": 40_000_000}
    low = {"message": "The tenant acme has 0.04 USD left."} | left
    assert desk.told == [("balance.low", "acme", low)]
    desk.charging.use_given({"acme": 190_000_000})
    await desk.spend(60_000_000)
    assert [notice[2]["left_nano_usd"] for notice in desk.told] == [40_000_000, 40_000_000]


async def test_what_was_near_before_the_start_is_not_told_again():
    """The process that counted it has told; one that does not know what was used says nothing."""

    async def history(limit, before_s):
        return [(before_s, 80_000_000)]

    desk = Desk(usd(0.1))
    meters = desk.charging.meters = Meters(desk.clock, history=history)
    await desk.spend(1_000_000)
    meters.seed(desk.bill().terms.money[0], [(desk.clock.wall(), 80_000_000)])
    await desk.spend(1_000_000)

    assert desk.told == []


async def test_what_comes_near_before_the_past_is_known_is_told_afterwards():
    """By the next request, when the ledger has told how much was used."""

    async def history(limit, before_s):
        return [(before_s, 70_000_000)]

    desk = Desk(usd(0.1))
    meters = desk.charging.meters = Meters(desk.clock, history=history)
    await desk.spend(15_000_000)
    assert desk.told == []
    meters.seed(desk.bill().terms.money[0], await history(None, desk.clock.wall()))
    await desk.spend(1_000_000)

    assert [notice[2]["used_nano_usd"] for notice in desk.told] == [86_000_000]


async def test_replicas_tell_what_they_see():
    """What others have spent counts, as soon as it is known here."""
    desk = Desk(usd(0.1))
    await desk.spend(1_000_000)
    limit = desk.bill().terms.money[0]
    others = desk.charging.meters.try_hold([(limit, 84_000_000)])
    assert isinstance(others, Hold)
    others.settle({})
    await desk.spend(1_000_000)

    assert [notice[0] for notice in desk.told] == ["limit.near"]
