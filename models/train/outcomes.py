"""Measures of the need for a strong model, and of a steady answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Floats = NDArray[np.float64]
FRACTIONS = 101  # shares of prompts sent to the strong model


def apgr(need: Floats, weak: Floats, strong: Floats) -> float:
    """
    Average performance gap recovered, 0.5 for a guess.

    Prompts go to the strong model in the order of *need*; the share of the gap between all weak
    and all strong that this closes, averaged over the share of prompts that go there.
    """
    gain = (strong - weak)[np.argsort(-need, kind="stable")]
    closed = np.concatenate([[0.0], np.cumsum(gain)]) / gain.sum()
    at = np.linspace(0.0, float(gain.size), FRACTIONS)
    return float(np.interp(at, np.arange(gain.size + 1.0), closed).mean())


def auroc(need: Floats, wanted: NDArray[np.bool_]) -> float:
    """How often a prompt that needs the strong model ranks above one that does not."""
    ranks = rankdata(need)
    yes, no = int(wanted.sum()), int((~wanted).sum())
    if not yes or not no:
        return float("nan")
    return float((ranks[wanted].sum() - yes * (yes + 1) / 2) / (yes * no))


def interval(values: Floats, rounds: int = 1_000, seed: int = 3) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean of *values*."""
    draw = np.random.default_rng(seed)
    means = values[draw.integers(0, values.size, (rounds, values.size))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def resampled(
    measure: Callable[..., float], *columns: NDArray[np.generic], rounds: int = 300, seed: int = 3
) -> tuple[float, float]:
    """The 95 % bootstrap interval of a *measure* of *columns*, a value for each row in each."""
    draw = np.random.default_rng(seed)
    rows = columns[0].shape[0]
    picks = (draw.integers(0, rows, rows) for _ in range(rounds))
    low, high = np.quantile(
        [measure(*(one[at] for one in columns)) for at in picks], (0.025, 0.975)
    )
    return float(low), float(high)
