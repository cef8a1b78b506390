"""``switchyard tenants``: who pays, their projects and their credits."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import (
    AtLimit,
    Concurrent,
    ConfigFile,
    Id,
    Json,
    Requests,
    Spend,
    TenantName,
    TitleText,
    Tokens,
)

if TYPE_CHECKING:
    from gateway.admin.desk import Desk

app = typer.Typer(no_args_is_help=True, help="Tenants, their projects and their credits.")


@app.command()
def create(
    tenant: Id,
    config: ConfigFile = None,
    *,
    name: TitleText = "",
    spend: Spend = [],  # noqa: B006
    requests: Requests = None,
    tokens: Tokens = None,
    concurrent: Concurrent = None,
    at_limit: AtLimit = None,
    credits_: Annotated[bool, typer.Option("--credits", help="Pays from a balance.")] = False,
    low_balance: Annotated[
        float, typer.Option(help="USD; webhooks hear of a balance that falls to it.", min=0.0)
    ] = 5.0,
    own_keys_only: Annotated[
        bool, typer.Option("--own-keys-only", help="With provider keys of its own alone.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a tenant."""
    from gateway.cli.at_desk import at_desk, console, limits_of, print_json
    from gateway.state.facts import Tenant

    value = Tenant(
        name=name,
        credits=credits_,
        low_balance_usd=low_balance,
        own_keys="only" if own_keys_only else "prefer",
        limits=limits_of(spend, requests, tokens, concurrent, at_limit),
    )
    item = at_desk(config, lambda desk, who: desk.tenants.create(who, tenant, value))
    if as_json:
        print_json(item)
    else:
        console.print(f"The tenant {tenant} is made.")


@app.command("list")
def list_(config: ConfigFile = None, *, as_json: Json = False) -> None:
    """List tenants and what they have left."""
    from gateway.cli.at_desk import at_desk, every, print_json, print_table
    from gateway.core.money import usd_text

    async def work(desk: Desk, who: Any) -> list[dict[str, Any]]:
        return [
            {
                "id": entry.id,
                "value": entry.value,
                "balance": await desk.tenants.balance(who, entry.id),
            }
            for entry in await every(desk.tenants, who)
        ]

    entries = at_desk(config, work)
    if as_json:
        print_json(entries)
        return
    rows = []
    for entry in entries:
        value, balance = entry["value"], entry["balance"]
        left = usd_text(balance.available_nano_usd) if value.credits else ""
        state = "disabled" if value.disabled else "works"
        rows.append((entry["id"], value.name, state, value.own_keys, left, value.limits))
    print_table(("id", "name", "state", "own keys", "credits USD", "limits"), rows)


@app.command()
def show(tenant: Id, config: ConfigFile = None, *, as_json: Json = False) -> None:
    """Show a tenant, and its balance where it pays from one."""
    from gateway.cli.at_desk import at_desk, print_json, print_members
    from gateway.core.money import usd_text

    async def work(desk: Desk, who: Any) -> tuple[Any, Any]:
        return await desk.tenants.get(who, tenant), await desk.tenants.balance(who, tenant)

    item, balance = at_desk(config, work)
    if as_json:
        print_json({"tenant": item, "balance": balance})
    else:
        print_members(item.value)
        if item.value.credits:
            print_members(
                {
                    "credits left, USD": usd_text(balance.available_nano_usd),
                    "reserved, USD": usd_text(balance.held_nano_usd),
                }
            )


@app.command()
def limit(
    tenant: Id,
    config: ConfigFile = None,
    *,
    spend: Spend = [],  # noqa: B006
    requests: Requests = None,
    tokens: Tokens = None,
    concurrent: Concurrent = None,
    at_limit: AtLimit = None,
    as_json: Json = False,
) -> None:
    """Change limits of a tenant; what is not named stays."""
    import msgspec

    from gateway.cli.at_desk import at_desk, limits_of, print_json, print_members

    async def work(desk: Desk, who: Any) -> Any:
        before = await desk.tenants.get(who, tenant)
        limits = limits_of(spend, requests, tokens, concurrent, at_limit, before.value.limits)
        changed = msgspec.structs.replace(before.value, limits=limits)
        return await desk.tenants.update(who, tenant, changed, before.version)

    item = at_desk(config, work)
    if as_json:
        print_json(item)
    else:
        print_members(item.value)


