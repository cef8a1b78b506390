"""``switchyard projects``: projects of tenants, beside those of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import (
    Action,
    AtLimit,
    Concurrent,
    ConfigFile,
    Id,
    Json,
    ModeName,
    Requests,
    Spend,
    Tokens,
)

if TYPE_CHECKING:
    from gateway.admin.desk import Desk

app = typer.Typer(no_args_is_help=True, help="Projects of tenants; `tenants project` makes one.")


@app.command("list")
def list_(
    config: ConfigFile = None,
    *,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t")] = None,
    as_json: Json = False,
) -> None:
    """List projects of the database; those of the configuration are there too."""
    from gateway.cli.at_desk import at_desk, every, print_json, print_table

    entries = at_desk(config, lambda desk, who: every(desk.projects, who, tenant))
    if as_json:
        print_json(entries)
        return
    rows = []
    for entry in entries:
        value, settings = entry.value, entry.value.settings
        action = settings.action and settings.action.value
        rows.append((entry.id, value.tenant, action, settings.mode, value.limits))
    print_table(("id", "tenant", "action", "mode", "limits"), rows)


@app.command()
def show(project: Id, config: ConfigFile = None, *, as_json: Json = False) -> None:
    """Show a project."""
    from gateway.cli.at_desk import at_desk, print_json, print_members

    item = at_desk(config, lambda desk, who: desk.projects.get(who, project))
    if as_json:
        print_json(item)
    else:
        print_members(item.value)


@app.command()
def limit(
    project: Id,
    config: ConfigFile = None,
    *,
    spend: Spend = [],  # noqa: B006
    requests: Requests = None,
    tokens: Tokens = None,
    concurrent: Concurrent = None,
    at_limit: AtLimit = None,
    action: Action = None,
    mode: ModeName = None,
    as_json: Json = False,
) -> None:
    """Change limits of a project and how it is routed; what is not named stays."""
    import msgspec

    from gateway.cli.at_desk import at_desk, limits_of, print_json, print_members, said
    from gateway.core.request import RouteAction

    stated: dict[str, Any] = {"action": said(action, RouteAction | None, "--action"), "mode": mode}
    stated = {name: value for name, value in stated.items() if value is not None}

    async def work(desk: Desk, who: Any) -> Any:
        before = await desk.projects.get(who, project)
        changed = msgspec.structs.replace(
            before.value,
            settings=msgspec.structs.replace(before.value.settings, **stated),
            limits=limits_of(spend, requests, tokens, concurrent, at_limit, before.value.limits),
        )
        return await desk.projects.update(who, project, changed, before.version)

    item = at_desk(config, work)
    if as_json:
        print_json(item)
    else:
        print_members(item.value)


@app.command()
def delete(project: Id, config: ConfigFile = None) -> None:
    """Delete a project without keys, with its rules."""
    from gateway.cli.at_desk import at_desk, console

    at_desk(config, lambda desk, who: desk.projects.delete(who, project))
    console.print(f"The project {project} is gone.")
