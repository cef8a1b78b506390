"""``switchyard keys``: keys of clients, and with ``--admin`` those of operators."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    TenantName,
    TitleText,
    Tokens,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from gateway.admin.admin_keys import AdminKeys
    from gateway.admin.desk import Desk
    from gateway.admin.drawer import Entry
    from gateway.admin.keys import Keys

app = typer.Typer(no_args_is_help=True, help="Keys of clients; with --admin, of operators.")

Priority = Annotated[str, typer.Option(help="Under overload: normal, or low to be shed first.")]
Order = Literal["normal", "low"]
Admin = Annotated[bool, typer.Option("--admin", help="Keys of operators, for /admin.")]
DAY_S = 86_400.0


@app.command()
def create(
    config: ConfigFile = None,
    *,
    key_id: Annotated[str, typer.Option("--id", help="Default: one is made.")] = "",
    tenant: TenantName = "default",
    project: Annotated[str, typer.Option("--project", "-p")] = "default",
    name: TitleText = "",
    days: Annotated[float | None, typer.Option(help="Until it expires.", min=0.0)] = None,
    model: Annotated[list[str], typer.Option(help="May be asked; all without.")] = [],  # noqa: B006
    route: Annotated[list[str], typer.Option(help="Paths may begin so; all without.")] = [],  # noqa: B006
    spend: Spend = [],  # noqa: B006
    requests: Requests = None,
    tokens: Tokens = None,
    concurrent: Concurrent = None,
    at_limit: AtLimit = None,
    action: Action = None,
    mode: ModeName = None,
    priority: Priority = "normal",
    role: Annotated[
        str | None, typer.Option(help="Of an operator instead: viewer, operator or admin.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is shown this once."""
    from gateway.admin.admin_keys import AdminKeyDraft
    from gateway.admin.keys import KeyDraft
    from gateway.cli.at_desk import at_desk, console, limits_of, print_json, said
    from gateway.core.request import RouteAction
    from gateway.state.facts import Role

    expires_s = None if days is None else time.time() + days * DAY_S
    if role is not None:
        limits = (requests, tokens, concurrent, at_limit, action, mode)
        usual = ("default", "default", "normal")
        of_clients = (tenant, project, priority) != usual or any((model, route, spend))
        if of_clients or any(one is not None for one in limits):
            raise typer.BadParameter("an operator has only a name and days", param_hint="--role")
        operator = AdminKeyDraft(role=said(role, Role, "--role"), name=name, expires_s=expires_s)
        made: Any = at_desk(config, lambda desk, who: desk.admin_keys.create(who, operator, key_id))
    else:
        draft = KeyDraft(
            tenant=tenant,
            project=project,
            name=name,
            expires_s=expires_s,
            allowed_models=tuple(model),
            allowed_routes=tuple(route),
            action=said(action, RouteAction | None, "--action"),
            mode=mode,
            priority=said(priority, Order, "--priority"),
            limits=limits_of(spend, requests, tokens, concurrent, at_limit),
        )
        made = at_desk(config, lambda desk, who: desk.keys.create(who, draft, key_id))
    if as_json:
        print_json(made)
        return
    console.print(f"{made.id}: [bold]{made.secret}[/]", soft_wrap=True)
    console.print("It is not shown again. Running gateways know it within 2 seconds.")


