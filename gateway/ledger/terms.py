"""What the facts allow each caller: limits, models, providers, credits. Compiled, immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gateway.core.limits import LIFETIME, MINUTE, NOW, Limit, Unit, parse_window
from gateway.core.money import nano_usd
from gateway.core.request import Grant, Principal
from gateway.state.facts import Facts, GatewayKey, Limits, SpendLimit, Tenant, TenantProject

NO_TENANT = Tenant()
NO_LIMITS = Limits()
BALANCE = "credits"  # a scope beside those of the ledger


class Terms(msgspec.Struct, frozen=True):
    """
    What one key works under. *flow* are limits of requests, concurrency and tokens, *money* those
    of spending; *credits*: paid from the balance of the tenant, which is low at
    *low_balance_nano_usd*.
    """

    flow: tuple[Limit, ...] = ()
    tokens: tuple[Limit, ...] = ()
    money: tuple[Limit, ...] = ()
    credits: bool = False
    low_balance_nano_usd: int = 0
    models: tuple[str, ...] = ()
    own_keys_only: bool = False
    cheaper: bool = False

    @property
    def free(self) -> bool:
        """Whether nothing limits the caller."""
        return self == FREE


FREE = Terms()


class TermsOf:
    """The terms of every caller under the *facts*; compiled when first asked for."""

    def __init__(self, facts: Facts) -> None:
        self._tenants: dict[str, Tenant] = facts.of("tenant")  # type: ignore[assignment]
        self._projects: dict[str, TenantProject] = facts.of("project")  # type: ignore[assignment]
        self._keys: dict[str, GatewayKey] = facts.of("key")  # type: ignore[assignment]
        self._compiled: dict[Principal, Terms] = {}

    def __call__(self, principal: Principal) -> Terms:
        """Those of *principal*, who has shown a key of this gateway, or nobody needs one."""
        terms = self._compiled.get(principal)
        if terms is None:
            terms = self._compiled[principal] = self._compile(principal)
        return terms

    def _compile(self, principal: Principal) -> Terms:
        tenant = self._tenants.get(principal.tenant, NO_TENANT)
        project, key = self._projects.get(principal.project), self._keys.get(principal.key_id)
        scopes = [
            ("key", principal.key_id, NO_LIMITS if key is None else key.limits),
            ("project", principal.project, NO_LIMITS if project is None else project.limits),
            ("tenant", principal.tenant, tenant.limits),
        ]
        return Terms(
            flow=tuple(limit for scope in scopes for limit in flow_limits(*scope)),
            tokens=tuple(limit for scope in scopes for limit in token_limits(*scope)),
            money=tuple(
                limit
                for scope, name, limits in scopes
                for limit in money_limits(scope, name, limits.spend)
            ),
            credits=tenant.credits,
            low_balance_nano_usd=nano_usd(tenant.low_balance_usd) if tenant.credits else 0,
            models=() if key is None else key.allowed_models,
            own_keys_only=tenant.own_keys == "only",
            cheaper={one.at_limit for _, _, one in scopes if one.spend} == {"cheaper"},
        )


def flow_limits(scope: str, name: str, limits: Limits) -> Iterable[Limit]:
    """Requests per minute, and at once."""
    if limits.requests_per_minute is not None:
        where = f"{scope}:{name}/requests"
        yield Limit(where, Unit.REQUESTS, limits.requests_per_minute, MINUTE)
    if limits.concurrent is not None:
        yield Limit(f"{scope}:{name}/concurrent", Unit.CONCURRENT, limits.concurrent, NOW)


def token_limits(scope: str, name: str, limits: Limits) -> Iterable[Limit]:
    """Tokens per minute."""
    if limits.tokens_per_minute is not None:
        yield Limit(f"{scope}:{name}/tokens", Unit.TOKENS, limits.tokens_per_minute, MINUTE)


def money_limits(scope: str, name: str, spend: Iterable[SpendLimit]) -> Iterable[Limit]:
    """USD in windows."""
    for one in spend:
        window = parse_window(one.window)
        yield Limit(f"{scope}:{name}/usd {window}", Unit.NANO_USD, nano_usd(one.usd), window)


def balance_limit(tenant: str, given_nano_usd: int) -> Limit:
    """All credits that a tenant was ever given, as a limit of what it may ever use."""
    return Limit(f"{BALANCE}:{tenant}", Unit.NANO_USD, max(given_nano_usd, 0), LIFETIME)


def scope_of(limit: Limit) -> tuple[str, str]:
    """The scope of a limit, and who in it."""
    scope, _, rest = limit.name.partition(":")
    return scope, rest.rpartition("/")[0] or rest


def provider_limits(spend: Mapping[str, Iterable[SpendLimit]]) -> dict[str, tuple[Limit, ...]]:
    """The limits of each provider by its name, for all who use it."""
    return {name: tuple(money_limits("provider", name, one)) for name, one in spend.items()}


def grant_of(
    terms: Terms, own_providers: tuple[str, ...], spend_left_nano_usd: int | None
) -> Grant:
    """What a decision may use, under *terms*."""
    return Grant(
        models=terms.models,
        own_providers=own_providers,
        own_only=terms.own_keys_only,
        spend_left_nano_usd=spend_left_nano_usd,
        cheaper=terms.cheaper and spend_left_nano_usd is not None,
    )
