"""Decisions as a whole: what holds for any fleet, policy and request."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings

from gateway.config.schema import Config, Policy
from gateway.core.errors import ModelNotFound, NoEligibleModel, PolicyError
from gateway.core.fleet import Capability, Fleet, Reference
from gateway.core.health import Health
from gateway.core.request import Controls, RouteAction
from gateway.decide.case import RANKING_MAX
from gateway.decide.decide import decide
from models.scores import UNSCORED
from tests.gateway.decide.samples import (
    Desk,
    deployment,
    price,
    question,
    scores,
    signals,
    usual_fleet,
)
from tests.gateway.decide.strategies import situations

AUTO, OBSERVE = RouteAction.AUTO, RouteAction.OBSERVE
anything = settings(deadline=None, max_examples=100)


def decided(situation, **changes):
    """The decision, None where there is none to look at."""
    try:
        return situation.decide(**changes)
    except (PolicyError, ModelNotFound):
        return None


@anything
@given(situations())
def test_a_decision_is_a_function_of_its_arguments(situation):
    """The same question, signals, scores, policy and view decide the same, refusals included."""

    def once():
        try:
            return situation.decide()
        except (PolicyError, ModelNotFound) as refused:
            return type(refused), refused.message

    assert once() == once()


@anything
@given(situations())
def test_the_ranking_is_a_list_to_try(situation):
    """Every deployment at most once, the answer first, no longer than can be tried."""
    decision = decided(situation)
    if decision is None:
        return

    assert len(set(decision.ranking)) == len(decision.ranking)
    assert 1 <= len(decision.ranking) <= RANKING_MAX
    first = situation.place(decision.ranking[0])
    assert (first.model, first.provider) == (decision.model, decision.provider)


@anything
@given(situations())
def test_what_is_forbidden_is_never_tried(situation):
    """Denied models, regions and cost limits hold for the answer and for every failover."""
    decision = decided(situation)
    if decision is None:
        return
    policy, controls = situation.config.policy, situation.asked.controls

    for name in decision.ranking:
        place = situation.place(name)
        assert place.model not in policy.denied_models
        assert not policy.allowed_models or place.model in policy.allowed_models
        assert not policy.regions or place.region in policy.regions
    for limit in (policy.cost_usd_max, controls.cost_usd_max):
        assert limit is None or decision.cost_nano_usd <= limit * 1e9 + 1


@anything
@given(situations())
def test_a_chosen_model_can_do_what_is_needed(situation):
    """Another model than the client's own is never chosen beyond its abilities or its context."""
    decision = decided(situation)
    if decision is None or not decision.routed:
        return
    place, read = situation.place(decision.ranking[0]), situation.read

    assert read.needs & ~place.capabilities == Capability.NONE
    assert read.tokens_in + (read.max_tokens or 0) <= place.context_tokens
    assert (read.max_tokens or 0) <= place.output_tokens_max


@anything
@given(situations())
def test_an_unavailable_deployment_is_the_last_resort(situation):
    """It is first only where it is the client's own or nothing else was left."""
    decision = decided(situation)
    if decision is None:
        return
    down = {name for name, health in situation.health.items() if not health.available}

    assert decision.provider_healthy == (decision.ranking[0] not in down)
    if decision.provider_healthy:
        assert not down.intersection(decision.ranking)


@anything
@given(situations())
def test_routing_off_never_changes_the_model(situation):
    """Whatever pins, rules, modes and policies say: the model as asked, or a refusal."""
    off = msgspec.structs.replace(situation.asked.controls, action=RouteAction.DISABLED)
    decision = decided(situation, controls=off)
    if decision is None or decision.original_model is None:
        return

    assert decision.action is RouteAction.DISABLED
    assert not decision.routed
    assert {situation.place(name).model for name in decision.ranking} == {decision.original_model}
    if situation.asked.provider is not None:
        assert decision.provider == situation.asked.provider


