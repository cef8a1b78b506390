"""``switchyard routes``: what each route cost, how long it took and how good it was."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from gateway.cli.check import settings_or_exit
from gateway.cli.replay import missing_file
from gateway.core.errors import Unavailable
from gateway.core.money import usd_text
from gateway.learn.measures import ROUTES, Measure, measures
from gateway.learn.promises import HitRate, hit_rates
from gateway.learn.refresh import refresh
from gateway.record.store import Store

console = Console()


def run(
    config: Path | None, *, by: str, hours: float, limit: int, database: str | None = None
) -> None:
    """
    Print the figures of the newest *limit* records of the last *hours*, grouped *by* a name of
    ROUTES, and the hit rate of each model and task as far as anybody gave feedback.
    """
    if by not in ROUTES:
        console.print(f"[red]--by is one of {', '.join(ROUTES)}[/]")
        raise typer.Exit(2)
    settings = settings_or_exit(config)
    url, now_s = database or settings.database_url, time.time()
    if missing := missing_file(url):
        console.print(f"[red]There are no records yet: no file {escape(missing)}[/]")
        raise typer.Exit(1)
    try:
        with closing(Store(url)) as store:
            store.prepare()
            since_s = store.start_of_newest(now_s - hours * 3600, now_s, limit)
            records = store.read_records(since_s, now_s, limit)
            found = measures(track(records, "reading", console=console), ROUTES[by])
            rates = hit_rates(refresh(store, settings.config.learn, now_s))
    except Unavailable as error:
        console.print(f"[red]{escape(error.message)}[/]")
        raise typer.Exit(1) from None
    console.print(figures(by, found))
    if rates:
        console.print(hits(rates))


def figures(by: str, found: tuple[Measure, ...]) -> Table:
    """One row a route."""
    table = Table(title=f"by {by}", title_justify="left")
    table.add_column(by)
    for heading in (
        "requests", "USD each", "saved each", "p50 s", "p95 s", "promised", "routed",
        "escalated", "failed",
    ):  # fmt: skip
        table.add_column(heading, justify="right")
    for one in found:
        table.add_row(
            escape(one.route),
            str(one.requests),
            usd_text(round(one.cost_nano_usd)),
            usd_text(round(one.savings_nano_usd)),
            seconds(one.duration_s_p50),
            seconds(one.duration_s_p95),
            f"{one.promised:.2f}",
            f"{one.routed:.1%}",
            f"{one.escalated:.1%}",
            f"{one.failed:.1%}",
        )
    return table


def hits(rates: tuple[HitRate, ...]) -> Table:
    """One row a model and task."""
    table = Table(title="hit rates, by feedback", title_justify="left")
    for heading in ("model", "task type"):
        table.add_column(heading)
    for heading in ("judged", "counting as", "hit rate"):
        table.add_column(heading, justify="right")
    for one in rates:
        counted, rate = f"{one.samples:.1f}", f"{one.rate:.1%}"
        table.add_row(escape(one.model), one.task_type, str(one.judged), counted, rate)
    return table


def seconds(duration_s: float | None) -> str:
    """Two digits are as exact as it is."""
    return "" if duration_s is None else f"{duration_s:.2g}"
