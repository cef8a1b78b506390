"""Names that clients say: the models they stand for, and what to answer where there is none."""

from __future__ import annotations

from gateway.config.catalogue import CATALOGUE
from gateway.config.offers import OFFERS
from gateway.core.errors import InvalidRequest, ModelNotFound
from gateway.core.fleet import Capability
from gateway.core.question import Question
from gateway.decide.fleet_view import FleetRows, Named

TO_ADD = "A configuration adds a model under models and deployments."


def find_own(question: Question, rows: FleetRows) -> Named:
    """
    The model that the client named, at the provider it came by.

    Raises:
        ModelNotFound: nobody serves it, or not that provider.
    """
    own = rows.find(question.model, question.provider)
    if own is not None:
        return own
    if question.provider is not None and rows.find(question.model) is not None:
        message = f"The provider {question.provider} does not serve the model {question.model}."
    else:
        message = f"No deployment serves the model {question.model}. {why_missing(question.model)}"
    raise ModelNotFound(message + close_to(question.model, rows), param="model")


def find_pin(name: str, rows: FleetRows) -> Named:
    """
    The model that the client prefers.

    Raises:
        InvalidRequest: nobody serves it.
    """
    pin = rows.find(name)
    if pin is None:
        message = f"The preferred model is {name}, which no deployment serves."
        raise InvalidRequest(message + close_to(name, rows), param="prefer_model")
    return pin


def close_to(name: str, rows: FleetRows) -> str:
    """A further sentence with names that are here and look like *name*; "" where none does."""
    close = rows.close_names(name)
    return f" Close names: {', '.join(close)}." if close else ""


def why_missing(name: str) -> str:
    """
    What the catalogue says of a model that nobody serves here: who offers it, and until when. No
    clock is asked, so a date that is over is told like one to come.
    """
    name = name.lower()
    provider, _, rest = name.partition("/")
    name = rest if provider in OFFERS else name
    model = next((one.name for one in CATALOGUE.values() if name in (one.name, *one.aliases)), name)
    offers = [
        f"{provider} (until {offer[model].until})" if offer[model].until else provider
        for provider, offer in OFFERS.items()
        if model in offer
    ]
    if offers:
        return f"The catalogue knows it of {', '.join(offers)}; none of these serves it here now."
    return f"It is not in the catalogue. {TO_ADD}"


def no_embedding_named(name: str, rows: FleetRows) -> InvalidRequest:
    """Vectors of two models cannot be compared, so nobody but the client can choose one."""
    models = dict.fromkeys(
        deployment.model
        for deployment in rows.fleet.deployments
        if deployment.capabilities & Capability.EMBEDDINGS
    )
    such = f", such as {next(iter(models))}" if models else ""
    return InvalidRequest(
        f"{name} cannot embed: vectors of different models do not mix. Name an embedding"
        f" model{such}.",
        param="model",
    )
