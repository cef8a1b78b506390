"""``switchyard explain``: one decision as tables."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import msgspec
import typer
from msgspec.structs import replace
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.api.controls import ControlReader
from gateway.build import classifier_options, routing_of
from gateway.choosing import explained, unsent
from gateway.cli.check import settings_or_exit
from gateway.config.settings import Settings
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.clock import SystemClock
from gateway.core.decision import Decision
from gateway.core.errors import SwitchyardError
from gateway.core.fleet import Capability
from gateway.core.money import usd_text
from gateway.decide.explain import Explanation
from gateway.reading import Readers, Reading
from models.classifier import load_classifier

console = Console()
SHOWN = 15  # candidates, without --all


def run(
    prompt: str,
    *,
    config: Path | None,
    model: str,
    action: str,
    mode: str | None,
    system: str,
    every: bool = False,
) -> None:
    """Decide on *prompt* without calling anybody, and print everything that the decision saw."""
    settings = settings_or_exit(config)
    headers = {"X-Switchyard-Route-Action": action}
    if mode is not None:
        headers["X-Switchyard-Mode"] = mode
    turns = (Turn(Role.SYSTEM, (Text(system),)),) if system else ()
    chat = Chat(model=model, turns=(*turns, Turn(Role.USER, (Text(prompt),))))
    try:
        reading, explanation = asyncio.run(_explain(settings, chat, headers))
    except SwitchyardError as error:
        console.print(f"[red]{escape(error.message)}[/]")
        raise typer.Exit(1) from None
    console.print(facts(reading))
    most = len(explanation.candidates) if every else SHOWN
    console.print(ranking(explanation, most))
    if (more := len(explanation.candidates) - most) > 0:
        console.print(f"and {more} more, --all shows them\n")
    if explanation.decision is None:
        console.print(f"[red]{escape(explanation.refusal)}[/]")
        raise typer.Exit(1)
    console.print(verdict(explanation.decision))


async def _explain(
    settings: Settings, chat: Chat, headers: dict[str, str]
) -> tuple[Reading, Explanation]:
    controls = ControlReader(settings.config.routing.modes).read(headers)
    options = replace(classifier_options(settings.config.classifier), deadline_s=None)
    classifier, clock = load_classifier(options), SystemClock()
    with closing(classifier):
        readers = Readers(classifier, None, clock)
        return await explained(unsent(chat, clock, controls), readers, routing_of(settings, {}))


def facts(reading: Reading) -> Table:
    """Signals and scores, side by side."""
    table = Table(title="What the prompt says", show_header=False, title_justify="left")
    scores = reading.scores
    table.add_row(
        "task type",
        f"[bold]{scores.task_type}[/] with confidence {scores.confidence:.2f}"
        + (" (uncertain)" if scores.uncertain else ""),
    )
    table.add_row("complexity", f"[bold]{scores.complexity:.2f}[/] ({scores.tier})")
    if scores.strong_need is not None:
        table.add_row("needs a strong model", f"{scores.strong_need:.2f}")
    table.add_row("classifier", scores.stage + (", middle unread" if scores.truncated else ""))
    table.add_row("needs", words_of(reading.signals.needs))
    for name, value in msgspec.structs.asdict(reading.signals).items():
        if name != "needs" and value not in (False, None, "", 0):
            table.add_row(name.replace("_", " "), escape(str(value)))
    return table


def words_of(needs: Capability) -> str:
    """Capabilities for a person: ``tools, chat``."""
    return ", ".join(one.name.lower() for one in Capability if one in needs and one.name)


def ranking(explanation: Explanation, most: int) -> Table:
    """
    The first *most* candidates: those to be tried in order, then the others with the reasons they
    lost.
    """
    tried = explanation.decision.ranking if explanation.decision else ()
    place = {name: i for i, name in enumerate(tried, start=1)}
    table = Table(title="Candidates", title_justify="left")
    table.add_column("", justify="right")
    table.add_column("deployment", overflow="fold")
    for heading in ("USD", "quality", "s"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why not", overflow="fold")
    for candidate in explanation.candidates[:most]:
        rank = place.get(candidate.deployment)
        table.add_row(
            "" if rank is None else str(rank),
            escape(candidate.deployment),
            usd_text(candidate.cost_nano_usd),
            f"{candidate.quality:.2f}",
            f"{candidate.latency_s:.1f}",
            escape("; ".join(candidate.lost)),
            style="bold green" if rank == 1 else "" if rank else "dim",
        )
    return table


def verdict(decision: Decision) -> str:
    """The decision in two lines."""
    saved = decision.savings_nano_usd
    against = decision.original_model or "the baseline"
    return (
        f"[bold green]{escape(decision.model)}[/] at {escape(decision.provider)}: "
        f"{escape(decision.reason)}\n"
        f"estimated {usd_text(decision.cost_nano_usd)} USD, saves {usd_text(saved)} USD "
        f"against {escape(against)}"
    )
