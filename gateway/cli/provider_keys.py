"""``switchyard provider-keys``: keys that tenants brought along for providers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import ConfigFile, Id, Json, TenantName, TitleText

if TYPE_CHECKING:
    from gateway.admin.desk import Desk

app = typer.Typer(
    no_args_is_help=True,
    help="Keys of tenants for providers. A secret is read from the standard input, never shown.",
)

Weight = Annotated[float | None, typer.Option(help="Share among the tenant's keys for it.")]
Endpoint = Annotated[str | None, typer.Option("--base-url", help="An endpoint of its own.")]


@app.command()
def create(
    provider: Annotated[str, typer.Argument(help="A provider of the configuration.")],
    config: ConfigFile = None,
    *,
    key_id: Annotated[str, typer.Option("--id", help="Default: one is made.")] = "",
    tenant: TenantName = "default",
    name: TitleText = "",
    base_url: Endpoint = None,
    weight: Weight = None,
    as_json: Json = False,
) -> None:
    """Keep a key, sealed."""
    from gateway.cli.at_desk import at_desk, console, print_json

    said = {"name": name, "base_url": base_url, "weight": weight, "secret": read_secret()}
    draft = draft_of({"provider": provider, "tenant": tenant}, said)
    item = at_desk(config, lambda desk, who: desk.provider_keys.create(who, draft, key_id))
    if as_json:
        print_json(item)
    else:
        console.print(f"The key {item.id} of {tenant} for {provider} is kept.")


@app.command("list")
def list_(
    config: ConfigFile = None,
    *,
    tenant: Annotated[str | None, typer.Option("--tenant", "-t")] = None,
    as_json: Json = False,
) -> None:
    """List keys, without their secrets."""
    from gateway.cli.at_desk import at_desk, every, print_json, print_table

    entries = at_desk(config, lambda desk, who: every(desk.provider_keys, who, tenant))
    if as_json:
        print_json(entries)
        return
    names = ("tenant", "provider", "hint", "weight", "base_url", "name", "disabled")
    rows = [(entry.id, *(getattr(entry.value, name) for name in names)) for entry in entries]
    headings = ("tenant", "provider", "ends in", "weight", "endpoint", "name", "disabled")
    print_table(("id", *headings), rows)


@app.command()
def change(
    key_id: Id,
    config: ConfigFile = None,
    *,
    name: Annotated[str | None, typer.Option("--name", help="For a person.")] = None,
    base_url: Endpoint = None,
    weight: Weight = None,
    disabled: Annotated[bool | None, typer.Option("--disable/--enable")] = None,
    secret: Annotated[bool, typer.Option("--secret", help="Read another secret.")] = False,
    as_json: Json = False,
) -> None:
    """Change a key; what is not named stays. Another endpoint takes the secret again."""
    from gateway.cli.at_desk import at_desk, print_json, print_members

    said: dict[str, Any] = {"name": name, "base_url": base_url, "weight": weight}
    said |= {"disabled": disabled, "secret": read_secret() if secret else None}

    async def work(desk: Desk, who: Any) -> Any:
        from gateway.admin.provider_keys import ProviderKeyDraft

        before = await desk.provider_keys.get(who, key_id)
        names = [one for one in ProviderKeyDraft.__struct_fields__ if one != "secret"]
        draft = draft_of({one: getattr(before.value, one) for one in names}, said)
        return await desk.provider_keys.update(who, key_id, draft, before.version)

    item = at_desk(config, work)
    if as_json:
        print_json(item)
    else:
        print_members(item.value)


@app.command()
def delete(key_id: Id, config: ConfigFile = None) -> None:
    """Forget a key."""
    from gateway.cli.at_desk import at_desk, console

    at_desk(config, lambda desk, who: desk.provider_keys.delete(who, key_id))
    console.print(f"{key_id} is gone.")


def draft_of(before: dict[str, Any], said: dict[str, Any]) -> Any:
    """*before* with what was *said*. Raises typer.BadParameter."""
    import msgspec

    from gateway.admin.provider_keys import ProviderKeyDraft

    fields = before | {name: value for name, value in said.items() if value is not None}
    try:
        return msgspec.convert(fields, ProviderKeyDraft)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None


def read_secret() -> str:
    """A line of the standard input: on the command line others could read it."""
    if sys.stdin.isatty():
        return str(typer.prompt("Secret", hide_input=True))
    return sys.stdin.readline().strip()
