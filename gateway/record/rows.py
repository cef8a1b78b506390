"""Records, views and feedback as rows of the store, and back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.record.record import Feedback, Record, View

Row = dict[str, str | float | bytes]

ENCODER = msgspec.json.Encoder()
RECORDS = msgspec.json.Decoder(Record)
VIEWS = msgspec.json.Decoder(View)


class Unencodable(Exception):
    """A record that has no JSON, e.g. because a path held half of a character."""


class Batch(msgspec.Struct, frozen=True):
    """What is written in one transaction."""

    records: Sequence[Row] = ()
    views: Sequence[Row] = ()
    feedback: Sequence[Row] = ()


class Judged(msgspec.Struct, frozen=True):
    """What clients thought of one model's answers to one kind of work, summed up."""

    model: str  # that answered
    task_type: str
    tier: str
    samples: int
    score: float  # sum of the scores, 0 to *samples*


def encode(record: Record) -> bytes:
    """
    The JSON of *record*.

    Raises:
        Unencodable: it cannot be stored, now or later.
    """
    try:
        return ENCODER.encode(record)
    except (ValueError, OverflowError, TypeError) as error:
        raise Unencodable(f"{record.request_id}: {type(error).__name__}") from error


def record_row(record: Record, payload: bytes | None = None) -> Row:
    """The row of *record*, whose JSON is *payload* where that is known. Raises Unencodable."""
    return {
        "request_id": record.request_id,
        "wall_s": record.wall_s,
        "project": record.principal.project,
        "task_type": record.decision.task_type,
        "tier": record.decision.tier,
        "model": record.model,
        "ending": record.outcome.ending.value,
        "cost_nano_usd": record.cost_nano_usd,
        "savings_nano_usd": record.savings_nano_usd,
        "payload": encode(record) if payload is None else payload,
    }


def view_row(view: View, used_s: float) -> Row:
    """The row of *view*, used at *used_s*."""
    return {"version": view.version, "used_s": used_s, "payload": ENCODER.encode(view)}


def feedback_row(feedback: Feedback) -> Row:
    """The row of *feedback*, less what a database cannot hold as text."""
    return {
        "request_id": storable(feedback.request_id),
        "key_id": feedback.key_id,
        "wall_s": feedback.wall_s,
        "score": feedback.score,
        "comment": storable(feedback.comment),
    }


def storable(text: str) -> str:
    """*text* without NUL, which PostgreSQL refuses, and without halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def read_record(payload: bytes) -> Record | None:
    """The record of a row, None when it is of a shape that this version does not know."""
    try:
        return RECORDS.decode(payload)
    except msgspec.DecodeError:
        return None


def read_view(payload: bytes) -> View | None:
    """The view of a row, None when it is of a shape that this version does not know."""
    try:
        return VIEWS.decode(payload)
    except msgspec.DecodeError:
        return None
