"""``switchyard savings``: what automatic routing saves on records, on a file, or on a usual mix."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from gateway.build import classifier_options
from gateway.choosing import unsent
from gateway.cli.check import settings_or_exit
from gateway.cli.classify import ROW, chat_of
from gateway.cli.replay import missing_file
from gateway.cli.rows import rows_of
from gateway.config.fleet import build_fleet
from gateway.config.settings import Settings
from gateway.core.clock import SystemClock
from gateway.core.errors import InvalidRequest, SwitchyardError
from gateway.core.money import usd_text
from gateway.core.request import Controls, RouteAction
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import RoutingPolicy, compile_policies
from gateway.learn.promises import promises
from gateway.learn.refresh import refresh
from gateway.learn.savings import (
    Line,
    Savings,
    Workload,
    calculate,
    named_baseline,
    of_mix,
    of_records,
)
from gateway.learn.shipped import find_mix
from gateway.reading import Readers, Scanning, read
from gateway.record.store import Store
from gateway.wire.decode import decode
from models.classifier import load_classifier

console = Console()
ROUTED = Controls(action=RouteAction.AUTO)


class Source(msgspec.Struct, frozen=True):
    """Where requests come from: a *mix*, a *file* of prompts, else the records of *hours*."""

    mix: str | None = None
    file: Path | None = None
    hours: float = 24.0 * 30
    limit: int = 100_000  # records
    database: str | None = None  # None: that of the configuration


def run(config: Path | None, source: Source, baseline: str | None = None) -> None:
    """
    Print the bill with and without routing. *baseline*: the model that every request names; None:
    the one that a record names, else ``routing.baseline_model``.
    """
    settings = with_baseline(settings_or_exit(config), baseline, os.environ)
    try:
        bill = bill_of(settings, source, baseline)
    except SwitchyardError as error:
        console.print(f"[red]{escape(error.message)}[/]")
        raise typer.Exit(1) from None
    except OSError as error:
        console.print(f"[red]{escape(f'{error.filename}: {error.strerror}')}[/]")
        raise typer.Exit(2) from None
    show(bill)


def with_baseline(settings: Settings, baseline: str | None, environ: Mapping[str, str]) -> Settings:
    """
    *settings* that compare with *baseline* where a request names no model.

    Raises:
        typer.Exit: nobody knows its price; the message is on the console.
    """
    if baseline is None:
        return settings
    routing = msgspec.structs.replace(settings.config.routing, baseline_model=baseline)
    config = msgspec.structs.replace(settings.config, routing=routing)
    fleet = build_fleet(config, environ)
    if baseline not in fleet.references:
        console.print(f"[red]no price of '{escape(baseline)}' is known to compare with[/]")
        raise typer.Exit(1)
    return msgspec.structs.replace(settings, config=config, fleet=fleet)


def bill_of(settings: Settings, source: Source, baseline: str | None) -> Savings:
    """
    The bill of *source*.

    Raises:
        NotFound: there is no such mix.
        Unavailable: there are no records, or the database does not answer.
        InvalidRequest: a row of the file cannot be read.
        OSError: the file cannot be.
    """
    policies = compile_policies(settings.config, settings.fleet)
    view = fleet_view(settings.fleet, {})
    named = named_baseline(settings.config.routing.baseline_model, view)
    if source.mix is not None:
        return calculate(of_mix(find_mix(source.mix), named), policies, view)
    if source.file is not None:
        return calculate(
            asyncio.run(of_file(source.file, settings, policies.default, named)), policies, view
        )
    url = source.database or settings.database_url
    if missing := missing_file(url):
        raise InvalidRequest(f"There are no records yet: no file {missing}; try --mix or --input.")
    with closing(Store(url)) as store:
        store.prepare()
        matrix = refresh(store, settings.config.learn, time.time())
        learnt = promises(matrix, settings.config.routing, settings.fleet)
        policies = compile_policies(settings.config, settings.fleet, learnt)
        model = None if baseline is None else named
        return calculate(of_store(store, source, model), policies, view)


def of_store(store: Store, source: Source, model: str | None) -> Iterator[Workload]:
    """The newest records, oldest first."""
    until_s = time.time()
    since_s = store.start_of_newest(until_s - source.hours * 3600, until_s, source.limit)
    records = store.read_records(since_s, until_s, source.limit)
    return of_records(track(records, "deciding again", console=console), model)


async def of_file(
    path: Path, settings: Settings, policy: RoutingPolicy, model: str
) -> list[Workload]:
    """
    The prompts of *path*, JSON lines as ``switchyard classify`` reads them, scored.

    Raises:
        InvalidRequest: a row cannot be read.
        OSError: the file cannot be.
    """
    rows = list(rows_of(path.read_bytes()))  # noqa: ASYNC240 - a command has nothing else to do
    options = msgspec.structs.replace(
        classifier_options(settings.config.classifier), deadline_s=None
    )
    clock, found = SystemClock(), []
    with closing(load_classifier(options)) as classifier:
        readers = Readers(classifier, None, clock)
        for number, line in track(rows, "classifying", console=console):
            try:
                chat = msgspec.structs.replace(chat_of(decode(ROW, line)), model=model)
            except InvalidRequest as error:
                raise InvalidRequest(f"{path}, line {number}: {error.message}") from None
            request = unsent(chat, clock, ROUTED)
            reading = await read(Scanning(readers, request), readers, policy)
            found.append(Workload(reading.question, reading.signals, reading.scores))
    return found


def show(bill: Savings) -> None:
    """The bill as tables, and one line that sums it up."""
    total = bill.total
    for title, lines in (
        ("by model that answers", bill.by_model),
        ("by tier", bill.by_tier),
        ("by task type", bill.by_task),
    ):
        if lines:
            console.print(table_of(title, lines))
    console.print(
        f"[bold]{total.requests} requests[/]: {usd(total.original_nano_usd)} USD without routing, "
        f"{usd(total.cost_nano_usd)} with it; fee {usd(total.fee_nano_usd)}, "
        f"kept {usd(total.savings_nano_usd - total.fee_nano_usd)} ({total.share:.1%})"
    )
    if bill.unjudged:
        console.print(f"{bill.unjudged} more were not classified, or have nothing to compare with")
    if bill.refused:
        console.print(f"{bill.refused} more no model may answer")


def table_of(title: str, lines: dict[str, Line]) -> Table:
    """One row a group, the largest original cost first."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in ("requests", "without, USD", "with, USD", "fee, USD", "kept"):
        table.add_column(heading, justify="right")
    for name, line in sorted(lines.items(), key=lambda item: -item[1].original_nano_usd):
        table.add_row(
            escape(name),
            str(line.requests),
            usd(line.original_nano_usd),
            usd(line.cost_nano_usd),
            usd(line.fee_nano_usd),
            f"{line.share:.1%}",
        )
    return table


def usd(amount_nano_usd: int) -> str:
    """USD to the hundredth, and small amounts exactly."""
    if abs(amount_nano_usd) < 10**9:
        return usd_text(amount_nano_usd)
    return f"{amount_nano_usd / 1e9:.2f}"
