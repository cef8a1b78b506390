"""What a request is expected to give and to take at every deployment."""

from __future__ import annotations

import msgspec
import numpy as np

from gateway.core.request import Kind
from gateway.core.signals import Signals
from gateway.decide.ask import Ask
from gateway.decide.fleet_view import FleetView, Floats, Ints
from gateway.decide.policy import Baseline, RoutingPolicy
from gateway.decide.priors import LONG_ANSWER, TASK_INDEX, TIER_INDEX, TOKENS_OUT
from kernels.cost import cost_of_candidates
from kernels.estimate import estimate_candidates


class Estimates(msgspec.Struct, frozen=True, eq=False):
    """
    Per row of the fleet view; *tokens_out* before a deployment's longest answer cuts it.
    *cost_most_nano_usd* is what limits are held against: the cost of a long answer.
    """

    tokens_out: int
    cost_nano_usd: Ints
    cost_most_nano_usd: Ints
    quality: Floats  # of an answer, times the share of requests that get one
    latency_s: Floats  # to the last token


def estimate(
    kind: Kind, ask: Ask, signals: Signals, policy: RoutingPolicy, view: FleetView
) -> Estimates:
    """
    Estimate cost, quality and latency of every deployment.

    The share of the input that is read from a prompt cache is taken for 0: what an upstream holds
    is not known before it answers. The actual cost of a request counts it.
    """
    rows = view.rows
    usual = 0 if kind is Kind.EMBEDDING else TOKENS_OUT[ask.task][TIER_INDEX[ask.tier_assumed]]
    tokens_out = allowed(usual, signals)
    count = rows.everyone.size
    cost_nano_usd = np.empty(count, np.int64)
    latency_s, quality = np.empty(count), np.empty(count)
    estimate_candidates(
        signals.tokens_in,
        tokens_out,
        rows.tokens_out_max,
        rows.prices,
        view.ttft_s,
        view.tpot_s,
        policy.quality[TASK_INDEX[ask.task], TIER_INDEX[ask.tier_assumed]],
        view.reliability,
        cost_nano_usd,
        latency_s,
        quality,
    )
    cost_most_nano_usd = np.empty(count, np.int64)
    cost_of_candidates(
        signals.tokens_in,
        0,
        allowed(usual * LONG_ANSWER, signals),
        rows.tokens_out_max,
        rows.prices,
        cost_most_nano_usd,
    )
    return Estimates(
        tokens_out=tokens_out,
        cost_nano_usd=cost_nano_usd,
        cost_most_nano_usd=cost_most_nano_usd,
        quality=quality,
        latency_s=latency_s,
    )


def baseline_cost_nano_usd(baseline: Baseline, signals: Signals, tokens_out: int) -> int:
    """What the same request and answer would cost at *baseline*."""
    cost_nano_usd = np.empty(1, np.int64)
    cost_of_candidates(
        signals.tokens_in, 0, tokens_out, baseline.tokens_out_max, baseline.prices, cost_nano_usd
    )
    return int(cost_nano_usd[0])


def allowed(tokens_out: int, signals: Signals) -> int:
    """*tokens_out*, at most what the client allows."""
    return tokens_out if signals.max_tokens is None else min(tokens_out, signals.max_tokens)
