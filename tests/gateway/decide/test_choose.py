"""The ways to choose that come before the mode: policy, pin and rules."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.schema import Condition, Policy, Rule, Target
from gateway.core.errors import CostLimitExceeded, NoEligibleModel
from gateway.core.health import Health
from gateway.core.request import Grant, RouteAction
from tests.gateway.decide.samples import (
    PREMIUM,
    Desk,
    deployment,
    fleet_of,
    price,
    question,
    scores,
    usual_fleet,
)

AUTO, CUSTOM = RouteAction.AUTO, RouteAction.CUSTOM
DOWN = Health(available=False, state="open")


def rules(**then):
    """One rule for summaries, as configuration."""
    when = Condition(task_types=("Summarization",))
    return {"rules": (Rule(id="sums", when=when, then=Target(**then)),)}


def test_routing_off_serves_what_was_asked():
    """Nothing is chosen, and failover stays with the model."""
    fleet = usual_fleet(deployment("gpt-4", "azure", price=price(30.0, 60.0), model_class=PREMIUM))
    decision = Desk(fleet).decide(question("gpt-4"))

    assert set(decision.ranking) == {"openai/gpt-4", "azure/gpt-4"}
    assert not decision.routed
    assert decision.reason == "Routing is off: gpt-4 answers as asked."
    assert decision.cost_original_nano_usd == decision.cost_nano_usd


def test_routing_off_prefers_what_is_available():
    """Of two places of a model the one that is up answers; where both are down, one is tried."""
    fleet = usual_fleet(deployment("gpt-4", "azure", price=price(1.0, 1.0)))
    one_down = Desk(fleet, {"azure/gpt-4": DOWN}).decide(question("gpt-4"))
    both_down = Desk(fleet, {"azure/gpt-4": DOWN, "openai/gpt-4": DOWN}).decide(question("gpt-4"))

    assert one_down.ranking == ("openai/gpt-4",)
    assert both_down.ranking == ("azure/gpt-4", "openai/gpt-4")
    assert not both_down.provider_healthy
    assert "tried although it is unavailable" in both_down.reason


@pytest.mark.parametrize(
    ("asked", "config", "error", "message"),
    [
        (
            question("gpt-4"),
            {"policy": Policy(denied_models=("gpt-4",))},
            NoEligibleModel,
            "No deployment may serve this request: gpt-4 is denied by the policy.",
        ),
        (
            question("gpt-4", regions=("eu",)),
            {},
            NoEligibleModel,
            "No deployment may serve this request: gpt-4 is not in an allowed region.",
        ),
        (
            question("gpt-4"),
            {"policy": Policy(cost_usd_max=0.001)},
            CostLimitExceeded,
            "The cheapest eligible model, gpt-4, may cost 0.0516 USD,"
            " more than the limit of 0.001 USD.",
        ),
    ],
)
def test_routing_off_keeps_the_operators_limits(asked, config, error, message):
    """What is forbidden is forbidden, whoever chose it; nothing else answers instead."""
    with pytest.raises(error) as caught:
        Desk(**config).decide(asked)

    assert caught.value.message == message


def test_routing_off_leaves_what_only_we_believe_to_the_provider():
    """Its own error says more than our estimate; a warning tells what we think."""
    decision = Desk(policy=Policy(quality_min=0.99)).decide(
        question("gpt-4"), tokens_in=127_999, max_tokens=20_000
    )

    assert decision.ranking == ("openai/gpt-4",)
    assert decision.warnings == (
        "gpt-4 holds 128000 tokens, fewer than the 147999 of this request, as far as we know.",
        "gpt-4 answers with 16000 tokens at most, fewer than the 20000 asked for,"
        " as far as we know.",
        "gpt-4 promises 0.96, less than the minimum of 0.99, as far as we know.",
    )


def test_a_model_forced_for_a_task():
    """The policy's word for a task comes before pins, rules and modes."""
    desk = Desk(policy=Policy(forced_models={"Summarization": "claude-haiku"}), **rules(keep=True))
    decision = desk.decide(question("gpt-4", action=CUSTOM, prefer_model="gpt-4o"))

    assert (decision.model, decision.rule) == ("claude-haiku", None)
    assert decision.reason == "The policy forces claude-haiku for Summarization."


