"""Every path of the admin API. The table is the whole truth; the description is made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from gateway.admin.admin_keys import AdminKeyDraft, AdminKeyView
from gateway.admin.api_call import ApiCall
from gateway.admin.drawer import Entry, Item, Made, Page, PageLimit
from gateway.admin.keys import KeyDraft, KeyView, Overlap
from gateway.admin.playground import Explained, Trial
from gateway.admin.provider_keys import ProviderKeyDraft, ProviderKeyView
from gateway.admin.reports import (
    Activity,
    AuditAsked,
    AuditLine,
    Billed,
    Freshness,
    OneRecord,
    Providers,
    Quality,
    Stretch,
    UsageAsked,
)
from gateway.admin.rules import DraftView, Publish, RulesOf, RulesTest, Tested, Version
from gateway.admin.tenants import TenantBalance, TopUp
from gateway.admin.webhooks import WebhookDraft
from gateway.config.section import Section
from gateway.learn.shipped import Template
from gateway.record.activity import LIMIT_MAX, ActivityFilter
from gateway.record.overview import Overview
from gateway.state.facts import Name, PolicyFact, Role, RuleSet, Tenant, TenantProject
from gateway.state.ledger_store import LedgerCheck

V = TypeVar("V")
ROOT = "/admin/api/v1"
PROJECT = r"^([\w.@-]{1,64}|\*)$"  # of whom there are rules
Place = Annotated[str, Meta(pattern=r"^[\w.@-]{0,64}$")]


class Route(msgspec.Struct, frozen=True):
    """
    One operation. *body*, *query* and *answer* are types, None for none. *versioned*: it obeys
    ``If-Match``. *once*: it needs an ``Idempotency-Key``. *role* is what its method needs.
    *heavy*: it reads thousands of rows.
    """

    method: str
    path: str
    run: Callable[[ApiCall], Awaitable[Any]]
    summary: str
    answer: Any = None
    body: Any = None
    query: type[msgspec.Struct] | None = None
    status: int = 200
    versioned: bool = False
    once: bool = False
    role: Role = "viewer"
    heavy: bool = False


class Named(Section, Generic[V], frozen=True):
    """What is made, and the id it shall have."""

    id: Name
    value: V


class Unnamed(Section, Generic[V], frozen=True):
    """What is made; without an *id* it gets one."""

    value: V
    id: Name | None = None


class Listed(Section, frozen=True):
    """Which part of a list: behind the cursor *after*; *tenant* "" for all."""

    after: Place = ""
    limit: PageLimit = 100
    tenant: Place = ""


class Rotation(Section, frozen=True):
    """For how many seconds older secrets go on working."""

    overlap_s: Overlap = 0.0


class ActivityAsked(ActivityFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records, and which part of them."""

    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = 50


def lists(path: str, drawer: str, view: Any, noun: str) -> Route:
    """GET of a list."""

    async def run(call: ApiCall) -> Any:
        asked: Listed = call.query
        found = getattr(call.desk, drawer)
        return await found.list(call.who, asked.after, asked.limit, asked.tenant or None)

    page = Page[Entry[view]]
    return Route("GET", path, run, f"List {noun}", page, query=Listed)


def common(path: str, drawer: str, draft: Any, view: Any, noun: str) -> Iterator[Route]:
    """What is done to one of a kind: read, replace and delete it."""

    def of(call: ApiCall) -> Any:
        return getattr(call.desk, drawer)

    role: Role = "admin" if drawer in {"provider_keys", "admin_keys"} else "operator"
    item: Any = Item[view]
    one = f"{path}/{{id}}"
    yield Route("GET", one, lambda c: of(c).get(c.who, c.id), f"Read a {noun}", item)
    yield Route(
        "PUT",
        one,
        lambda c: of(c).update(c.who, c.id, c.body, c.expected),
        f"Replace a {noun}",
        item,
        body=draft,
        versioned=True,
        role=role,
    )
    yield Route(
        "DELETE",
        one,
        lambda c: of(c).delete(c.who, c.id, c.expected),
        f"Delete a {noun}",
        status=204,
        versioned=True,
        role=role,
    )


