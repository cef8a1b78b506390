"""Who changed what, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from gateway.admin.pages_visit import Visit
from gateway.admin.reports import AUDITED, AuditAsked, Audited
from gateway.core.errors import InvalidRequest

CURSOR_DIGITS = 18
CHANGES_SHOWN = 8  # members of a fact in one line
CHARS_SHOWN = 60


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/audit."""
    form = visit.form
    after = form.text("after")
    if len(after) > CURSOR_DIGITS or (after and not after.isascii()) or not (after + "0").isdigit():
        raise InvalidRequest("The cursor is none of ours.", param="after")
    kind: Audited = next((one for one in AUDITED if one == form.text("kind")), "")
    asked = AuditAsked(kind=kind, id=form.text("id"), after=after)
    page = await visit.desk.reports.audit(visit.who, asked)
    return visit.page(
        "audit.html",
        lines=[(one, changes(one.before, one.after)) for one in page.items],
        next=page.next,
        kinds=AUDITED,
        kind=kind,
        id=asked.id,
    )


def changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[tuple[str, str, str]]:
    """What differs: member, before, after."""
    old, new = before or {}, after or {}
    names = [
        name for name in {**old, **new} if (old.get(name) or None) != (new.get(name) or None)
    ]  # what is empty is as good as not there
    return [(name, short(old.get(name)), short(new.get(name))) for name in names[:CHANGES_SHOWN]]


def short(value: Any) -> str:
    """*value* in a few characters."""
    text = "–" if value is None else str(value)
    return text if len(text) <= CHARS_SHOWN else f"{text[:CHARS_SHOWN]}…"
