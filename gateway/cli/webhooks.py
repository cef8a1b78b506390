"""``switchyard webhooks``: who is told of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.options import ConfigFile, Id, Json, TitleText

if TYPE_CHECKING:
    from gateway.admin.drawer import Made
    from gateway.admin.webhooks import WebhookDraft

app = typer.Typer(no_args_is_help=True, help="Addresses that are told of events.")


@app.command()
def create(
    url: Annotated[str, typer.Argument(help="https, unless the configuration allows its host.")],
    config: ConfigFile = None,
    *,
    hook_id: Annotated[str, typer.Option("--id", help="Default: one is made.")] = "",
    event: Annotated[list[str], typer.Option(help="May be repeated; all without.")] = [],  # noqa: B006
    name: TitleText = "",
    as_json: Json = False,
) -> None:
    """Tell an address of events. The secret that signs them is shown this once."""
    import msgspec

    from gateway.admin.webhooks import WebhookDraft
    from gateway.cli.at_desk import at_desk, said
    from gateway.state.facts import Event

    events = tuple(said(one, Event, "--event") for one in event)
    try:
        draft = msgspec.convert({"url": url, "events": events, "name": name}, WebhookDraft)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error)) from None
    print_made(
        at_desk(config, lambda desk, who: desk.webhooks.create(who, draft, hook_id)), as_json
    )


@app.command("list")
def list_(config: ConfigFile = None, *, as_json: Json = False) -> None:
    """List webhooks, without their secrets."""
    from gateway.cli.at_desk import at_desk, every, print_json, print_table

    entries = at_desk(config, lambda desk, who: every(desk.webhooks, who))
    if as_json:
        print_json(entries)
        return
    rows = [
        (
            entry.id,
            entry.value.url,
            entry.value.events or "all",
            entry.value.name,
            "disabled" if entry.value.disabled else "works",
        )
        for entry in entries
    ]
    print_table(("id", "address", "events", "name", "state"), rows)


@app.command()
def rotate(hook_id: Id, config: ConfigFile = None, *, as_json: Json = False) -> None:
    """Sign with a new secret, which is shown this once."""
    from gateway.cli.at_desk import at_desk

    print_made(at_desk(config, lambda desk, who: desk.webhooks.rotate(who, hook_id)), as_json)


@app.command()
def disable(hook_id: Id, config: ConfigFile = None) -> None:
    """Tell an address nothing for now."""
    switch(hook_id, config, disabled=True)


@app.command()
def enable(hook_id: Id, config: ConfigFile = None) -> None:
    """Tell it again."""
    switch(hook_id, config, disabled=False)


@app.command()
def delete(hook_id: Id, config: ConfigFile = None) -> None:
    """Forget an address."""
    from gateway.cli.at_desk import at_desk, console

    at_desk(config, lambda desk, who: desk.webhooks.delete(who, hook_id))
    console.print(f"{hook_id} is gone.")


def switch(hook_id: str, config: Any, *, disabled: bool) -> None:
    """Disable or enable one."""
    import msgspec

    from gateway.cli.at_desk import at_desk, console

    async def work(desk: Any, who: Any) -> None:
        before = await desk.webhooks.get(who, hook_id)
        value = msgspec.structs.replace(before.value, disabled=disabled)
        await desk.webhooks.update(who, hook_id, value, before.version)

    at_desk(config, work)
    console.print(f"{hook_id} is {'disabled' if disabled else 'enabled'}.")


def print_made(made: Made[WebhookDraft], as_json: bool) -> None:  # noqa: FBT001 - as the option
    """One with its secret."""
    from gateway.cli.at_desk import console, print_json

    if as_json:
        print_json(made)
    else:
        console.print(f"{made.id}: [bold]{made.secret}[/]", soft_wrap=True)
