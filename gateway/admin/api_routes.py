"""Every path of the admin API. The table is the whole truth; the description is made of it."""

from __future__ import annotations

from typing import Any

from gateway.admin.admin_keys import AdminKeyDraft, AdminKeyView
from gateway.admin.api_activity import ACTIVITY_ROUTES
from gateway.admin.api_route import Route, named, secrets, unnamed
from gateway.admin.drawer import Item, Made, Page
from gateway.admin.keys import KeyDraft, KeyView
from gateway.admin.playground import Explained, Trial
from gateway.admin.provider_keys import ProviderKeyDraft, ProviderKeyView
from gateway.admin.reports import (
    AuditAsked,
    AuditLine,
    Billed,
    Freshness,
    Providers,
    Quality,
    Stretch,
    UsageAsked,
)
from gateway.admin.rules import DraftView, Publish, RulesOf, RulesTest, Tested, Version
from gateway.admin.tenants import TenantBalance, TopUp
from gateway.admin.webhooks import WebhookDraft
from gateway.learn.shipped import Template
from gateway.record.overview import Overview
from gateway.state.facts import PolicyFact, RuleSet, Tenant, TenantProject
from gateway.state.ledger_store import LedgerCheck

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
        "/providers",
        lambda c: c.desk.reports.providers(c.who),
        "The fleet: prices and health",
        Providers,
    ),
    Route(
        "GET",
        "/quality",
        lambda c: c.desk.reports.quality(c.who),
        "What feedback says",
        Quality,
        heavy=True,
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
    *ACTIVITY_ROUTES,
    *READ_ROUTES,
)
