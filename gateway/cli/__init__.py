"""The command line. A command imports what it runs on, so that ``--help`` is quick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import keys, policies, projects, provider_keys, rules, tenants, webhooks
from gateway.cli.options import ConfigFile, Hours, Json

Database = Annotated[
    str | None, typer.Option(help="URL of the records; default: the configuration's.")
]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold prompts and keys
    help="A self-hosted LLM routing gateway: every request to the cheapest model good enough.",
)
app.add_typer(keys.app, name="keys")
app.add_typer(tenants.app, name="tenants")
app.add_typer(projects.app, name="projects")
app.add_typer(provider_keys.app, name="provider-keys")
app.add_typer(rules.app, name="rules")
app.add_typer(policies.app, name="policies")
app.add_typer(webhooks.app, name="webhooks")


@app.command()
def serve(
    config: ConfigFile = None,
    host: Annotated[str | None, typer.Option(envvar="SWITCHYARD_HOST")] = None,
    port: Annotated[int | None, typer.Option(envvar="SWITCHYARD_PORT")] = None,
) -> None:
    """Run the gateway until SIGTERM; SIGHUP reads the configuration again."""
    from gateway.cli.serve import run

    environ = dict(os.environ)
    if host is not None:
        environ["SWITCHYARD_HOST"] = host
    if port is not None:
        environ["SWITCHYARD_PORT"] = str(port)
    run(config, environ)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="The YAML file to check.")]) -> None:
    """Print every problem of a configuration file, with its path; exit 1 if there is one."""
    from gateway.cli.check import run

    run(file)


@app.command()
def explain(
    prompt: Annotated[str, typer.Argument(help="What a client might ask.")],
    config: ConfigFile = None,
    model: Annotated[str, typer.Option(help="The model that the client names.")] = "auto",
    action: Annotated[str, typer.Option(help="disabled, auto, custom or observe.")] = "auto",
    mode: Annotated[str | None, typer.Option(help="eco, balanced, sport, ...")] = None,
    system: Annotated[str, typer.Option(help="A system prompt before it.")] = "",
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every candidate, not only the first 15.")
    ] = False,
) -> None:
    """Show how a prompt would be routed, and why every other candidate lost."""
    from gateway.cli.explain import run

    run(prompt, config=config, model=model, action=action, mode=mode, system=system, every=every)


@app.command()
def classify(
    source: Annotated[
        Path, typer.Option("--input", help='JSON lines: {"id", "text" | "messages"}')
    ],
    target: Annotated[
        Path,
        typer.Option("--output", help="JSON lines, one for each of the input; - for the terminal."),
    ],
) -> None:
    """Classify many prompts: task type, confidence, complexity, tier and stage of each."""
    from gateway.cli.classify import run

    run(source, target)


@app.command()
def scan(
    source: Annotated[Path, typer.Option("--input", help='JSON lines: {"id", "text"}')],
    target: Annotated[
        Path,
        typer.Option("--output", help="JSON lines, one for each of the input; - for the terminal."),
    ],
    config: ConfigFile = None,
    sensitivity: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
) -> None:
    """Scan many texts: attacks, personal data and secrets, and the configured content policies."""
    from gateway.cli.check import settings_or_exit
    from gateway.cli.scan import run

    if sensitivity not in {"low", "medium", "high"}:
        raise typer.BadParameter("must be low, medium or high", param_hint="--sensitivity")
    run(source, target, settings_or_exit(config, dict(os.environ)), sensitivity)


@app.command()
def replay(
    config: ConfigFile = None,
    hours: Annotated[float, typer.Option(help="How far to look back.", min=0.0)] = 24.0,
    limit: Annotated[int, typer.Option(help="At most so many records.", min=1)] = 100_000,
    database: Database = None,
) -> None:
    """Decide recorded requests again under a configuration, and print what would change."""
    from gateway.cli.replay import run

    run(config, hours=hours, limit=limit, database=database)


@app.command()
def savings(
    config: ConfigFile = None,
    *,
    source: Annotated[
        Path | None, typer.Option("--input", help='JSON lines: {"id", "text" | "messages"}')
    ] = None,
    mix: Annotated[str | None, typer.Option(help="An example mix of traffic.")] = None,
    baseline: Annotated[str | None, typer.Option(help="The model that requests name.")] = None,
    hours: Annotated[float, typer.Option(help="Of records: how far to look back.")] = 720.0,
    limit: Annotated[int, typer.Option(help="At most so many records.", min=1)] = 100_000,
    database: Database = None,
) -> None:
    """What routing would save on your own requests, a file of prompts, or an example mix."""
    from gateway.cli.savings import Source, run

    run(config, Source(mix, source, hours, limit, database), baseline)


@app.command()
def routes(
    config: ConfigFile = None,
    by: Annotated[str, typer.Option(help="mode, tier, task, model or rule.")] = "mode",
    hours: Annotated[float, typer.Option(help="How far to look back.", min=0.0)] = 24.0,
    limit: Annotated[int, typer.Option(help="At most so many records.", min=1)] = 100_000,
    database: Database = None,
) -> None:
    """Cost, latency and quality of recorded requests by route, and hit rates of models."""
    from gateway.cli.routes import run

    run(config, by=by, hours=hours, limit=limit, database=database)


@app.command()
def usage(
    config: ConfigFile = None,
    by: Annotated[
        str, typer.Option(help="tenant, project, key, provider, model or day.")
    ] = "tenant",
    hours: Annotated[float, typer.Option(help="How far to look back.", min=0.01)] = 720.0,
    tenant: Annotated[str, typer.Option("--tenant", "-t", help="Of this one alone.")] = "",
    key: Annotated[str, typer.Option(help="Of this one alone.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Show what was billed: attempts, tokens, cost, savings and fees."""
    from gateway.cli.usage import run

    asked = {"by": by, "hours": hours, "tenant": tenant, "key": key}
    run(config, asked, as_json=as_json)


@app.command()
def activity(
    config: ConfigFile = None,
    where: Annotated[
        list[str],
        typer.Option("--where", "-w", help="NAME=VALUE such as tier=low; may be repeated."),
    ] = [],  # noqa: B006
    hours: Hours = 24.0,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=500)] = 50,
    export: Annotated[
        str | None, typer.Option(help="All of them to the standard output: csv or jsonl.")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Look through recorded requests, newest first."""
    from gateway.cli.activity import activity as run

    run(config, where, hours, limit, export=export, as_json=as_json)


@app.command()
def audit(
    config: ConfigFile = None,
    kind: Annotated[str, typer.Option(help="tenant, key, rules, session, ...")] = "",
    id_: Annotated[str, typer.Option("--id", help="Of this one alone.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many lines.", min=1, max=200)] = 50,
    *,
    as_json: Json = False,
) -> None:
    """Who changed what, newest first."""
    from gateway.cli.activity import audit as run

    run(config, kind, id_, limit, as_json=as_json)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where to.")],
    config: ConfigFile = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Copy the SQLite database to a file; the gateway may run meanwhile."""
    from gateway.cli.backup import backup as run

    run(config, file, force=force)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="Made by `switchyard backup`.")],
    config: ConfigFile = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the database.")] = False,
) -> None:
    """Put a backup in the place of the database; no gateway may be using it."""
    from gateway.cli.backup import restore as run

    run(config, file, force=force)


def main() -> None:
    """Entry point of ``switchyard``."""
    app()
