"""The configuration in force, admin keys, and webhooks."""

from __future__ import annotations

import typing

import msgspec
from aiohttp import web

from gateway.admin.admin_keys import AdminKeyDraft
from gateway.admin.pages_visit import Visit, do, go
from gateway.admin.webhooks import WebhookDraft
from gateway.config.yaml_tree import yaml_text
from gateway.core.errors import InvalidRequest
from gateway.record.record import VERSION
from gateway.state.facts import Event, Role

HERE = "/admin/settings"
ROLES: tuple[Role, ...] = typing.get_args(Role)
EVENTS: tuple[Event, ...] = tuple(one for one in typing.get_args(Event) if one != "test")


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/settings."""
    desk, who = visit.desk, visit.who
    gateway = visit.office.gateway
    scanner = None if gateway is None else gateway.readers.scanner
    settings = await desk.reports.settings(who)
    return visit.page(
        "settings.html",
        sections=[(name, yaml_text(value)) for name, value in settings.items()],
        freshness=await desk.reports.freshness(who),
        classifier="" if gateway is None else gateway.classifier.describe(),
        scanner="off" if scanner is None else scanner.describe(),
        waiting=0 if gateway is None else gateway.recorder.waiting,
        dropped=0 if gateway is None else gateway.recorder.dropped,
        record_version=VERSION,
        policy="" if gateway is None else gateway.routing.policies.version,
        admin_keys=await desk.admin_keys.list(who),
        webhooks=await desk.webhooks.list(who),
        roles=ROLES,
        events=EVENTS,
    )


async def change(visit: Visit) -> web.StreamResponse:
    """POST /admin/settings."""
    verbs = {
        "create_admin_key": create_admin_key,
        "rotate_admin_key": rotate_admin_key,
        "revoke_admin_key": revoke_admin_key,
        "delete_admin_key": delete_admin_key,
        "create_webhook": create_webhook,
        "test_webhook": test_webhook,
        "delete_webhook": delete_webhook,
    }
    return await do(visit, verbs)


async def create_admin_key(visit: Visit) -> web.StreamResponse:
    """A key of an operator; its secret is on the page that answers, and nowhere else."""
    form = visit.form
    fields = {
        "role": form.text("role", "viewer"),
        "name": form.text("name")[:200],
        "expires_s": form.time_s("expires"),
    }
    try:
        draft = msgspec.convert(fields, AdminKeyDraft)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The admin key: {error}") from None
    made = await visit.desk.admin_keys.create(visit.who, draft, form.text("id"))
    return visit.page("secret.html", noun="admin key", id=made.id, secret=made.secret, back=HERE)


async def rotate_admin_key(visit: Visit) -> web.StreamResponse:
    """A new secret; the older one ends at once, its sessions with the key alone."""
    made = await visit.desk.admin_keys.rotate(visit.who, visit.form.need("id"))
    return visit.page("secret.html", noun="admin key", id=made.id, secret=made.secret, back=HERE)


async def revoke_admin_key(visit: Visit) -> web.StreamResponse:
    """End it and its sessions."""
    await visit.desk.admin_keys.revoke(visit.who, visit.form.need("id"))
    return go(HERE, "revoked")


async def delete_admin_key(visit: Visit) -> web.StreamResponse:
    """Forget one that is over."""
    await visit.desk.admin_keys.delete(visit.who, visit.form.need("id"))
    return go(HERE, "deleted")


async def create_webhook(visit: Visit) -> web.StreamResponse:
    """Somebody else who is told; the secret that signs is shown once."""
    form = visit.form
    fields = {
        "url": form.need("url"),
        "events": form.every("events"),
        "name": form.text("name")[:200],
    }
    try:
        draft = msgspec.convert(fields, WebhookDraft)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The webhook: {error}") from None
    made = await visit.desk.webhooks.create(visit.who, draft)
    return visit.page("secret.html", noun="webhook", id=made.id, secret=made.secret, back=HERE)


async def test_webhook(visit: Visit) -> web.StreamResponse:
    """Let them know that they are told."""
    await visit.desk.webhooks.test(visit.who, visit.form.need("id"))
    return go(HERE, "tested")


async def delete_webhook(visit: Visit) -> web.StreamResponse:
    """Tell them no more."""
    await visit.desk.webhooks.delete(visit.who, visit.form.need("id"))
    return go(HERE, "deleted")
