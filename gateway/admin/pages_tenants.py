"""Tenants with their credits, their projects, and what both may use."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote

import msgspec
from aiohttp import web

from gateway.admin.forms import Form
from gateway.admin.pages_rule_form import read_yaml
from gateway.admin.pages_visit import Visit, do, go
from gateway.admin.reports import Billed, UsageAsked
from gateway.admin.tenants import TopUp
from gateway.config.schema import MODES, Project
from gateway.config.yaml_tree import stated, yaml_text
from gateway.core.errors import InvalidRequest, SwitchyardError
from gateway.core.money import nano_usd
from gateway.core.request import RouteAction
from gateway.state.facts import Limits, SpendLimit, Tenant, TenantProject
from gateway.state.ledger_store import Balance

LIST = "/admin/keys"
TENANTS, PROJECTS = "/admin/tenants", "/admin/projects"
WINDOWS = (
    *("minute", "hour", "day", "week", "month", "lifetime"),
    *("rolling 1h", "rolling 5h", "rolling 24h", "rolling 7d", "rolling 30d"),
)
SPENT_HOURS = 24.0 * 30
USD_MAX = 1e6


def options(visit: Visit) -> dict[str, object]:
    """What the selects of the forms offer."""
    config, facts = visit.office.completed().config, visit.office.replica.facts
    return {
        "tenant_names": sorted({"default", *facts.of("tenant")}),
        "project_names": sorted({"default", *config.projects, *facts.of("project")}),
        "provider_names": sorted(visit.office.settings().provider_names),
        "actions": tuple(one.value for one in RouteAction),
        "modes": tuple({**MODES, **config.routing.modes}),
        "windows": WINDOWS,
    }


async def balances(visit: Visit) -> Mapping[str, Balance]:
    """By tenant; none while the database does not answer."""
    try:
        return await asyncio.to_thread(visit.office.ledger.balances)
    except SwitchyardError:
        return {}


async def spent(visit: Visit, by: Literal["key", "tenant"]) -> Mapping[str, Billed]:
    """What was billed of late, by key or tenant; nothing while the database does not answer."""
    asked = UsageAsked(hours=SPENT_HOURS, by=by)
    try:
        async with visit.shared.heavy:
            found = await visit.desk.reports.usage(visit.who, asked)
    except SwitchyardError:
        return {}
    return {one.group: one for one in found}


async def show_tenant(visit: Visit) -> web.StreamResponse:
    """GET /admin/tenants/{id}."""
    if not visit.tail:
        return go(LIST)
    item = await visit.desk.tenants.get(visit.who, visit.tail)
    return visit.page(
        "tenant.html",
        item=item,
        tenant=item.value,
        balance=(await balances(visit)).get(item.id, Balance()),
        **options(visit),
    )


async def show_project(visit: Visit) -> web.StreamResponse:
    """GET /admin/projects/{id}."""
    if not visit.tail:
        return go(LIST)
    item = await visit.desk.projects.get(visit.who, visit.tail)
    text = visit.form.text("settings") or yaml_text(stated(item.value.settings))
    return visit.page(
        "project.html", item=item, project=item.value, settings=text, **options(visit)
    )


async def change_tenant(visit: Visit) -> web.StreamResponse:
    """POST /admin/tenants/{id}."""
    return await do(visit, {"update_tenant": update_tenant, "delete_tenant": delete_tenant})


async def change_project(visit: Visit) -> web.StreamResponse:
    """POST /admin/projects/{id}."""
    return await do(visit, {"update_project": update_project, "delete_project": delete_project})


async def create_tenant(visit: Visit) -> web.StreamResponse:
    """Somebody else who pays."""
    await visit.desk.tenants.create(visit.who, visit.form.need("id"), tenant_of(visit.form))
    return go(LIST, "created")


async def update_tenant(visit: Visit) -> web.StreamResponse:
    """Other limits, or another way to pay."""
    tenant, version = tenant_of(visit.form), visit.form.count("version")
    await visit.desk.tenants.update(visit.who, visit.tail, tenant, version)
    return go(f"{TENANTS}/{quote(visit.tail)}", "saved")


async def delete_tenant(visit: Visit) -> web.StreamResponse:
    """Forget one that has nothing left."""
    await visit.desk.tenants.delete(visit.who, visit.tail)
    return go(LIST, "deleted")


async def top_up(visit: Visit) -> web.StreamResponse:
    """More credits. The form's own *once* keeps a second click from adding again."""
    form = visit.form
    usd = form.number("usd")
    if usd is None or not 0 < usd <= USD_MAX:
        raise InvalidRequest(f"A top-up is above 0 and at most {USD_MAX:,.0f} USD.", param="usd")
    value = TopUp(nano_usd=nano_usd(usd), note=form.text("note")[:200])
    await visit.desk.tenants.top_up(visit.who, form.need("tenant"), value, form.need("once"))
    return go(LIST, "topped_up")


async def create_project(visit: Visit) -> web.StreamResponse:
    """A project of a tenant."""
    await visit.desk.projects.create(visit.who, visit.form.need("id"), project_of(visit.form))
    return go(LIST, "created")


async def update_project(visit: Visit) -> web.StreamResponse:
    """Other settings or limits."""
    project, version = project_of(visit.form), visit.form.count("version")
    await visit.desk.projects.update(visit.who, visit.tail, project, version)
    return go(f"{PROJECTS}/{quote(visit.tail)}", "saved")


async def delete_project(visit: Visit) -> web.StreamResponse:
    """Forget one that no key is of."""
    await visit.desk.projects.delete(visit.who, visit.tail)
    return go(LIST, "deleted")


def tenant_of(form: Form) -> Tenant:
    """The form of a tenant. Raises InvalidRequest."""
    low = form.number("low_balance_usd")
    return Tenant(
        name=form.text("name")[:200],
        credits=form.flag("credits"),
        low_balance_usd=Tenant().low_balance_usd if low is None else max(0.0, low),
        own_keys="only" if form.flag("own_keys_only") else "prefer",
        disabled=form.flag("disabled"),
        limits=limits_of(form),
    )


def project_of(form: Form) -> TenantProject:
    """The form of a project, whose settings are YAML. Raises InvalidRequest."""
    settings = read_yaml(form.text("settings"), "Settings", Project)
    action = form.text("action")
    if action in list(RouteAction):
        settings = msgspec.structs.replace(settings, action=RouteAction(action))
    tenant = form.text("tenant", "default")
    return TenantProject(tenant=tenant, settings=settings, limits=limits_of(form))


def limits_of(form: Form) -> Limits:
    """Limits of a key, a project or a tenant; spend limits are numbered fields. Raises."""
    spend = []
    for number in itertools.takewhile(lambda n: f"spend_usd_{n}" in form.fields, itertools.count()):
        usd = form.number(f"spend_usd_{number}")
        if usd is not None:
            spend.append(
                SpendLimit(usd=max(0.0, usd), window=form.text(f"window_{number}", "month"))
            )
    return Limits(
        spend=tuple(spend),
        requests_per_minute=form.count("requests_per_minute"),
        tokens_per_minute=form.count("tokens_per_minute"),
        concurrent=form.count("concurrent"),
        at_limit="cheaper" if form.text("at_limit") == "cheaper" else "refuse",
    )
