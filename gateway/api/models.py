"""GET /v1/models: what a client may name, virtual models included."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.api.respond import json_response
from gateway.core.errors import ModelNotFound

OWNER = "switchyard"  # of the virtual models
CREATED = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)  # the SDKs demand a date; ours is one


class Entry(msgspec.Struct, frozen=True):
    """One name, and who stands behind it."""

    id: str
    owner: str


def entries(call: Call) -> Iterator[Entry]:
    """Virtual models first, then every model that the path's provider, or any, serves."""
    settings = call.service.settings
    if call.provider is None:
        yield from (Entry(name, OWNER) for name in settings.config.routing.virtual_models)
    owners: dict[str, str] = {}
    for deployment in settings.fleet.deployments:
        if call.provider in (None, deployment.provider):
            owners.setdefault(deployment.model, deployment.provider)
    yield from (Entry(model, owner) for model, owner in owners.items())


async def every(call: Call) -> web.StreamResponse:
    """All of them, in the shape of the asking SDK."""
    found = list(entries(call))
    if not _speaks_anthropic(call):
        return json_response(call, {"object": "list", "data": [_openai(entry) for entry in found]})
    ids = [entry.id for entry in found]
    listing = {
        "data": [_anthropic(entry) for entry in found],
        "has_more": False,
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
    }
    return json_response(call, listing)


async def one(call: Call) -> web.StreamResponse:
    """One of them by name."""
    for entry in entries(call):
        if entry.id == call.tail:
            return json_response(
                call, _anthropic(entry) if _speaks_anthropic(call) else _openai(entry)
            )
    raise ModelNotFound(
        f"No model is called '{call.tail[:80]}'; GET /v1/models lists them.", param="model"
    )


def _speaks_anthropic(call: Call) -> bool:
    return "anthropic-version" in call.http.headers


def _openai(entry: Entry) -> dict[str, object]:
    created = int(CREATED.timestamp())
    return {"id": entry.id, "object": "model", "created": created, "owned_by": entry.owner}


def _anthropic(entry: Entry) -> dict[str, object]:
    created = CREATED.isoformat().replace("+00:00", "Z")
    return {"type": "model", "id": entry.id, "display_name": entry.id, "created_at": created}
