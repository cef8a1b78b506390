"""Tenants and their projects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.admin.checks import (
    DEFAULT,
    check_name,
    known_of,
    leans_on,
    limit_problems,
    pairs,
    tenant_problems,
)
from gateway.admin.drawer import Drawer, Item, of, refuse, wrong
from gateway.admin.office import Office
from gateway.admin.roles import Operator, needs
from gateway.config.check_routing import project_problems
from gateway.config.check_rules import rule_problems
from gateway.config.schema import Project
from gateway.config.section import Section
from gateway.config.yaml_tree import child
from gateway.core.errors import Conflict, NotFound
from gateway.state.fact_store import Write
from gateway.state.facts import Facts, Tenant, TenantProject

NANO = 1_000_000_000
USD_MAX = 1_000_000  # of one top-up: a slip of the keyboard should not make anybody rich
BELONGINGS = {
    "project": "projects",
    "key": "keys",
    "provider_key": "provider keys",
    "content_policy": "content policies",
}


class TopUp(Section, frozen=True):
    """So much more for a tenant, in nano-dollars: 10**9 of them are a dollar."""

    nano_usd: Annotated[int, Meta(ge=1, le=USD_MAX * NANO)]
    note: Annotated[str, Meta(max_length=200)] = ""


class TenantBalance(msgspec.Struct, frozen=True):
    """Credits of a tenant: what it may spend (negative: what it owes), and what is reserved."""

    tenant: str
    available_nano_usd: int
    held_nano_usd: int


class Tenants(Drawer[Tenant, Tenant]):
    """Who pays. The tenant ``default`` is always there; a fact of it is what was said of it."""

    kind, noun = "tenant", "tenant"

    def _held(self) -> dict[str, Tenant]:
        return {DEFAULT: Tenant(), **super()._held()}

    async def _find(self, id_: str) -> tuple[int, Tenant]:
        """As of any fact; version 0 and nothing said where ``default`` has none."""
        try:
            return await super()._find(id_)
        except NotFound:
            if id_ != DEFAULT:
                raise
            return 0, Tenant()

    def view(self, id_: str, fact: Tenant) -> Tenant:
        """Nothing of a tenant is secret."""
        return fact

    @needs("operator")
    async def create(self, who: Operator, id_: str, value: Tenant) -> Item[Tenant]:
        """
        Make one.

        Raises:
            Conflict: there is one of that id.
            Forbidden: it has credits or a spend limit, which takes an admin.
            InvalidRequest, Unavailable.
        """
        check_name(id_, self.noun)
        self._check(who, Tenant(), value)
        version = await self._write(who, "create", Write(self.kind, id_, value, 0))
        return Item(id_, version, value)

    @needs("operator")
    async def update(
        self, who: Operator, id_: str, value: Tenant, expected: int | None = None
    ) -> Item[Tenant]:
        """Replace one; *expected* is the version that was read. Raises as ``create``, NotFound."""

        def changed(fact: Tenant) -> Tenant:
            self._check(who, fact, value)
            return value

        return await self._change(who, id_, expected, changed, "update")

    @needs("operator")
    async def delete(self, who: Operator, id_: str, expected: int | None = None) -> None:
        """
        Delete one that has nothing left; ``default`` forgets what was said of it.

        Raises:
            Conflict, Forbidden, NotFound, Unavailable.
        """

        def others(facts: Facts) -> Sequence[Write]:
            fact = facts.of(self.kind).get(id_)
            if isinstance(fact, Tenant) and has_money(fact):
                who.check("admin")  # else it could be made again without its limits
            for kind, noun in BELONGINGS.items() if id_ != DEFAULT else ():
                owned = [n for n, one in facts.of(kind).items() if of(one, id_)]
                if owned:
                    raise Conflict(
                        f"The tenant '{id_}' has {len(owned)} {noun} left, such as '{owned[0]}'."
                    )
            return ()

        await self._delete_unused(who, id_, expected, others)

    @needs("viewer")
    async def balance(self, who: Operator, id_: str) -> TenantBalance:
        """What is left of the credits. Raises NotFound, Unavailable."""
        await self._find(id_)
        found = await asyncio.to_thread(self._office.ledger.balance, id_)
        return TenantBalance(id_, found.available_nano_usd, found.held_nano_usd)

    @needs("admin")
    async def top_up(self, who: Operator, id_: str, value: TopUp, once: str) -> TenantBalance:
        """
        Add to the credits. The same *once* again adds nothing.

        Raises:
            Conflict: *once* stood for another amount or tenant.
            NotFound, Unavailable.
        """
        await self._find(id_)
        office = self._office
        found = await asyncio.to_thread(
            office.ledger.top_up,
            id_,
            value.nano_usd,
            note=value.note,
            by=who.id,
            idempotency_key=once,
        )
        await asyncio.to_thread(
            office.fact_store.note,
            actor=who.id,
            action="top up",
            kind=self.kind,
            id_=id_,
            detail={"nano_usd": value.nano_usd, "note": value.note, "once": once},
        )
        await office.refresh()
        return TenantBalance(id_, found.available_nano_usd, found.held_nano_usd)

    def _check(self, who: Operator, before: Tenant, after: Tenant) -> None:
        refuse(limit_problems("$.limits", after.limits))
        if (after.credits, after.limits.spend) != (before.credits, before.limits.spend):
            who.check("admin")


def has_money(fact: Tenant) -> bool:
    """Whether it pays from a balance, or may spend so much only."""
    return fact.credits or bool(fact.limits.spend)


class Projects(Drawer[TenantProject, TenantProject]):
    """Projects of tenants, beside those of the configuration."""

    kind, noun = "project", "project"

    def view(self, id_: str, fact: TenantProject) -> TenantProject:
        """Nothing of a project is secret."""
        return fact

    @needs("operator")
    async def create(self, who: Operator, id_: str, value: TenantProject) -> Item[TenantProject]:
        """Make one. Raises Conflict, InvalidRequest, Unavailable."""
        check_name(id_, self.noun)
        await asyncio.to_thread(check_project, self._office, id_, value)
        refs = leans_on(self._office, value.tenant)
        write = Write(self.kind, id_, value, 0)
        version = await self._write(who, "create", write, leans_on=refs)
        return Item(id_, version, value)

    @needs("operator")
    async def update(
        self, who: Operator, id_: str, value: TenantProject, expected: int | None = None
    ) -> Item[TenantProject]:
        """Replace one, but for its tenant. Raises as ``create``, NotFound."""

        def changed(fact: TenantProject) -> TenantProject:
            if value.tenant != fact.tenant:
                raise wrong("$.tenant", f"a project stays with its tenant, '{fact.tenant}'")
            return value

        await asyncio.to_thread(check_project, self._office, id_, value)
        return await self._change(who, id_, expected, changed, "update")

    @needs("operator")
    async def delete(self, who: Operator, id_: str, expected: int | None = None) -> None:
        """Delete one that no key is of, with its rules. Raises Conflict, NotFound, Unavailable."""

        def others(facts: Facts) -> Sequence[Write]:
            keys = [n for n, key in facts.of("key").items() if getattr(key, "project", "") == id_]
            if keys:
                raise Conflict(
                    f"The project '{id_}' has {len(keys)} keys left, such as '{keys[0]}'."
                )
            return [Write(kind, id_, None) for kind in ("rules", "draft") if id_ in facts.of(kind)]

        await self._delete_unused(who, id_, expected, others)


def check_project(office: Office, id_: str, value: TenantProject) -> None:
    """Raises InvalidRequest for what *value* gets wrong, all of it."""
    config, settings = office.settings().config, value.settings
    if id_ in config.projects and settings != Project():
        message = f"'{id_}' is a project of the configuration file, which decides these"
        raise wrong("$.settings", message)
    known = known_of(office)
    alone = msgspec.structs.replace(config, projects={id_: settings})
    strict = rule_problems(settings.rules, "$.settings.rules", config, known, settings.policy)
    prefix = child("$.projects", id_)
    refuse(
        [
            *tenant_problems(office, value.tenant),
            *limit_problems("$.limits", value.limits),
            *(
                ("$.settings" + path.removeprefix(prefix), message)
                for path, message in pairs(project_problems(alone, known))
            ),
            *pairs(strict),
        ]
    )
