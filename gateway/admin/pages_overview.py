"""The first page: what was spent and saved, and how it went."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from gateway.admin.forms import PERIODS_S
from gateway.admin.pages_visit import Visit
from gateway.admin.plots import Plot, Series, lines, stacked
from gateway.admin.render import milliseconds, moment, number, percent, seconds, usd
from gateway.record.overview import Overview, Sums, commonest, oldest_s, overview
from models.scores import TIERS

PARTS = {"1h": 30, "24h": 48, "7d": 42, "30d": 30}  # of each period


async def show(visit: Visit) -> web.StreamResponse:
    """GET /admin."""
    store, until_s = visit.office.records, visit.now_s
    oldest = await visit.heavy(lambda: oldest_s(store))
    if oldest is None:
        return visit.page("welcome.html", **addresses(visit))
    period = visit.form.text("period")
    if period not in PERIODS_S:
        period = "1h" if until_s - oldest < PERIODS_S["1h"] else "24h"
    since_s = until_s - PERIODS_S[period]
    found: Overview = await visit.heavy(lambda: overview(store, since_s, until_s, PARTS[period]))
    return visit.page(
        "overview.html",
        period=period,
        periods=tuple(PERIODS_S),
        found=found,
        total=found.total,
        saved_share=saved_share(found.total),
        plots=plots_of(found),
    )


def addresses(visit: Visit) -> dict[str, object]:
    """Where clients find us, as this browser did."""
    http = visit.http
    forwarded = http.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip()
    scheme = forwarded if forwarded in ("http", "https") else http.scheme
    return {
        "base_url": f"{scheme}://{http.host}",
        "keys": len(visit.office.replica.facts.of("key")),
        "simulated": all(d.simulated for d in visit.office.settings().fleet.deployments),
    }


def saved_share(sums: Sums) -> float | None:
    """Of what the requests would have cost without routing."""
    before = sums.cost_nano_usd + sums.savings_nano_usd
    return sums.savings_nano_usd / before if before > 0 else None


def plots_of(found: Overview) -> tuple[Plot, ...]:
    """What is drawn, the most important first."""
    labels = [part_label(found, part.start_s) for part in found.parts]
    return (
        stacked(
            "Spent and saved",
            labels,
            (
                Series("spent", tuple(part.cost_nano_usd for part in found.parts)),
                Series("saved", tuple(max(0, part.savings_nano_usd) for part in found.parts)),
            ),
            lambda value: usd(round(value)),
        ),
        lines(
            "Latency that the gateway added",
            labels,
            (
                Series("median", tuple(part.added.p50 for part in found.parts)),
                Series("95th percentile", tuple(part.added.p95 for part in found.parts)),
            ),
            milliseconds,
        ),
        shares("Requests by tier", labels, found, lambda part: part.by_tier, TIERS),
        shares("Requests by model", labels, found, lambda part: part.by_model),
        shares("Requests by task", labels, found, lambda part: part.by_task),
        lines(
            "Time to the first token",
            labels,
            (
                Series("median", tuple(part.ttft.p50 for part in found.parts)),
                Series("95th percentile", tuple(part.ttft.p95 for part in found.parts)),
            ),
            seconds,
        ),
    )


def shares(
    title: str,
    labels: list[str],
    found: Overview,
    counts: Callable[[Sums], dict[str, int]],
    names: tuple[str, ...] = (),
) -> Plot:
    """Requests by what *counts* says of each part; *names* in their order, else the commonest."""
    total = counts(found.total)
    ordered = names or tuple(commonest(total))
    series = [
        Series(
            f"{name} ({percent(total[name] / found.total.requests)})",
            tuple(float(counts(part).get(name, 0)) for part in found.parts),
        )
        for name in ordered
        if total.get(name)
    ]
    return stacked(title, labels, series, number, whole=True)


def part_label(found: Overview, start_s: float) -> str:
    """The time of a part, UTC: with the day where the parts cover several."""
    days = found.until_s - found.since_s > 2 * PERIODS_S["24h"]
    return moment(start_s).strftime("%d %b %H:%M" if days else "%H:%M")
