"""The models that costs are compared with, at a price although nobody may serve them any more."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.config.catalogue import HOMES, KnownModel
from gateway.config.known import known_names
from gateway.config.offers import OFFERS
from gateway.config.prices import PriceList, configured_price, offered_price
from gateway.config.providers import PROVIDERS
from gateway.config.schema import Config
from gateway.core.fleet import Deployment, Price, Reference
from gateway.core.request import Kind

COMPARED = "gpt-4"  # by NeuralRouting's dispatch, whose metric is named for it


def read_references(
    config: Config, deployments: Sequence[Deployment], prices: PriceList
) -> dict[str, Reference]:
    """
    The configured baseline and COMPARED, each under that very name. A model that is not known, or
    has no price anywhere, is passed over: ``check`` reports it.
    """
    known = known_names(config)
    found: dict[str, Reference] = {}
    for name in (config.routing.baseline_model, COMPARED):
        model = known.models.get(known.canonical(name))
        reference = None if model is None else _reference(model, config, deployments, prices)
        if reference is not None:
            found[name] = reference
    return found


def _reference(
    model: KnownModel, config: Config, deployments: Sequence[Deployment], prices: PriceList
) -> Reference | None:
    """*model* as it is served here, by its maker if possible; else at the price that is known."""
    home = HOMES.get(model.family)
    served = [deployment for deployment in deployments if deployment.model == model.name]
    if served:
        nearest = next((one for one in served if one.provider == home), served[0])
        return Reference(model.name, nearest.price, nearest.output_tokens_max)
    settings = config.models.get(model.name)
    if settings is not None and settings.price is not None:
        price: Price | None = configured_price(settings.price)
    else:
        price = _listed(model, home, prices)
    return None if price is None else Reference(model.name, price, model.output_tokens_max)


def _listed(model: KnownModel, home: str | None, prices: PriceList) -> Price | None:
    """The first listed price: the maker's, then in order of provider. A shutdown ends none."""
    writes = model.kind is not Kind.EMBEDDING
    for provider in sorted(PROVIDERS.values(), key=lambda one: one.name != home):
        offer = OFFERS.get(provider.name, {}).get(model.name)
        if offer is not None:
            price = offered_price(offer, model.name, provider.price_list, prices, writes=writes)
            if price is not None:
                return price
    return None
