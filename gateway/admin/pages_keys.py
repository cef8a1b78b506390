"""Keys of clients, tenants with their credits, projects, and provider keys of tenants."""

from __future__ import annotations

import secrets

from aiohttp import web

from gateway.admin.forms import Form
from gateway.admin.keys import KeyDraft
from gateway.admin.pages_provider_keys import create_provider_key, delete_provider_key
from gateway.admin.pages_tenants import (
    balances,
    create_project,
    create_tenant,
    limits_of,
    options,
    spent,
    top_up,
)
from gateway.admin.pages_visit import Visit, do, go
from gateway.core.request import RouteAction

HERE = "/admin/keys"


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
        spent=await spent(visit, "key"),
        tenant_spent=await spent(visit, "tenant"),
        tenants=await desk.tenants.list(who),
        balances=await balances(visit),
        projects=await desk.projects.list(who),
        provider_keys=await desk.provider_keys.list(who),
        once=secrets.token_hex(12),
        **options(visit),
    )


async def show_one(visit: Visit) -> web.StreamResponse:
    """GET /admin/keys/{id}."""
    item = await visit.desk.keys.get(visit.who, visit.tail)
    return visit.page("key.html", item=item, key=item.value, **options(visit))


async def change(visit: Visit) -> web.StreamResponse:
    """POST /admin/keys and below: also what its forms make beside keys."""
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
        priority="low" if form.text("priority") == "low" else "normal",
        limits=limits_of(form),
    )
