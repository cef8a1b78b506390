"""Scores that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy", reason="training has an environment of its own: `make train`")

from models.train.calibrate import (
    best_temperature,
    complexity_line,
    probabilities,
    uncertain_below,
)


def test_temperature_is_found_again():
    """Labels drawn from a softmax give back its temperature."""
    random = np.random.default_rng(3)
    scores = random.normal(size=(6_000, 4))
    likely = probabilities(scores, 0.5)
    labels = (random.random(6_000)[:, np.newaxis] > likely.cumsum(axis=1)).sum(axis=1)

    assert best_temperature(scores, labels) == pytest.approx(0.5, rel=0.1)


def test_threshold_of_calibrated_confidence_is_the_risk():
    """Where confidence is the share of right answers, the threshold is that share."""
    random = np.random.default_rng(4)
    confidence = random.random(30_000)

    threshold = uncertain_below(confidence, random.random(30_000) < confidence)

    assert threshold == pytest.approx(0.6, abs=0.05)


def test_nothing_is_uncertain_when_all_is_right():
    """Without errors there is no threshold."""
    assert uncertain_below(np.linspace(0.1, 0.9, 500), np.ones(500, dtype=bool)) == 0.0


def test_complexity_gets_the_distribution_of_the_judgements():
    """After the line as many prompts are in each tier as people put there."""
    random = np.random.default_rng(5)
    judged = random.beta(2, 3, 5_000)
    raw = 0.4 + 0.2 * judged

    calibrated = np.interp(raw, *complexity_line(raw, judged))

    for bound in (0.35, 0.66):
        assert (calibrated < bound).mean() == pytest.approx((judged < bound).mean(), abs=0.01)
