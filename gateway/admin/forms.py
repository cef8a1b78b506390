"""What a browser sends: the fields of a form or of a query, and their values as what they mean."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote

from aiohttp import web

from gateway.core.errors import BodyTooLarge, InvalidRequest, RequestTimeout
from gateway.core.money import nano_usd
from gateway.record.activity import ActivityFilter

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 200
READ_S = 20.0  # for a form to arrive
FORM_TYPE = "application/x-www-form-urlencoded"
USD_MAX = 1e9


class Form:
    """Fields of a form. Texts are without NUL, halves of characters and spaces around them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.fields: dict[str, list[str]] = {}
        for name, value in pairs:
            self.fields.setdefault(name, []).append(clean(value))

    def text(self, name: str, default: str = "") -> str:
        """The first value of *name*, *default* where there is none or an empty one."""
        return next((value for value in self.fields.get(name, ()) if value), default)

    def need(self, name: str) -> str:
        """The value of *name*. Raises InvalidRequest where there is none."""
        if value := self.text(name):
            return value
        raise InvalidRequest(f"{label(name)} is missing.", param=name)

    def every(self, name: str) -> tuple[str, ...]:
        """All values of *name* that are not empty."""
        return tuple(value for value in self.fields.get(name, ()) if value)

    def words(self, name: str) -> tuple[str, ...]:
        """The words of *name*, which commas, spaces or lines part."""
        return tuple(self.text(name).replace(",", " ").split())

    def lines(self, name: str) -> tuple[str, ...]:
        """The lines of *name* that are not empty."""
        return tuple(line for raw in self.text(name).splitlines() if (line := raw.strip()))

    def flag(self, name: str) -> bool:
        """Whether the box *name* is ticked."""
        return bool(self.text(name))

    def number(self, name: str) -> float | None:
        """The value of *name*, None where there is none. Raises InvalidRequest."""
        value = self.text(name)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            raise InvalidRequest(f"{label(name)} is not a number.", param=name) from None
        if not abs(number) <= 1e15:
            raise InvalidRequest(f"{label(name)} is out of range.", param=name)
        return number

    def count(self, name: str) -> int | None:
        """The value of *name* as a whole number from 0 on, None without one. May raise."""
        number = self.number(name)
        if number is None:
            return None
        if number != int(number) or number < 0:
            raise InvalidRequest(f"{label(name)} is not a whole number from 0 on.", param=name)
        return int(number)

    def time_s(self, name: str) -> float | None:
        """The date and time of *name*, UTC, as seconds since the epoch. Raises InvalidRequest."""
        value = self.text(name)
        if not value:
            return None
        try:
            moment = datetime.datetime.fromisoformat(value)
        except ValueError:
            raise InvalidRequest(f"{label(name)} is not a date and time.", param=name) from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return moment.timestamp()


def clean(value: str) -> str:
    """*value* as a database can hold it."""
    return value.replace("\0", "").encode("utf-8", "replace").decode().strip()


def label(field: str) -> str:
    """A field's name for a person."""
    return field.replace("_", " ").capitalize()


async def read_form(http: web.BaseRequest) -> Form:
    """
    The form that is the body of *http*.

    Raises:
        BodyTooLarge, RequestTimeout: it is too long, or takes too long.
        InvalidRequest: it is no form.
    """
    if http.content_type != FORM_TYPE:
        raise InvalidRequest(f"Expected a form ({FORM_TYPE}).", status=415)
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for piece in http.content.iter_any():
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    raise BodyTooLarge(f"The form has more than {BODY_BYTES_MAX} bytes, the limit.")
    except TimeoutError:
        raise RequestTimeout(f"The form did not arrive within {READ_S:g} s.") from None
    return parse(body.decode("utf-8", "replace"))


def read_query(http: web.BaseRequest) -> Form:
    """The query of the URL of *http*. Raises InvalidRequest."""
    return parse(http.rel_url.raw_query_string)


def parse(text: str) -> Form:
    """The fields of *text*. Raises InvalidRequest where there are too many."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        raise InvalidRequest(f"The form has more than {FIELDS_MAX} fields.") from None
    return Form(pairs)


TEXTS = (
    *("project", "task_type", "tier", "model", "ending", "request", "tenant", "key", "provider"),
    *("asked", "action", "rule", "stage", "error", "finding"),
)
FLAGS = ("routed", "failed_over", "blocked", "cached", "own_key")
YES_NO: Mapping[str, bool] = {"yes": True, "no": False}
PERIODS_S = {"1h": 3600.0, "24h": 86_400.0, "7d": 7 * 86_400.0, "30d": 30 * 86_400.0}


def activity_filter(form: Form, now_s: float) -> ActivityFilter:
    """
    What a query asks for. ``period`` is one of PERIODS_S and counts back from *now_s*, unless
    ``since`` is given.

    Raises:
        InvalidRequest: a field is not what it should be.
    """
    since_s = form.time_s("since")
    period = form.text("period")
    if since_s is None and period in PERIODS_S:
        since_s = now_s - PERIODS_S[period]
    cost = form.number("cost_min")
    if cost is not None and abs(cost) > USD_MAX:
        raise InvalidRequest("Cost min is out of range.", param="cost_min")
    fields: dict[str, Any] = {name: form.text(name) for name in TEXTS}
    fields |= {name: YES_NO.get(form.text(name)) for name in FLAGS}
    return ActivityFilter(
        since_s=since_s,
        until_s=form.time_s("until"),
        cost_nano_usd_min=None if cost is None else nano_usd(cost),
        status=form.count("status"),
        **fields,
    )


def query_of(form: Form, **changes: str) -> str:
    """The query of *form* again, with *changes*; what becomes empty is left out."""
    fields = {name: form.text(name) for name in form.fields} | changes
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in fields.items() if value)
