"""Keys of clients, tenants with their credits, projects, and provider keys of tenants."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping

import msgspec
from aiohttp import web

from gateway.admin.forms import Form
from gateway.admin.keys import KeyDraft, KeyView
from gateway.admin.pages_visit import Visit, do, go
from gateway.admin.provider_keys import ProviderKeyDraft
from gateway.admin.tenants import TopUp
from gateway.core.errors import InvalidRequest, SwitchyardError
from gateway.core.money import nano_usd
from gateway.core.request import RouteAction
from gateway.state.facts import Limits, SpendLimit, Tenant, TenantProject
from gateway.state.ledger_store import Balance

HERE = "/admin/keys"
ONE_DAY_S = 86_400.0
WINDOWS = ("minute", "hour", "day", "week", "month", "lifetime")


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/keys, or one key below it."""
    if visit.tail:
        return await show_one(visit)
    return await page(visit)


async def page(visit: Visit) -> web.Response:
    """Everything, at a glance."""
    desk, who = visit.desk, visit.who
    config = visit.office.completed().config
    keys = await desk.keys.list(who, after=visit.form.text("after"))
    return visit.page(
        "keys.html",
        keys=keys,
        stated=config.keys,
        tenants=(await desk.tenants.list(who)).items,
        balances=await balances(visit),
        projects=(await desk.projects.list(who)).items,
        provider_keys=(await desk.provider_keys.list(who)).items,
        once=secrets.token_hex(12),
        **options(visit),
    )


def options(visit: Visit) -> dict[str, object]:
    """What the selects of the forms offer."""
    config, facts = visit.office.completed().config, visit.office.replica.facts
    return {
        "tenant_names": sorted({"default", *facts.of("tenant")}),
        "project_names": sorted({"default", *config.projects, *facts.of("project")}),
        "provider_names": sorted(visit.office.settings().provider_names),
        "actions": tuple(one.value for one in RouteAction),
        "windows": WINDOWS,
    }


async def balances(visit: Visit) -> Mapping[str, Balance]:
    """By tenant; none while the database does not answer."""
    try:
        return await asyncio.to_thread(visit.office.ledger.balances)
    except SwitchyardError:
        return {}


async def show_one(visit: Visit) -> web.StreamResponse:
    """GET /admin/keys/{id}."""
    item = await visit.desk.keys.get(visit.who, visit.tail)
    return visit.page("key.html", item=item, key=item.value, **options(visit))


async def change(visit: Visit) -> web.StreamResponse:
    """POST /admin/keys and below."""
    verbs = {
        "create_key": create_key,
        "update_key": update_key,
        "rotate_key": rotate_key,
        "revoke_key": revoke_key,
        "delete_key": delete_key,
        "create_tenant": create_tenant,
        "top_up": top_up,
        "create_project": create_project,
        "create_provider_key": create_provider_key,
        "delete_provider_key": delete_provider_key,
    }
    return await do(visit, verbs)


async def create_key(visit: Visit) -> web.StreamResponse:
    """A new key; its secret is on the page that answers, and nowhere else."""
    made = await visit.desk.keys.create(visit.who, key_draft(visit.form), visit.form.text("id"))
    return visit.page("secret.html", noun="key", id=made.id, secret=made.secret, back=HERE)


async def update_key(visit: Visit) -> web.StreamResponse:
    """Other limits or another expiry."""
    draft, expected = key_draft(visit.form), visit.form.count("version")
    await visit.desk.keys.update(visit.who, visit.tail, draft, expected)
    return go(f"{HERE}/{visit.tail}", "saved")


async def rotate_key(visit: Visit) -> web.StreamResponse:
    """A new secret; the older one works for some hours more."""
    overlap_s = (visit.form.number("overlap_h") or 0.0) * 3600.0
    made = await visit.desk.keys.rotate(visit.who, visit.tail, overlap_s)
    return visit.page("secret.html", noun="key", id=made.id, secret=made.secret, back=HERE)


async def revoke_key(visit: Visit) -> web.StreamResponse:
    """End it now."""
    await visit.desk.keys.revoke(visit.who, visit.form.need("id"))
    return go(HERE, "revoked")


async def delete_key(visit: Visit) -> web.StreamResponse:
    """Forget one that is over."""
    await visit.desk.keys.delete(visit.who, visit.form.need("id"))
    return go(HERE, "deleted")


async def create_tenant(visit: Visit) -> web.StreamResponse:
    """Somebody else who pays."""
    form = visit.form
    tenant = Tenant(
        name=form.text("name"),
        credits=form.flag("credits"),
        own_keys="only" if form.flag("own_keys_only") else "prefer",
        limits=limits_of(form),
    )
    await visit.desk.tenants.create(visit.who, form.need("id"), tenant)
    return go(HERE, "created")


async def top_up(visit: Visit) -> web.StreamResponse:
    """More credits. The form's own *once* keeps a second click from adding again."""
    form = visit.form
    usd = form.number("usd")
    if usd is None or not 0 < usd <= 1e6:
        raise InvalidRequest("A top-up is above 0 and at most 1,000,000 USD.", param="usd")
    value = TopUp(nano_usd=nano_usd(usd), note=form.text("note")[:200])
    await visit.desk.tenants.top_up(visit.who, form.need("tenant"), value, form.need("once"))
    return go(HERE, "topped_up")


async def create_project(visit: Visit) -> web.StreamResponse:
    """A project of a tenant."""
    form = visit.form
    value = TenantProject(tenant=form.text("tenant", "default"), limits=limits_of(form))
    if action := form.text("action"):
        settings = msgspec.structs.replace(value.settings, action=RouteAction(action))
        value = msgspec.structs.replace(value, settings=settings)
    await visit.desk.projects.create(visit.who, form.need("id"), value)
    return go(HERE, "created")


async def create_provider_key(visit: Visit) -> web.StreamResponse:
    """A key that a tenant brought along."""
    form = visit.form
    value = ProviderKeyDraft(
        provider=form.need("provider"),
        tenant=form.text("tenant", "default"),
        secret=form.need("secret"),
        name=form.text("name")[:200],
        base_url=form.text("base_url") or None,
        weight=form.number("weight") or 1.0,
    )
    await visit.desk.provider_keys.create(visit.who, value)
    return go(HERE, "created")


async def delete_provider_key(visit: Visit) -> web.StreamResponse:
    """Forget one."""
    await visit.desk.provider_keys.delete(visit.who, visit.form.need("id"))
    return go(HERE, "deleted")


def key_draft(form: Form) -> KeyDraft:
    """The form of a key. Raises InvalidRequest."""
    action = form.text("action")
    return KeyDraft(
        tenant=form.text("tenant", "default"),
        project=form.text("project", "default"),
        name=form.text("name")[:200],
        expires_s=form.time_s("expires"),
        allowed_models=form.words("allowed_models"),
        allowed_routes=form.words("allowed_routes"),
        action=RouteAction(action) if action in list(RouteAction) else None,
        mode=form.text("mode") or None,
        limits=limits_of(form),
    )


def limits_of(form: Form) -> Limits:
    """Limits of a key, a project or a tenant; spend limits are numbered fields. Raises."""
    spend = []
    for number in range(4):
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
    )


def is_over(key: KeyView, now_s: float) -> bool:
    """Whether *key* opens nothing any more."""
    return key.revoked_s is not None or (key.expires_s is not None and key.expires_s <= now_s)
