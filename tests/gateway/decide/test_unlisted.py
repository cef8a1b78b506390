"""Models that the catalogue does not know."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.schema import Policy, Routing
from gateway.core.errors import ModelNotFound
from gateway.core.fleet import UNKNOWN_PRICE, UNLISTED
from gateway.core.request import RouteAction
from gateway.decide.explain import explain
from gateway.ledger.fee import fee_of
from models.scores import UNASKED
from tests.gateway.decide.samples import Desk, deployment, question, signals, usual_fleet

TUNED = "ft:gpt-4o:acme::x1"
PLACE = deployment(UNLISTED, "openai", price=UNKNOWN_PRICE, region="eu-west")
FLEET = msgspec.structs.replace(usual_fleet(), unlisted=(PLACE,))


@pytest.mark.parametrize(
    "asked",
    [
        question(TUNED, provider="openai"),
        question(f"openai/{TUNED}"),
        question(f"OpenAI/{TUNED}"),
        question(f"openai/{TUNED}", provider="openai"),
        question(TUNED, provider="openai", action=RouteAction.OBSERVE),
        question(TUNED, provider="openai", regions=("eu",)),
    ],
)
def test_an_unknown_model_is_served_as_asked(asked):
    """The client named the provider, so it is asked; nothing is known of the price."""
    decision = Desk(FLEET).decide(asked, UNASKED)

    assert decision.ranking == ("openai/*",)
    assert (decision.model, decision.original_model, decision.routed) == (TUNED, TUNED, False)
    assert decision.cost_nano_usd == 0
    assert decision.cost_original_nano_usd is None
    assert decision.warnings[0].startswith("unpriced: ")
    assert fee_of(decision, 0.05).amount_nano_usd == 0


@pytest.mark.parametrize(
    ("asked", "config"),
    [
        (question(TUNED), {}),  # at whom?
        (question(f"groq/{TUNED}"), {}),  # it serves no such models
        (question(TUNED, provider="openai", action=RouteAction.AUTO), {}),
        (question(TUNED, provider="openai", mode="eco"), {}),
        (question(TUNED, provider="openai"), {"routing": Routing(action=RouteAction.CUSTOM)}),
        (question(TUNED, provider="openai", regions=("us",)), {}),
        (
            question(TUNED, provider="openai", cost_usd_max=1.0, action=RouteAction.DISABLED),
            {},
        ),
        *(
            (question(TUNED, provider="openai"), {"policy": policy})
            for policy in (
                Policy(allowed_models=("gpt-4",)),
                Policy(denied_models=("gpt-4",)),
                Policy(denied_providers=("OpenAI",)),
                Policy(cost_usd_max=1.0),
                Policy(cost_usd_max=0.0),
                Policy(regions=("us",)),
            )
        ),
    ],
)
def test_an_unknown_model_is_not_here(asked, config):
    """Nobody chooses it, and no limit is risked for it."""
    with pytest.raises(ModelNotFound):
        Desk(FLEET, **config).decide(asked, UNASKED)


def test_an_unknown_model_is_explained():
    """There is nothing to weigh, and the decision is the same."""
    desk, asked = Desk(FLEET), question(TUNED, provider="openai")
    found = explain(asked, signals(), UNASKED, desk.policies.default, desk.view)

    assert found.decision == desk.decide(asked, UNASKED)
    assert found.candidates == ()
