"""``switchyard usage``: what the ledger has billed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import typer

from gateway.admin.reports import Billed, UsageAsked
from gateway.cli.at_desk import at_desk, console, print_json, print_table
from gateway.core.money import usd_text


def run(config: Path | None, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print one line for each group."""
    try:
        value = msgspec.convert(asked, UsageAsked)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None
    found = at_desk(config, lambda desk, who: desk.reports.usage(who, value))
    if as_json:
        print_json(found)
        return
    headings = (value.by, "attempts", "tokens in", "tokens out", "USD", "saved USD", "fee USD")
    print_table(headings, [line(one, value.by) for one in found])
    total = sum(one.cost_nano_usd for one in found)
    console.print(f"{usd_text(total)} USD in the last {value.hours:g} hours")


def line(one: Billed, by: str) -> tuple[object, ...]:
    """One group for a person."""
    group = one.group
    if by == "day":
        group = time.strftime("%Y-%m-%d", time.gmtime(int(group)))
    money = (one.cost_nano_usd, one.savings_nano_usd, one.fee_nano_usd)
    return (group, one.attempts, one.tokens_in, one.tokens_out, *map(usd_text, money))