@anything
@given(situations())
def test_auto_never_costs_more_on_an_easy_prompt(situation):
    """In a mode that may not cost more, another model is at most as dear as one that can serve."""
    controls = Controls(action=AUTO, mode="balanced")
    model = situation.fleet.deployments[-1].model
    situation = msgspec.structs.replace(
        situation,
        config=Config(),
        asked=msgspec.structs.replace(
            situation.asked, controls=controls, model=model, provider=None
        ),
        scored=msgspec.structs.replace(situation.scored, tier="low"),
    )
    decision = decided(situation)
    own = {d.id for d in situation.fleet.deployments if d.model == model}
    candidates = situation.explain().candidates
    if not any(c.deployment in own and not c.lost for c in candidates):
        return

    assert decision.cost_nano_usd <= decision.cost_original_nano_usd
    assert decision.savings_nano_usd >= 0


@anything
@given(situations())
def test_observe_has_no_effect(situation):
    """It answers as if routing were off, and names what would have been chosen."""
    off = msgspec.structs.replace(situation.asked.controls, action=RouteAction.DISABLED)
    on = msgspec.structs.replace(situation.asked.controls, action=OBSERVE)
    kept, observed = decided(situation, controls=off), decided(situation, controls=on)
    if kept is None or kept.original_model is None or situation.asked.provider is not None:
        return

    assert observed.ranking == kept.ranking
    assert observed.cost_nano_usd == kept.cost_nano_usd
    assert not observed.routed


def test_observe_tells_what_auto_would_do():
    """The same choice as auto, its cost, and the reason, while the client's model answers."""
    desk = Desk()
    auto, observed = desk.decide(question(action=AUTO)), desk.decide(question(action=OBSERVE))

    assert (observed.model, observed.would) == ("gpt-4", "llama-3-8b")
    assert observed.would_cost_nano_usd == auto.cost_nano_usd
    assert observed.reason == f"Observed: {auto.reason}"
    assert observed.savings_nano_usd == 0


def test_observe_survives_a_refusal():
    """Where routing would refuse, the client's model answers and the reason says so."""
    decision = Desk().decide(question("gpt-4", action=OBSERVE, quality_min=0.99))

    assert (decision.model, decision.would) == ("gpt-4", None)
    assert decision.reason.startswith("Observed: routing would refuse. No deployment may serve")


def test_everything_that_explains_a_decision():
    """The record of one routed request, member by member."""
    desk = Desk()
    decision = decide(
        question("gpt-4-latest", action=AUTO, seed=99),
        signals(tokens_in=1000),
        scores("Classification", "low", confidence=0.87),
        desk.policies.default,
        desk.view,
        classifier_version="c1",
    )

    assert msgspec.json.decode(msgspec.json.encode(decision)) == {
        "action": "auto",
        "mode": "balanced",
        "ranking": [
            "groq/llama-3-8b",
            "openai/gpt-4o-mini",
            "anthropic/claude-haiku",
            "openai/gpt-4o",
            "anthropic/claude-sonnet-4",
            "anthropic/claude-opus-4",
            "openai/gpt-4",
        ],
        "model": "llama-3-8b",
        "provider": "groq",
        "original_model": "gpt-4",
        "original_provider": "openai",
        "routed": True,
        "reason": "Low-complexity Classification (0.12): llama-3-8b promises 0.90,"
        " costs 99 % less than gpt-4.",
        "rule": None,
        "task_type": "Classification",
        "confidence": 0.87,
        "complexity": 0.12,
        "tier": "low",
        "stage": "first-stage",
        "tokens_in": 1000,
        "tokens_out": 10,
        "cost_original_nano_usd": 30_600_000,
        "cost_nano_usd": 50_800,
        "quality": 0.9,
        "within_cost_limit": True,
        "provider_healthy": True,
        "versions": {
            "policy": desk.policies.default.version,
            "fleet": "usual",
            "view": desk.view.version,
            "classifier": "c1",
        },
        "seed": 99,
        "would": None,
        "would_cost_nano_usd": None,
        "warnings": [],
    }


def test_a_virtual_model_has_no_original():
    """Savings are counted against the baseline, and the choice is always a routed one."""
    decision = Desk().decide(question("auto"))

    assert (decision.original_model, decision.original_provider) == (None, None)
    assert decision.routed
    assert decision.cost_original_nano_usd == 1000 * 30_000 + 120 * 60_000