@app.command()
def disable(tenant: Id, config: ConfigFile = None) -> None:
    """Refuse all requests of a tenant."""
    switch(tenant, config, disabled=True)


@app.command()
def enable(tenant: Id, config: ConfigFile = None) -> None:
    """Serve a tenant again."""
    switch(tenant, config, disabled=False)


@app.command()
def delete(tenant: Id, config: ConfigFile = None) -> None:
    """Delete a tenant without projects and keys; `default` forgets what was said of it."""
    from gateway.cli.at_desk import at_desk, console

    at_desk(config, lambda desk, who: desk.tenants.delete(who, tenant))
    console.print(f"The tenant {tenant} is gone.")


@app.command("top-up", context_settings={"ignore_unknown_options": True})  # -5 is told of
def top_up(
    tenant: Id,
    usd: Annotated[str, typer.Argument(help="USD, above 0, such as 25.50.")],
    config: ConfigFile = None,
    *,
    note: Annotated[str, typer.Option(help="For the books.")] = "",
    once: Annotated[
        str | None, typer.Option(help="Repeating it with the same word adds nothing.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add to the credits of a tenant."""
    from gateway.admin.tenants import TopUp
    from gateway.cli.at_desk import at_desk, console, print_json
    from gateway.core.money import usd_text

    value = TopUp(nano_usd=nano_of(usd), note=note)
    word = once or uuid.uuid4().hex
    balance = at_desk(config, lambda desk, who: desk.tenants.top_up(who, tenant, value, word))
    if as_json:
        print_json(balance)
    else:
        console.print(f"{tenant} has {usd_text(balance.available_nano_usd)} USD.")


@app.command()
def project(
    project_id: Id,
    config: ConfigFile = None,
    *,
    tenant: TenantName = "default",
    mode: Annotated[str | None, typer.Option(help="eco, balanced, sport, ...")] = None,
    as_json: Json = False,
) -> None:
    """Make a project of a tenant."""
    from gateway.cli.at_desk import at_desk, console, print_json
    from gateway.config.schema import Project
    from gateway.state.facts import TenantProject

    value = TenantProject(tenant=tenant, settings=Project(mode=mode))
    item = at_desk(config, lambda desk, who: desk.projects.create(who, project_id, value))
    if as_json:
        print_json(item)
    else:
        console.print(f"The project {project_id} of {tenant} is made.")


def switch(tenant: str, config: Any, *, disabled: bool) -> None:
    """Disable or enable *tenant*."""
    import msgspec

    from gateway.cli.at_desk import at_desk, console

    async def work(desk: Desk, who: Any) -> None:
        before = await desk.tenants.get(who, tenant)
        value = msgspec.structs.replace(before.value, disabled=disabled)
        await desk.tenants.update(who, tenant, value, before.version)

    at_desk(config, work)
    console.print(f"{tenant} is {'disabled' if disabled else 'enabled'}.")


def nano_of(usd: str) -> int:
    """*usd* in nano-dollars. Raises typer.BadParameter."""
    from decimal import Decimal, InvalidOperation

    from gateway.admin.tenants import NANO, USD_MAX

    try:
        amount = Decimal(usd) * NANO
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        whole, amount = 0, Decimal(0)
    if not 0 < whole <= USD_MAX * NANO or whole != amount:
        raise typer.BadParameter(
            f"expected USD above 0 and at most {USD_MAX}, with 9 digits behind the point",
            param_hint="USD",
        )
    return whole
