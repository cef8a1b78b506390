"""Templates into responses, with the headers that every page of the dashboard has."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.admin.static_files import address, read_files
from gateway.core.money import usd_text

TEMPLATES = Path(__file__).parent / "templates"
CONTENT_SECURITY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
SAFE = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SECONDS_PER_MINUTE, SECONDS_PER_HOUR, SECONDS_PER_DAY = 60, 3600, 86_400

FILES = read_files()


def environment() -> Environment:
    """Where templates come from, and what they can call. Everything is escaped."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        usd=usd,
        ms=milliseconds,
        seconds=seconds,
        percent=percent,
        when=when,
        day=day,
        span=span,
        json=json_text,
        number=number,
        cut=cut,
    )
    made.globals["static"] = lambda name: address(name, FILES)
    return made


def html(text: str, status: int = 200) -> web.Response:
    """*text* as a page."""
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=SAFE
    )


def usd(nano_usd: int | None) -> str:
    """Nano-dollars with as many digits as tell something: ``$1,204.50``, ``$0.000012``."""
    if nano_usd is None:
        return "–"
    amount = abs(nano_usd) / 1e9
    sign = "-" if nano_usd < 0 else ""
    if amount >= 1:
        return f"{sign}${amount:,.2f}"
    if not nano_usd:
        return "$0"
    if amount >= 0.01:
        text = f"{amount:.4f}".rstrip("0")
        return f"{sign}${text.ljust(4, '0')}"
    digits = usd_text(abs(nano_usd))
    first = next(k for k, digit in enumerate(digits[2:]) if digit != "0")
    return f"{sign}${amount:.{first + 2}f}".rstrip("0")


def milliseconds(value_s: float | None) -> str:
    """Seconds as milliseconds, three digits."""
    if value_s is None:
        return "–"
    value = value_s * 1e3
    digits = 0 if value >= 100 or not value else 1 if value >= 1 else 2
    return f"{value:,.{digits}f} ms"


def seconds(value_s: float | None) -> str:
    """Seconds, two digits behind the point, shorter ones as milliseconds."""
    if value_s is None:
        return "–"
    return f"{value_s:,.2f} s" if value_s >= 1 else milliseconds(value_s)


def percent(share: float | None) -> str:
    """A share of 0 to 1."""
    if share is None:
        return "–"
    return f"{100 * share:.0f} %" if share >= 0.1 or not share else f"{100 * share:.1f} %"


def number(value: float | None) -> str:
    """A count."""
    return "–" if value is None else f"{value:,.0f}"


def when(wall_s: float | None) -> str:
    """Date and time, UTC."""
    if not wall_s:
        return "–"
    return moment(wall_s).strftime("%Y-%m-%d %H:%M:%S")


def day(wall_s: float | None) -> str:
    """The date, UTC."""
    return "–" if not wall_s else moment(wall_s).strftime("%Y-%m-%d")


def moment(wall_s: float) -> datetime.datetime:
    """Seconds since the epoch as a time of UTC; the ends of the calendar for what is beyond it."""
    return datetime.datetime.fromtimestamp(min(max(wall_s, 0.0), 253_402_300_799.0), datetime.UTC)


def span(value_s: float) -> str:
    """A duration in its largest unit: ``45 s``, ``12 min``, ``3 h``, ``9 days``."""
    for size, unit in (
        (SECONDS_PER_DAY, "days"),
        (SECONDS_PER_HOUR, "h"),
        (SECONDS_PER_MINUTE, "min"),
    ):
        if value_s >= 2 * size:
            return f"{value_s / size:.0f} {unit}"
    return f"{value_s:.0f} s"


def cut(text: str, most: int = 100) -> str:
    """*text*, whose length a client may have chosen, in at most *most* characters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def json_text(value: object) -> str:
    """*value* as JSON that a person reads."""
    raw = value if isinstance(value, (bytes, msgspec.Raw)) else msgspec.json.encode(value)
    return msgspec.json.format(bytes(raw), indent=2).decode()