@pytest.mark.parametrize(
    ("asked", "scored"),
    [
        (question("gpt-4"), scores()),  # routing is off
        (question("gpt-4", action=AUTO), scores("Rewrite", "high")),  # another task
        (question("gpt-4", action=AUTO), scores(uncertain=True)),  # perhaps another task
    ],
)
def test_a_forced_model_is_for_its_task_only(asked, scored):
    """It does not reach a request that is not routed, nor one whose task is in doubt."""
    desk = Desk(policy=Policy(forced_models={"Summarization": "claude-haiku"}))

    assert desk.decide(asked, scored).model == "gpt-4"


def test_a_pinned_model():
    """The client's preference comes before rules and modes, dearer or not."""
    decision = Desk(**rules(keep=True)).decide(question("gpt-4o", prefer_model="gpt-4"))

    assert (decision.model, decision.routed) == ("gpt-4", True)
    assert decision.reason == "The client pinned gpt-4."
    assert "openai/gpt-4o" in decision.ranking  # its own model, should the pinned one fail


@pytest.mark.parametrize(
    ("asked", "model"),
    [("auto", "llama-3-8b"), ("gpt-4o", "gpt-4o"), ("gpt-4", "llama-3-8b")],
)
def test_a_pin_that_cannot_be_followed(asked, model):
    """A named model stays where it may; else routing goes on without the pin. Both say so."""
    desk = Desk(policy=Policy(denied_models=("gpt-4",)))
    decision = desk.decide(question(asked, prefer_model="gpt-4"))

    assert decision.model == model
    assert decision.warnings[0] == "The client pinned gpt-4. gpt-4 is denied by the policy."


@pytest.mark.parametrize(
    ("then", "model", "reason"),
    [
        ({"model": "claude-haiku"}, "claude-haiku", "Rule sums: it sends this to claude-haiku."),
        ({"model": "claude-opus-4"}, "claude-opus-4", "Rule sums: it sends this to claude-opus-4."),
        ({"provider": "groq"}, "llama-3-8b", "Rule sums: it sends this to groq."),
        ({"keep": True}, "gpt-4", "Rule sums: it keeps the model: gpt-4."),
        (
            {"best_within_usd": 0.01},
            "gpt-4o",
            "Rule sums: gpt-4o is the best within 0.01 USD.",
        ),
        (
            {"best_within_usd": 0.01, "provider": "anthropic"},
            "claude-sonnet-4",
            "Rule sums: claude-sonnet-4 is the best within 0.01 USD.",
        ),
        (
            {"mode": "quality"},
            "claude-opus-4",
            "Rule sums: Low-complexity Summarization (0.12): claude-opus-4 promises 0.96,"
            " costs 35 % less than gpt-4.",
        ),
    ],
)
def test_targets_of_rules(then, model, reason):
    """Where the operator's rule sends a summary whose client named gpt-4."""
    decision = Desk(**rules(**then)).decide(question("gpt-4", action=CUSTOM))

    assert (decision.model, decision.reason, decision.rule) == (model, reason, "sums")
    assert decision.warnings == ()


def test_a_rule_for_a_provider_keeps_the_model_where_it_can():
    """A provider alone moves the place, and another model only where it serves no such one."""
    fleet = usual_fleet(deployment("gpt-4", "azure", price=price(40.0, 80.0)))
    desk = Desk(fleet, **rules(provider="azure"))

    assert desk.decide(question("gpt-4", action=CUSTOM)).ranking[0] == "azure/gpt-4"
    assert desk.decide(question("gpt-4o", action=CUSTOM)).ranking[0] == "azure/gpt-4"


def test_a_rule_tells_its_own_reason():
    """The operator's words come first."""
    rule = Rule(id="r", then=Target(model="gpt-4o"), reason="Finance pays for this.")
    decision = Desk(rules=(rule,)).decide(question("gpt-4", action=CUSTOM))

    assert decision.reason == "Rule r: Finance pays for this."


def test_a_rule_with_a_mode_names_it():
    """The mode of a rule is the mode of the decision."""
    decision = Desk(**rules(mode="max-quality")).decide(question("gpt-4", action=CUSTOM))

    assert decision.mode == "quality"


