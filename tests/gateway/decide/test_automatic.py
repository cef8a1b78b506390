"""Choosing by the mode."""

from __future__ import annotations

import pytest

from gateway.config.schema import Floors, Mode, Policy, Routing
from gateway.core.errors import CostLimitExceeded, NoEligibleModel
from gateway.core.fleet import Capability, Fleet
from gateway.core.health import Health
from gateway.core.request import Grant, RouteAction
from models.scores import UNSCORED
from tests.gateway.decide.samples import (
    CHAT,
    EFFICIENT,
    PREMIUM,
    Desk,
    deployment,
    price,
    question,
    scores,
    usual_fleet,
)

AUTO = RouteAction.AUTO
DOWN = Health(available=False, state="open")


@pytest.mark.parametrize(
    ("mode", "low", "medium", "high"),
    [
        # the cheapest of the class that the tier asks for
        ("balanced", "llama-3-8b", "gpt-4o", "claude-opus-4"),
        # one class less above low
        ("eco", "llama-3-8b", "llama-3-8b", "gpt-4o"),
        # quality less a little for time: on easy prompts the big ones are not worth the wait
        ("sport", "gpt-4o", "claude-opus-4", "claude-opus-4"),
        # the fastest that is good enough
        ("speed", "llama-3-8b", "llama-3-8b", "gpt-4o"),
        # the best there is, the cheaper of two
        ("quality", "claude-opus-4", "claude-opus-4", "claude-opus-4"),
    ],
)
def test_modes_of_virtual_models(mode, low, medium, high):
    """What every built-in mode chooses for a prompt of every tier, by class priors alone."""
    desk = Desk()
    found = [
        desk.decide(question(mode), scores(tier=tier)).model for tier in ("low", "medium", "high")
    ]

    assert found == [low, medium, high]


@pytest.mark.parametrize(
    ("named", "mode", "low", "medium", "high"),
    [
        ("gpt-4", "balanced", "llama-3-8b", "gpt-4o", "gpt-4"),
        ("claude-opus-4", "balanced", "llama-3-8b", "gpt-4o", "claude-opus-4"),
        ("gpt-4o", "balanced", "llama-3-8b", "gpt-4o", "gpt-4o"),
        ("claude-haiku", "balanced", "llama-3-8b", "claude-haiku", "claude-haiku"),
        ("llama-3-8b", "balanced", "llama-3-8b", "llama-3-8b", "llama-3-8b"),
        ("gpt-4", "eco", "llama-3-8b", "llama-3-8b", "gpt-4o"),
        ("gpt-4o-mini", "quality", "claude-opus-4", "claude-opus-4", "claude-opus-4"),
        ("gpt-4", "quality", "claude-opus-4", "claude-opus-4", "claude-opus-4"),
    ],
)
def test_modes_of_named_models(named, mode, low, medium, high):
    """The client's own model stays on hard prompts, and where nothing cheaper promises enough."""
    desk = Desk()
    found = [
        desk.decide(question(named, action=AUTO, mode=mode), scores(tier=tier)).model
        for tier in ("low", "medium", "high")
    ]

    assert found == [low, medium, high]


@pytest.mark.parametrize(
    ("scored", "read", "config", "reason"),
    [
        (
            scores(uncertain=True, confidence=0.41),
            {},
            {},
            "Uncertain kind of work (Summarization 0.41): gpt-4 stays.",
        ),
        (scores("Other"), {}, {}, "No known kind of work: gpt-4 stays."),
        (UNSCORED, {}, {}, "Not classified: gpt-4 stays."),
        (
            UNSCORED,  # even the tier is a guess
            {},
            {"routing": Routing(uncertain="complexity")},
            "Not classified: gpt-4 stays.",
        ),
        (
            scores(),
            {"words": 1, "excerpt_chars": 2},
            {},
            "Too short to tell the kind of work: gpt-4 stays.",
        ),
        (
            scores(),
            {"agent_continuation": True},
            {},
            "In the middle of an agent's loop: gpt-4 stays.",
        ),
        (scores(tier="high"), {}, {}, "High-complexity Summarization (0.81): gpt-4 stays."),
        (
            scores("Code Generation", "medium"),
            {},
            {},
            "Medium-complexity Code Generation (0.50): gpt-4 stays.",
        ),
    ],
)
def test_the_own_model_stays(scored, read, config, reason):
    """Whatever the router cannot be sure of keeps the client's own model, and says why."""
    decision = Desk(**config).decide(question("gpt-4", action=AUTO), scored, **read)

    assert (decision.model, decision.routed, decision.reason) == ("gpt-4", False, reason)
    assert decision.savings_nano_usd == 0


