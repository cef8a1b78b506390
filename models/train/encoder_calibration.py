"""Turn the raw outputs of the encoder into numbers that mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.train.calibrate import (
    best_temperature,
    complexity_line,
    probabilities,
    uncertain_below,
)
from models.train.data import Row
from models.train.predict import Said

Floats = NDArray[np.float64]


class AttackCalibration(msgspec.Struct, frozen=True):
    """Of each kind of ATTACKS: ``scale * logit + shift`` is the logit of its probability."""

    scale: list[float]
    shift: list[float]


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


def attacks_of(logits: Floats, targets: Floats) -> AttackCalibration:
    """
    Platt's scaling (1999) of *logits*, float64[rows, kinds], on *targets* of the same shape, 0 or
    1, NaN where unknown.
    """
    fitted = []
    for at in range(logits.shape[1]):
        known = ~np.isnan(targets[:, at])
        model = LogisticRegression(C=100.0).fit(logits[known, at : at + 1], targets[known, at])
        fitted.append((float(model.coef_[0, 0]), float(model.intercept_[0])))
    return AttackCalibration([one for one, _ in fitted], [other for _, other in fitted])


def line(raw: NDArray[np.floating], line_from: Sequence[float], line_to: Sequence[float]) -> Floats:
    """*raw* on the line through the knots."""
    return np.asarray(np.interp(raw, line_from, line_to), dtype=np.float64)