@pytest.mark.parametrize(
    ("asked", "then", "model", "warning"),
    [
        (
            question("gpt-4", action=CUSTOM, regions=("eu",)),
            {"model": "gpt-4o"},
            "eu-model",
            "Rule sums: it sends this to gpt-4o. gpt-4o is not in an allowed region.",
        ),
        (
            question("gpt-4", action=CUSTOM),
            {"model": "gpt-9"},
            "llama-3-8b",
            "Rule sums: it sends this to gpt-9. No deployment of it is here.",
        ),
        (
            question("gpt-4", action=CUSTOM),
            {"best_within_usd": 0.000001},
            "llama-3-8b",
            "Rule sums: no model within 0.000001 USD may serve this.",
        ),
        (
            question("auto"),
            {"keep": True},
            "llama-3-8b",
            "Rule sums: it keeps the model, and the request names none.",
        ),
    ],
)
def test_a_rule_that_cannot_be_followed(asked, then, model, warning):
    """The mode chooses instead, and a warning names the rule."""
    fleet = usual_fleet(deployment("eu-model", "local", region="eu", price=price(3.0, 3.0)))
    decision = Desk(fleet, **rules(**then)).decide(asked)

    assert (decision.model, decision.rule, decision.warnings) == (model, None, (warning,))


def test_a_rule_for_a_key_of_its_own():
    """Without a key at the target the client's own model answers."""
    fleet = usual_fleet(deployment("gpt-4o", "azure", api_key=None, price=price(0.1, 0.1)))
    here = rules(model="gpt-4o", own_key=True)
    keyless = rules(model="gpt-4o", provider="azure", own_key=True)

    assert Desk(fleet, **here).decide(question(action=CUSTOM)).ranking[0] == "openai/gpt-4o"
    kept = Desk(fleet, **keyless).decide(question(action=CUSTOM))
    assert (kept.model, kept.rule) == ("gpt-4", "sums")
    assert kept.reason == "Rule sums: its target has no key of its own: gpt-4."


def test_a_rule_for_a_key_that_only_some_tenants_have():
    """Who brought one is sent there; the others keep their model."""
    brought = deployment("mixtral", "groq", api_key=None, brought=True, price=price(0.1, 0.1))
    desk = Desk(usual_fleet(brought), **rules(model="mixtral", own_key=True))
    owner = desk.decide(question(action=CUSTOM, grant=Grant(own_providers=("groq",))))
    other = desk.decide(question(action=CUSTOM))

    assert (owner.model, owner.rule) == ("mixtral", "sums")
    assert (other.model, other.rule) == ("gpt-4", "sums")


def test_rules_override_the_mode_and_leave_it_the_rest():
    """A request that no rule matches is decided by the mode."""
    desk = Desk(**rules(model="claude-haiku"))

    assert desk.decide(question("gpt-4", action=CUSTOM)).model == "claude-haiku"
    assert desk.decide(question("gpt-4", action=AUTO)).model == "llama-3-8b"
    assert desk.decide(question("gpt-4", action=CUSTOM), scores("Rewrite")).model == "llama-3-8b"


def test_a_doubtful_task_matches_no_rule_for_it():
    """It is Other to rules, whatever the classifier's best guess."""
    desk = Desk(**rules(model="claude-haiku"))
    doubtful = desk.decide(question("gpt-4", action=CUSTOM), scores(uncertain=True))

    assert (doubtful.model, doubtful.rule) == ("gpt-4", None)


@pytest.mark.parametrize(
    ("when", "asked", "read", "matches"),
    [
        ({"tokens_in": {"gt": 50_000}}, question("auto"), {"tokens_in": 60_000}, True),
        ({"tokens_in": {"gt": 50_000}}, question("auto"), {}, False),
        ({"cost_usd": {"gt": 0.03}}, question("gpt-4", action=CUSTOM), {}, True),
        ({"cost_usd": {"gt": 0.03}}, question("auto"), {}, True),  # of the baseline
        ({"cost_usd": {"gt": 0.04}}, question("auto"), {}, False),
        ({"cost_usd": {"gt": 0.03}}, question("gpt-4o", action=CUSTOM), {}, False),
        ({"labels": ["code-review"]}, question("auto", task_hint="code_review"), {}, True),
        ({"models": ["gpt-4"]}, question("gpt-4-latest", action=CUSTOM), {}, True),
        ({"metadata": {"team": "*"}}, question("auto", metadata={"team": "x"}), {}, True),
    ],
)
def test_facts_that_rules_ask_for(when, asked, read, matches):
    """Question and estimates reach the conditions."""
    condition = msgspec.convert(when, Condition)
    desk = Desk(rules=(Rule(id="r", when=condition, then=Target(model="claude-sonnet-4")),))

    assert (desk.decide(asked, **read).rule == "r") is matches


def test_the_fleet_and_the_policy_belong_together():
    """A policy compiled for another fleet is a bug of ours, found at once."""
    desk = Desk()
    desk.policies = Desk(fleet_of(deployment("gpt-4"))).policies

    with pytest.raises(ValueError, match="This is a bug"):
        desk.decide(question("gpt-4"))
