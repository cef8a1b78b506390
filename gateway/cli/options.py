"""Options that several commands share. Nothing heavy is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="SWITCHYARD_CONFIG", help="YAML file; defaults without."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on the standard output, for machines.")]
Id = Annotated[str, typer.Argument(help="1 to 64 of A-Z a-z 0-9 . _ @ -")]
TenantName = Annotated[str, typer.Option("--tenant", "-t", help="Who pays.")]
TitleText = Annotated[str, typer.Option("--name", help="For a person.")]
Spend = Annotated[
    list[str],
    typer.Option(
        help="USD/WINDOW, such as 5/day, 100/month, '1/rolling 5h'; may be repeated. "
        "Takes the place of all spend limits; none takes them away."
    ),
]
Requests = Annotated[int | None, typer.Option(help="Most requests per minute.", min=0)]
Tokens = Annotated[int | None, typer.Option(help="Most tokens per minute.", min=0)]
Concurrent = Annotated[int | None, typer.Option(help="Most requests in flight.", min=0)]
AtLimit = Annotated[
    str | None,
    typer.Option("--at-limit", help="Of money: refuse, or cheaper for another model."),
]
Action = Annotated[
    str | None,
    typer.Option(help="Route action: disabled, auto, custom or observe; without, the project's."),
]
ModeName = Annotated[str | None, typer.Option("--mode", help="eco, balanced, sport, ...")]
Hours = Annotated[float, typer.Option(help="How far to look back.", min=0.01)]