def named(path: str, drawer: str, value: Any, noun: str) -> Iterator[Route]:
    """All of a kind whose ids operators choose, and that has no secret."""

    async def create(call: ApiCall) -> Any:
        made = getattr(call.desk, drawer)
        return await made.create(call.who, call.body.id, call.body.value)

    yield lists(path, drawer, value, f"{noun}s")
    yield Route(
        "POST",
        path,
        create,
        f"Make a {noun}",
        Item[value],
        body=Named[value],
        status=201,
        role="operator",
    )
    yield from common(path, drawer, value, value, noun)


def unnamed(
    path: str, drawer: str, draft: Any, view: Any, noun: str, *, shows: bool = True
) -> Iterator[Route]:
    """All of a kind that gets an id of ours; *shows*: its secret is shown when it is made."""

    async def create(call: ApiCall) -> Any:
        made = getattr(call.desk, drawer)
        return await made.create(call.who, call.body.value, call.body.id or "")

    role: Role = "admin" if drawer in {"provider_keys", "admin_keys"} else "operator"
    answer: Any = Made[view] if shows else Item[view]
    yield lists(path, drawer, view, f"{noun}s")
    yield Route(
        "POST",
        path,
        create,
        f"Make a {noun}",
        answer,
        body=Unnamed[draft],
        status=201,
        role=role,
    )
    yield from common(path, drawer, draft, view, noun)


def secrets(path: str, drawer: str, view: Any, noun: str) -> Iterator[Route]:
    """What is done to keys beside that."""

    def of(call: ApiCall) -> Any:
        return getattr(call.desk, drawer)

    role: Role = "admin" if drawer == "admin_keys" else "operator"
    yield Route(
        "POST",
        f"{path}/{{id}}/rotate",
        lambda c: of(c).rotate(c.who, c.id, c.body.overlap_s, c.expected),
        f"Give a {noun} a new secret",
        Made[view],
        body=Rotation,
        versioned=True,
        role=role,
    )
    yield Route(
        "POST",
        f"{path}/{{id}}/revoke",
        lambda c: of(c).revoke(c.who, c.id),
        f"End a {noun} now",
        Item[view],
        role=role,
    )


RULES = "/rules/{project}"
RULE_ROUTES = (
    Route(
        "GET",
        "/rules",
        lambda c: c.desk.rules.projects(c.who),
        "List projects and their rules",
        list[RulesOf],
    ),
    Route(
        "GET",
        "/templates/rules",
        lambda c: c.desk.rules.templates(c.who),
        "Rules to start from",
        list[Template],
    ),
    Route(
        "GET",
        RULES,
        lambda c: c.desk.rules.live(c.who, c.names["project"]),
        "Read published rules",
        Item[RuleSet],
    ),
    Route(
        "GET",
        f"{RULES}/draft",
        lambda c: c.desk.rules.draft(c.who, c.names["project"]),
        "Read the draft",
        Item[DraftView],
    ),
    Route(
        "PUT",
        f"{RULES}/draft",
        lambda c: c.desk.rules.save_draft(c.who, c.names["project"], c.body, c.expected),
        "Save a draft",
        Item[DraftView],
        body=RuleSet,
        versioned=True,
        role="operator",
    ),
    Route(
        "DELETE",
        f"{RULES}/draft",
        lambda c: c.desk.rules.discard_draft(c.who, c.names["project"], c.expected),
        "Discard the draft",
        status=204,
        versioned=True,
        role="operator",
    ),
    Route(
        "POST",
        f"{RULES}/test",
        lambda c: c.desk.rules.test(c.who, c.names["project"], c.body),
        "Try rules on recent records",
        Tested,
        body=RulesTest,
        role="operator",
    ),
    Route(
        "POST",
        f"{RULES}/publish",
        lambda c: c.desk.rules.publish(c.who, c.names["project"], c.body, c.expected),
        "Publish the draft",
        Item[RuleSet],
        body=Publish,
        versioned=True,
        role="operator",
    ),
    Route(
        "GET",
        f"{RULES}/versions",
        lambda c: c.desk.rules.versions(c.who, c.names["project"]),
        "Read what was published before",
        list[Version],
    ),
    Route(
        "POST",
        f"{RULES}/versions/{{version}}/rollback",
        lambda c: c.desk.rules.rollback(
            c.who, c.names["project"], int(c.names["version"]), c.body, c.expected
        ),
        "Publish an earlier version again",
        Item[RuleSet],
        body=Publish,
        versioned=True,
        role="operator",
    ),
)
MONEY_ROUTES = (
    Route(
        "GET",
        "/tenants/{id}/balance",
        lambda c: c.desk.tenants.balance(c.who, c.id),
        "Read the credits of a tenant",
        TenantBalance,
    ),
    Route(
        "POST",
        "/tenants/{id}/top-ups",
        lambda c: c.desk.tenants.top_up(c.who, c.id, c.body, c.once),
        "Add to the credits of a tenant",
        TenantBalance,
        body=TopUp,
        once=True,
        role="admin",
    ),
    Route(
        "GET",
        "/usage",
        lambda c: c.desk.reports.usage(c.who, c.query),
        "Sums of the ledger",
        list[Billed],
        query=UsageAsked,
        heavy=True,
    ),
    Route(
        "GET",
        "/ledger",
        lambda c: c.desk.reports.books(c.who),
        "Check the books",
        LedgerCheck,
        heavy=True,
    ),
)


