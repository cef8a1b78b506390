"""The providers we know."""

from __future__ import annotations

import pytest

from gateway.config.check_providers import _base_url
from gateway.config.offers import OFFERS
from gateway.config.providers import PROVIDERS

SPOKEN = [provider for provider in PROVIDERS.values() if provider.base_url is not None]


def test_every_provider_that_clients_may_name():
    """The names stand in paths of published clients."""
    assert set(PROVIDERS) == {
        "openai", "anthropic", "gemini", "cohere", "openrouter", "perplexity", "mistral", "groq",
        "deepseek", "together", "xai", "fireworks", "anyscale", "huggingface", "azure", "bedrock",
        "vertex-ai",
    }  # fmt: skip


@pytest.mark.parametrize("provider", SPOKEN, ids=lambda provider: provider.name)
def test_a_provider_that_we_reach(provider):
    """It has a sound base URL without a slash at its end, and a variable for its key."""
    assert list(_base_url("$", provider.base_url)) == []
    assert provider.base_url.startswith("https://")
    assert not provider.base_url.endswith("/")
    assert provider.keys


def test_variables_of_keys_are_not_shared():
    """A key belongs to one provider."""
    variables = [variable for provider in PROVIDERS.values() for variable in provider.keys]

    assert len(variables) == len(set(variables))


def test_every_provider_offers_something():
    """Both tables speak of the same providers."""
    assert OFFERS.keys() == PROVIDERS.keys()
    assert all(OFFERS.values())
