"""The models we know."""

from __future__ import annotations

import collections
import datetime

import pytest

from gateway.config.catalogue import CATALOGUE, MODELS, capabilities
from gateway.config.offers import OFFERS
from gateway.config.prices import price_list
from gateway.config.providers import PROVIDERS
from gateway.config.schema import VIRTUAL_MODELS
from gateway.core.fleet import Capability, ModelClass
from gateway.core.request import Kind


def test_a_name_means_one_model():
    """No name or alias is claimed twice, or by a virtual model."""
    names = collections.Counter(
        name.lower() for model in MODELS for name in (model.name, *model.aliases)
    )

    assert [name for name, times in names.items() if times > 1] == []
    assert names.keys().isdisjoint(VIRTUAL_MODELS)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4", "gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo", "claude-sonnet-4-20250514",
        "claude-3-5-haiku-20241022", "claude-3-5-sonnet-20241022", "claude-sonnet-4",
        "llama-3.1-70b-versatile", "llama-3.1-8b-instant", "llama-3-8b", "gemini-2.0-flash",
        "google/gemini-2.0-flash", "meta-llama/llama-3-8b-instruct", "mistral-large-latest",
        "deepseek-chat", "command-r-plus", "text-embedding-3-small", "gpt-3.5-turbo-instruct",
    ],
)  # fmt: skip
def test_names_that_client_documentation_uses(name):
    """They are names or aliases, and somebody serves them."""
    model = next(model for model in MODELS if name in (model.name, *model.aliases))

    assert any(model.name in offers for offers in OFFERS.values())


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_limits_are_sound(model):
    """An answer fits the context, and only embeddings write nothing."""
    assert 0 <= model.output_tokens_max <= model.context_tokens
    assert (model.output_tokens_max == 0) is (model.kind is Kind.EMBEDDING)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_context_agrees_with_the_price_list(model):
    """No context is more than a twentieth above what the list says of the model's own maker."""
    listed = price_list(datetime.date(2026, 11, 25))
    for provider in ("openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "cohere"):
        offer = OFFERS[provider].get(model.name)
        if offer is not None:
            name = offer.upstream or model.name
            said = listed.context_tokens(PROVIDERS[provider].price_list, name)
            assert said is None or model.context_tokens <= said * 1.05


def test_every_class_has_models_of_three_makers():
    """Routing has something to choose from."""
    makers = {
        rank: {m.family for m in MODELS if m.model_class is rank and m.kind is Kind.CHAT}
        for rank in ModelClass
    }

    assert all(len(found) >= 3 for found in makers.values())


def test_makers_tiers_are_our_classes():
    """Their small, middle and large models are our three classes."""
    rank = {name: CATALOGUE[name].model_class.value for name in CATALOGUE}

    assert [rank[f"gpt-{n}"] for n in ("6-luna", "6.1-terra", "6.1-sol")] == list(ModelClass)
    assert [rank[f"claude-{n}"] for n in ("haiku-5-5", "sonnet-5-5", "opus-5-5")] == list(
        ModelClass
    )
    assert [rank["gpt-4o-mini"], rank["gpt-4o"], rank["gpt-4"]] == list(ModelClass)


@pytest.mark.parametrize(
    ("kind", "letters", "bits"),
    [
        (Kind.CHAT, "", Capability.CHAT | Capability.STREAM),
        (
            Kind.CHAT,
            "tvj",
            Capability.CHAT
            | Capability.STREAM
            | Capability.TOOLS
            | Capability.VISION
            | Capability.JSON,
        ),
        (Kind.EMBEDDING, "", Capability.EMBEDDINGS),
        (Kind.COMPLETION, "", Capability.COMPLETIONS | Capability.STREAM),
    ],
)
def test_capabilities(kind, letters, bits):
    """The kind brings its endpoint, letters bring the rest."""
    assert capabilities(kind, letters) == bits
