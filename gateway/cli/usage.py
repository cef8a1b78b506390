"""``switchyard usage``: what the ledger has billed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import typer

from gateway.admin.reports import HOURS_MAX, Billed, By, UsageAsked
from gateway.cli.at_desk import at_desk, console, print_json, print_table, said
from gateway.core.money import usd_text


def run(config: Path | None, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print one line for each group."""
    value = UsageAsked(**asked | {"by": said(asked["by"], By, "--by")})
    if not 0 < value.hours <= HOURS_MAX:
        raise typer.BadParameter(f"at most {HOURS_MAX:g}", param_hint="--hours")
    found = at_desk(config, lambda desk, who: desk.reports.usage(who, value))
    if as_json:
        print_json(found)
        return
    if not found:
        of = [f"the {name} '{asked[name]}'" for name in ("tenant", "key") if asked[name]]
        whom = f" to {' and '.join(of)}" if of else ""
        console.print(f"Nothing was billed{whom} in the last {value.hours:g} hours.", markup=False)
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
