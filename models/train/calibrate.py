"""Turn scores of left-out prompts into numbers that mean what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from models.scores import TIER_BOUNDS

Floats = NDArray[np.float64]
RISK = 0.6  # an answer that is right less often than this is uncertain
WINDOW = 301  # answers of like confidence whose share of right ones is looked at
KNOTS = (0.0, 0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98, 1.0)  # quantiles


def probabilities(scores: Floats, temperature: float) -> Floats:
    """float64[rows, labels]: softmax over the labels."""
    shifted = (scores - scores.max(axis=1, keepdims=True)) / temperature
    powers = np.exp(shifted)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def best_temperature(scores: Floats, labels: NDArray[np.int64]) -> float:
    """The temperature under which the true labels are most likely."""

    def loss(log_temperature: float) -> float:
        likely = probabilities(scores, float(np.exp(log_temperature)))
        return float(-np.log(likely[np.arange(labels.size), labels] + 1e-12).mean())

    found = minimize_scalar(loss, bounds=(-5.0, 2.0), method="bounded")
    return float(np.exp(found.x))


def uncertain_below(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """
    The lowest confidence from which on answers are right at least RISK of the time.

    Read off the share of right answers in a window that slides over the sorted confidences, so
    it holds for answers *at* the threshold and not for the average of all above it.
    """
    order = np.argsort(confidence)
    window = min(WINDOW, confidence.size)
    share = np.convolve(right[order], np.ones(window) / window, mode="valid")
    below = np.flatnonzero(share < RISK)
    if below.size == 0:
        return 0.0
    last = min(int(below[-1]) + window // 2, confidence.size - 1)
    return float(confidence[order[last]])


def complexity_line(raw: Floats, judged: Floats) -> tuple[list[float], list[float]]:
    """
    Knots that give the scores the distribution of the judgements.

    A regression shrinks towards the mean, so the hardest prompts would never be called hard. With
    equal quantiles as many prompts fall into each tier as people put there; the tier bounds are
    knots themselves.
    """
    levels = sorted({*KNOTS, *(float((judged < bound).mean()) for bound in TIER_BOUNDS)})
    line_from = np.maximum.accumulate(np.quantile(raw, levels))
    line_to = np.maximum.accumulate(np.quantile(judged, levels))
    for bound in TIER_BOUNDS:  # a quantile of few distinct judgements lies beside the bound
        line_to[levels.index(float((judged < bound).mean()))] = bound
    line_to = np.clip(np.maximum.accumulate(line_to), 0.0, 1.0)
    return [round(float(x), 6) for x in line_from], [round(float(x), 6) for x in line_to]