async def activity(call: ApiCall) -> Activity:
    """The records that are asked for."""
    asked: ActivityAsked = call.query
    return await call.desk.reports.activity(call.who, asked, asked.after, asked.limit)


READ_ROUTES = (
    Route(
        "GET",
        "/overview",
        lambda c: c.desk.reports.overview(c.who, c.query),
        "Sums of the records",
        Overview,
        query=Stretch,
        heavy=True,
    ),
    Route(
        "GET",
        "/activity",
        activity,
        "Look through the records",
        Activity,
        query=ActivityAsked,
        heavy=True,
    ),
    Route(
        "GET",
        "/activity/{request}",
        lambda c: c.desk.reports.record(c.who, c.names["request"]),
        "Read one record",
        OneRecord,
    ),
    Route(
        "GET",
        "/providers",
        lambda c: c.desk.reports.providers(c.who),
        "The fleet: prices and health",
        Providers,
    ),
    Route(
        "GET", "/quality", lambda c: c.desk.reports.quality(c.who), "What feedback says", Quality
    ),
    Route(
        "GET",
        "/settings",
        lambda c: c.desk.reports.settings(c.who),
        "The configuration in force",
        dict[str, Any],
    ),
    Route(
        "GET",
        "/audit",
        lambda c: c.desk.reports.audit(c.who, c.query),
        "Who changed what",
        Page[AuditLine],
        query=AuditAsked,
    ),
    Route(
        "GET",
        "/facts/version",
        lambda c: c.desk.reports.freshness(c.who),
        "How old the facts here are",
        Freshness,
    ),
    Route(
        "POST",
        "/playground",
        lambda c: c.desk.playground.decide(c.who, c.body),
        "Decide on a prompt, calling nobody",
        Explained,
        body=Trial,
        role="operator",
    ),
)
WEBHOOK_ROUTES = (
    Route(
        "POST",
        "/webhooks/{id}/rotate",
        lambda c: c.desk.webhooks.rotate(c.who, c.id, c.expected),
        "Give a webhook a new secret",
        Made[WebhookDraft],
        versioned=True,
        role="operator",
    ),
    Route(
        "POST",
        "/webhooks/{id}/test",
        lambda c: c.desk.webhooks.test(c.who, c.id),
        "Send a webhook a test event",
        status=204,
        role="operator",
    ),
)
ROUTES: tuple[Route, ...] = (
    *named("/tenants", "tenants", Tenant, "tenant"),
    *named("/projects", "projects", TenantProject, "project"),
    *named("/content-policies", "content_policies", PolicyFact, "content policy"),
    *unnamed("/keys", "keys", KeyDraft, KeyView, "key"),
    *secrets("/keys", "keys", KeyView, "key"),
    *unnamed("/admin-keys", "admin_keys", AdminKeyDraft, AdminKeyView, "admin key"),
    *secrets("/admin-keys", "admin_keys", AdminKeyView, "admin key"),
    *unnamed(
        "/provider-keys",
        "provider_keys",
        ProviderKeyDraft,
        ProviderKeyView,
        "provider key",
        shows=False,
    ),
    *unnamed("/webhooks", "webhooks", WebhookDraft, WebhookDraft, "webhook"),
    *WEBHOOK_ROUTES,
    *MONEY_ROUTES,
    *RULE_ROUTES,
    *READ_ROUTES,
)
