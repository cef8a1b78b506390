"""The catalogue as a configuration changes it."""

from __future__ import annotations

from gateway.config.catalogue import CATALOGUE
from gateway.config.configured_models import configured_models
from gateway.config.decode import decode
from gateway.core.fleet import Capability
from gateway.core.request import Kind


def configured(models):
    """The models of a configuration."""
    return configured_models(decode({"models": models}))


def test_a_configuration_that_says_nothing():
    """The catalogue as it is."""
    assert configured({}) == CATALOGUE


def test_a_known_model_keeps_what_is_not_said():
    """Only what is stated changes, and aliases are added."""
    known = CATALOGUE["gpt-4o"]
    model = configured({"gpt-4o": {"aliases": ["our-own"], "vision": False, "class": "premium"}})[
        "gpt-4o"
    ]

    assert model.aliases == (*known.aliases, "our-own")
    assert model.model_class == "premium"
    assert model.capabilities == known.capabilities & ~Capability.VISION
    assert (model.context_tokens, model.output_tokens_max) == (128_000, 16_384)


def test_a_model_of_ones_own():
    """It can what is said, comes last, and is a family of its own."""
    models = configured(
        {
            "mine": {
                "class": "balanced",
                "context_tokens": 1000,
                "output_tokens_max": 100,
                "tools": True,
            }
        }
    )

    assert list(models)[-1] == "mine"
    assert models["mine"].capabilities == Capability.CHAT | Capability.STREAM | Capability.TOOLS
    assert (models["mine"].kind, models["mine"].family) == (Kind.CHAT, "mine")


def test_the_kind_of_a_model():
    """An embedding model serves its own endpoint only."""
    model = configured({"mine": {"kind": "embedding", "class": "efficient", "context_tokens": 9}})

    assert model["mine"].capabilities == Capability.EMBEDDINGS
    assert model["mine"].output_tokens_max == 0
