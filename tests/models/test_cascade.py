"""When the first stage's answer will do."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from models.cascade import Thresholds, is_settled
from models.scores import UNSCORED

THRESHOLDS = Thresholds(confident_from=0.9, tier_margin=0.05)


@pytest.mark.parametrize(
    ("confidence", "complexity", "settled"),
    [
        (0.95, 0.1, True),
        (0.9, 0.1, True),
        (0.89, 0.1, False),  # the task may be another
        (0.95, 0.31, False),  # close below the bound of low
        (0.95, 0.39, False),  # and above
        (0.95, 0.5, True),
        (0.95, 0.64, False),  # close to high
        (0.95, 0.8, True),
    ],
)
def test_a_doubt_that_could_change_the_decision_asks_the_encoder(confidence, complexity, settled):
    """The task must be sure and the complexity far from both bounds of the tiers."""
    first = replace(UNSCORED, confidence=confidence, complexity=complexity)

    assert is_settled(first, THRESHOLDS) is settled


def test_above_one_nothing_is_settled():
    """A threshold that no confidence reaches sends every prompt to the encoder."""
    always = Thresholds(confident_from=1.01, tier_margin=0.0)

    assert not is_settled(replace(UNSCORED, confidence=1.0, complexity=0.0), always)
