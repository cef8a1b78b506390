"""Our words in the vocabularies of the products whose clients we serve, and theirs in ours."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.config.schema import MODE_ALIASES, MODES
from models.scores import TASK_TYPES, TIERS

# Prism has four kinds where we have a task type and a tier: simple (any model will do), code,
# reasoning (the answer has to be inferred in steps), complex (hard for another reason: length,
# style, many demands). One kind per tier, low to high.
PRISM_KINDS: dict[str, tuple[str, str, str]] = {
    "Open QA": ("simple", "reasoning", "reasoning"),  # an open question is argued, not looked up
    "Closed QA": ("simple", "simple", "reasoning"),  # a fact, until it takes several of them
    "Summarization": ("simple", "simple", "complex"),  # hard by length, not by inference
    "Text Generation": ("simple", "complex", "complex"),  # style and structure
    "Code Generation": ("code", "code", "code"),
    "Chatbot": ("simple", "simple", "complex"),
    "Classification": ("simple", "simple", "reasoning"),  # weighing criteria
    "Rewrite": ("simple", "simple", "complex"),
    "Brainstorming": ("simple", "complex", "complex"),
    "Extraction": ("simple", "simple", "complex"),
    "Other": ("simple", "complex", "complex"),  # unknown, so rather too able a model than too weak
}

NEURALROUTING_COMPLEXITY_MAX = 10  # its scale is 0 to 10, ours 0 to 1

SLUGS = {name.lower().replace(" ", "-"): name for name in TASK_TYPES}


def prism_kind(task_type: str, tier: str) -> str:
    """Prism's kind of work; an unknown task type counts as Other."""
    kinds = PRISM_KINDS.get(task_type, PRISM_KINDS["Other"])
    return kinds[TIERS.index(tier)]


def neuralrouting_complexity(complexity: float) -> float:
    """Complexity as NeuralRouting shows it, 0 to 10 with one decimal."""
    return round(complexity * NEURALROUTING_COMPLEXITY_MAX, 1)


def task_label(hint: str) -> str:
    """
    A client's task hint: the name of a task type where it means one (``code-generation``, ``Code
    generation``), else the free label as it stands, which rules compare with theirs.
    """
    return SLUGS.get(hint.lower().replace(" ", "-").replace("_", "-"), hint)


def mode_names(configured: Iterable[str] = ()) -> dict[str, str]:
    """What clients may call a mode, in lower case -> the built-in or *configured* mode it means."""
    own = {name.lower(): name for name in (*MODES, *configured)}
    return {**MODE_ALIASES, **own}  # an operator may name a mode as one of our aliases
