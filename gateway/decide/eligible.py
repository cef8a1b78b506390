"""Which deployments may serve a request: a bitmask of reasons per row, 0 for those that may."""

from __future__ import annotations

import msgspec
import numpy as np

from gateway.core.fleet import Capability
from gateway.core.money import nano_usd, usd_text
from gateway.core.question import Question
from gateway.core.request import Grant, Kind, RouteAction
from gateway.core.signals import Signals
from gateway.decide.ask import Ask
from gateway.decide.estimate import Estimates
from gateway.decide.fleet_view import FleetRows, FleetView, Ints
from gateway.decide.lack import LACK_TEXT, Lack
from gateway.decide.policy import RoutingPolicy, region_lacks
from kernels.limits import mark_limits

KIND_NEEDS: dict[Kind, int] = {
    Kind.CHAT: int(Capability.CHAT),
    Kind.COMPLETION: int(Capability.COMPLETIONS),
    Kind.EMBEDDING: int(Capability.EMBEDDINGS),
}
ANY_KIND = sum(KIND_NEEDS.values())


class Limits(msgspec.Struct, frozen=True):
    """What this request has to keep to, whoever set it."""

    needs: int  # bits of Capability
    tokens_wanted: int  # longest answer that the client asked for, 0: it did not say
    tokens_total: int  # that has to fit in the context window
    cost_max_nano_usd: int
    quality_min: float


def limits_of(question: Question, signals: Signals, policy: RoutingPolicy) -> Limits:
    """The tighter of what the client and the operator allow."""
    controls = question.controls
    wanted = signals.max_tokens or 0
    cost_max_nano_usd, quality_min = policy.cost_max_nano_usd, policy.quality_min
    if controls.cost_usd_max is not None:
        cost_max_nano_usd = min(cost_max_nano_usd, nano_usd(controls.cost_usd_max))
    if controls.quality_min is not None:
        quality_min = max(quality_min, controls.quality_min)
    if question.grant.spend_left_nano_usd is not None:
        cost_max_nano_usd = min(cost_max_nano_usd, question.grant.spend_left_nano_usd)
    return Limits(
        needs=int(signals.needs) & ~ANY_KIND | KIND_NEEDS[question.kind],
        tokens_wanted=wanted,
        tokens_total=signals.tokens_in + wanted,
        cost_max_nano_usd=cost_max_nano_usd,
        quality_min=quality_min,
    )


def standing_lacks(
    question: Question, signals: Signals, ask: Ask, policy: RoutingPolicy, view: FleetView
) -> Ints:
    """int64[n]: bits of ``Lack`` that need no estimate."""
    rows = view.rows
    lacks = policy.lacks | view.lacks
    lacks |= rows.dialect_lacks[question.dialect]
    if question.controls.regions:
        lacks |= region_lacks(question.controls.regions, rows)
    lacks |= grant_lacks(question.grant, rows)
    if question.provider is not None and ask.action is RouteAction.DISABLED and ask.own is not None:
        elsewhere = np.full(lacks.size, int(Lack.PROVIDER), np.int64)
        elsewhere[ask.own.rows] = 0
        lacks |= elsewhere
    if question.thinking_signed and signals.agent_continuation:
        # The upstream insists on the reasoning that led to its tool call. A virtual model does
        # not say whose that was: it is read at least where the client's own dialect is spoken.
        if ask.own is None:
            lacks |= rows.foreign_lacks[question.dialect]
        else:
            lacks |= rows.family_lacks[ask.own.rows[0]]
    return lacks


def grant_lacks(grant: Grant, rows: FleetRows) -> Ints:
    """int64[n]: bits of ``Lack`` of what the caller may not use; not to be changed."""
    if not (grant.models or grant.own_providers or grant.own_only):
        return rows.brought_lacks
    lacks = np.zeros(rows.everyone.size, np.int64)
    if grant.models:
        lacks[np.setdiff1d(rows.everyone, rows.rows_of(grant.models))] |= Lack.NOT_GRANTED
    for row, deployment in enumerate(rows.fleet.deployments):
        foreign = grant.own_only or deployment.brought
        if foreign and deployment.provider not in grant.own_providers:
            lacks[row] |= Lack.KEYLESS
    return lacks


def add_limits(lacks: Ints, limits: Limits, estimates: Estimates, view: FleetView) -> None:
    """Add to *lacks* the bits of what every row lacks for *limits*."""
    mark_limits(
        limits.needs,
        limits.tokens_total,
        limits.tokens_wanted,
        limits.cost_max_nano_usd,
        limits.quality_min,
        view.rows.limits,
        estimates.cost_most_nano_usd,
        estimates.quality,
        lacks,
    )


def sentences(
    row: int, lacks: int, view: FleetView, estimates: Estimates, limits: Limits
) -> tuple[str, ...]:
    """What *lacks* says of *row*, with its numbers, as ends of a sentence that its name begins."""
    if not lacks:
        return ()
    deployment = view.rows.fleet.deployments[row]
    numbers = {
        "context_tokens": deployment.context_tokens,
        "tokens_total": limits.tokens_total,
        "tokens_out_max": deployment.output_tokens_max,
        "tokens_wanted": limits.tokens_wanted,
        "cost_usd": usd_text(int(estimates.cost_most_nano_usd[row])),
        "cost_usd_max": usd_text(limits.cost_max_nano_usd),
        "quality": float(estimates.quality[row]),
        "quality_min": limits.quality_min,
    }
    return tuple(text.format(**numbers) for lack, text in LACK_TEXT.items() if lacks & lack)
