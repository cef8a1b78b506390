"""When the first stage's answer will do."""

from __future__ import annotations

import msgspec

from models.scores import TIER_BOUNDS, Scores


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Set on held-out prompts, so that the encoder reads only as many as time allows.

    *confident_from*: a first stage as sure as that is right as often as the encoder.
    *tier_margin*: a complexity this far from both bounds of the tiers stays in its tier.
    """

    confident_from: float
    tier_margin: float


def is_settled(first: Scores, thresholds: Thresholds) -> bool:
    """Whether no doubt of the first stage could change what is decided: its task and its tier."""
    if first.confidence < thresholds.confident_from:
        return False
    return all(abs(first.complexity - bound) >= thresholds.tier_margin for bound in TIER_BOUNDS)
