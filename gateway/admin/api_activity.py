"""Paths of the admin API that look through the records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta

from gateway.admin.api_call import ApiCall
from gateway.admin.api_route import Route
from gateway.admin.exports import ExportForm
from gateway.admin.reports import Activity, OneRecord
from gateway.record.activity import LIMIT_MAX, ActivityFilter

Task = Literal[
    "",
    "Open QA",
    "Closed QA",
    "Summarization",
    "Text Generation",
    "Code Generation",
    "Chatbot",
    "Classification",
    "Rewrite",
    "Brainstorming",
    "Extraction",
    "Other",
]


class ExportAsked(ActivityFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records; "" for all. What has few values takes these alone."""

    task_type: Task = ""
    tier: Literal["", "low", "medium", "high"] = ""
    ending: Literal["", "complete", "truncated", "client_gone", "failed"] = ""
    action: Literal["", "disabled", "auto", "custom", "observe"] = ""


class ActivityAsked(ExportAsked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which records, and which part of them."""

    after: str = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = 50


async def activity(call: ApiCall) -> Activity:
    """The records that are asked for."""
    asked: ActivityAsked = call.query
    return await call.desk.reports.activity(call.who, asked, asked.after, asked.limit)


def exported(form: ExportForm, words: str) -> Route:
    """GET of all records that are asked for, as a file."""

    async def run(call: ApiCall) -> Iterator[bytes]:
        return await call.desk.reports.export(call.who, call.query, form)

    summary = f"All records that are asked for, newest first, as {words}"
    return Route("GET", f"/activity.{form}", run, summary, query=ExportAsked, export=form)


ACTIVITY_ROUTES = (
    Route(
        "GET",
        "/activity",
        activity,
        "Look through the records",
        Activity,
        query=ActivityAsked,
        heavy=True,
    ),
    exported("csv", "CSV: a line for each, money in USD"),
    exported("jsonl", "JSON lines: each as it is stored"),
    Route(
        "GET",
        "/activity/{request}",
        lambda c: c.desk.reports.record(c.who, c.names["request"]),
        "Read one record",
        OneRecord,
    ),
)
