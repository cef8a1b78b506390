"""Commands that work at the operator's desk, on the database of a configuration."""

from __future__ import annotations

import asyncio
import datetime
import getpass
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.admin.access import Access
from gateway.admin.desk import Desk
from gateway.admin.drawer import Drawer, Entry
from gateway.admin.office import Office
from gateway.admin.roles import Operator
from gateway.cli.check import settings_or_exit
from gateway.config.decode import choices
from gateway.config.settings import Settings
from gateway.core.clock import SystemClock
from gateway.core.errors import SwitchyardError
from gateway.foundation import Foundation
from gateway.record.store import Store
from gateway.state.facts import Limits, SpendLimit
from gateway.state.ledger_store import LedgerStore
from gateway.state.master_key import MasterKeyError

console = Console()
errors = Console(stderr=True, soft_wrap=True)
UNLIMITED = Limits()
AtLimit = Literal["refuse", "cheaper"]
T = TypeVar("T")
V = TypeVar("V")
Work = Callable[[Desk, Operator], Awaitable[T]]


def at_desk(config: Path | None, work: Work[T]) -> T:
    """
    What *work* returns, done as an admin on the database of *config*; no gateway has to run.

    Raises:
        typer.Exit: it could not be done; the console says why.
    """
    settings = settings_or_exit(config)
    try:
        return asyncio.run(work_at_desk(settings, work))
    except (SwitchyardError, MasterKeyError) as error:
        errors.print(f"[red]{escape(told(error))}[/]")
        raise typer.Exit(1) from None


def told(error: Exception) -> str:
    """The message of *error*, with the path of the mistake."""
    param = getattr(error, "param", None)
    return f"{param}: {error}" if param else str(error)


async def work_at_desk(settings: Settings, work: Work[T]) -> T:
    """What *work* returns. Raises SwitchyardError, MasterKeyError."""
    clock = SystemClock()
    foundation = Foundation(settings, clock)
    with closing(foundation), closing(Store(settings.database_url)) as records:
        await foundation.start()
        await foundation.replica.refresh()
        records.prepare()
        replica, digest = foundation.replica, foundation.lasting_digest
        office = Office(
            fact_store=foundation.fact_store,
            replica=replica,
            records=records,
            ledger=LedgerStore(foundation.engine, clock),
            settings=lambda: settings,
            clock=clock,
            vault=foundation.vault,
            digest=digest,
            access=Access(replica, digest, clock, settings.state.admin_key),
        )
        return await work(Desk(office), Operator(f"cli:{user()}", "admin"))


async def every(drawer: Drawer[Any, V], who: Operator, tenant: str | None = None) -> list[Entry[V]]:
    """All of a *drawer*, those of one *tenant*."""
    found: list[Entry[V]] = []
    after: str | None = ""
    while after is not None:
        page = await drawer.list(who, after, tenant=tenant)
        found += page.items
        after = page.next
    return found


def user() -> str:
    """Who is at the terminal, for the audit log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for its user
        return "unknown"


def print_json(answer: object) -> None:
    """*answer* as indented JSON on the standard output, and nothing else."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """*rows* under *headings*; nothing is left out of a long cell."""
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell(value)) for value in row))
    console.print(table)


def cell(value: object) -> str:
    """*value* for a person."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Limits):
        return limits_text(value)
    if isinstance(value, tuple | list):
        return ", ".join(map(cell, value))
    return str(value)


def limits_text(limits: Limits) -> str:
    """*limits* in one line, spend limits as ``--spend`` takes them; "" where there are none."""
    told = [f"{one.usd:.9f}".rstrip("0").rstrip(".") + f"/{one.window}" for one in limits.spend]
    if limits.at_limit != UNLIMITED.at_limit:
        told.append(f"at the limit {limits.at_limit}")
    for value, words in (
        (limits.requests_per_minute, "requests/minute"),
        (limits.tokens_per_minute, "tokens/minute"),
        (limits.concurrent, "at once"),
    ):
        told += [] if value is None else [f"{value} {words}"]
    return ", ".join(told)


def time_text(wall_s: float) -> str:
    """Seconds since the epoch as ISO 8601, UTC; as they are beyond the calendar."""
    try:
        return datetime.datetime.fromtimestamp(wall_s, datetime.UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return str(wall_s)


def print_members(answer: msgspec.Struct | dict[str, Any]) -> None:
    """The members of *answer* one below the other; those that say nothing are left out."""
    plain: dict[str, Any] = msgspec.to_builtins(answer)
    table = Table(show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in plain.items():
        if value in (None, "", [], (), {}, False):
            continue
        whole, heading = getattr(answer, name, value), name
        if isinstance(whole, Limits):
            shown = limits_text(whole) or "none"
        elif name.endswith("_s") and isinstance(value, int | float):
            heading, shown = name.removesuffix("_s"), time_text(value)
        elif isinstance(value, dict):
            shown = msgspec.json.encode(value).decode()
        else:
            shown = cell(value)
        table.add_row(heading, escape(shown))
    console.print(table)


def limits_of(
    spend: Sequence[str],
    requests: int | None,
    tokens: int | None,
    concurrent: int | None,
    at_limit: str | None,
    before: Limits = UNLIMITED,
) -> Limits:
    """
    *before* with what was said; a spend limit ``none`` takes those away that there are.

    Raises:
        typer.BadParameter: a spend limit is not USD/WINDOW, or *at_limit* no word for it.
    """
    stated = () if list(spend) == ["none"] else tuple(map(spend_limit, spend))
    return msgspec.structs.replace(
        before,
        spend=stated if spend else before.spend,
        at_limit=before.at_limit if at_limit is None else said(at_limit, AtLimit, "--at-limit"),
        requests_per_minute=before.requests_per_minute if requests is None else requests,
        tokens_per_minute=before.tokens_per_minute if tokens is None else tokens,
        concurrent=before.concurrent if concurrent is None else concurrent,
    )


def said(value: object, kind: Any, option: str) -> Any:
    """*value* of an *option* as *kind*. Raises typer.BadParameter, which lists what there is."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        told = choices(kind, "")
        message = f"expected one of {told}, got {value!r}" if told else str(error)
        raise typer.BadParameter(message, param_hint=option) from None


def spend_limit(text: str) -> SpendLimit:
    """The limit that *text* says, such as ``5/day``. Raises typer.BadParameter."""
    usd, _, window = text.partition("/")
    try:
        return msgspec.convert({"usd": float(usd), "window": window}, SpendLimit)
    except ValueError:
        message = f"expected USD/WINDOW such as 5/day, got {text!r}"
        raise typer.BadParameter(message, param_hint="--spend") from None
