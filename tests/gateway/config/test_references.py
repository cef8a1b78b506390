"""What costs are compared with: a price, whoever serves the model."""

from __future__ import annotations

import datetime

import pytest

from gateway.config.decode import decode
from gateway.config.fleet import build_fleet
from gateway.config.offers import OFFERS
from gateway.config.prices import price_list
from gateway.config.references import COMPARED, read_references
from gateway.decide.policy import compile_policies

ON = datetime.date(2026, 11, 25)  # a month after gpt-4 was shut down
GPT_4_USD = 30_000_000, 60_000_000  # pico-USD per token


def fleet(tree=None, **environ):
    """The fleet of a well-formed *tree*."""
    return build_fleet(decode(tree), environ, on=ON)


def baseline(name, tree=None, **environ):
    """The reference of *name* where that is the configured baseline."""
    tree = {**(tree or {}), "routing": {"baseline_model": name}}
    return fleet(tree, **environ).references.get(name)


def prices_of(reference):
    """Input and output."""
    return reference.price.input, reference.price.output


@pytest.mark.parametrize("environ", [{}, {"ANTHROPIC_API_KEY": "sk"}, {"OPENAI_API_KEY": "sk"}])
def test_the_default_baseline_has_a_price(environ):
    """Simulated, never served, or served no more: gpt-4 costs what it did."""
    found = fleet(**environ)
    reference = found.references[COMPARED]

    assert ("gpt-4" in found.models) is not environ
    assert (reference.model, reference.output_tokens_max) == ("gpt-4", 8_192)
    assert prices_of(reference) == GPT_4_USD


@pytest.mark.parametrize("name", ["gpt-4-0613", "GPT-4"])
def test_a_baseline_by_another_name(name):
    """It is found under the configured name, and called by ours; COMPARED is there as well."""
    found = fleet({"routing": {"baseline_model": name}}, ANTHROPIC_API_KEY="sk").references

    assert found.keys() == {name, COMPARED}
    assert found[name].model == "gpt-4"


def test_the_makers_own_deployment_comes_first():
    """Who resells the model is not asked while its maker serves it here, at any price."""
    tree = {
        "deployments": [
            {"model": "gpt-4o", "provider": "openrouter", "price": {"input": 1, "output": 1}},
            {"model": "gpt-4o", "provider": "openai", "price": {"input": 7, "output": 8}},
        ]
    }
    both = baseline("gpt-4o", tree, OPENAI_API_KEY="a", OPENROUTER_API_KEY="b")
    alone = baseline("gpt-4o", {"deployments": tree["deployments"][:1]}, OPENROUTER_API_KEY="b")

    assert prices_of(both) == (7_000_000, 8_000_000)
    assert prices_of(alone) == (1_000_000, 1_000_000)


def test_a_stated_price_comes_before_the_list():
    """Also of a model that nobody serves here."""
    tree = {"models": {"gpt-4": {"price": {"input": 3, "output": 4}, "output_tokens_max": 50}}}
    found = baseline("gpt-4", tree, ANTHROPIC_API_KEY="sk")

    assert prices_of(found) == (3_000_000, 4_000_000)
    assert (found.output_tokens_max, found.price.source) == (50, "configuration")


def test_every_known_model_may_be_the_baseline():
    """Whatever is offered somewhere has a price with a date, served here or not."""
    for name in {model for offers in OFFERS.values() for model in offers}:
        config = decode({"routing": {"baseline_model": name}})
        found = read_references(config, (), price_list(ON))[name]

        assert found.price.input > 0
        assert found.price.date


def test_a_baseline_that_nobody_knows():
    """No price is made up; ``check`` reports the name."""
    assert baseline("gpt-9", ANTHROPIC_API_KEY="sk") is None


def test_versions_change_with_the_price_of_the_baseline():
    """Estimated savings depend on it, so fleet and policy are others, though nobody serves it."""
    tree = {"models": {"gpt-4": {"price": {"input": 3, "output": 4}}}}
    listed, stated = decode(None), decode(tree)
    fleets = [fleet(ANTHROPIC_API_KEY="sk"), fleet(tree, ANTHROPIC_API_KEY="sk")]
    policies = [
        compile_policies(config, one) for config, one in zip((listed, stated), fleets, strict=True)
    ]

    assert fleets[0].deployments == fleets[1].deployments
    assert fleets[0].version != fleets[1].version
    assert policies[0].version != policies[1].version
    assert policies[0].default.version != policies[1].default.version
