"""What one stage thinks of a text before it is put into words, and how two of them are weighed."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from models.scores import TASK_TYPES, Scores, tier_of

STAGE = "encoder"


class Opinion(msgspec.Struct, frozen=True, array_like=True):
    """
    *likelihoods* are logarithms of the probability of each task type, calibrated like
    *complexity*. What follows is the encoder's to say; *attacks* are calibrated logits of each of
    ATTACKS, None where nobody has looked for them.
    """

    likelihoods: list[float]
    complexity: float
    english: bool = True
    strong_need: float | None = None
    truncated: bool = False
    attacks: tuple[float, ...] | None = None

    @property
    def label(self) -> int:
        """Index of the likeliest task type; the first of equals."""
        return self.likelihoods.index(max(self.likelihoods))


class Blend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    What the first stage weighs beside the encoder, 0 to 1: it counts words that the encoder was
    never taught, and knows other languages better than that. Set, and calibrated once more, on
    held-out prompts: *temperature*, the knots of the complexity, and *uncertain_below*.
    """

    task_english: float
    task_other: float
    complexity: float
    temperature: float
    uncertain_below: float
    complexity_from: tuple[float, ...]
    complexity_to: tuple[float, ...]


def log_likelihoods(logits: list[float], temperature: float) -> list[float]:
    """Logarithms of the softmax. Raises ValueError for what is no number."""
    top = max(logits)
    total = math.fsum(math.exp((logit - top) / temperature) for logit in logits)
    if math.isnan(total):
        raise ValueError("a score of a task type is not a number")
    rest = math.log(total)
    return [(logit - top) / temperature - rest for logit in logits]


def mixed(first: Opinion, second: Opinion, blend: Blend) -> tuple[list[float], float]:
    """Task types and complexity as both see them, before the last calibration."""
    share = blend.task_english if second.english else blend.task_other
    likelihoods = [
        share * one + (1.0 - share) * other
        for one, other in zip(first.likelihoods, second.likelihoods, strict=True)
    ]
    share = blend.complexity
    return likelihoods, share * first.complexity + (1.0 - share) * second.complexity


def blended(first: Opinion, second: Opinion, blend: Blend) -> Scores:
    """The scores of a text that both stages have read, *second* being the encoder's opinion."""
    likelihoods, raw = mixed(first, second, blend)
    calibrated = log_likelihoods(likelihoods, blend.temperature)
    best = max(calibrated)
    confidence = math.exp(best)
    complexity = on_line(raw, blend.complexity_from, blend.complexity_to)
    return Scores(
        task_type=TASK_TYPES[calibrated.index(best)],
        confidence=confidence,
        complexity=complexity,
        tier=tier_of(complexity),
        stage=STAGE,
        uncertain=confidence < blend.uncertain_below,
        strong_need=second.strong_need,
        truncated=second.truncated,
    )


def on_line(raw: float, line_from: tuple[float, ...], line_to: tuple[float, ...]) -> float:
    """*raw* on the line through the knots."""
    return float(np.interp(raw, line_from, line_to))
