"""Provider keys of tenants: kept, changed and forgotten; a secret is replaced and never shown."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from aiohttp import web

from gateway.admin.forms import Form
from gateway.admin.pages_visit import Visit, do, go
from gateway.admin.provider_keys import ProviderKeyDraft
from gateway.core.errors import InvalidRequest

LIST, HERE = "/admin/keys", "/admin/provider-keys"


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/provider-keys/{id}."""
    if not visit.tail:
        return go(LIST)
    item = await visit.desk.provider_keys.get(visit.who, visit.tail)
    return visit.page("provider_key.html", item=item, key=item.value)


async def change(visit: Visit) -> web.StreamResponse:
    """POST /admin/provider-keys/{id}."""
    return await do(visit, {"update_provider_key": update_provider_key})


async def create_provider_key(visit: Visit) -> web.StreamResponse:
    """A key that a tenant brought along."""
    visit.form.need("secret")
    await visit.desk.provider_keys.create(visit.who, draft_of(visit.form))
    return go(LIST, "created")


async def update_provider_key(visit: Visit) -> web.StreamResponse:
    """Another weight, endpoint or secret; without a secret the one that is kept stays."""
    draft, version = draft_of(visit.form), visit.form.count("version")
    await visit.desk.provider_keys.update(visit.who, visit.tail, draft, version)
    return go(f"{HERE}/{quote(visit.tail)}", "saved")


async def delete_provider_key(visit: Visit) -> web.StreamResponse:
    """Forget one."""
    await visit.desk.provider_keys.delete(visit.who, visit.form.need("id"))
    return go(LIST, "deleted")


def draft_of(form: Form) -> ProviderKeyDraft:
    """The form of a provider key. Raises InvalidRequest."""
    weight = form.number("weight")
    fields = {
        "provider": form.need("provider"),
        "tenant": form.text("tenant", "default"),
        "secret": form.text("secret") or None,
        "name": form.text("name")[:200],
        "base_url": form.text("base_url") or None,
        "weight": 1.0 if weight is None else weight,
        "disabled": form.flag("disabled"),
    }
    try:
        return msgspec.convert(fields, ProviderKeyDraft)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"The provider key: {error}") from None
