"""
What we assume before anything was measured. Assumptions, not measurements: they order models that
nobody has used yet, and live measurements and the operator's overrides replace them.
"""

from __future__ import annotations

from gateway.core.fleet import ModelClass
from models.scores import TASK_TYPES, TIERS

# Tokens of an answer by task type for a prompt of low, medium and high tier. The unit of most
# costs: answers are priced four to five times as high as questions.
TOKENS_OUT: dict[str, tuple[int, int, int]] = {
    "Open QA": (150, 350, 700),
    "Closed QA": (40, 120, 300),
    "Summarization": (120, 250, 450),
    "Text Generation": (300, 700, 1400),
    "Code Generation": (250, 600, 1500),
    "Chatbot": (80, 200, 500),
    "Classification": (10, 30, 100),
    "Rewrite": (150, 350, 700),
    "Brainstorming": (300, 500, 900),
    "Extraction": (80, 200, 500),
    "Other": (120, 300, 700),
}

# Times the usual length: nine answers of ten are shorter. A limit of cost is held against it, so
# that the usual prompt may cost a third of the limit.
LONG_ANSWER = 3

# Seconds to the first token, and per token after it: bigger models are slower at both.
LATENCY_S: dict[ModelClass, tuple[float, float]] = {
    ModelClass.EFFICIENT: (0.35, 0.008),
    ModelClass.BALANCED: (0.5, 0.012),
    ModelClass.PREMIUM: (0.8, 0.02),
}

# A share of errors counts as if so many more requests had succeeded: one failure of two is bad
# luck, fifty of a hundred are a fault.
REQUESTS_PRIOR = 10

# Among equals a deployment gets traffic in proportion to its weight and to this power of its share
# of successes: one that fails every fifth request gets 0.8 ** 4 = 41 % of its part.
ERRORS_REPEL = 4
# The same for a request that the client's SDK sends again: it has just met a failure, so a
# deployment that fails at all is shunned (0.95 ** 64 = 4 %).
ERRORS_REPEL_RETRY = 64

TASK_INDEX = {task: k for k, task in enumerate(TASK_TYPES)}
TIER_INDEX = {tier: k for k, tier in enumerate(TIERS)}
