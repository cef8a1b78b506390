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
    typer.Option(help="USD/WINDOW, such as 5/day, 100/month, '1/rolling 3600'; may be repeated."),
]
Requests = Annotated[int | None, typer.Option(help="Most requests per minute.", min=0)]
Tokens = Annotated[int | None, typer.Option(help="Most tokens per minute.", min=0)]
Concurrent = Annotated[int | None, typer.Option(help="Most requests in flight.", min=0)]
