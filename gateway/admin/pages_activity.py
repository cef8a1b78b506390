"""Every decision: filtered, exported, watched as they come, and one of them opened in full."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import msgspec
from aiohttp import web

from gateway.admin.exports import ExportForm, send_export
from gateway.admin.forms import PERIODS_S, activity_filter, query_of
from gateway.admin.pages_visit import Visit, write
from gateway.admin.render import SAFE
from gateway.core.decision import Candidate
from gateway.core.errors import InvalidRequest, NotFound, SwitchyardError
from gateway.core.outcome import Ending
from gateway.core.request import RouteAction
from gateway.decide.explain import explain
from gateway.pipeline import Gateway
from gateway.record.activity import ActivityFilter, matches, query
from gateway.record.record import Record, View, rbaos_view
from models.scores import TASK_TYPES, TIERS

ROWS = 50
TAIL_ROWS = 12
TAIL_POLL_S = 0.5
TAIL_BEAT_S = 15.0  # a comment, so that proxies keep the connection
TAIL_S_MAX = 3600.0  # then the browser asks again, with its session
TAIL_BURST = 12  # rows at once; of more only the newest are shown
STAGES = ("encoder", "memory", "first-stage", "deadline", "overload", "none", "off")
HIDDEN = ("cursor", "done", "token")


class Why(msgspec.Struct, frozen=True):
    """
    The candidates of a recorded decision, weighed again. *differs* names what has changed since:
    then another decision might be taken today.
    """

    candidates: tuple[Candidate, ...]
    differs: tuple[str, ...] = ()
    refusal: str = ""


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/activity, or one decision below it."""
    if visit.tail:
        return await show_one(visit)
    form = visit.form
    wanted = activity_filter(form, visit.now_s)
    store, cursor = visit.office.records, form.text("cursor") or None
    page = await visit.heavy(lambda: query(store, wanted, cursor, ROWS))
    _, newest = visit.shared.recent.after(0)
    kept = dict.fromkeys(HIDDEN, "")
    return visit.page(
        "activity.html",
        page=page,
        wanted=wanted,
        newest=[one for one in reversed(newest) if matches(wanted, one)][:TAIL_ROWS],
        tail_rows=TAIL_ROWS,
        filtered=wanted != ActivityFilter(),
        query=query_of(form, **kept),
        older=query_of(form, **kept | {"cursor": page.next or ""}),
        choices=choices(visit),
    )


def choices(visit: Visit) -> dict[str, tuple[str, ...]]:
    """What the selects of the filter offer."""
    settings, facts = visit.office.settings(), visit.office.replica.facts
    deployments = settings.fleet.deployments
    return {
        "project": tuple(
            sorted({"default", *settings.config.projects, *facts.of("project")}, key=str.lower)
        ),
        "tenant": tuple(sorted({"default", *facts.of("tenant")}, key=str.lower)),
        "model": tuple(dict.fromkeys(one.model for one in deployments)),
        "provider": tuple(dict.fromkeys(one.provider for one in deployments)),
        "task_type": TASK_TYPES,
        "tier": TIERS,
        "ending": tuple(one.value for one in Ending),
        "action": tuple(one.value for one in RouteAction),
        "stage": STAGES,
        "period": tuple(PERIODS_S),
    }


async def show_one(visit: Visit) -> web.StreamResponse:
    """GET /admin/activity/{id}: signals, scores, candidates, attempts, costs and findings."""
    record = await asyncio.to_thread(find, visit, visit.tail)
    if record is None:
        raise NotFound("There is no such request, or its record is no longer kept.")
    view = await asyncio.to_thread(visit.office.records.find_view, record.decision.versions.view)
    gateway = visit.office.gateway
    return visit.page(
        "decision.html",
        record=record,
        decision=record.decision,
        outcome=record.outcome,
        why=None if gateway is None else weighed_again(record, view, gateway),
        signals=shown_signals(record),
        rbaos=rbaos_view(record),
    )


def find(visit: Visit, request_id: str) -> Record | None:
    """The record of a request, stored or not; blocks."""
    gateway = visit.office.gateway
    if gateway is not None:
        return gateway.recorder.find(request_id)
    return visit.office.records.find_record(request_id)


def weighed_again(record: Record, view: View | None, gateway: Gateway) -> Why:
    """Every candidate of *record* and why it lost, by what holds now and the health of then."""
    routing, versions = gateway.routing, record.decision.versions
    seen = routing.view if view is None else routing.view.with_health(view.health)
    policy = routing.policies.for_project(record.question.project)
    differs = [
        name
        for name, changed in (
            ("rules, modes or policies", versions.policy != policy.version),
            ("models or prices", versions.fleet != routing.view.rows.fleet.version),
            ("the health of the providers, which was not kept", view is None),
        )
        if changed
    ]
    try:
        found = explain(
            record.question,
            record.signals,
            record.scores,
            policy,
            seen,
            classifier_version=versions.classifier,
        )
    except SwitchyardError as error:
        return Why((), tuple(differs), error.message)
    return Why(found.candidates, tuple(differs), found.refusal)


def shown_signals(record: Record) -> list[tuple[str, object]]:
    """Name and value of every signal, the needs in words."""
    found = msgspec.structs.asdict(record.signals)
    found["needs"] = ", ".join(one.name.lower() for one in record.signals.needs if one.name)
    return [(name.replace("_", " "), value) for name, value in found.items()]


async def export(visit: Visit) -> web.StreamResponse:
    """GET /admin/activity.csv and .jsonl: everything that the filter lets through."""
    form: ExportForm = "csv" if visit.here.endswith(".csv") else "jsonl"
    wanted = activity_filter(visit.form, visit.now_s)
    pieces = await visit.desk.reports.export(visit.who, wanted, form)
    return await send_export(visit.http, form, pieces, SAFE, visit.shared.heavy)


class Tails:
    """How many browsers watch. Mutable state: *open*."""

    def __init__(self, most: int) -> None:
        self.open = 0
        self.most = most

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place for one more. Raises InvalidRequest where there is none."""
        if self.open >= self.most:
            raise InvalidRequest(f"{self.most} browsers watch already.", status=503)
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


async def tail(visit: Visit, tails: Tails, inside: Callable[[], bool]) -> web.StreamResponse:
    """
    GET /admin/tail: rows of the newest requests of this replica, as server-sent events, while the
    operator is *inside*.
    """
    wanted = activity_filter(visit.form, visit.now_s)
    recent, clock = visit.shared.recent, visit.office.clock
    with tails.place():
        response = web.StreamResponse(
            headers={**SAFE, "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(visit.http)
        await write(response, b"retry: 2000\n\n")
        number, _ = recent.after(0)
        began_s = beat_s = clock.monotonic()
        while clock.monotonic() - began_s < TAIL_S_MAX:
            await asyncio.sleep(TAIL_POLL_S)
            if visit.http.transport is None or not inside():
                break  # the browser has gone, or the session is over
            number, records = recent.after(number)
            found = [one for one in records if matches(wanted, one)][-TAIL_BURST:]
            if found:
                await write(response, b"".join(event(visit, one) for one in found))
            elif clock.monotonic() - beat_s > TAIL_BEAT_S:
                beat_s = clock.monotonic()
                await write(response, b": still here\n\n")
        await response.write_eof()
    return response


def event(visit: Visit, record: Record) -> bytes:
    """One row as an event; a line of it is a line of data."""
    row = visit.render("activity_row.html", record=record)
    data = "".join(f"data: {line}\n" for line in row.splitlines() if line.strip())
    return f"event: row\n{data}\n".encode()
