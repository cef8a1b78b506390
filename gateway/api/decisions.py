"""Deciding without calling, looking a decision up, and judging its answer."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.api.read_request import read_body, request_of
from gateway.api.respond import json_response
from gateway.choosing import explained
from gateway.core.errors import InvalidRequest, NotFound
from gateway.learn.counted import why_uncounted
from gateway.record.record import Feedback, Record, rbaos_view
from gateway.wire.decode import decode
from gateway.wire.members import edit
from gateway.wire.registry import DIALECTS

COMMENT_CHARS_MAX = 4000


class Judgement(msgspec.Struct, forbid_unknown_fields=True):
    """Body of POST /v1/feedback: a thumb or a score, for the request of that id."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    thumb: Literal["up", "down"] | None = None
    score: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] | None = None
    comment: Annotated[str, msgspec.Meta(max_length=COMMENT_CHARS_MAX)] = ""


JUDGEMENT = msgspec.json.Decoder(Judgement)
OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def route(call: Call) -> web.StreamResponse:
    """
    POST /v1/route: what a chat request would get, and why; nobody is called.

    The body is that of /v1/chat/completions, or of /v1/messages with ``anthropic-version``;
    ``model`` may be missing and is then ``auto``.
    """
    body = await read_body(call)
    if "model" not in decode(OBJECT, body):
        body = edit(body, {"model": b'"auto"'})
    if "anthropic-version" in call.http.headers:
        call.dialect = DIALECTS["anthropic_messages"]
    chat = call.dialect.read(body)
    request = request_of(call, body, chat)
    gateway = call.service.gateway
    reading, found = await explained(request, gateway.readers, gateway.routing)
    return json_response(
        call,
        {
            "id": call.id,
            "question": reading.question,
            "signals": reading.signals,
            "scores": reading.scores,
            "verdict": reading.verdict,
            "decision": found.decision,
            "refusal": found.refusal,
            "savings_nano_usd": found.decision.savings_nano_usd if found.decision else 0,
            "candidates": found.candidates,
        },
    )


async def decision(call: Call) -> web.StreamResponse:
    """GET /v1/decisions/{id}: the record of a request, as stored and in RBAOS's words."""
    record = await _record(call, call.tail)
    return json_response(call, {"record": record, "decision": rbaos_view(record)})


async def feedback(call: Call) -> web.StreamResponse:
    """
    POST /v1/feedback: a judgement of the answer to one request. It is kept in any case; the reply
    says whether it counts for routing, and else why not.
    """
    said = decode(JUDGEMENT, await read_body(call))
    if (said.thumb is None) == (said.score is None):
        raise InvalidRequest("Send either thumb (up, down) or score (0 to 1).", param="thumb")
    record = await _record(call, said.id)
    score = said.score if said.score is not None else float(said.thumb == "up")
    call.service.gateway.recorder.put_feedback(
        Feedback(
            request_id=said.id,
            score=score,
            comment=said.comment,
            wall_s=call.service.gateway.clock.wall(),
            key_id=call.principal.key_id,
        )
    )
    reason = why_uncounted(record, call.service.settings.config.learn)
    reply = {"status": "accepted", "id": said.id, "counted": not reason}
    return json_response(call, {**reply, "reason": reason} if reason else reply)


async def _record(call: Call, request_id: str) -> Record:
    """The record of the caller's own project; others' are not there for it."""
    find = call.service.gateway.recorder.find
    record, caller = await asyncio.to_thread(find, request_id), call.principal
    if record is not None:
        owner = record.principal
        if (owner.tenant, owner.project) == (caller.tenant, caller.project):
            return record
    raise NotFound(f"No decision has the id {request_id[:80]!a}, or it is no longer kept.")
