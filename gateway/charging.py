"""
Limits and money on the way of one request: admitted, reserved, checked again for every attempt,
settled once.

Nothing here waits for a database. Limits are counted in memory; what was reserved and settled goes
into the journal, and from there into the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
GAUGE_RETRY_S = 1.0  # some request may have ended by then
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
        self._balances: dict[str, Limit] = {}  # made of *_given* when first asked for

    def use(self, facts: Facts) -> None:
        """Go on with the limits of *facts*; what was counted of them stays."""
        self._terms_of = TermsOf(facts)

    def use_given(self, given_nano_usd: Mapping[str, int]) -> None:
        """The credits that each tenant was ever given."""
        if given_nano_usd != self._given:
            self._given, self._balances = given_nano_usd, {}

    def terms(self, principal: Principal) -> Terms:
        """What *principal* works under."""
        return self._terms_of(principal)

    def grant(self, principal: Principal) -> Grant:
        """What a decision for *principal* may use now."""
        terms = self.terms(principal)
        own = self.own_providers(principal.tenant)
        if not own and terms.free:
            return UNBOUND
        left = [self.meters.remaining(limit) for limit in terms.money]
        if terms.credits:
            left.append(self.balance_nano_usd(principal.tenant))
        return grant_of(terms, own, min(left, default=None))

    def balance(self, tenant: str) -> Limit:
        """The credits of *tenant* as a limit."""
        limit = self._balances.get(tenant)
        if limit is None:
            limit = self._balances[tenant] = balance_limit(tenant, self._given.get(tenant, 0))
        return limit

    def balance_nano_usd(self, tenant: str) -> int:
        """What *tenant* may still spend."""
        return self.meters.remaining(self.balance(tenant))

    def settle(
        self, hold: Hold, amounts_nano_usd: Sequence[int], low_balance_nano_usd: int
    ) -> None:
        """
        Settle what *hold* has of money, each by its amount, and let operators know of what comes
        near its end.
        """
        held = hold.held
        hold.settle_each(amounts_nano_usd)
        now_s = self.clock.wall()
        for (meter, _), amount in zip(held, amounts_nano_usd, strict=True):
            mark = mark_of(meter.limit, low_balance_nano_usd)
            if passed(meter, mark, amount, now_s):
                self.tell(*notice_of(meter.state(now_s)))

    async def know(self, principal: Principal) -> None:
        """
        Have it counted what was spent before this process, of all limits that *principal* may come
        near. Waits at the first request of each limit alone, ``Meters.know`` says how long.
        """
        terms = self.terms(principal)
        limits = [*terms.money, *(one for some in self.provider_limits.values() for one in some)]
        if terms.credits:
            limits.append(self.balance(principal.tenant))
        if limits:
            await self.meters.know(limits)

    def bill(self, principal: Principal) -> Bill:
        """The bill of one request."""
        return Bill(self, principal, self.terms(principal))


class Bill:
    """
    Of one request: ``hold_flow`` before any work, ``expect`` when it is decided, ``attempt``
    before each attempt, ``settle`` or ``drop`` at the end; only the first end counts.

    The mutable state: what is held of requests, tokens and money, and the number of the attempt
    that has money reserved.
    """

    def __init__(self, charging: Charging, principal: Principal, terms: Terms) -> None:
        self.terms = terms
        self._charging = charging
        self._principal = principal
        self._requests: Hold | None = None
        self._tokens: Hold | None = None
        self._money: Hold | None = None
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
        Count the request, among those of a minute and those at once; know what was spent before.

        Raises:
            RateLimited: it is one too many.
        """
        if self.terms.flow:
            self._requests = await self._hold_flow(self.terms.flow, 1)
        await self._charging.know(self._principal)

    async def _hold_flow(self, limits: Sequence[Limit], amount: int) -> Hold:
        """*amount* of each of *limits*. Raises RateLimited."""
        got = await self._charging.meters.hold([(limit, amount) for limit in limits])
        if isinstance(got, LimitReached):
            refuse_flow(got, self.states)
        return got

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
        if self.terms.tokens and self._tokens is None:
            tokens = decision.tokens_in + decision.tokens_out
            self._tokens = await self._hold_flow(self.terms.tokens, tokens)
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
        limits = [*self.terms.money, *charging.provider_limits.get(deployment.provider, ())]
        if self.terms.credits:
            limits.append(charging.balance(request.principal.tenant))
        if limits or self._money is not None:
            amounts = self._amounts(len(limits), cost, fee, on_credits=not own_key)
            await self._hold_money(list(zip(limits, amounts, strict=True)), for_fee=own_key)
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

    def _amounts(self, count: int, cost: int, fee: int, *, on_credits: bool) -> list[int]:
        """
        What of *cost* and *fee* each of *count* limits in money counts: those of the caller both,
        those of the provider the cost, and the balance, which is the last, what credits pay.
        """
        own, balance = len(self.terms.money), int(self.terms.credits)
        credit = fee + cost if on_credits else fee
        return [cost + fee] * own + [cost] * (count - own - balance) + [credit] * balance

    async def _hold_money(self, asks: list[tuple[Limit, int]], *, for_fee: bool) -> None:
        """*asks* instead of what is held for the attempt before. Raises as ``attempt``."""
        meters = self._charging.meters
        if self._money is None:
            got = await meters.hold(asks)
            if not isinstance(got, LimitReached):
                self._money = got
                return
            refuse_money(got, for_fee=for_fee)
        reached = await meters.change(self._money, asks)
        if reached is not None:
            refuse_money(reached, for_fee=for_fee)

    def settle(
        self, outcome: Outcome, model: str, *, fee_nano_usd: int, savings_nano_usd: int
    ) -> None:
        """The request has ended so, answered by *model*, and is billed."""
        if self._ended:
            return
        self._ended = True
        usage, cost, reserved = outcome.usage, outcome.cost_nano_usd, self._reserved
        on_credits, charging = bool(self.on_credits), self._charging
        self.deducted_nano_usd = fee_nano_usd + (cost if on_credits else 0)
        if usage is None or reserved is None:
            self._release(outcome.ending.value)
        else:
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
        self._settle_flow(0 if usage is None else usage.tokens_in + usage.tokens_out)
        if self._money is not None:
            count = len(self._money.held)
            amounts = self._amounts(count, cost, fee_nano_usd, on_credits=on_credits)
            charging.settle(self._money, amounts, self.terms.low_balance_nano_usd)

    def drop(self) -> None:
        """The request has ended without an answer to bill: it counts, and costs nothing."""
        if self._ended:
            return
        self._ended = True
        self._settle_flow(0)
        if self._money is not None:
            self._money.release()
        self._release("dropped")

    def _settle_flow(self, tokens: int) -> None:
        """The request counts as one, with *tokens*."""
        if self._requests is not None:
            self._requests.settle({})
        if self._tokens is not None:
            self._tokens.settle_each([tokens] * len(self._tokens.held))

    def _release(self, reason: str) -> None:
        """Give back what is reserved for the attempt before."""
        if self._reserved is not None:
            released = Released(self._reserved.attempt_id, self._charging.clock.wall(), reason)
            self._charging.journal.append(released)
            self._reserved = None


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
    hopeless = reached.asked > limit.most  # however long one waits
    error = RateLimited(
        f"Rate limit of {scope}: {limit.most} {'requests' if unit == 'concurrent' else unit} "
        f"{window}; {reached.used + reached.held} are used, and this one needs {reached.asked}.",
        retry_after_s=None if hopeless else reached.retry_after_s or GAUGE_RETRY_S,
    )
    error.states, error.retry = states, not hopeless
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
    if scope.startswith("provider:"):  # how much it is, is the operator's business
        raise SpendLimitReached(
            f"The spend limit of {scope.replace(':', ' ')} leaves too little for this request.",
            retry_after_s=reached.retry_after_s,
        )
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
