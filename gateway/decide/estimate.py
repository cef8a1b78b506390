"""What a request is expected to give and to take at every deployment."""

from __future__ import annotations

import msgspec
import numpy as np

from gateway.core.request import Kind
from gateway.core.signals import Signals
from gateway.decide.ask import Ask
from gateway.decide.fleet_view import FleetView, Floats, Ints
from gateway.decide.policy import Baseline, RoutingPolicy
from gateway.decide.priors import TASK_INDEX, TIER_INDEX, TOKENS_OUT
from kernels.cost import cost_of_candidates
from kernels.estimate import estimate_candidates


class Estimates(msgspec.Struct, frozen=True, eq=False):
    """Per row of the fleet view; *tokens_out* before a deployment's longest answer cuts it."""

    tokens_out: int
    cost_nano_usd: Ints
    quality: Floats  # of an answer, times the share of requests that get one
    latency_s: Floats  # to the last token


def estimate(
    kind: Kind, ask: Ask, signals: Signals, policy: RoutingPolicy, view: FleetView
) -> Estimates:
    """
    Estimate cost, quality and latency of every deployment.

    Nothing is read from a prompt cache: what an upstream holds is not known before it answers.
    """
    rows = view.rows
    tokens_out = predict_tokens_out(kind, ask, signals)
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
    return Estimates(
        tokens_out=tokens_out, cost_nano_usd=cost_nano_usd, quality=quality, latency_s=latency_s
    )


def baseline_cost_nano_usd(baseline: Baseline, signals: Signals, tokens_out: int) -> int:
    """What the same request and answer would cost at *baseline*."""
    cost_nano_usd = np.empty(1, np.int64)
    cost_of_candidates(
        signals.tokens_in, 0, tokens_out, baseline.tokens_out_max, baseline.prices, cost_nano_usd
    )
    return int(cost_nano_usd[0])


def predict_tokens_out(kind: Kind, ask: Ask, signals: Signals) -> int:
    """Length of the answer: usual for task and tier, at most what the client allows."""
    if kind is Kind.EMBEDDING:
        return 0
    usual = TOKENS_OUT[ask.task][TIER_INDEX[ask.tier_assumed]]
    return usual if signals.max_tokens is None else min(usual, signals.max_tokens)