@pytest.mark.parametrize(
    ("scored", "config", "model"),
    [
        (scores("Code Generation", "low"), {}, "llama-3-8b"),  # simple code may move
        (scores("Other", "low"), {"routing": Routing(uncertain="complexity")}, "llama-3-8b"),
        (
            scores("Rewrite", "low", uncertain=True),
            {"routing": Routing(uncertain="complexity")},
            "llama-3-8b",
        ),
    ],
)
def test_the_own_model_moves(scored, config, model):
    """Simple code is no complex code; an operator may trust the tier alone."""
    assert Desk(**config).decide(question(action=AUTO), scored).model == model


def test_a_doubtful_prompt_without_a_model_is_no_easy_one():
    """Nothing was named that could stay: the tier is taken for medium at least."""
    doubtful = scores(uncertain=True, confidence=0.41)
    decision = Desk().decide(question("auto"), doubtful)

    assert decision.model == "gpt-4o"
    assert decision.tier == "low"
    assert decision.reason.startswith(
        "Uncertain kind of work (Summarization 0.41); low complexity (0.12): gpt-4o promises 0.86,"
    )


def test_premium_for_hard_prompts():
    """An operator may send hard prompts to the premium class, dearer or not."""
    premium = {"routing": Routing(high_tier="premium")}
    decision = Desk(**premium).decide(question("gpt-4o", action=AUTO), scores(tier="high"))

    assert decision.model == "claude-opus-4"
    assert decision.savings_nano_usd < 0
    assert decision.reason == (
        "High-complexity Summarization (0.81): claude-opus-4 promises 0.88,"
        " costs 596 % more than gpt-4o."
    )


def test_a_cheaper_place_of_the_same_model():
    """The same answer for less is a reason to leave the place, not the model."""
    fleet = usual_fleet(
        deployment("gpt-4", "azure", model_class=PREMIUM, price=price(15.0, 30.0)),
    )
    only_best = Mode(floors=Floors(low=0.95, medium=0.9, high=0.85), usd_weight=1.0)
    quality = Routing(modes={"only-best": only_best})
    asked = question("gpt-4", provider="openai", action=AUTO, mode="only-best")
    decision = Desk(fleet, routing=quality).decide(asked)

    assert (decision.model, decision.provider, decision.routed) == ("gpt-4", "azure", False)
    assert decision.reason.endswith("gpt-4 at azure promises 0.96, costs 50 % less than gpt-4.")


def test_the_same_model_at_the_same_price_is_no_reason_to_leave():
    """A path that names the provider is kept, even where another one would do as well."""
    fleet = usual_fleet(deployment("gpt-4o", "azure", price=price(2.5, 10.0)))
    for seed in range(20):
        asked = question("gpt-4o", provider="openai", action=AUTO, mode="sport", seed=seed)
        decision = Desk(fleet).decide(asked)
        assert decision.ranking[:2] == ("openai/gpt-4o", "azure/gpt-4o")


@pytest.mark.parametrize(
    ("asked", "tier", "model"),
    [
        (question("gpt-4", action=AUTO, quality_min=0.85), "medium", "gpt-4o"),
        (question("auto", quality_min=0.9), "medium", "claude-opus-4"),
        (question("auto", quality_min=0.4), "high", "llama-3-8b"),  # replaces the mode's floor
        (question("llama-3-8b", action=AUTO, quality_min=0.9), "medium", "claude-opus-4"),
        (question("auto", cost_usd_max=0.02), "high", "gpt-4o"),
        (question("auto", cost_usd_max=0.001), "high", "llama-3-8b"),
        (question("auto", cost_usd_max=100.0), "high", "claude-opus-4"),
        (question("auto", cost_usd_max=0.02, quality_min=0.65), "high", "gpt-4o"),
    ],
)
def test_the_clients_own_numbers(asked, tier, model):
    """A minimum of quality: the cheapest that meets it. A budget: the best within it."""
    assert Desk().decide(asked, scores(tier=tier)).model == model


