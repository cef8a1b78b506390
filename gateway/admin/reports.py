"""What operators look at: sums, records, money, health, qualities, settings and the audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from gateway.admin.drawer import Page, PageLimit, wrong
from gateway.admin.masks import masked_config, masked_fact
from gateway.admin.office import Office
from gateway.admin.roles import Operator, needs
from gateway.config.section import Section
from gateway.core.errors import InvalidRequest, NotFound
from gateway.core.fleet import Capability, Deployment, Price
from gateway.decide.fleet_view import fleet_rows
from gateway.decide.policy import compile_policies
from gateway.execute.health import ProviderHealth, provider_health
from gateway.learn.matrix import QualityMatrix
from gateway.learn.promises import Insight, insights, promises
from gateway.learn.refresh import refresh
from gateway.record.activity import ActivityFilter, Line, export_rows, flat, query
from gateway.record.overview import Overview, overview
from gateway.record.record import rbaos_view
from gateway.state.ledger_store import Group, LedgerCheck, Scope, Total

PARTS_MAX = 200
Audited = Literal[  # kinds of facts, and log-ins; "" for all
    "",
    "master_key",
    "tenant",
    "project",
    "key",
    "provider_key",
    "rules",
    "draft",
    "admin_key",
    "webhook",
    "content_policy",
    "session",
]
AUDITED: tuple[Audited, ...] = get_args(Audited)[1:]
HOURS_MAX = 24.0 * 366
Hours = Annotated[float, Meta(gt=0.0, le=HOURS_MAX)]


class Stretch(Section, frozen=True):
    """The last *hours*, in *parts* equal parts."""

    hours: Hours = 24.0
    parts: Annotated[int, Meta(ge=1, le=PARTS_MAX)] = 24


By = Literal["tenant", "project", "key", "provider", "model", "day"]


class UsageAsked(Section, frozen=True):
    """What was billed in the last *hours*, by what, and of whom; "" for all."""

    hours: Hours = 24.0 * 30
    by: By = "tenant"
    tenant: str = ""
    project: str = ""
    key: str = ""
    provider: str = ""
    model: str = ""


class Billed(msgspec.Struct, frozen=True):
    """What was billed in one group; of days *group* is when they begin, in seconds."""

    group: str
    attempts: int
    cost_nano_usd: int
    fee_nano_usd: int
    savings_nano_usd: int
    tokens_in: int
    tokens_out: int
    estimated: int  # attempts without usage of the upstream's own


class Activity(msgspec.Struct, frozen=True):
    """
    Some records, newest first. *next* is the cursor of what lies behind. *looked* records were
    read, back to *back_to_s*; *unreadable* ones are of an unknown shape.
    """

    items: list[Line]
    next: str | None
    looked: int
    back_to_s: float | None
    unreadable: int


class OneRecord(msgspec.Struct, frozen=True):
    """A record as it is stored, and in the words of clients."""

    record: dict[str, Any]
    decision: dict[str, Any]


class Place(msgspec.Struct, frozen=True):
    """A deployment and what it costs, in pico-dollars per token.."""

    id: str
    model: str
    provider: str
    upstream_model: str
    model_class: str
    can: list[str]
    context_tokens: int
    output_tokens_max: int
    region: str
    weight: float
    simulated: bool
    price: Price


class Providers(msgspec.Struct, frozen=True):
    """The fleet, and how it does where a gateway runs."""

    version: str
    deployments: list[Place]
    health: list[ProviderHealth]


class Quality(msgspec.Struct, frozen=True):
    """What judgements say of models. *samples_min*: from then on they are trusted."""

    version: str
    samples_min: float
    prior_samples: float
    cells: list[Insight]


class AuditAsked(Section, frozen=True):
    """Which lines of the audit log; "" for all. *after* is the cursor of an earlier page."""

    kind: Audited = ""
    id: str = ""
    after: Annotated[str, Meta(pattern=r"^\d{0,18}$")] = ""
    limit: PageLimit = 100


class AuditLine(msgspec.Struct, frozen=True):
    """Who did what, and the fact before and after, without secrets."""

    seq: int
    version: int
    wall_s: float
    actor: str
    action: str
    kind: str
    id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Freshness(msgspec.Struct, frozen=True):
    """The version of the facts here, and seconds since they were current; None: never."""

    version: int
    stale_s: float | None


class Reports:
    """Everything that is only read."""

    def __init__(self, office: Office) -> None:
        self._office = office

    @needs("viewer")
    async def overview(self, who: Operator, value: Stretch) -> Overview:
        """Sums of the records. Raises Unavailable."""
        until_s = self._office.clock.wall()
        since_s = until_s - value.hours * 3600
        return await asyncio.to_thread(
            overview, self._office.records, since_s, until_s, value.parts
        )

    @needs("viewer")
    async def activity(
        self, who: Operator, wanted: ActivityFilter, after: str = "", limit: int = 50
    ) -> Activity:
        """The newest records that are *wanted*, behind the cursor *after*. Raises Unavailable."""
        records = self._office.records
        try:
            page = await asyncio.to_thread(query, records, wanted, after or None, limit)
        except InvalidRequest as error:
            raise wrong("$.after", error.message) from None
        lines = [flat(record) for record in page.records]
        return Activity(lines, page.next, page.looked, page.back_to_s, page.unreadable)

    @needs("viewer")
    async def export(
        self, who: Operator, wanted: ActivityFilter, form: Literal["csv", "jsonl"]
    ) -> Iterator[bytes]:
        """All records that are *wanted*, as pieces of a file; reading one blocks, and may raise."""
        return export_rows(self._office.records, wanted, form)

    @needs("viewer")
    async def record(self, who: Operator, request_id: str) -> OneRecord:
        """The record of one request. Raises NotFound, Unavailable."""
        found = await asyncio.to_thread(self._office.records.find_record, request_id)
        if found is None:
            raise NotFound(f"No decision has the id {request_id[:80]!a}, or it is no longer kept.")
        return OneRecord(plain(found), plain(rbaos_view(found)))

    @needs("viewer")
    async def usage(self, who: Operator, value: UsageAsked) -> list[Billed]:
        """What the ledger has billed. Raises Unavailable."""
        until_s = self._office.clock.wall()
        names: tuple[Scope | Literal["model"], ...] = (
            "tenant", "project", "key", "provider", "model"
        )  # fmt: skip
        only: Mapping[Scope | Literal["model"], str] = {
            name: getattr(value, name) for name in names if getattr(value, name)
        }
        group: Group = value.by
        totals = await asyncio.to_thread(
            self._office.ledger.totals, until_s - value.hours * 3600, until_s, [group], only=only
        )
        return [billed(total) for total in totals]

    @needs("viewer")
    async def books(self, who: Operator) -> LedgerCheck:
        """Whether the ledger adds up; reads every entry. Raises Unavailable."""
        return await asyncio.to_thread(self._office.ledger.check)

    @needs("viewer")
    async def providers(self, who: Operator) -> Providers:
        """The fleet with its prices, and its health where a gateway runs."""
        gateway, fleet = self._office.gateway, self._office.settings().fleet
        health = [] if gateway is None else provider_health(gateway.upstreams)
        return Providers(fleet.version, [place_of(one) for one in fleet.deployments], health)

    @needs("viewer")
    async def quality(self, who: Operator) -> Quality:
        """What feedback says of models, and what decisions make of it. Raises Unavailable."""
        return await asyncio.to_thread(self._quality)

    @needs("viewer")
    async def settings(self, who: Operator) -> dict[str, Any]:
        """The configuration in force, facts included, without secrets."""
        return masked_config(self._office.completed().config)

    @needs("viewer")
    async def audit(self, who: Operator, value: AuditAsked) -> Page[AuditLine]:
        """Who did what, newest first. Raises Unavailable."""
        limit = value.limit
        entries = await asyncio.to_thread(
            self._office.fact_store.history,
            value.kind or None,
            value.id or None,
            before_seq=int(value.after) if value.after else None,
            limit=limit + 1,
        )
        lines = [
            AuditLine(
                seq=entry.seq,
                version=entry.version,
                wall_s=entry.wall_s,
                actor=entry.actor,
                action=entry.action,
                kind=entry.kind,
                id=entry.id,
                before=masked_fact(entry.before),
                after=masked_fact(entry.after),
            )
            for entry in entries[:limit]
        ]
        return Page(lines, str(lines[-1].seq) if len(entries) > limit else None)

    @needs("viewer")
    async def freshness(self, who: Operator) -> Freshness:
        """How old the facts here are."""
        replica = self._office.replica
        stale_s = replica.stale_s
        return Freshness(replica.facts.version, None if stale_s == float("inf") else stale_s)

    def _quality(self) -> Quality:
        office, settings = self._office, self._office.completed()
        matrix = matrix_of(office)
        learnt = promises(matrix, settings.config.routing, settings.fleet)
        policy = compile_policies(settings.config, settings.fleet, learnt).default
        rows = fleet_rows(settings.fleet)
        cells = list(insights(matrix, settings.config.routing, policy, rows))
        return Quality(matrix.version, matrix.samples_min, matrix.prior_samples, cells)


def matrix_of(office: Office) -> QualityMatrix:
    """That of the running gateway, else what the records say now. Blocks. Raises Unavailable."""
    if office.matrix is not None:
        return office.matrix()
    return refresh(office.records, office.settings().config.learn, office.clock.wall())


def plain(struct: object) -> dict[str, Any]:
    """*struct* as plain values."""
    shown: dict[str, Any] = msgspec.to_builtins(struct)
    return shown


def billed(total: Total) -> Billed:
    """*total* of one group, named."""
    return Billed(
        group=str(total.group[0]),
        attempts=total.attempts,
        cost_nano_usd=total.cost_nano_usd,
        fee_nano_usd=total.fee_nano_usd,
        savings_nano_usd=total.savings_nano_usd,
        tokens_in=total.tokens_in,
        tokens_out=total.tokens_out,
        estimated=total.estimated,
    )


def place_of(deployment: Deployment) -> Place:
    """*deployment* as operators see it: without its key and its headers."""
    return Place(
        id=deployment.id,
        model=deployment.model,
        provider=deployment.provider,
        upstream_model=deployment.upstream_model,
        model_class=deployment.model_class.value,
        can=[one.name.lower() for one in Capability if one in deployment.capabilities and one.name],
        context_tokens=deployment.context_tokens,
        output_tokens_max=deployment.output_tokens_max,
        region=deployment.region,
        weight=deployment.weight,
        simulated=deployment.simulated,
        price=deployment.price,
    )
