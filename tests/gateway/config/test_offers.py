"""Which provider serves which model."""

from __future__ import annotations

import datetime

import pytest

from gateway.config.catalogue import CATALOGUE
from gateway.config.offers import OFFERS
from gateway.config.prices import offered_price, price_list
from gateway.config.providers import PROVIDERS
from gateway.core.request import Kind

EVERY = [(provider, model) for provider, offers in OFFERS.items() for model in offers]


@pytest.mark.parametrize(("provider", "model"), EVERY)
def test_an_offer_is_of_a_known_model_and_has_a_price(provider, model):
    """Nothing is free by omission: an embedding alone has no price of the output."""
    known, offer = CATALOGUE[model], OFFERS[provider][model]
    writes = known.kind is not Kind.EMBEDDING
    prices = price_list(datetime.date(2026, 11, 25))

    price = offered_price(offer, model, PROVIDERS[provider].price_list, prices, writes=writes)

    assert price.input > 0
    assert price.output > 0 or not writes
    assert price.date
    assert price.source


@pytest.mark.parametrize(("provider", "model"), EVERY)
def test_a_shutdown_is_a_date(provider, model):
    """ISO dates compare as text."""
    until = OFFERS[provider][model].until

    assert until == "" or datetime.date.fromisoformat(until).isoformat() == until


def test_every_model_is_offered():
    """A model that nobody serves has no place in the catalogue."""
    assert {model for _, model in EVERY} == CATALOGUE.keys()
