"""Checks of rules."""

from __future__ import annotations

import pytest

from gateway.config.check import check
from gateway.config.decode import decode

TASKS = (
    "Open QA, Closed QA, Summarization, Text Generation, Code Generation, Chatbot, "
    "Classification, Rewrite, Brainstorming, Extraction, Other"
)


def found(tree):
    """The problems of a well-formed *tree* as (path, message)."""
    return [(problem.path, problem.message) for problem in check(decode(tree), {})]


@pytest.mark.parametrize(
    ("when", "place", "message"),
    [
        (
            {"task_types": ["code-generation"]},
            ".task_types[0]",
            "no task type is called 'code-generation'; did you mean 'Code Generation'?",
        ),
        (
            {"task_types": ["Poetry"]},
            ".task_types[0]",
            f"no task type is called 'Poetry'; one of {TASKS}",
        ),
        (
            {"models": ["auto", "gpt-4o", "gpt4o"]},
            ".models[2]",
            "no model is called 'gpt4o'; did you mean 'gpt-4o'?",
        ),
        ({"tokens_in": {}}, ".tokens_in", "bounds nothing: state gt, lt or both"),
        (
            {"complexity": {"gt": 0.5, "lt": 0.5}},
            ".complexity",
            "nothing lies above 0.5 and below 0.5",
        ),
        ({"cost_usd": {"gt": 2, "lt": 1}}, ".cost_usd", "nothing lies above 2 and below 1"),
    ],
)
def test_problems_of_a_condition(when, place, message):
    """A condition that can never hold is a mistake."""
    tree = {"rules": [{"id": "a", "when": when, "then": {"keep": True}}]}

    assert found(tree) == [(f"$.rules[0].when{place}", message)]


@pytest.mark.parametrize(
    ("then", "place", "message"),
    [
        ({}, "", "empty: state model, mode, best_within_usd or keep"),
        ({"keep": True, "model": "gpt-4o"}, "", "model and keep exclude each other"),
        (
            {"mode": "eco", "best_within_usd": 0.1},
            "",
            "mode and best_within_usd exclude each other",
        ),
        (
            {"mode": "eco", "provider": "groq"},
            ".provider",
            "needs a model, which this provider shall serve",
        ),
        ({"keep": True, "own_key": True}, ".own_key", "says nothing beside keep"),
        ({"mode": "ecco"}, ".mode", "no mode is called 'ecco'; did you mean 'eco'?"),
        (
            {"model": "gpt-4o", "provider": "opnai"},
            ".provider",
            "no provider is called 'opnai'; did you mean 'openai'?",
        ),
        (
            {"model": "claude-opus-5.6"},
            ".model",
            "no model is called 'claude-opus-5.6'; did you mean 'claude-opus-5.5'?",
        ),
        (
            {"model": "gpt-4o", "provider": "groq"},
            ".provider",
            "groq does not serve gpt-4o",
        ),
    ],
)
def test_problems_of_a_target(then, place, message):
    """A target says one thing, and something that exists."""
    tree = {"rules": [{"id": "a", "then": then}]}

    assert found(tree) == [(f"$.rules[0].then{place}", message)]


@pytest.mark.parametrize(
    "then",
    [
        {"model": "GPT-4o"},
        {"model": "llama-3-8b", "provider": "groq", "own_key": True},
        {"model": "claude-sonnet-4"},
        {"mode": "cost"},
        {"best_within_usd": 0.01},
        {"keep": True},
    ],
)
def test_targets_that_are_fine(then):
    """Aliases of models and modes count."""
    assert found({"rules": [{"id": "a", "then": then}]}) == []


@pytest.mark.parametrize(
    ("policy", "then", "place", "message"),
    [
        (
            {"denied_models": ["gpt-4o"]},
            {"model": "gpt-4o-2024-08-06"},
            ".model",
            "the policy denies gpt-4o",
        ),
        (
            {"allowed_models": ["gpt-5-mini"]},
            {"model": "gpt-4o"},
            ".model",
            "the policy does not allow gpt-4o",
        ),
        (
            {"denied_providers": ["groq"]},
            {"model": "llama-3-8b", "provider": "groq"},
            ".provider",
            "the policy denies groq",
        ),
        (
            {"cost_usd_max": 0.1},
            {"best_within_usd": 0.5},
            ".best_within_usd",
            "0.5 USD is more than the policy's cost_usd_max, 0.1 USD",
        ),
    ],
)
def test_a_target_that_the_policy_forbids(policy, then, place, message):
    """It would never be taken, whether the common policy forbids it or that of the project."""
    rules = [{"id": "a", "then": then}]

    assert found({"rules": rules, "policy": policy}) == [(f"$.rules[0].then{place}", message)]
    assert found({"projects": {"shop": {"rules": rules, "policy": policy}}}) == [
        (f"$.projects.shop.rules[0].then{place}", message)
    ]


def test_ids_of_rules():
    """Records name the rule; a project may use an id of the common rules."""
    keep = {"then": {"keep": True}}
    twice = [{"id": "a", **keep}, {"id": "a", **keep}, {"id": " ", **keep}]

    assert found({"rules": twice}) == [
        ("$.rules[1].id", "'a' is the id of rule 0 too"),
        ("$.rules[2].id", "expected a name, which records and headers will show"),
    ]
    assert found({"rules": twice[:1], "projects": {"shop": {"rules": twice[:1]}}}) == []
