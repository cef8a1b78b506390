"""
Limits and money on the way of one request: admitted, reserved, checked again for every attempt,
settled once.

Nothing here waits for a database. Limits are counted in memory; what was reserved and settled goes
into the journal, and from there into the ledger.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NoReturn

from gateway.core.charges import Released, Reserved, Settled, attempt_id
from gateway.core.chat import Usage
from gateway.core.clock import Clock
from gateway.core.decision import Decision
from gateway.core.errors import CreditsMissing, RateLimited, SpendLimitReached
from gateway.core.fleet import Deployment
from gateway.core.limits import Limit, LimitReached, MeterState, Unit
from gateway.core.money import usd_text
from gateway.core.outcome import Outcome
from gateway.core.request import UNBOUND, Grant, Principal, Request
from gateway.decide.priors import LONG_ANSWER
from gateway.ledger.hold import Hold
from gateway.ledger.journal import Journal
from gateway.ledger.meters import Meters
from gateway.ledger.near import mark_of, notice_of, passed
from gateway.ledger.terms import Terms, TermsOf, balance_limit, grant_of
from gateway.ledger.usage_cost import cost_nano_usd
from gateway.state.facts import Facts, Tell, tell_nobody

LEASE_S = 60.0  # past the deadline of a request: by then its attempt has ended or its process died
OwnProviders = Callable[[str], tuple[str, ...]]  # of a tenant: where it has keys of its own


class Charging:
    """
    One per process, for the event loop. The mutable state, all swapped whole: the terms of the
    facts, the credits that tenants were given, and *provider_limits*. *tell*: the operators, of
    limits and balances that come near their end.
    """

    def __init__(
        self, meters: Meters, journal: Journal, clock: Clock, own_providers: OwnProviders
    ) -> None:
        self.meters = meters
        self.journal = journal
        self.clock = clock
        self.own_providers = own_providers
        self.provider_limits: Mapping[str, tuple[Limit, ...]] = {}
        self.tell: Tell = tell_nobody
        self._terms_of = TermsOf(Facts())
        self._given: Mapping[str, int] = {}

    def use(self, facts: Facts) -> None:
        """Go on with the limits of *facts*; what was counted of them stays."""
        self._terms_of = TermsOf(facts)

    def use_given(self, given_nano_usd: Mapping[str, int]) -> None:
        """The credits that each tenant was ever given."""
        self._given = given_nano_usd

    def terms(self, principal: Principal) -> Terms:
        """What *principal* works under."""
        return self._terms_of(principal)

    def grant(self, principal: Principal) -> Grant:
        """What a decision for *principal* may use now."""
        terms = self.terms(principal)
        own = self.own_providers(principal.tenant)
        if not own and terms.free:
            return UNBOUND
        limits = list(terms.money)
        if terms.credits:
            limits.append(self.balance(principal.tenant))
        return grant_of(terms, own, self.meters.remaining_nano_usd(limits))

    def balance(self, tenant: str) -> Limit:
        """The credits of *tenant* as a limit."""
        return balance_limit(tenant, self._given.get(tenant, 0))

    def balance_nano_usd(self, tenant: str) -> int:
        """What *tenant* may still spend."""
        return self.meters.state(self.balance(tenant)).remaining

    def settle(self, hold: Hold, amount_nano_usd: int, low_balance_nano_usd: int) -> None:
        """Settle what *hold* has of money, and let operators know of what comes near its end."""
        meters = [meter for meter, _ in hold.held]
        hold.settle({Unit.NANO_USD: amount_nano_usd})
        now_s = self.clock.wall()
        for meter in meters:
            mark = mark_of(meter.limit, low_balance_nano_usd)
            if passed(meter, mark, amount_nano_usd, now_s):
                self.tell(*notice_of(meter.state(now_s)))

    def bill(self, principal: Principal) -> Bill:
        """The bill of one request."""
        return Bill(self, principal, self.terms(principal))


class Bill:
    """
    Of one request: ``hold_flow`` before any work, ``expect`` when it is decided, ``attempt``
    before each attempt, ``settle`` or ``drop`` at the end; only the first end counts.

    The mutable state: the holds, and the number of the attempt that has money reserved.
    """

    def __init__(self, charging: Charging, principal: Principal, terms: Terms) -> None:
        self.terms = terms
        self._charging = charging
        self._principal = principal
        self._holds: list[Hold] = []
        self._money: Hold | None = None
        self._credits: Hold | None = None
        self._request: Request | None = None
        self._decision: Decision | None = None
        self._fee_nano_usd = 0
        self._reserved: Reserved | None = None
        self.reserved_nano_usd = 0  # credits
        self.deducted_nano_usd: int | None = None  # credits; None: not yet known
        self.on_credits: bool | None = None  # the operator's key pays; None: nobody was asked
        self._number = 0
        self._ended = False

    async def hold_flow(self) -> None:
        """
        Count the request, among those of a minute and those at once.

        Raises:
            RateLimited: it is one too many.
        """
        if not self.terms.flow:
            return
        got = await self._charging.meters.hold([(limit, 1) for limit in self.terms.flow])
        if isinstance(got, LimitReached):
            refuse_flow(got, self.states)
        self._holds.append(got)

    @property
    def states(self) -> list[MeterState]:
        """Of the limits of requests and tokens, for the headers of the reply."""
        terms, meters = self.terms, self._charging.meters
        limits = [limit for limit in terms.flow if limit.unit is Unit.REQUESTS]
        return [meters.state(limit) for limit in (*limits, *terms.tokens)]

    @property
    def balance_nano_usd(self) -> int:
        """Credits that are left, less what is held."""
        return self._charging.balance_nano_usd(self._principal.tenant)

    def expect(self, request: Request, decision: Decision, fee_nano_usd: int) -> None:
        """*request* is about to be sent as *decision* says; every ``attempt`` is one at it."""
        self._request, self._decision, self._fee_nano_usd = request, decision, fee_nano_usd

    async def attempt(self, deployment: Deployment, *, own_key: bool) -> None:
        """
        Hold the tokens that are expected, once, and the money of an attempt at *deployment* instead
        of that of the attempt before.

        Raises:
            RateLimited: too many tokens in a minute.
            SpendLimitReached, CreditsMissing: it would be too much.
            Unavailable: the journal is full.
        """
        request, decision, charging = self._request, self._decision, self._charging
        if request is None or decision is None:
            raise ValueError("An attempt at nothing. This is a bug.")
        if self._number == 0:
            await self._hold_tokens(decision.tokens_in + decision.tokens_out)
        most = Usage(
            tokens_in=decision.tokens_in,
            tokens_out=min(
                decision.tokens_out * LONG_ANSWER,
                request.chat.max_tokens or deployment.output_tokens_max,
                deployment.output_tokens_max,
            ),
        )
        cost = cost_nano_usd(most, deployment.price)
        fee = self._fee_nano_usd
        limits = (*self.terms.money, *charging.provider_limits.get(deployment.provider, ()))
        self._money = await self._hold(self._money, [(limit, cost + fee) for limit in limits])
        if self.terms.credits:
            asked = fee if own_key else cost + fee
            ask = [(charging.balance(request.principal.tenant), asked)]
            self._credits = await self._hold(self._credits, ask, for_fee=own_key)
        self._release("another attempt")
        self._number += 1
        now_s = charging.clock.wall()
        left_s = request.deadline_s - charging.clock.monotonic()
        reserved = Reserved(
            attempt_id=attempt_id(request.id, self._number),
            request_id=request.id,
            tenant=request.principal.tenant,
            project=request.principal.project,
            key_id=request.principal.key_id,
            provider=deployment.provider,
            on_credits=not own_key,
            cost_nano_usd=cost,
            fee_nano_usd=fee,
            wall_s=now_s,
            lease_until_s=now_s + max(left_s, 0.0) + LEASE_S,
        )
        charging.journal.append(reserved)
        self._reserved = reserved
        self.reserved_nano_usd, self.on_credits = reserved.credits_nano_usd, reserved.on_credits

    async def _hold_tokens(self, tokens: int) -> None:
        """Raises RateLimited."""
        if not self.terms.tokens:
            return
        got = await self._charging.meters.hold([(limit, tokens) for limit in self.terms.tokens])
        if isinstance(got, LimitReached):
            refuse_flow(got, self.states)
        self._holds.append(got)

    async def _hold(
        self, hold: Hold | None, asks: list[tuple[Limit, int]], *, for_fee: bool = False
    ) -> Hold | None:
        """*asks* instead of what *hold* has. Raises as ``attempt``."""
        meters = self._charging.meters
        if not asks:
            return hold
        if hold is None:
            got = await meters.hold(asks)
            if not isinstance(got, LimitReached):
                return got
            reached: LimitReached | None = got
        else:
            reached = await meters.change(hold, asks)
        if reached is not None:
            refuse_money(reached, for_fee=for_fee)
        return hold

    def settle(
        self, outcome: Outcome, model: str, *, fee_nano_usd: int, savings_nano_usd: int
    ) -> None:
        """The request has ended so, answered by *model*, and is billed."""
        if self._ended:
            return
        self._ended = True
        usage, cost = outcome.usage, outcome.cost_nano_usd
        tokens = 0 if usage is None or outcome.saved else usage.tokens_in + usage.tokens_out
        for hold in self._holds:
            hold.settle({Unit.REQUESTS: 1, Unit.TOKENS: tokens})
        reserved = self._reserved
        self.deducted_nano_usd = fee_nano_usd + (cost if self.on_credits else 0)
        charging, low = self._charging, self.terms.low_balance_nano_usd
        if self._money is not None:
            charging.settle(self._money, cost + fee_nano_usd, low)
        if self._credits is not None:
            charging.settle(self._credits, self.deducted_nano_usd, low)
        if reserved is None:
            return
        if usage is None:
            self._release(outcome.ending.value)
            return
        charging.journal.append(
            Settled(
                attempt_id=reserved.attempt_id,
                request_id=reserved.request_id,
                tenant=reserved.tenant,
                project=reserved.project,
                key_id=reserved.key_id,
                provider=reserved.provider,
                model=model,
                on_credits=reserved.on_credits,
                cost_nano_usd=cost,
                fee_nano_usd=fee_nano_usd,
                savings_nano_usd=savings_nano_usd,
                tokens_in=usage.tokens_in,
                tokens_out=usage.tokens_out,
                estimated=usage.estimated,
                wall_s=charging.clock.wall(),
            )
        )

    def drop(self) -> None:
        """The request has ended without an answer to bill: it counts, and costs nothing."""
        if self._ended:
            return
        self._ended = True
        for hold in self._holds:
            hold.settle({Unit.REQUESTS: 1, Unit.TOKENS: 0})

    def _release(self, reason: str) -> None:
        """Give back what is reserved for the attempt before."""
        if self._reserved is not None:
            released = Released(self._reserved.attempt_id, self._charging.clock.wall(), reason)
            self._charging.journal.append(released)
            self._reserved = None


Permit = Callable[[Deployment, bool], Awaitable[None]]


def refuse_flow(reached: LimitReached, states: Sequence[MeterState]) -> NoReturn:
    """
    Raise what a client is told of *reached*.

    Raises:
        RateLimited: always.
    """
    limit = reached.limit
    unit = limit.unit.value
    window = "at once" if limit.unit is Unit.CONCURRENT else "per minute"
    scope = limit.name.partition("/")[0].replace(":", " ")
    error = RateLimited(
        f"Rate limit of {scope}: {limit.most} {'requests' if unit == 'concurrent' else unit} "
        f"{window}; {reached.used + reached.held} are used, and this one needs {reached.asked}.",
        retry_after_s=1.0 if reached.retry_after_s is None else reached.retry_after_s,
    )
    error.states = states
    raise error


def refuse_money(reached: LimitReached, *, for_fee: bool) -> NoReturn:
    """
    Raise what a client is told of *reached*. *for_fee*: its own key pays the provider.

    Raises:
        CreditsMissing: the balance does not cover it.
        SpendLimitReached: any other limit of money.
    """
    limit, asked = reached.limit, usd_text(reached.asked)
    left = limit.most - reached.used - reached.held
    if limit.name.startswith("credits:"):
        raise CreditsMissing(
            f"The balance of {usd_text(left)} USD does not cover this request, which may cost "
            f"{asked} USD. Top up the tenant's credits.",
            code=credit_code(left, for_fee=for_fee),
            balance_nano_usd=left,
            estimate_nano_usd=reached.asked,
        )
    scope, _, window = limit.name.partition("/usd ")
    raise SpendLimitReached(
        f"The spend limit of {scope.replace(':', ' ')} ({usd_text(limit.most)} USD, {window}) "
        f"leaves {usd_text(max(left, 0))} USD; this request may cost {asked} USD.",
        retry_after_s=reached.retry_after_s,
    )


def credit_code(left_nano_usd: int, *, for_fee: bool) -> str:
    """How LockLLM's clients know what is missing."""
    if for_fee:
        return "insufficient_routing_credits"
    return "no_balance" if left_nano_usd <= 0 else "insufficient_credits"
