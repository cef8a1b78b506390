"""The operator's rules: which one matches first."""

from __future__ import annotations

import msgspec

from gateway.config.schema import Condition, Range
from gateway.core.signals import Signals
from gateway.decide.policy import PolicyRule


class Facts(msgspec.Struct, frozen=True):
    """What conditions ask for beside the signals. Names and labels are in lower case."""

    task_type: str  # "other" when it is in doubt
    tier: str
    complexity: float
    cost_usd: float | None  # on the client's own model, else on the baseline; None: not known
    label: str  # the client's task hint, "" when it gave none
    models: tuple[str, ...]  # as the client named it, and what that stands for
    metadata: dict[str, str]


def first_match(rules: tuple[PolicyRule, ...], facts: Facts, signals: Signals) -> PolicyRule | None:
    """The first of *rules* whose condition holds."""
    for rule in rules:
        if matches(rule.when, facts, signals):
            return rule
    return None


def matches(when: Condition, facts: Facts, signals: Signals) -> bool:
    """Whether every member of *when* that is given holds."""
    return (
        (not when.task_types or facts.task_type in when.task_types)
        and (not when.tiers or facts.tier in when.tiers)
        and within(signals.tokens_in, when.tokens_in)
        and within(facts.complexity, when.complexity)
        and within(facts.cost_usd, when.cost_usd)
        and within(signals.system_prompt_chars, when.system_prompt_chars)
        and agrees(signals.has_tools, when.has_tools)
        and agrees(signals.has_vision, when.has_vision)
        and agrees(signals.requires_json, when.requires_json)
        and agrees(signals.has_code, when.has_code)
        and agrees(signals.has_math, when.has_math)
        and (not when.labels or facts.label in when.labels)
        and (not when.models or any(name in when.models for name in facts.models))
        and (not when.languages or signals.language in when.languages)
        and all(
            name in facts.metadata and wanted in ("*", facts.metadata[name])
            for name, wanted in when.metadata.items()
        )
    )


def within(value: float | None, bounds: Range | None) -> bool:
    """Strictly between the bounds that are given; an unknown value is within none."""
    if bounds is None:
        return True
    return (
        value is not None
        and (bounds.gt is None or value > bounds.gt)
        and (bounds.lt is None or value < bounds.lt)
    )


def agrees(found: bool, wanted: bool | None) -> bool:  # noqa: FBT001 - a fact, not a switch
    """Whether nothing is wanted, or just what was found."""
    return wanted is None or found == wanted
