"""Turn the raw outputs of the encoder into numbers that mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.train.calibrate import (
    best_temperature,
    complexity_line,
    probabilities,
    uncertain_below,
)
from models.train.data import Row
from models.train.predict import Said

Floats = NDArray[np.float64]


class Calibration(msgspec.Struct, frozen=True):
    """How raw outputs become answers; the fields are those of the manifest."""

    temperature: float
    uncertain_below: float
    complexity_from: list[float]
    complexity_to: list[float]


def calibration_of(rows: list[Row], said: Said) -> Calibration:
    """Fitted to *rows*, which the encoder has not learnt from."""
    logits = said.task.astype(np.float64)
    labels = np.array([row.label for row in rows])
    temperature = best_temperature(logits, labels)
    likely = probabilities(logits, temperature)
    judged = np.array([row.complexity for row in rows], dtype=np.float64)
    line_from, line_to = complexity_line(said.complexity.astype(np.float64), judged)
    return Calibration(
        temperature=temperature,
        uncertain_below=uncertain_below(likely.max(axis=1), likely.argmax(axis=1) == labels),
        complexity_from=line_from,
        complexity_to=line_to,
    )


def line(raw: NDArray[np.floating], line_from: Sequence[float], line_to: Sequence[float]) -> Floats:
    """*raw* on the line through the knots."""
    return np.asarray(np.interp(raw, line_from, line_to), dtype=np.float64)
