"""What operators and load balancers ask: alive, ready, metrics, health of providers."""

from __future__ import annotations

import asyncio

from aiohttp import web

from gateway.api.call import Call
from gateway.api.respond import json_response
from gateway.execute.health import provider_health

NEVER_S = 1e9  # JSON has no infinity
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def live(call: Call) -> web.StreamResponse:
    """GET /healthz: the process answers."""
    return json_response(call, {"status": "ok"})


async def ready(call: Call) -> web.StreamResponse:
    """
    GET /readyz: send traffic here. No database is asked: the gateway answers without one. A
    missing classifier, or its encoder alone, is degraded but ready: the first stage answers, or
    requests keep the client's own model. So is a missing model of the scan: patterns answer.
    """
    service = call.service
    if service.draining:
        return json_response(call, {"status": "draining"}, status=503)
    classifier = service.gateway.classifier
    scanner = service.gateway.readers.scanner
    missing = classifier.problem or (scanner is not None and scanner.problem)
    answer = {
        "status": "degraded" if missing else "ready",
        "classifier": classifier.describe(),
        "scan": "off" if scanner is None else scanner.describe(),
        "facts_stale_s": round(min(service.stale_s(), NEVER_S), 3),
    }
    return json_response(call, answer)


async def metrics(call: Call) -> web.StreamResponse:
    """GET /metrics in Prometheus' text format."""
    text = await asyncio.to_thread(call.service.metrics.render)
    return web.Response(body=text, headers={"Content-Type": METRICS_TYPE})


async def providers(call: Call) -> web.StreamResponse:
    """GET /v1/providers/health: error rates and latency per provider and model."""
    return json_response(call, {"data": provider_health(call.service.gateway.upstreams)})
