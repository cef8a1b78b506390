"""NeuralRouting's own endpoint: a chat without a model, answered with what it cost."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.api.error_response import request_ids
from gateway.api.read_request import read_body, request_of
from gateway.api.reply_headers import reply_headers
from gateway.api.respond import respond
from gateway.api.vocabulary import neuralrouting_complexity
from gateway.config.references import COMPARED
from gateway.core.chat import Text
from gateway.core.money import NANO_USD_PER_USD
from gateway.core.outcome import Outcome
from gateway.core.request import Request
from gateway.ledger.usage_cost import cost_nano_usd
from gateway.pipeline import Gateway, Served, serve
from gateway.wire import openai_chat
from gateway.wire.decode import decode
from gateway.wire.members import edit

VIRTUAL_MODEL = "neural-router-v2"


class Body(msgspec.Struct):
    """All that is looked at before the body is OpenAI's."""

    model: str | None = None


BODY = msgspec.json.Decoder(Body)


async def whole(call: Call) -> web.StreamResponse:
    """POST /v1/dispatch: their own reply object."""
    request = await _read(call, stream=False)
    ends: list[Outcome] = []
    gateway = call.service.gateway
    served = await serve(request, gateway, call.bill, ends.append)
    if served.reply is None or served.reply.body is None:
        return await respond(call, request, served)
    if served.reply.status >= 400:
        return await respond(call, request, served)
    body = msgspec.json.encode(_reply(served, served.reply.body, ends[0], gateway))
    headers = request_ids(call) | dict(reply_headers(request, served)) | dict(served.reply.headers)
    return web.Response(body=body, content_type="application/json", headers=headers)


async def streamed(call: Call) -> web.StreamResponse:
    """POST /v1/dispatch/stream: the same request, OpenAI's stream."""
    request = await _read(call, stream=True)
    served = await serve(request, call.service.gateway, call.bill)
    return await respond(call, request, served)


async def _read(call: Call, *, stream: bool) -> Request:
    """The dispatch as an OpenAI chat, for the virtual model unless it names another."""
    body = await read_body(call)
    model = decode(BODY, body).model or VIRTUAL_MODEL
    body = edit(
        body,
        {"model": msgspec.json.encode(model), "stream": b"true" if stream else b"false"},
    )
    return request_of(call, body, call.dialect.read(body))


def _reply(served: Served, body: bytes, outcome: Outcome, gateway: Gateway) -> dict[str, object]:
    answer = openai_chat.read_answer(body)
    text = "".join(part.text for part in answer.choices[0] if isinstance(part, Text))
    assert served.reply is not None  # noqa: S101 - whole looked
    cost, baseline = outcome.cost_nano_usd, None
    gpt4 = gateway.routing.view.rows.fleet.references.get(COMPARED)
    usage = outcome.saved.usage if outcome.saved is not None else outcome.usage
    if gpt4 is not None and usage is not None:
        baseline = cost_nano_usd(usage, gpt4.price)
    return {
        "status": "success",
        "model_used": served.reply.deployment.model,
        "output": {"ai_answer": text},
        "complexity_score": neuralrouting_complexity(served.chosen.decision.complexity),
        "business_metrics": {
            "cost_usd": cost / NANO_USD_PER_USD,
            "estimated_gpt4_cost": None if baseline is None else baseline / NANO_USD_PER_USD,
            "savings_percentage": round(100 * (1 - cost / baseline), 2) if baseline else 0.0,
        },
    }
