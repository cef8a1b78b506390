"""Checks of routing, policies and projects."""

from __future__ import annotations

import pytest

from gateway.config.check import check
from gateway.config.decode import decode

FLOORS = {"low": 0.9, "medium": 0.8, "high": 0.7}


def found(tree):
    """The problems of a well-formed *tree* as (path, message)."""
    return [(problem.path, problem.message) for problem in check(decode(tree), {})]


@pytest.mark.parametrize(
    ("routing", "place", "message"),
    [
        ({"mode": "blanced"}, ".mode", "no mode is called 'blanced'; did you mean 'balanced'?"),
        ({"mode": "frugal"}, ".mode", "no mode is called 'frugal'"),
        (
            {"baseline_model": "gpt4"},
            ".baseline_model",
            "no model is called 'gpt4'; did you mean 'gpt-4'?",
        ),
        (
            {"virtual_models": {"best": "qualty"}},
            ".virtual_models.best",
            "no mode is called 'qualty'; did you mean 'quality'?",
        ),
        (
            {"virtual_models": {"GPT-4o": "eco"}},
            ".virtual_models.GPT-4o",
            "'GPT-4o' is a name of gpt-4o already",
        ),
        (
            {"modes": {"top": {"floors": {**FLOORS, "high": 0.9}, "usd_weight": 1}}},
            ".modes.top.floors.high",
            "no model reaches 0.9 on high prompts: the best has 0.88",
        ),
        (
            {"modes": {"any": {"floors": FLOORS}}},
            ".modes.any",
            "quality_weight, usd_weight and s_weight are all 0: nothing to choose by",
        ),
        (
            {"quality": [{"model": "gpt-44", "low": 0.5}]},
            ".quality[0].model",
            "no model is called 'gpt-44'; did you mean 'gpt-4'?",
        ),
        (
            {"quality": [{"model": "gpt-4", "task_type": "chatbot", "low": 0.5}]},
            ".quality[0].task_type",
            "no task type is called 'chatbot'; did you mean 'Chatbot'?",
        ),
        (
            {"quality": [{"model": "gpt-4"}]},
            ".quality[0]",
            "says nothing: state low, medium or high",
        ),
        (
            {"quality": [{"model": "gpt-4", "low": 0.5}, {"model": "gpt-4-0613", "high": 0.5}]},
            ".quality[1]",
            "speaks of the same model and task as quality[0]",
        ),
    ],
)
def test_problems_of_routing(routing, place, message):
    """One mistake, one problem."""
    assert found({"routing": routing}) == [(f"$.routing{place}", message)]


def test_a_floor_that_an_override_reaches():
    """What the operator knows of a model, or of a class, counts."""
    modes = {"top": {"floors": {**FLOORS, "high": 0.95}, "usd_weight": 1}}
    quality = [{"model": "gpt-4", "high": 0.95}]
    classes = {"premium": {"low": 1, "medium": 1, "high": 0.96}}

    assert found({"routing": {"modes": modes, "quality": quality}}) == []
    assert found({"routing": {"modes": modes, "class_quality": classes}}) == []


@pytest.mark.parametrize(
    ("policy", "place", "message"),
    [
        (
            {"denied_models": ["gpt-44"]},
            ".denied_models[0]",
            "no model is called 'gpt-44'; did you mean 'gpt-4'?",
        ),
        (
            {"allowed_models": ["gpt-44"]},
            ".allowed_models[0]",
            "no model is called 'gpt-44'; did you mean 'gpt-4'?",
        ),
        (
            {"allowed_models": ["gpt-4"], "denied_models": ["gpt-4-0613"]},
            ".allowed_models",
            "gpt-4 is denied as well",
        ),
        (
            {"denied_providers": ["opnai"]},
            ".denied_providers[0]",
            "no provider is called 'opnai'; did you mean 'openai'?",
        ),
        (
            {"forced_models": {"Chatbot": "gpt-44"}},
            ".forced_models.Chatbot",
            "no model is called 'gpt-44'; did you mean 'gpt-4'?",
        ),
        (
            {"forced_models": {"chat-bot": "gpt-4"}},
            ".forced_models.chat-bot",
            "no task type is called 'chat-bot'; one of Open QA, Closed QA, Summarization, "
            "Text Generation, Code Generation, Chatbot, Classification, Rewrite, Brainstorming, "
            "Extraction, Other",
        ),
        (
            {"forced_models": {"Chatbot": "gpt-4"}, "denied_models": ["gpt-4"]},
            ".forced_models.Chatbot",
            "gpt-4 is forced, but not allowed",
        ),
        ({"regions": ["mars"]}, ".regions[0]", "nobody serves from region 'mars'"),
        (
            {"quality_min": 0.99},
            ".quality_min",
            "no model reaches 0.99: the best has 0.96",
        ),
    ],
)
def test_problems_of_a_policy(policy, place, message):
    """The common policy and that of a project are checked alike."""
    assert found({"policy": policy}) == [(f"$.policy{place}", message)]
    assert found({"projects": {"shop": {"policy": policy}}}) == [
        (f"$.projects.shop.policy{place}", message)
    ]


def test_a_virtual_model_that_is_an_alias():
    """A name stands for one thing."""
    tree = {"models": {"gpt-4o": {"aliases": ["Eco"]}}}

    assert found(tree) == [("$.routing.virtual_models.eco", "'eco' is a name of gpt-4o already")]


def test_the_mode_of_a_project():
    """A project may use a mode of the configuration's own."""
    modes = {"review": {"floors": FLOORS, "usd_weight": 1}}
    tree = {"routing": {"modes": modes}, "projects": {"a": {"mode": "review"}, "b": {"mode": "x"}}}

    assert found(tree) == [("$.projects.b.mode", "no mode is called 'x'")]


def test_a_region_of_ones_own():
    """Where a provider or a deployment stands may be stated, and then asked for."""
    tree = {
        "policy": {"regions": ["eu", "basement", "attic"]},
        "providers": {"openai": {"region": "basement"}},
        "deployments": [{"model": "gpt-4o", "provider": "openai", "region": "attic"}],
    }

    assert found(tree) == []
