"""
What operators decide at run time: tenants, projects, keys, rules, webhooks.

A fact is one small document with a kind and an id. ``Facts`` is all of them as a replica holds
them: immutable, swapped whole, never asked for over a network by a request. Secrets are never in
them: keys are kept as keyed hashes, what must be read again is sealed by the vault.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.config.admin_schema import Role as Role
from gateway.config.schema import Project, Rule
from gateway.config.schema import SpendLimit as SpendLimit
from gateway.config.section import Count, NotNegative, Positive, Section
from gateway.core.content_policy import ContentPolicy
from gateway.core.request import RouteAction

log = logging.getLogger(__name__)

Event = Literal[
    "request.blocked",
    "limit.near",
    "limit.reached",
    "balance.low",
    "provider.down",
    "provider.up",
    "test",
]
Tell = Callable[[Event, str, Mapping[str, object]], None]  # webhooks: event, subject, data


def tell_nobody(event: Event, subject: str, data: Mapping[str, object]) -> None:
    """Where no operator wants notices."""


Name = Annotated[
    str, Meta(pattern=r"^[\w.@-]{1,64}$", description="1 to 64 of A-Z a-z 0-9 . _ @ -")
]
Title = Annotated[str, Meta(max_length=200)]


class Limits(Section, frozen=True):
    """What somebody may use. None: not limited."""

    spend: tuple[SpendLimit, ...] = ()
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrent: Count | None = None  # requests in flight
    # Where the model that a client named costs more than is left: an error, or a cheaper model.
    at_limit: Literal["refuse", "cheaper"] = "refuse"


class Tenant(Section, frozen=True):
    """
    Who pays. *credits*: from a balance that the operator tops up, else without a balance; webhooks
    hear of one that falls to *low_balance_usd*. *own_keys* ``only``: with provider keys of its own
    and no others.
    """

    name: Title = ""
    credits: bool = False
    low_balance_usd: NotNegative = 5.0
    own_keys: Literal["prefer", "only"] = "prefer"
    disabled: bool = False
    limits: Limits = Limits()


class TenantProject(Section, frozen=True):
    """A project of a tenant: how its requests are routed and scanned, and what they may use."""

    tenant: Name = "default"
    settings: Project = Project()
    limits: Limits = Limits()


class KeyHash(Section, frozen=True):
    """The keyed hash of a secret that opens the door until *expires_s* (wall clock; None: ever)."""

    digest: str  # hexadecimal
    expires_s: float | None = None


class GatewayKey(Section, frozen=True):
    """
    A key of a client. Its secret is shown once, when it is made; *prefix* is the beginning of it,
    to find it by. After a rotation the older secret works on until it expires.
    """

    tenant: Name
    project: Name
    hashes: tuple[KeyHash, ...]
    prefix: str
    name: Title = ""
    created_s: float = 0.0
    expires_s: float | None = None
    revoked_s: float | None = None
    priority: Literal["normal", "low"] = "normal"  # low: shed first, while there is room for others
    allowed_models: tuple[str, ...] = ()  # empty: all
    allowed_routes: tuple[str, ...] = ()  # beginnings of paths; empty: all
    action: RouteAction | None = None  # None: as the project
    mode: str | None = None  # None: as the project
    limits: Limits = Limits()


class ProviderKeyFact(Section, frozen=True):
    """
    A tenant's own key at a provider, *sealed* by the vault. *base_url*: an endpoint of its own.
    """

    tenant: Name
    provider: str
    sealed: str
    hint: str = ""  # its last characters, to recognise it by
    name: Title = ""
    base_url: str | None = None
    weight: Positive = 1.0  # share of the traffic among the keys of this provider
    created_s: float = 0.0
    disabled: bool = False


class RuleSet(Section, frozen=True):
    """
    The rules of a project, ``*`` for those of all, in order. Earlier ones are in the audit log.
    """

    rules: tuple[Rule, ...] = ()
    note: Title = ""


class AdminKey(Section, frozen=True):
    """A key of an operator."""

    role: Role
    hashes: tuple[KeyHash, ...]
    prefix: str
    name: Title = ""
    created_s: float = 0.0
    expires_s: float | None = None
    revoked_s: float | None = None


class Webhook(Section, frozen=True):
    """Where events are told to. *sealed* is the secret that signs them."""

    url: str
    sealed: str
    events: tuple[Event, ...] = ()  # empty: all
    name: Title = ""
    disabled: bool = False


class PolicyFact(Section, frozen=True):
    """A content policy beside those of the configuration; of one *tenant*, "" for all."""

    policy: ContentPolicy
    tenant: str = ""


class MasterKeyFact(Section, frozen=True):
    """
    Which master key the secrets of this database are sealed with, and the *pepper*, sealed by it,
    that keys are hashed with.
    """

    master_id: str
    pepper: str


FactValue = (
    MasterKeyFact
    | Tenant
    | TenantProject
    | GatewayKey
    | ProviderKeyFact
    | RuleSet
    | AdminKey
    | Webhook
    | PolicyFact
)
KINDS: dict[str, type[FactValue]] = {
    "master_key": MasterKeyFact,
    "tenant": Tenant,
    "project": TenantProject,
    "key": GatewayKey,
    "provider_key": ProviderKeyFact,
    "rules": RuleSet,
    "draft": RuleSet,
    "admin_key": AdminKey,
    "webhook": Webhook,
    "content_policy": PolicyFact,
}
COMMON_RULES = "*"  # id of the rules that hold for every project


class Change(msgspec.Struct, frozen=True):
    """One fact as a transaction left it; *payload* is its JSON, None where it was deleted."""

    kind: str
    id: str
    version: int  # of all facts, after that transaction
    payload: bytes | None


class Facts(msgspec.Struct, frozen=True):
    """All facts of one *version*. A kind's dictionary is by id."""

    version: int = 0
    by_kind: dict[str, dict[str, FactValue]] = {}

    def of(self, kind: str) -> dict[str, FactValue]:
        """Those of one kind, by id; not to be changed."""
        return self.by_kind.get(kind, {})

    def after(self, changes: Iterable[Change]) -> Facts:
        """
        The same after *changes*, in order. What this version cannot read stays as it was, loudly:
        one bad fact must not keep a replica from hearing of a key that was revoked.
        """
        version, by_kind = self.version, dict(self.by_kind)
        fresh: set[str] = set()
        for change in changes:
            version = max(version, change.version)
            if change.kind not in KINDS:
                continue  # of a newer version of ours
            if change.kind not in fresh:
                by_kind[change.kind] = dict(by_kind.get(change.kind, {}))
                fresh.add(change.kind)
            if change.payload is None:
                by_kind[change.kind].pop(change.id, None)
            else:
                try:
                    by_kind[change.kind][change.id] = decode_fact(change.kind, change.payload)
                except msgspec.DecodeError as error:
                    log.error("%s %s cannot be read: %s", change.kind, change.id, error)  # noqa: TRY400
        return Facts(version, by_kind)


def decode_fact(kind: str, payload: bytes) -> FactValue:
    """
    The fact that *payload* is the JSON of.

    Raises:
        msgspec.ValidationError: it is none of this *kind*; the message has the path.
    """
    return msgspec.json.decode(payload, type=KINDS[kind])
