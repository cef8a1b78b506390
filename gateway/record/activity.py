"""
Looking through the records: by any of their properties, newest first, and out as CSV or JSON lines.

Columns are compared by the database. The rest of a record is read and compared here, in pages and
over a bounded look back; a page says how far it has looked. Everything here blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Row, Select, select, tuple_

from gateway.core.errors import InvalidRequest
from gateway.core.ids import REQUEST_ID_CHARS
from gateway.record.activity_lines import Line as Line
from gateway.record.activity_lines import cells, csv_text, kinds_found
from gateway.record.activity_lines import flat as flat
from gateway.record.record import Record
from gateway.record.rows import ENCODER, read_record
from gateway.record.store import PAGE, Store
from gateway.state import tables

LOOK_MAX = 20_000  # records read for one page: half a second
LIMIT_MAX = 500
COLUMN_MAX = 2**63 - 1  # of an integer in the database

Place = tuple[float, str]  # wall clock and id of a record: where a page ends


class ActivityFilter(msgspec.Struct, frozen=True, kw_only=True):
    """
    Which records are wanted; what is None or "" is not asked for. Names are compared as a whole,
    *request* is any part of an id. Times are seconds since the epoch, *until_s* exclusive.
    """

    since_s: float | None = None
    until_s: float | None = None
    project: str = ""
    task_type: str = ""
    tier: str = ""
    model: str = ""  # that answered
    ending: str = ""
    cost_nano_usd_min: Annotated[int, Meta(ge=-COLUMN_MAX, le=COLUMN_MAX)] | None = None
    request: str = ""
    tenant: str = ""
    key: str = ""
    provider: str = ""  # that was decided on
    asked: str = ""  # the model that the client named
    action: str = ""
    rule: str = ""
    stage: str = ""
    error: str = ""
    status: int | None = None
    routed: bool | None = None
    failed_over: bool | None = None
    blocked: bool | None = None  # by the scan
    cached: bool | None = None  # answered from the response cache
    own_key: bool | None = None  # answered with a provider key of the tenant's own
    finding: str = ""  # kind or id of a finding, or name of a content policy


class Page(msgspec.Struct, frozen=True):
    """
    Some records, newest first. *next* is the cursor of what lies behind, None where nothing does.
    *looked* records were read, back to *back_to_s*; *unreadable* ones have an unknown shape.
    """

    records: tuple[Record, ...]
    next: str | None
    looked: int
    back_to_s: float | None
    unreadable: int = 0


# Of a filter's field, what a record has to be equal to. None of these has a column.
READ_HERE: dict[str, Callable[[Record], object]] = {
    "tenant": lambda record: record.principal.tenant,
    "key": lambda record: record.principal.key_id,
    "provider": lambda record: record.decision.provider,
    "asked": lambda record: record.question.model,
    "action": lambda record: record.decision.action.value,
    "rule": lambda record: record.decision.rule,
    "stage": lambda record: record.decision.stage,
    "error": lambda record: record.outcome.error,
    "status": lambda record: record.outcome.status,
    "routed": lambda record: record.decision.routed,
    "failed_over": lambda record: failed_over(record),
    "blocked": lambda record: was_blocked(record),
    "cached": lambda record: record.outcome.saved is not None,
    "own_key": lambda record: any(one.own_key for one in record.outcome.attempts[-1:]),
}
BLOCKING = frozenset(
    {"prompt_injection_detected", "policy_violation", "abuse_detected", "pii_detected"}
)


def query(
    store: Store,
    wanted: ActivityFilter,
    cursor: str | None = None,
    limit: int = 50,
    *,
    look_max: int = LOOK_MAX,
) -> Page:
    """
    The newest *limit* records that are *wanted*, behind *cursor*; blocks.

    Raises:
        InvalidRequest: *cursor* is none of ours.
        Unavailable: the database does not answer.
    """
    limit = min(limit, LIMIT_MAX)
    checks = checks_of(wanted)
    place = None if cursor is None else read_cursor(cursor)
    found: list[Record] = []
    looked, unreadable, more = 0, 0, True
    while more and len(found) < limit and looked < look_max:
        size = min(PAGE, look_max - looked) if checks else limit - len(found)
        rows = read_rows(store, wanted, place, size)
        more = len(rows) == size
        for number, row in enumerate(rows, start=1):
            looked += 1
            place = (row.wall_s, row.request_id)
            record = read_record(row.payload)
            if record is None:
                unreadable += 1
            elif all(check(record) for check in checks):
                found.append(record)
                if len(found) == limit:
                    more = more or number < len(rows)
                    break
    return Page(
        records=tuple(found),
        next=write_cursor(place) if more and place is not None else None,
        looked=looked,
        back_to_s=place[0] if looked and place is not None else None,
        unreadable=unreadable,
    )


def export_rows(
    store: Store, wanted: ActivityFilter, form: Literal["csv", "jsonl"]
) -> Iterator[bytes]:
    """
    All *wanted* records, newest first, as pieces of one file; a page at a time is in memory, and
    no transaction is open in between. Blocks.

    Raises:
        Unavailable: the database does not answer.
    """
    if form == "csv":
        yield csv_text([Line.__struct_fields__])
    checks, place = checks_of(wanted), None
    while True:
        rows = read_rows(store, wanted, place, PAGE)
        read = (read_record(row.payload) for row in rows)
        kept = [one for one in read if one is not None and all(check(one) for check in checks)]
        if form == "csv":
            yield csv_text([cells(one) for one in kept])
        else:
            yield b"".join(ENCODER.encode(one) + b"\n" for one in kept)
        if len(rows) < PAGE:
            return
        place = (rows[-1].wall_s, rows[-1].request_id)


def read_rows(
    store: Store, wanted: ActivityFilter, place: Place | None, size: int
) -> Sequence[Row[Any]]:
    """The next *size* rows behind *place* that the columns say are wanted, newest first."""
    columns = tables.records.c
    order = tuple_(columns.wall_s, columns.request_id)
    chosen: Select[Any] = select(columns.wall_s, columns.request_id, columns.payload)
    chosen = with_columns(chosen, wanted)
    if place is not None:
        chosen = chosen.where(order < place)
    chosen = chosen.order_by(columns.wall_s.desc(), columns.request_id.desc()).limit(size)
    with store._begin() as connection:  # noqa: SLF001 - a part of the store that has its own file
        return connection.execute(chosen).all()


def with_columns(chosen: Select[Any], wanted: ActivityFilter) -> Select[Any]:
    """*chosen* with the conditions that the database can check."""
    columns = tables.records.c
    if wanted.since_s is not None:
        chosen = chosen.where(columns.wall_s >= wanted.since_s)
    if wanted.until_s is not None:
        chosen = chosen.where(columns.wall_s < wanted.until_s)
    for name in ("project", "task_type", "tier", "model", "ending"):
        if value := getattr(wanted, name):
            chosen = chosen.where(columns[name] == value)
    if wanted.cost_nano_usd_min is not None:
        chosen = chosen.where(columns.cost_nano_usd >= wanted.cost_nano_usd_min)
    if len(wanted.request) == REQUEST_ID_CHARS:  # a whole one, which has an index
        chosen = chosen.where(columns.request_id == wanted.request)
    elif wanted.request:
        chosen = chosen.where(columns.request_id.contains(wanted.request, autoescape=True))
    return chosen


def checks_of(wanted: ActivityFilter) -> list[Callable[[Record], bool]]:
    """What the database cannot check of a record."""
    checks: list[Callable[[Record], bool]] = []
    for name, read in READ_HERE.items():
        value = getattr(wanted, name)
        if value is not None and value != "":
            checks.append(partial(is_equal, read, value))
    if kind := wanted.finding:
        checks.append(lambda record: kind in kinds_found(record))
    return checks


def is_equal(read: Callable[[Record], object], value: object, record: Record) -> bool:
    """Whether what *read* says of *record* is *value*."""
    return read(record) == value


def matches(wanted: ActivityFilter, record: Record) -> bool:
    """Whether *record*, which may not be stored yet, is *wanted*."""
    return (
        (wanted.since_s is None or record.wall_s >= wanted.since_s)
        and (wanted.until_s is None or record.wall_s < wanted.until_s)
        and wanted.project in ("", record.principal.project)
        and wanted.task_type in ("", record.decision.task_type)
        and wanted.tier in ("", record.decision.tier)
        and wanted.model in ("", record.model)
        and wanted.ending in ("", record.outcome.ending.value)
        and (wanted.cost_nano_usd_min is None or record.cost_nano_usd >= wanted.cost_nano_usd_min)
        and wanted.request in record.request_id
        and all(check(record) for check in checks_of(wanted))
    )


def failed_over(record: Record) -> bool:
    """Whether another deployment answered than the first of the ranking."""
    ranking, answered = record.decision.ranking, record.outcome.deployment
    return bool(answered and ranking) and answered != ranking[0]


def was_blocked(record: Record) -> bool:
    """Whether the scan kept the request from being sent."""
    return record.outcome.error in BLOCKING


def write_cursor(place: Place) -> str:
    """*place* for a URL."""
    return f"{place[0]!r}~{place[1]}"


def read_cursor(cursor: str) -> Place:
    """
    The place that ``write_cursor`` wrote.

    Raises:
        InvalidRequest: it did not.
    """
    wall_s, _, request_id = cursor.partition("~")
    try:
        return float(wall_s), request_id.replace("\0", "")
    except ValueError:
        raise InvalidRequest("The cursor is none of ours.", param="cursor") from None
