"""What a classifier says of a text, and the words it says it in."""

from __future__ import annotations

import msgspec

# The kinds of work, in the order of the model's outputs.
TASK_TYPES = (
    "Open QA",
    "Closed QA",
    "Summarization",
    "Text Generation",
    "Code Generation",
    "Chatbot",
    "Classification",
    "Rewrite",
    "Brainstorming",
    "Extraction",
    "Other",
)
# What a text may try, in the order of the model's outputs. "indirect": an order to the model inside
# a document, which as an ask of a person may be innocent.
ATTACKS = ("injection", "jailbreak", "extraction", "harmful", "indirect")
TIERS = ("low", "medium", "high")
TIER_BOUNDS = (0.35, 0.66)  # low < 0.35 <= medium < 0.66 <= high


class Scores(msgspec.Struct, frozen=True):
    """
    Calibrated output of a classifier for one excerpt.

    *confidence* is the probability, 0 to 1, that *task_type* is right; *uncertain* says that it is
    below the threshold of the artefact. *strong_need* is the share, 0 to 1, of such prompts that
    only a strong model answers well; None where no encoder has read the prompt. *truncated*: the
    encoder read both ends of the excerpt and not its middle.

    *stage* tells which part of the cascade answered: ``encoder``, ``memory`` (an answer given
    before), ``first-stage``, and ``deadline`` or ``overload`` where the first stage stood in for
    an encoder that had no time or no room. ``none`` where no model was there and ``off`` where
    none was asked, because nothing depended on it; then everything is a guess.
    """

    task_type: str
    confidence: float
    complexity: float  # 0 to 1
    tier: str
    stage: str
    uncertain: bool
    strong_need: float | None = None
    truncated: bool = False


UNSCORED = Scores(
    task_type="Other", confidence=0.0, complexity=0.5, tier="medium", stage="none", uncertain=True
)
UNASKED = msgspec.structs.replace(UNSCORED, stage="off")


def tier_of(complexity: float) -> str:
    """The tier of a complexity, 0 to 1."""
    low, high = TIER_BOUNDS
    if complexity < low:
        return TIERS[0]
    return TIERS[1] if complexity < high else TIERS[2]