def test_a_baseline_that_nobody_serves():
    """Its price is enough; its longest answer cuts the prediction."""
    fleet = usual_fleet()
    gone = Reference("gpt-4", price(30.0, 60.0, request_nano_usd=7), output_tokens_max=100)
    without = Fleet(fleet.deployments[1:], fleet.models, "no gpt-4", {"gpt-4": gone})
    decision = Desk(without).decide(question("auto"))

    assert decision.cost_original_nano_usd == 1000 * 30_000 + 100 * 60_000 + 7
    assert decision.original_provider is None
    assert decision.reason == (
        "Low-complexity Summarization (0.12): llama-3-8b promises 0.90, costs 99 % less than gpt-4."
    )


@anything
@given(situations())
def test_the_baseline_costs_what_its_deployment_does(situation):
    """A virtual model is compared with the very cost that the fleet would be estimated at."""
    decision = decided(situation)
    if decision is None or decision.original_model is not None:
        return
    baseline = situation.config.routing.baseline_model
    served = [d.id for d in situation.fleet.deployments if d.model == baseline]
    costs = {c.deployment: c.cost_nano_usd for c in situation.explain().candidates}

    assert decision.cost_original_nano_usd == (costs[served[0]] if served else None)


def test_a_baseline_that_nobody_knows():
    """Without it nothing is compared, and the reason tells the price alone."""
    fleet = usual_fleet()
    without = Fleet(fleet.deployments[1:], fleet.models, version="no gpt-4")
    decision = Desk(without).decide(question("auto"))

    assert decision.cost_original_nano_usd is None
    assert decision.savings_nano_usd == 0
    assert decision.reason == (
        "Low-complexity Summarization (0.12): llama-3-8b promises 0.90, costs 0.0000596 USD."
    )


def test_tokens_out_of_the_chosen_model():
    """The prediction is cut by the longest answer of the deployment that answers."""
    fleet = usual_fleet(deployment("short", output_tokens_max=50))

    assert Desk(fleet).decide(question("short")).tokens_out == 50
    assert Desk(fleet).decide(question("gpt-4")).tokens_out == 120


def test_a_pinned_provider_and_routing():
    """With routing the answer may come from elsewhere; what was asked for is remembered."""
    decision = Desk().decide(question("gpt-4", provider="openai", action=AUTO))

    assert (decision.provider, decision.original_provider) == ("groq", "openai")


def test_no_classifier_no_harm():
    """Without scores a named model stays, and a virtual one is taken for a medium prompt."""
    desk = Desk()

    assert desk.decide(question("gpt-4", action=AUTO), UNSCORED).model == "gpt-4"
    assert desk.decide(question("auto"), UNSCORED).model == "gpt-4o"


@pytest.mark.parametrize("tier", ["low", "medium", "high"])
def test_one_eligible_model_is_a_pass_through(tier):
    """With a single model to choose from routing changes nothing."""
    alone = Desk(policy=Policy(allowed_models=("gpt-4",)))

    for model in ("gpt-4", "auto"):
        decision = alone.decide(question(model, action=AUTO), scores(tier=tier))
        assert decision.ranking == ("openai/gpt-4",)


def test_a_signed_history_stays_in_its_family_inside_a_loop():
    """A virtual model goes on where the dialect of the reasoning is spoken."""
    asked = question("auto", dialect="anthropic_messages", thinking_signed=True)
    decision = Desk().decide(asked, scores(), agent_continuation=True)

    assert {name.split("/")[0] for name in decision.ranking} == {"anthropic"}


def test_a_signed_history_with_nobody_to_read_it():
    """A refusal names the reason."""
    asked = question("auto", dialect="anthropic_messages", thinking_signed=True)
    desk = Desk(policy=Policy(denied_providers=("anthropic",)))

    with pytest.raises(NoEligibleModel, match="cannot read the signed reasoning in the history"):
        desk.decide(asked, scores(), agent_continuation=True)


def test_errors_lower_the_quality_that_is_reported():
    """Expected quality counts the requests that get no answer."""
    health = {"openai/gpt-4": Health(requests=10**9, error_share=0.25)}

    assert Desk(health=health).decide(question("gpt-4")).quality == pytest.approx(0.96 * 0.75)
