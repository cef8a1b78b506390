"""When a rule matches."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.schema import Condition, Range, Rule, Target
from gateway.decide.rules import Facts, first_match, matches, within
from tests.gateway.decide.samples import policy, signals, usual_fleet

FACTS = Facts(
    task_type="summarization",
    tier="low",
    complexity=0.12,
    cost_usd=0.04,
    label="release notes",
    models=("gpt-4-latest", "gpt-4"),
    metadata={"team": "search", "env": "prod"},
)


def compiled(**when):
    """The condition as a policy holds it."""
    rule = Rule(id="r", when=Condition(**when), then=Target(keep=True))
    return policy(usual_fleet(), rules=(rule,)).rules[0].when


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        ({}, True),  # an empty condition always matches
        ({"task_types": ("Summarization", "Rewrite")}, True),
        ({"task_types": ("Rewrite",)}, False),
        ({"tiers": ("low", "medium")}, True),
        ({"tiers": ("high",)}, False),
        ({"tokens_in": Range(gt=999)}, True),
        ({"tokens_in": Range(gt=1000)}, False),  # strictly
        ({"tokens_in": Range(gt=500, lt=1001)}, True),
        ({"complexity": Range(lt=0.2)}, True),
        ({"cost_usd": Range(gt=0.05)}, False),
        ({"system_prompt_chars": Range(gt=10)}, False),
        ({"has_tools": True}, True),
        ({"has_tools": False}, False),
        ({"has_vision": False}, True),
        ({"has_vision": True}, False),
        ({"requires_json": True}, False),
        ({"has_code": True}, True),
        ({"has_math": True}, False),
        ({"labels": ("Release-Notes",)}, True),
        ({"labels": ("code-review",)}, False),
        ({"models": ("GPT-4",)}, True),  # what the alias stands for
        ({"models": ("gpt-4-latest",)}, True),  # the alias itself
        ({"models": ("gpt-4o",)}, False),
        ({"languages": ("EN",)}, True),
        ({"languages": ("de",)}, False),
        ({"metadata": {"team": "search"}}, True),
        ({"metadata": {"team": "*", "env": "prod"}}, True),
        ({"metadata": {"team": "ads"}}, False),
        ({"metadata": {"owner": "*"}}, False),  # any value, but a value
        ({"tiers": ("low",), "has_vision": True}, False),  # every member must hold
    ],
)
def test_conditions(when, holds):
    """Every member that is given must hold."""
    assert matches(compiled(**when), FACTS, signals(has_tools=True, has_code=True)) is holds


@pytest.mark.parametrize(
    ("value", "bounds", "holds"),
    [
        (None, None, True),
        (None, Range(lt=1.0), False),  # an unknown cost is not a small one
        (5, Range(), True),
        (5, Range(gt=4.9, lt=5.1), True),
        (5, Range(lt=5), False),
    ],
)
def test_within(value, bounds, holds):
    """Bounds are strict, and a missing one does not bind."""
    assert within(value, bounds) is holds


def test_the_first_match_wins():
    """Order decides, not how much a condition says."""
    rules = policy(
        usual_fleet(),
        rules=(
            Rule(id="vision", when=Condition(has_vision=True), then=Target(keep=True)),
            Rule(id="all", then=Target(keep=True)),
            Rule(id="low", when=Condition(tiers=("low",)), then=Target(keep=True)),
        ),
    ).rules

    assert first_match(rules, FACTS, signals()).id == "all"
    assert first_match(rules, FACTS, signals(has_vision=True)).id == "vision"
    assert first_match(rules[2:], msgspec.structs.replace(FACTS, tier="high"), signals()) is None
