"""What operators and load balancers ask: alive, ready, metrics, health of providers."""

from __future__ import annotations

import asyncio

import msgspec
from aiohttp import web

from gateway.api.call import Call
from gateway.execute.health import provider_health

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def live(call: Call) -> web.StreamResponse:
    """GET /healthz: the process answers."""
    return _json({"status": "ok"})


async def ready(call: Call) -> web.StreamResponse:
    """
    GET /readyz: send traffic here. No database is asked: the gateway answers without one. A
    missing classifier, or its encoder alone, is degraded but ready: the first stage answers, or
    requests keep the client's own model.
    """
    service = call.service
    if service.draining:
        return _json({"status": "draining"}, status=503)
    classifier = service.gateway.classifier
    status = "degraded" if classifier.problem else "ready"
    return _json({"status": status, "classifier": classifier.describe()})


async def metrics(call: Call) -> web.StreamResponse:
    """GET /metrics in Prometheus' text format."""
    text = await asyncio.to_thread(call.service.metrics.render)
    return web.Response(body=text, headers={"Content-Type": METRICS_TYPE})


async def providers(call: Call) -> web.StreamResponse:
    """GET /v1/providers/health: error rates and latency per provider and model."""
    return _json({"data": provider_health(call.service.gateway.upstreams)})


async def welcome(call: Call) -> web.StreamResponse:
    """GET /: where to go."""
    return _json(
        {
            "name": "switchyard",
            "openai_base_url": f"http://{call.http.host}/v1",
            "anthropic_base_url": f"http://{call.http.host}",
            "endpoints": ENDPOINTS,
        }
    )


ENDPOINTS = (
    "POST /v1/chat/completions",
    "POST /v1/completions",
    "POST /v1/embeddings",
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "GET /v1/models",
    "POST /v1/proxy/{provider}/chat/completions",
    "POST /v1/proxy/chat/completions",
    "POST /v1/dispatch",
    "POST /v1/dispatch/stream",
    "POST /v1/route",
    "GET /v1/decisions/{id}",
    "POST /v1/feedback",
    "GET /v1/providers/health",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
)


def _json(content: object, status: int = 200) -> web.Response:
    body = msgspec.json.encode(content)
    return web.Response(status=status, body=body, content_type="application/json")
