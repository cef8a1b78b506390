"""``switchyard serve``: start, say where we are, run."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import typer
import uvloop
from rich.console import Console
from rich.markup import escape

from gateway.app import App
from gateway.cli.check import settings_or_exit
from gateway.config.settings import Settings
from gateway.core.errors import SwitchyardError
from gateway.state.master_key import MasterKeyError

console = Console(soft_wrap=True)


def run(path: Path | None, environ: dict[str, str]) -> None:
    """Run until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every plugin
    settings = settings_or_exit(path, environ)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(App(settings, path, environ)))


async def _serve(app: App) -> None:
    try:
        host, port = await app.start()
    except (OSError, SwitchyardError, MasterKeyError) as error:
        console.print(f"[red]Cannot start: {escape(str(error))}[/]")
        raise typer.Exit(1) from None
    greet(app.settings, host, port, app.describe(), unlocked=app.service.keyring.open)
    await app.run()


def greet(settings: Settings, host: str, port: int, classifier: str, *, unlocked: bool) -> None:
    """Tell a person at the terminal what to do next. *unlocked*: no key is needed to call."""
    url = f"http://{host}:{port}"
    fleet = settings.fleet
    simulated = [d for d in fleet.deployments if d.simulated]
    console.print(f"[bold]Switchyard[/] listens on [bold]{url}[/]")
    console.print(f"  OpenAI SDKs: base_url [bold]{url}/v1[/]   Anthropic SDKs: [bold]{url}[/]")
    console.print(f"  classifier: {escape(classifier)}")
    if unlocked:
        console.print("  [yellow]there are no keys yet: everybody on this machine may call[/]")
    if simulated:
        console.print(
            f"  [yellow]simulated[/]: {len(simulated)} of {len(fleet.deployments)} deployments are "
            "answered by the built-in provider; set OPENAI_API_KEY or another key for real ones"
        )
    by_provider: dict[str, list[str]] = {}
    for deployment in fleet.deployments:
        by_provider.setdefault(deployment.provider, []).append(deployment.model)
    for provider, models in by_provider.items():
        shown = ", ".join(models[:6]) + (f" and {len(models) - 6} more" if len(models) > 6 else "")
        console.print(f"  {provider}: {escape(shown)}")
    key = "" if unlocked else '    -H "Authorization: Bearer $SWITCHYARD_KEY" \\\n'
    console.print(
        f"\n  curl -i {url}/v1/chat/completions -H 'content-type: application/json' \\\n{key}"
        '    -d \'{"model": "auto", "messages": [{"role": "user", "content": "Say hello"}]}\'\n',
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
