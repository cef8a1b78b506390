"""Explanations: the same decision, and why everything else lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from gateway.config.schema import Policy
from gateway.core.errors import ModelNotFound, PolicyError
from gateway.core.request import RouteAction
from gateway.decide.explain import explain
from tests.gateway.decide.samples import Desk, question, scores, signals
from tests.gateway.decide.strategies import situations

AUTO = RouteAction.AUTO


@settings(deadline=None, max_examples=100)
@given(situations())
def test_explain_agrees_with_decide(situation):
    """Whatever is asked, the explained decision is the one that would be taken."""
    try:
        decision, refusal = situation.decide(), ""
    except PolicyError as refused:
        decision, refusal = None, refused.message
    except ModelNotFound:
        with pytest.raises(ModelNotFound):
            situation.explain()
        return
    explanation = situation.explain()

    assert explanation.decision == decision
    assert explanation.refusal == refusal


@settings(deadline=None, max_examples=100)
@given(situations())
def test_explain_weighs_every_deployment(situation):
    """Each is a candidate once, those of the ranking first and in its order."""
    try:
        explanation = situation.explain()
    except ModelNotFound:
        return
    names = [c.deployment for c in explanation.candidates]
    ranking = () if explanation.decision is None else explanation.decision.ranking

    assert sorted(names) == sorted(d.id for d in situation.fleet.deployments)
    assert tuple(names[: len(ranking)]) == ranking


def explained(asked, scored=None, **config):
    """The explanation at a desk of the usual fleet."""
    desk = Desk(**config)
    return explain(asked, signals(), scored or scores(), desk.policies.default, desk.view)


def test_candidates_tell_why_they_lost():
    """Policy, floor and cost, each in a sentence with its numbers."""
    explanation = explained(
        question("gpt-4", action=AUTO),
        scores(tier="medium"),
        policy=Policy(denied_models=("claude-sonnet-4",)),
    )
    lost = {c.deployment: c.lost for c in explanation.candidates}

    assert explanation.decision.model == "gpt-4o"
    assert lost["openai/gpt-4o"] == ()
    assert lost["openai/gpt-4"] == ()  # in the ranking, as the last to try
    assert lost["anthropic/claude-sonnet-4"] == ("is denied by the policy",)
    assert lost["openai/gpt-4o-mini"] == ("promises 0.70, less than the 0.80 wanted",)


def test_candidates_that_cost_too_much():
    """A model that is dearer than the client's own says so."""
    explanation = explained(question("gpt-4o", action=AUTO))
    lost = {c.deployment: c.lost for c in explanation.candidates}

    assert lost["anthropic/claude-opus-4"] == (
        "costs 0.024 USD, more than the 0.003699999 it had to keep to",
    )


def test_candidates_carry_their_estimates():
    """Cost, quality and latency of each, to compare."""
    first = explained(question("auto")).candidates[0]

    assert (first.deployment, first.model, first.provider) == (
        "groq/llama-3-8b",
        "llama-3-8b",
        "groq",
    )
    assert first.cost_nano_usd == 59_600
    assert first.quality == 0.9
    assert first.latency_s == pytest.approx(0.35 + 120 * 0.008)


def test_a_refusal_is_explained_too():
    """There is no decision, and still every candidate with what it lacked."""
    explanation = explained(question("auto", quality_min=0.99))

    assert explanation.decision is None
    assert explanation.refusal.startswith("No deployment may serve this request: ")
    assert all(c.lost for c in explanation.candidates)


def test_a_model_that_is_not_here_is_not_explained():
    """There is nothing to weigh."""
    with pytest.raises(ModelNotFound):
        explained(question("gpt-9"))


@settings(deadline=None, max_examples=100)
@given(situations())
def test_every_loser_has_a_reason(situation):
    """Whoever is not in the ranking lost for a reason that can be read."""
    try:
        explanation = situation.explain()
    except ModelNotFound:
        return
    if explanation.decision is None:
        return
    ranking = set(explanation.decision.ranking)

    assert all(c.lost for c in explanation.candidates if c.deployment not in ranking)
