"""Models and providers with prices and health, and what judgements say of models."""

from __future__ import annotations

import msgspec
from aiohttp import web

from gateway.admin.pages_visit import Visit
from gateway.admin.reports import Place
from gateway.core.fleet import UNKNOWN_PRICE
from gateway.execute.health import ProviderHealth
from models.scores import TASK_TYPES, TIERS

PICO_USD_PER_USD_MTOK = 1_000_000
BAR = 100.0  # width of an interval's drawing
DOWN = ("open", "cooldown")  # states of a deployment that is not asked


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin/models."""
    found = await visit.desk.reports.providers(visit.who)
    only = visit.form.text("provider")
    health = {(one.provider, one.model): one for one in found.health}
    shown = [one for one in found.deployments if only in ("", one.provider)]
    return visit.page(
        "models.html",
        places=[(one, health.get((one.provider, one.model))) for one in shown],
        providers=[
            summary(name, found.deployments, found.health)
            for name in dict.fromkeys(one.provider for one in found.deployments)
        ],
        only=only,
        version=found.version,
        unknown=UNKNOWN_PRICE,
        per_mtok=per_mtok,
        modes=visit.office.completed().config.routing.virtual_models,
    )


def per_mtok(price: int) -> str:
    """Pico-dollars per token as USD per million tokens."""
    return f"{price / PICO_USD_PER_USD_MTOK:,.4f}".rstrip("0").rstrip(".")


class Summary(msgspec.Struct, frozen=True):
    """A provider in one line. *down* and *probing* count deployments; shares are 0 to 1."""

    name: str
    models: int
    simulated: bool
    requests: int
    error_share: float | None
    places: int
    down: int
    probing: int
    recovery_s: float


def summary(name: str, places: list[Place], health: list[ProviderHealth]) -> Summary:
    """Of the provider *name*, over all of its models."""
    own = [one for one in places if one.provider == name]
    seen = [one for one in health if one.provider == name]
    requests = sum(one.requests for one in seen)
    errors = sum(one.error_share * one.requests for one in seen)
    states = [state for one in seen for state in one.states.values()]
    return Summary(
        name=name,
        models=len({one.model for one in own}),
        simulated=all(one.simulated for one in own),
        requests=requests,
        error_share=errors / requests if requests else None,
        places=len(own),
        down=sum(state in DOWN for state in states),
        probing=states.count("half_open"),
        recovery_s=max((one.recovery_s for one in seen), default=0.0),
    )


async def show_quality(visit: Visit) -> web.StreamResponse:
    """GET /admin/quality."""
    async with visit.shared.heavy:
        found = await visit.desk.reports.quality(visit.who)
    form = visit.form
    task, tier, model = form.text("task_type"), form.text("tier"), form.text("model")
    cells = [
        cell
        for cell in found.cells
        if task in ("", cell.task_type) and tier in ("", cell.tier) and model in ("", cell.model)
    ]
    return visit.page(
        "quality.html",
        found=found,
        cells=cells,
        task=task,
        tier=tier,
        model=model,
        models=tuple(dict.fromkeys(cell.model for cell in found.cells)),
        task_types=TASK_TYPES,
        tiers=TIERS,
        bar=BAR,
    )
