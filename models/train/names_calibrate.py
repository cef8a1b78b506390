"""From the raw log-odds of found names to probabilities, and the least one worth a report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STEPS = 50  # of Newton's method, far more than it takes
NEGLIGIBLE = 1e-9  # of a step
PULL = 1.0  # towards factor 1 and offset 0, in names
THRESHOLDS = tuple(round(0.3 + 0.05 * k, 2) for k in range(9))


def logistic(margins: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Factor and offset that make of *margins* the log-odds of being right."""
    design = np.stack([margins, np.ones(len(margins))], axis=1)
    start = np.array([1.0, 0.0])
    signs = np.where(right, 1.0, -1.0)

    def loss(line: NDArray[np.float64]) -> float:
        surprise = np.logaddexp(0.0, -signs * (design @ line)).sum()
        return float(surprise + PULL / 2 * ((line - start) ** 2).sum())

    line = start
    for _ in range(STEPS):
        likely = 1.0 / (1.0 + np.exp(-np.clip(design @ line, -30.0, 30.0)))
        gradient = design.T @ (right - likely) - PULL * (line - start)
        bend = (design * (likely * (1.0 - likely))[:, np.newaxis]).T @ design + PULL * np.eye(2)
        step = np.linalg.solve(bend, gradient)
        while loss(line + step) > loss(line) and np.abs(step).max() > NEGLIGIBLE:
            step /= 2  # where all names are sure, a whole step flies off
        line = line + step
    return round(float(line[0]), 4), round(float(line[1]), 4)


def best_threshold(
    probabilities: NDArray[np.float64], right: NDArray[np.bool_], there: int
) -> float:
    """The one of THRESHOLDS with the best F1, of equals the highest: fewer names are reported."""

    def f1(threshold: float) -> float:
        kept = probabilities >= threshold
        return 2 * int(right[kept].sum()) / max(1, there + int(kept.sum()))

    return max(reversed(THRESHOLDS), key=f1)
