"""What a quality matrix makes of the promises of a fleet: for decisions, and for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from gateway.config.schema import CLASS_QUALITY, Floors, Routing
from gateway.core.fleet import Fleet
from gateway.decide.fleet_view import FleetRows
from gateway.decide.policy import Learnt, RoutingPolicy
from gateway.decide.priors import TASK_INDEX, TIER_INDEX
from gateway.learn.beta import Beta
from gateway.learn.matrix import Cell, QualityMatrix
from models.scores import TIERS

SURE_MAX = 0.99  # no promise is certain before anything was seen: a Beta needs both sides
DIGITS = 3  # of a promise: a decision ignores less, and its policy keeps its version


class Insight(msgspec.Struct, frozen=True):
    """
    One cell for a person. *low* and *high* hold nine tenths of the probability. *in_force* is what
    decisions believe: the *mean* where it is trusted, no more than on easier prompts, else the
    *promise* of the class; an override of the operator before either.
    """

    model: str
    task_type: str
    tier: str
    judged: int
    samples: float  # decayed
    rate: float  # mean score of the judgements alone
    promise: float
    mean: float
    low: float
    high: float
    trusted: bool
    in_force: float


class HitRate(msgspec.Struct, frozen=True):
    """How a model fares on a task, all tiers together."""

    model: str
    task_type: str
    judged: int
    samples: float  # decayed
    rate: float  # mean score, 0 to 1


def promises(matrix: QualityMatrix, routing: Routing, fleet: Fleet) -> Learnt:
    """
    What *matrix* knows better than the classes of *fleet*: the third argument of
    ``compile_policies``.

    A model that is poor on easy prompts is no better on hard ones, so a trusted cell caps those of
    higher tiers. Praise on easy prompts says nothing of hard ones.
    """
    learnt: dict[tuple[str, str, str], float] = {}
    for (model, task_type), cells in by_pair(matrix).items():
        floors = promised(model, routing, fleet)
        if floors is None:
            continue
        most = 1.0
        for tier in TIERS:
            promise: float = getattr(floors, tier)
            cell = cells.get(tier)
            value = min(promise, most)
            if cell is not None and matrix.is_trusted(cell):
                most = value = min(posterior(cell, promise, matrix.prior_samples).mean, most)
            if value != promise:
                learnt[model, task_type, tier] = round(value, DIGITS)
    return learnt


def posterior(cell: Cell, promise: float, prior_samples: float) -> Beta:
    """What is known of the quality behind *cell*, whose class promises *promise*."""
    promise = min(max(promise, 1.0 - SURE_MAX), SURE_MAX)
    return Beta(
        a=prior_samples * promise + cell.score,
        b=prior_samples * (1.0 - promise) + cell.samples - cell.score,
    )


def promised(model: str, routing: Routing, fleet: Fleet) -> Floors | None:
    """What the class of *model* promises; None when it is not in the fleet."""
    found = fleet.models.get(model)
    if found is None:
        return None
    return routing.class_quality.get(found.model_class) or CLASS_QUALITY[found.model_class]


def by_pair(matrix: QualityMatrix) -> dict[tuple[str, str], dict[str, Cell]]:
    """The cells of each model and task type, by tier."""
    pairs: dict[tuple[str, str], dict[str, Cell]] = {}
    for cell in matrix.cells:
        pairs.setdefault((cell.model, cell.task_type), {})[cell.tier] = cell
    return pairs


def insights(
    matrix: QualityMatrix, routing: Routing, policy: RoutingPolicy, rows: FleetRows
) -> Iterator[Insight]:
    """
    Every cell of a model in the fleet, as *policy* makes use of it. An interval takes a
    millisecond, so a page of them is for a thread.
    """
    for cell in matrix.cells:
        floors = promised(cell.model, routing, rows.fleet)
        row = rows.rows_of([cell.model])
        if floors is None or not row.size:
            continue
        promise: float = getattr(floors, cell.tier)
        known = posterior(cell, promise, matrix.prior_samples)
        low, high = known.interval()
        quality = policy.quality[TASK_INDEX[cell.task_type], TIER_INDEX[cell.tier], row[0]]
        yield Insight(
            model=cell.model,
            task_type=cell.task_type,
            tier=cell.tier,
            judged=cell.judged,
            samples=cell.samples,
            rate=cell.score / cell.samples,
            promise=promise,
            mean=known.mean,
            low=low,
            high=high,
            trusted=matrix.is_trusted(cell),
            in_force=float(quality),
        )


def hit_rates(matrix: QualityMatrix) -> tuple[HitRate, ...]:
    """One row for each model and task type, in order of their names."""
    return tuple(
        rate_of(model, task_type, cells) for (model, task_type), cells in by_pair(matrix).items()
    )


def rate_of(model: str, task_type: str, cells: Mapping[str, Cell]) -> HitRate:
    """The tiers of one pair together."""
    samples = sum(cell.samples for cell in cells.values())
    return HitRate(
        model=model,
        task_type=task_type,
        judged=sum(cell.judged for cell in cells.values()),
        samples=samples,
        rate=sum(cell.score for cell in cells.values()) / samples,
    )
