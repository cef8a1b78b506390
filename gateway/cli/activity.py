"""``switchyard activity`` and ``switchyard audit``: what was asked, and what was changed."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer

from gateway.admin.api_activity import ExportAsked
from gateway.admin.desk import Desk
from gateway.admin.exports import ExportForm
from gateway.admin.reports import AuditAsked
from gateway.cli.at_desk import at_desk, console, print_json, print_table, said, time_text
from gateway.config.decode import choices
from gateway.config.problem import unknown

HOUR_S = 3600.0


def activity(
    config: Path | None,
    where: Sequence[str],
    hours: float,
    limit: int,
    *,
    export: str | None,
    as_json: bool,
) -> None:
    """Print the newest records that are wanted, or all of them as a file."""
    wanted = wanted_of(where, time.time() - hours * HOUR_S)
    if export is not None:
        form: ExportForm = said(export, ExportForm, "--export")

        async def send(desk: Desk, who: Any) -> None:
            for piece in await desk.reports.export(who, wanted, form):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()

        at_desk(config, send)
        return
    found = at_desk(config, lambda desk, who: desk.reports.activity(who, wanted, "", limit))
    if as_json:
        print_json(found)
        return
    if not found.items:
        console.print(f"No such record in the last {hours:g} hours.")
        return
    rows = [
        (time_text(one.wall_s), one.request_id, one.status, one.asked_model, one.model,
         one.tier, f"{one.cost_usd:.6f}", f"{one.tenant}/{one.project}/{one.key_id}", one.error)
        for one in found.items
    ]  # fmt: skip
    headings = ("when", "request", "status", "asked", "answered", "tier", "USD", "whose", "error")
    print_table(headings, rows)
    if found.next is not None:
        console.print("There are more; --limit and --export show them.")


def wanted_of(where: Sequence[str], since_s: float) -> ExportAsked:
    """
    The filter that NAME=VALUE words make, of records after *since_s*.

    Raises:
        typer.BadParameter: one is no such word.
    """
    fields: dict[str, object] = {"since_s": since_s}
    for word in where:
        name, equals, value = word.partition("=")
        if name not in ExportAsked.__struct_fields__ or not equals:
            what = unknown("property", name, ExportAsked.__struct_fields__)
            names = ", ".join(ExportAsked.__struct_fields__)
            raise typer.BadParameter(f"{what}: NAME=VALUE, of {names}", param_hint="--where")
        fields[name] = value
    try:
        return msgspec.convert(fields, ExportAsked, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).rpartition(" - at `")
        name = path.strip("$.`")
        told = choices(ExportAsked, f".{name}")
        message = f"{name}: {f'expected one of {told}' if told else message}"
        raise typer.BadParameter(message, param_hint="--where") from None


def audit(config: Path | None, kind: str, id_: str, limit: int, *, as_json: bool) -> None:
    """Print the newest lines of the audit log."""
    fields = {"kind": kind, "id": id_, "limit": limit}
    try:
        asked = msgspec.convert(fields, AuditAsked)
    except msgspec.ValidationError:
        told = choices(AuditAsked, ".kind")
        raise typer.BadParameter(f"expected one of {told}", param_hint="--kind") from None
    page = at_desk(config, lambda desk, who: desk.reports.audit(who, asked))
    if as_json:
        print_json(page)
        return
    rows = [
        (time_text(one.wall_s), one.actor, one.action, one.kind, one.id, one.version)
        for one in page.items
    ]
    print_table(("when", "who", "what", "kind", "id", "version"), rows)