def test_reasons_name_the_clients_numbers():
    """What was asked for stands beside what was found."""
    desk, high = Desk(), scores(tier="high")
    floor = desk.decide(question("auto", quality_min=0.65), high)
    budget = desk.decide(question("auto", cost_usd_max=0.02), high)

    assert floor.reason == (
        "High-complexity Summarization (0.81): gpt-4o promises 0.70, is the cheapest of 0.65 or"
        " more, costs 88 % less than gpt-4."
    )
    assert budget.reason == (
        "High-complexity Summarization (0.81): gpt-4o promises 0.70, is the best within 0.02 USD,"
        " costs 88 % less than gpt-4."
    )


@pytest.mark.parametrize(
    ("asked", "config", "error", "message"),
    [
        (
            question("auto", quality_min=0.85, cost_usd_max=0.001),
            {},
            CostLimitExceeded,
            "The cheapest eligible model, gpt-4, may cost 0.111 USD,"
            " more than the limit of 0.001 USD.",
        ),
        (
            question("gpt-4", action=AUTO),
            {"policy": Policy(cost_usd_max=0.00001)},
            CostLimitExceeded,
            "The cheapest eligible model, llama-3-8b, may cost 0.000158 USD,"
            " more than the limit of 0.00001 USD.",
        ),
        (
            question("auto"),
            {"policy": Policy(allowed_models=("gpt-4o",), regions=("eu",))},
            NoEligibleModel,
            "No deployment may serve this request: gpt-4o is not in an allowed region;"
            " gpt-4 is not among the models that the policy allows, is not in an allowed region;"
            " gpt-4o-mini is not among the models that the policy allows, is not in an allowed"
            " region; claude-opus-4 is not among the models that the policy allows, is not in an"
            " allowed region; and 3 more models lack as much or more.",
        ),
        (
            question("auto", regions=("eu",), grant=Grant(models=("gpt-4o", "gpt-4o-mini"))),
            {},
            NoEligibleModel,
            "No deployment may serve this request: gpt-4o is not in an allowed region; gpt-4o-mini"
            " is not in an allowed region; gpt-4 is not among the models that the key may use, is"
            " not in an allowed region; claude-opus-4 is not among the models that the key may use,"
            " is not in an allowed region; and 3 more models lack as much or more."
            " The key may use gpt-4o, gpt-4o-mini.",
        ),
    ],
)
def test_refusals(asked, config, error, message):
    """Where limits leave nothing the error carries the numbers, and what the nearest lacked."""
    with pytest.raises(error) as caught:
        Desk(**config).decide(asked, scores(tier="high"))

    assert caught.value.message == message


def test_an_empty_fleet_refuses():
    """No deployment at all is said in as many words."""
    with pytest.raises(NoEligibleModel) as caught:
        Desk(Fleet((), {}, "none")).decide(question("auto"))

    assert caught.value.message == "No deployment may serve this request: there is none."


def test_a_cost_limit_finds_a_cheaper_one():
    """The policy's limit excludes the client's own model, so another one answers."""
    decision = Desk(policy=Policy(cost_usd_max=0.02)).decide(
        question("gpt-4", action=AUTO), scores(tier="high")
    )

    assert decision.model == "gpt-4o"
    assert decision.within_cost_limit
    assert decision.reason == (
        "gpt-4 may cost 0.111 USD, more than the limit of 0.02."
        " High-complexity Summarization (0.81): gpt-4o promises 0.70, costs 88 % less than gpt-4."
        " No model promises the 0.85 that was looked for."
    )