@app.command("list")
def list_(
    config: ConfigFile = None,
    *,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t")] = None,
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """List keys, without their secrets."""
    from gateway.cli.at_desk import at_desk, every, print_json, print_table

    def work(desk: Desk, who: Any) -> Awaitable[list[Entry[Any]]]:
        return every(drawer(desk, admin=admin), who, tenant)

    entries = at_desk(config, work)
    if as_json:
        print_json(entries)
        return
    middle = ("role",) if admin else ("tenant", "project")
    rows = [
        (e.id, e.value.prefix, *(getattr(e.value, n) for n in middle), e.value.name, state(e.value))
        for e in entries
    ]
    print_table(("id", "begins", *middle, "name", "state"), rows)


@app.command()
def show(
    key_id: Id, config: ConfigFile = None, *, admin: Admin = False, as_json: Json = False
) -> None:
    """Show one key."""
    from gateway.cli.at_desk import at_desk, print_json, print_members

    item: Any = at_desk(config, lambda desk, who: drawer(desk, admin=admin).get(who, key_id))
    if as_json:
        print_json(item)
    else:
        print_members(item.value)


@app.command()
def rotate(
    key_id: Id,
    config: ConfigFile = None,
    *,
    overlap: Annotated[
        float, typer.Option(help="Seconds that older secrets work on.", min=0.0)
    ] = 0.0,
    admin: Admin = False,
    as_json: Json = False,
) -> None:
    """Give a key a new secret, which is shown this once."""
    from gateway.cli.at_desk import at_desk, console, print_json

    made: Any = at_desk(
        config, lambda desk, who: drawer(desk, admin=admin).rotate(who, key_id, overlap)
    )
    if as_json:
        print_json(made)
    else:
        console.print(f"{made.id}: [bold]{made.secret}[/]", soft_wrap=True)


@app.command()
def revoke(key_id: Id, config: ConfigFile = None, *, admin: Admin = False) -> None:
    """End a key now, for good."""
    from gateway.cli.at_desk import at_desk, console

    at_desk(config, lambda desk, who: drawer(desk, admin=admin).revoke(who, key_id))
    console.print(f"{key_id} is revoked. Running gateways refuse it within 2 seconds.")


@app.command()
def limit(
    key_id: Id,
    config: ConfigFile = None,
    *,
    spend: Spend = [],  # noqa: B006
    requests: Requests = None,
    tokens: Tokens = None,
    concurrent: Concurrent = None,
    at_limit: AtLimit = None,
    action: Action = None,
    mode: ModeName = None,
    priority: Annotated[str | None, typer.Option(help="Under overload: normal or low.")] = None,
    as_json: Json = False,
) -> None:
    """Change limits of a key and how it is routed; what is not named stays."""
    import msgspec

    from gateway.admin.drawer import picked
    from gateway.admin.keys import KeyDraft
    from gateway.cli.at_desk import at_desk, limits_of, print_json, print_members, said
    from gateway.core.request import RouteAction

    changes: dict[str, Any] = {
        "action": said(action, RouteAction | None, "--action"),
        "mode": mode,
        "priority": said(priority, Order | None, "--priority"),
    }
    changes = {name: value for name, value in changes.items() if value is not None}

    async def work(desk: Desk, who: Any) -> Any:
        before = await desk.keys.get(who, key_id)
        draft = picked(KeyDraft, before.value)
        limits = limits_of(spend, requests, tokens, concurrent, at_limit, draft.limits)
        changed = msgspec.structs.replace(draft, limits=limits, **changes)
        return await desk.keys.update(who, key_id, changed, before.version)

    item = at_desk(config, work)
    if as_json:
        print_json(item)
    else:
        print_members(item.value)


@app.command()
def delete(key_id: Id, config: ConfigFile = None, *, admin: Admin = False) -> None:
    """Forget a key that is revoked or has expired."""
    from gateway.cli.at_desk import at_desk, console

    at_desk(config, lambda desk, who: drawer(desk, admin=admin).delete(who, key_id))
    console.print(f"{key_id} is gone.")


def drawer(desk: Desk, *, admin: bool) -> Keys | AdminKeys:
    """Where the keys are."""
    return desk.admin_keys if admin else desk.keys


def state(key: Any) -> str:
    """Whether a key works, for a person."""
    if key.revoked_s is not None:
        return "revoked"
    if key.expires_s is None:
        return "works"
    day = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(key.expires_s))
    return f"until {day}" if key.expires_s > time.time() else f"expired {day}"
