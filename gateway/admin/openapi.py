"""The OpenAPI 3.1 description of the admin API, made of its table and its types."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from gateway.admin.api_route import PROJECT, ROOT, Route
from gateway.admin.api_routes import ROUTES
from gateway.admin.exports import MEDIA

REF = "#/components/schemas/{name}"
NAME = r"^[\w.@-]{1,64}$"
PARTS = {
    "id": {"type": "string", "pattern": NAME},
    "project": {"type": "string", "pattern": PROJECT},
    "request": {"type": "string", "pattern": r"^[!-.0-~]{1,128}$"},
    "version": {"type": "string", "pattern": r"^[0-9]{1,18}$"},
}
ERRORS = {
    400: "The request does not fit this description",
    401: "No admin key, or one that is not known",
    403: "The admin key has another role",
    404: "There is no such thing",
    409: "It exists already, is in use, or has changed since it was read",
    413: "The body is too large",
    415: "The body is no JSON",
    422: "The request fits this description, and means nothing here",
    429: "Too many tries with a wrong key",
    503: "The database does not answer, or what is asked for does not run here",
}
ALWAYS = (400, 401, 403, 429, 503)


class ApiError(msgspec.Struct, frozen=True):
    """*path* is that of the mistake, such as ``$.limits.spend[0]``, "" where there is none."""

    code: str
    message: str
    path: str


class ErrorBody(msgspec.Struct, frozen=True):
    """Every answer that is an error."""

    error: ApiError


@functools.cache
def description() -> dict[str, Any]:
    """The whole document."""
    types = list(dict.fromkeys(every_type()))
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        operation = described(route, schema_of, components)
        paths.setdefault(ROOT + route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Switchyard admin API",
            "version": "1",
            "description": "Tenants, keys, rules, money and records of a gateway.",
        },
        "security": [{"adminKey": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"adminKey": {"type": "http", "scheme": "bearer"}},
        },
    }


@functools.cache
def document() -> bytes:
    """The description as JSON."""
    return msgspec.json.encode(description())


def every_type() -> Iterator[Any]:
    """The types that are written or read."""
    yield ErrorBody
    for route in ROUTES:
        yield from (kind for kind in (route.body, route.query, route.answer) if kind is not None)


def described(
    route: Route, schema_of: dict[str, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    """One operation."""
    operation: dict[str, Any] = {
        "summary": route.summary,
        "description": f"Takes the role {route.role}.",
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").rstrip("_"),
        "parameters": [*path_parameters(route), *header_parameters(route)],
        "responses": {
            str(route.status): success(route, schema_of),
            **{str(status): error(status, schema_of) for status in statuses(route)},
        },
    }
    if route.query is not None:
        operation["parameters"] += query_parameters(schema_of[repr(route.query)], components)
    if route.body is not None:
        content = {"application/json": {"schema": schema_of[repr(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def statuses(route: Route) -> tuple[int, ...]:
    """The errors that *route* may answer with."""
    changes = route.method != "GET"
    found = {*ALWAYS}
    found |= {404} if "{" in route.path or route.path == "/playground" else set()
    found |= {409} if changes else set()
    found |= {413, 415} if route.body is not None else set()
    found |= {422} if route.body is not None or route.query is not None else set()
    return tuple(sorted(found))


def path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    """The variable parts of the path."""
    for part in route.path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}")
            yield {"name": name, "in": "path", "required": True, "schema": PARTS[name]}


def header_parameters(route: Route) -> Iterator[dict[str, Any]]:
    """Headers that mean something."""
    if route.versioned:
        yield {
            "name": "If-Match",
            "in": "header",
            "description": "The ETag that was read; without it the newest version is changed.",
            "schema": {"type": "string", "pattern": r'^(\*|"[0-9]{1,18}"|[0-9]{1,18})$'},
        }
    if route.once:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Repeating the request with the same one changes nothing.",
            "schema": {"type": "string", "pattern": r"^[!-~]{1,128}$"},
        }


def query_parameters(
    schema: dict[str, Any], components: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """The members of a query."""
    name = schema["$ref"].rpartition("/")[2]
    for member, shape in components[name]["properties"].items():
        yield {"name": member, "in": "query", "schema": shape}


def success(route: Route, schema_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The answer when all is well."""
    if route.export is not None:
        content = {MEDIA[route.export]: {"schema": {"type": "string"}}}
        return {"description": "The file.", "content": content}
    if route.answer is None:
        return {"description": "Done."}
    content = {"application/json": {"schema": schema_of[repr(route.answer)]}}
    return {"description": "Done.", "content": content}


def error(status: int, schema_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The answer when something is wrong."""
    content = {"application/json": {"schema": schema_of[repr(ErrorBody)]}}
    return {"description": ERRORS[status], "content": content}