def test_another_model_where_the_own_one_cannot():
    """A request for auto that the named model cannot serve goes where it can be served."""
    text_only = deployment("text-only", capabilities=Capability.CHAT, price=price(0.01, 0.01))
    decision = Desk(usual_fleet(text_only)).decide(
        question("text-only", action=AUTO), scores(), needs=CHAT
    )

    assert (decision.model, decision.original_model) == ("llama-3-8b", "text-only")
    assert decision.reason.startswith(
        "text-only cannot call tools and cannot read images and has no JSON mode"
        " and does not stream. Low-complexity Summarization (0.12): llama-3-8b"
    )


def test_our_catalogue_never_stands_between_a_client_and_its_model():
    """Where no other model can either, the client's own is asked, with a warning."""
    decision = Desk(policy=Policy(allowed_models=("gpt-4",))).decide(
        question("gpt-4", action=AUTO), scores(), tokens_in=200_000
    )

    assert decision.model == "gpt-4"
    assert decision.warnings == (
        "gpt-4 holds 128000 tokens, fewer than the 200000 of this request, as far as we know.",
    )


def test_health_moves_traffic_before_a_provider_fails():
    """Errors lower what a deployment promises, until the floor of the mode excludes it."""
    errors = {"groq/llama-3-8b": Health(requests=100, error_share=0.2)}

    assert Desk(health=errors).decide(question("auto")).model == "gpt-4o-mini"


def test_an_unavailable_deployment_is_left_out():
    """It is neither chosen nor tried later, as long as there are others."""
    decision = Desk(health={"groq/llama-3-8b": DOWN}).decide(question("auto"))

    assert decision.model == "gpt-4o-mini"
    assert "groq/llama-3-8b" not in decision.ranking
    assert decision.provider_healthy


def test_the_last_resort():
    """Where everything is unavailable, the usual choice is tried all the same."""
    desk = Desk(health={d.id: DOWN for d in usual_fleet().deployments})
    decision = desk.decide(question("auto"))

    assert decision.model == "llama-3-8b"
    assert not decision.provider_healthy
    assert decision.reason.endswith(
        " Nothing else may serve this, so it is tried although it is unavailable right now."
    )


def test_another_model_while_the_own_one_is_down():
    """Even a prompt that keeps its model is answered by another one rather than by an error."""
    decision = Desk(health={"openai/gpt-4": DOWN}).decide(
        question("gpt-4", action=AUTO), scores(tier="high")
    )

    assert decision.model == "claude-opus-4"
    assert decision.reason.startswith("gpt-4 is unavailable right now. High-complexity")


def test_failover_goes_to_the_same_model_first():
    """Then by utility, and at last to the client's own model."""
    fleet = usual_fleet(
        deployment("gpt-4o", "azure", price=price(2.6, 10.0)),
    )
    decision = Desk(fleet).decide(question("gpt-4", action=AUTO), scores(tier="medium"))

    assert decision.ranking == (
        "openai/gpt-4o",
        "azure/gpt-4o",
        "anthropic/claude-sonnet-4",
        "anthropic/claude-opus-4",
        "openai/gpt-4",
    )


def test_load_is_balanced_among_equals():
    """Two deployments of one model at one price share its traffic by weight; seeds repeat."""
    fleet = usual_fleet(
        deployment(
            "llama-3-8b", "local", price=price(0.05, 0.08), model_class=EFFICIENT, weight=3.0
        )
    )
    desk = Desk(fleet)
    first = [desk.decide(question("auto", seed=seed)).ranking[0] for seed in range(400)]
    again = [desk.decide(question("auto", seed=seed)).ranking[0] for seed in range(400)]

    assert first == again
    assert first.count("local/llama-3-8b") / 400 == pytest.approx(0.75, abs=0.06)


def test_a_clients_retry_shuns_what_has_been_failing():
    """Among equals the SDK's second request goes where fewer fail."""
    fleet = usual_fleet(
        deployment("llama-3-8b", "local", price=price(0.05, 0.08), model_class=EFFICIENT)
    )
    errors = {"local/llama-3-8b": Health(requests=1000, error_share=0.04)}
    desk = Desk(fleet, health=errors)

    def local(**asked):
        ranked = [desk.decide(question("eco", seed=k, **asked)).ranking[0] for k in range(300)]
        return ranked.count("local/llama-3-8b")

    assert local() > 90
    assert local(client_retry=1) < 45
