"""What a route of the admin API is, and those that every kind of fact has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from gateway.admin.api_call import ApiCall
from gateway.admin.drawer import Entry, Item, Made, Page, PageLimit
from gateway.admin.exports import ExportForm
from gateway.admin.keys import Overlap
from gateway.config.section import Section
from gateway.state.facts import Name, Role

V = TypeVar("V")
ROOT = "/admin/api/v1"
PROJECT = r"^([\w.@-]{1,64}|\*)$"  # of whom there are rules
Place = Annotated[str, Meta(pattern=r"^[\w.@-]{0,64}$")]


class Route(msgspec.Struct, frozen=True):
    """
    One operation. *body*, *query* and *answer* are types, None for none. *versioned*: it obeys
    ``If-Match``. *once*: it needs an ``Idempotency-Key``. *role* is what its method needs.
    *heavy*: it reads thousands of rows. *export*: it runs into the pieces of a file of this form.
    """

    method: str
    path: str
    run: Callable[[ApiCall], Awaitable[Any]]
    summary: str
    answer: Any = None
    body: Any = None
    query: type[msgspec.Struct] | None = None
    status: int = 200
    versioned: bool = False
    once: bool = False
    role: Role = "viewer"
    heavy: bool = False
    export: ExportForm | None = None


class Named(Section, Generic[V], frozen=True):
    """What is made, and the id it shall have."""

    id: Name
    value: V


class Unnamed(Section, Generic[V], frozen=True):
    """What is made; without an *id* it gets one."""

    value: V
    id: Name | None = None


class Listed(Section, frozen=True):
    """Which part of a list: behind the cursor *after*; *tenant* "" for all."""

    after: Place = ""
    limit: PageLimit = 100
    tenant: Place = ""


class Rotation(Section, frozen=True):
    """For how many seconds older secrets go on working."""

    overlap_s: Overlap = 0.0


def lists(path: str, drawer: str, view: Any, noun: str) -> Route:
    """GET of a list."""

    async def run(call: ApiCall) -> Any:
        asked: Listed = call.query
        found = getattr(call.desk, drawer)
        return await found.list(call.who, asked.after, asked.limit, asked.tenant or None)

    page = Page[Entry[view]]
    return Route("GET", path, run, f"List {noun}", page, query=Listed)


def common(path: str, drawer: str, draft: Any, view: Any, noun: str) -> Iterator[Route]:
    """What is done to one of a kind: read, replace and delete it."""

    def of(call: ApiCall) -> Any:
        return getattr(call.desk, drawer)

    role: Role = "admin" if drawer in {"provider_keys", "admin_keys"} else "operator"
    item: Any = Item[view]
    one = f"{path}/{{id}}"
    yield Route("GET", one, lambda c: of(c).get(c.who, c.id), f"Read a {noun}", item)
    yield Route(
        "PUT",
        one,
        lambda c: of(c).update(c.who, c.id, c.body, c.expected),
        f"Replace a {noun}",
        item,
        body=draft,
        versioned=True,
        role=role,
    )
    yield Route(
        "DELETE",
        one,
        lambda c: of(c).delete(c.who, c.id, c.expected),
        f"Delete a {noun}",
        status=204,
        versioned=True,
        role=role,
    )


def named(path: str, drawer: str, value: Any, noun: str) -> Iterator[Route]:
    """All of a kind whose ids operators choose, and that has no secret."""

    async def create(call: ApiCall) -> Any:
        made = getattr(call.desk, drawer)
        return await made.create(call.who, call.body.id, call.body.value)

    yield lists(path, drawer, value, f"{noun}s")
    yield Route(
        "POST",
        path,
        create,
        f"Make a {noun}",
        Item[value],
        body=Named[value],
        status=201,
        role="operator",
    )
    yield from common(path, drawer, value, value, noun)


def unnamed(
    path: str, drawer: str, draft: Any, view: Any, noun: str, *, shows: bool = True
) -> Iterator[Route]:
    """All of a kind that gets an id of ours; *shows*: its secret is shown when it is made."""

    async def create(call: ApiCall) -> Any:
        made = getattr(call.desk, drawer)
        return await made.create(call.who, call.body.value, call.body.id or "")

    role: Role = "admin" if drawer in {"provider_keys", "admin_keys"} else "operator"
    answer: Any = Made[view] if shows else Item[view]
    yield lists(path, drawer, view, f"{noun}s")
    yield Route(
        "POST",
        path,
        create,
        f"Make a {noun}",
        answer,
        body=Unnamed[draft],
        status=201,
        role=role,
    )
    yield from common(path, drawer, draft, view, noun)


def secrets(path: str, drawer: str, view: Any, noun: str) -> Iterator[Route]:
    """What is done to keys beside that."""

    def of(call: ApiCall) -> Any:
        return getattr(call.desk, drawer)

    role: Role = "admin" if drawer == "admin_keys" else "operator"
    yield Route(
        "POST",
        f"{path}/{{id}}/rotate",
        lambda c: of(c).rotate(c.who, c.id, c.body.overlap_s, c.expected),
        f"Give a {noun} a new secret",
        Made[view],
        body=Rotation,
        versioned=True,
        role=role,
    )
    yield Route(
        "POST",
        f"{path}/{{id}}/revoke",
        lambda c: of(c).revoke(c.who, c.id),
        f"End a {noun} now",
        Item[view],
        role=role,
    )
