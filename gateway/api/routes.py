"""Which endpoint a path means. The tables are the whole truth; nothing registers itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping

import msgspec
from aiohttp import web

from gateway.api import chat, decisions, dispatch, models, probes, proxy, scan
from gateway.api.call import Call
from gateway.api.respond import json_response
from gateway.core.errors import MethodNotAllowed, NotFound
from gateway.core.families import LOCKLLM, NEURALROUTING

Endpoint = Callable[[Call], Awaitable[web.StreamResponse]]


class Route(msgspec.Struct, frozen=True):
    """
    An endpoint. *dialect* shapes its errors. *keyless*: no key is asked for, and no admission:
    probes must answer when everything is full.
    """

    endpoint: Endpoint
    method: str = "POST"
    dialect: str = "openai_chat"
    keyless: bool = False


class Match(msgspec.Struct, frozen=True):
    """A route, and what its path said: a pinned provider and the rest of the path."""

    route: Route
    provider: str | None = None
    tail: str = ""


async def welcome(call: Call) -> web.StreamResponse:
    """GET /: where to go."""
    return json_response(
        call,
        {
            "name": "switchyard",
            "openai_base_url": f"http://{call.http.host}/v1",
            "anthropic_base_url": f"http://{call.http.host}",
            "endpoints": endpoints(),
        },
    )


# Below /v1, and below the path of a provider with or without /v1.
GENERATION = {
    "chat/completions": Route(chat.complete),
    "completions": Route(chat.complete, dialect="openai_completions"),
    "embeddings": Route(chat.complete, dialect="openai_embeddings"),
    "messages": Route(chat.complete, dialect="anthropic_messages"),
    "messages/count_tokens": Route(chat.count_tokens, dialect="anthropic_messages"),
}
EXACT: dict[str, tuple[Route, ...]] = {
    **{f"/v1/{path}": (route,) for path, route in GENERATION.items()},
    "/v1/models": (Route(models.every, "GET"),),
    "/v1/dispatch": (Route(dispatch.whole),),
    "/v1/dispatch/stream": (Route(dispatch.streamed),),
    "/v1/route": (Route(decisions.route),),
    "/v1/route/explain": (Route(decisions.route),),
    "/v1/feedback": (Route(decisions.feedback),),
    "/v1/scan": (Route(scan.scan),),
    "/v1/providers/health": (Route(probes.providers, "GET"),),
    "/healthz": (Route(probes.live, "GET", keyless=True),),
    "/readyz": (Route(probes.ready, "GET", keyless=True),),
    "/metrics": (Route(probes.metrics, "GET", keyless=True),),
    "/": (Route(welcome, "GET", keyless=True),),
}
ONE_OF = {
    "/v1/models/": Route(models.one, "GET"),
    "/v1/decisions/": Route(decisions.decision, "GET"),
}
PROXY = "/v1/proxy/"
# Whoever knows such a path understands the headers of its product.
SPOKEN = {PROXY: (LOCKLLM,), "/v1/scan": (LOCKLLM,), "/v1/dispatch": (NEURALROUTING,)}
BARE_PROVIDERS = ("openai", "anthropic")  # also without /v1/proxy, a habit of other gateways
ANTHROPIC_ENDS = ("/messages", "/messages/count_tokens")
PASS_THROUGH = Route(proxy.pass_through, "*")
PROVIDER_MODELS = Route(models.every, "GET")


def endpoints() -> list[str]:
    """Method and path of all of them, for a person."""
    listed = [f"{route.method} {path}" for path, routes in EXACT.items() for route in routes]
    listed += [f"{route.method} {prefix}{{id}}" for prefix, route in ONE_OF.items()]
    below = [(route.method, path) for path, route in GENERATION.items()]
    listed += [f"{method} {PROXY}{path}" for method, path in below]
    listed += [f"{method} {PROXY}{{provider}}/{path}" for method, path in below]
    return [*listed, f"{PASS_THROUGH.method} {PROXY}{{provider}}/{{path}}"]


def match(method: str, path: str, providers: Collection[str]) -> Match:
    """
    The route of *path*; a trailing slash is tolerated. *providers* are the names we know.

    Raises:
        NotFound: no such path, with a hint where the mistake is a usual one.
        MethodNotAllowed: the path exists, with another method.
    """
    path = path.rstrip("/") or "/"
    if routes := EXACT.get(path):
        return Match(_with_method(routes, method, path))
    if path.startswith(PROXY):
        return _of_provider(method, path, path.removeprefix(PROXY), providers)
    for prefix, route in ONE_OF.items():
        if path.startswith(prefix):
            return Match(_with_method((route,), method, path), tail=path.removeprefix(prefix))
    if path.split("/", 2)[1] in BARE_PROVIDERS:
        return _of_provider(method, path, path[1:], providers)
    raise NotFound(_hint(path))


def dialect_of(path: str, headers: Mapping[str, str]) -> str:
    """Whose errors a request understands that may have no route."""
    anthropic = "anthropic-version" in headers or path.rstrip("/").endswith(ANTHROPIC_ENDS)
    return "anthropic_messages" if anthropic else "openai_chat"


def spoken_by(path: str) -> tuple[str, ...]:
    """The header families that *path* itself speaks."""
    for prefix, families in SPOKEN.items():
        if path.startswith(prefix):
            return families
    return ()


def _of_provider(method: str, path: str, rest: str, providers: Collection[str]) -> Match:
    endpoint = rest.removeprefix("v1/")
    if endpoint in GENERATION:  # the universal endpoint: the model names its provider
        return Match(_with_method((GENERATION[endpoint],), method, path))
    if endpoint == "models":
        return Match(_with_method((PROVIDER_MODELS,), method, path))
    provider, _, tail = rest.partition("/")
    if provider not in providers:
        known = ", ".join(sorted(providers))
        raise NotFound(f"Unknown provider '{provider[:40]}' in the path. Known: {known}.")
    endpoint = tail.removeprefix("v1/")
    if endpoint in GENERATION:
        return Match(_with_method((GENERATION[endpoint],), method, path), provider)
    if endpoint == "models" and method == "GET":
        return Match(PROVIDER_MODELS, provider)
    return Match(PASS_THROUGH, provider, tail)


def _with_method(routes: tuple[Route, ...], method: str, path: str) -> Route:
    for route in routes:
        if method == route.method or (method == "HEAD" and route.method == "GET"):
            return route
    methods = [route.method for route in routes]
    error = MethodNotAllowed(f"{method} is not allowed on {path[:200]}; use {', '.join(methods)}.")
    error.allow = ", ".join([*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])
    raise error


def _hint(path: str) -> str:
    rule = "OpenAI's base URL ends in /v1."
    if path.endswith(ANTHROPIC_ENDS):
        rule = "Anthropic's base URL ends without /v1; its SDK adds that itself."
    missing = f"No such path: {path[:200]}."
    if path.startswith("/v1/v1/"):
        return f"{missing} It has /v1 twice. {rule}"
    if f"/v1{path}" in EXACT:
        return f"{missing} Did you mean /v1{path}? {rule}"
    return f"{missing} The endpoints are listed at GET /."
