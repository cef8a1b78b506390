"""``switchyard replay``: recorded requests, decided again under another configuration."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gateway.cli.check import settings_or_exit
from gateway.config.settings import Settings
from gateway.core.errors import Unavailable
from gateway.core.health import Health
from gateway.core.money import usd_text
from gateway.decide.policy import compile_policies
from gateway.learn.promises import promises
from gateway.learn.refresh import refresh
from gateway.record.replay import Delta, Report, decide_again, replay
from gateway.record.store import Store

console = Console()
EXAMPLES = 10  # shown; the report holds more


def run(config: Path | None, *, hours: float, limit: int, database: str | None) -> None:
    """Print what would be different, by tier, task type and model."""
    settings = settings_or_exit(config)
    url = database or settings.database_url
    if missing := missing_file(url):
        hint = "" if database else "; a gateway that has answered requests makes it"
        console.print(f"[red]There are no records yet: no file {escape(missing)}{hint}[/]")
        raise typer.Exit(1)
    try:
        with closing(Store(url)) as store:
            report = read_report(store, settings, hours, limit)
    except Unavailable as error:
        console.print(f"[red]{escape(error.message)}[/]")
        raise typer.Exit(1) from None
    show(report)


def missing_file(url: str) -> str | None:
    """The SQLite file that *url* names, where there is none: to look must not create it."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None  # the store knows what to say
    if parsed.get_backend_name() != "sqlite":
        return None
    path = parsed.database or ":memory:"
    return None if Path(path).is_file() else path


def read_report(store: Store, settings: Settings, hours: float, limit: int) -> Report:
    """
    Decide the records of the last *hours* again.

    Raises:
        Unavailable: the database does not answer.
    """
    now_s = time.time()
    store.prepare()
    records = store.read_records(now_s - hours * 3600, now_s, limit)
    matrix = refresh(store, settings.config.learn, now_s)
    learnt = promises(matrix, settings.config.routing, settings.fleet)
    policies = compile_policies(settings.config, settings.fleet, learnt)
    again = decide_again(policies, settings.fleet)

    def health_of(version: str) -> dict[str, Health] | None:
        view = store.find_view(version)
        return None if view is None else view.health

    return replay(track(records, "deciding again", console=console), health_of, again)


def show(report: Report) -> None:
    """The report as tables."""
    console.print(f"[bold]{report.summary()}[/]")
    if not report.changed:
        return
    for title, groups in (
        ("by tier", report.by_tier),
        ("by task type", report.by_task),
        ("by model decided on", report.by_model),
    ):
        console.print(sums(title, groups))
    table = Table(title="examples", title_justify="left")
    for heading in ("request", "before", "after", "reason"):
        table.add_column(heading, overflow="fold")
    for change in report.examples[:EXAMPLES]:
        table.add_row(
            change.request_id, change.before, change.after or "refused", escape(change.reason)
        )
    console.print(table)


def sums(title: str, groups: dict[str, Delta]) -> Table:
    """One row a group."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("records", "changed", "cost USD", "savings USD"):
        table.add_column(heading, justify="right")
    for name, delta in sorted(groups.items()):
        table.add_row(
            escape(name),
            str(delta.records),
            str(delta.changed),
            usd_text(delta.cost_nano_usd),
            usd_text(delta.savings_nano_usd),
        )
    return table
