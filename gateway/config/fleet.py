"""All deployments of a configuration: what providers bring, and what the operator adds."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Collection, Mapping

import msgspec

from gateway.config.catalogue import HOMES, OF_KIND, KnownModel
from gateway.config.configured_models import configured_models
from gateway.config.offers import OFFERS, Offer
from gateway.config.prices import configured_price, offered_price, price_list
from gateway.config.problem import ConfigErrors, Problem
from gateway.config.providers import Family
from gateway.config.references import read_references
from gateway.config.schema import Config, DeploymentSettings
from gateway.config.sources import Source, read_sources
from gateway.core.fleet import (
    UNKNOWN_PRICE,
    UNLISTED,
    Deployment,
    Fleet,
    Model,
    ModelClass,
    Price,
    Reference,
)
from gateway.core.request import Kind

DIALECTS: dict[tuple[Kind, Family], str] = {
    (Kind.CHAT, "openai"): "openai_chat",
    (Kind.CHAT, "anthropic"): "anthropic_messages",
    (Kind.COMPLETION, "openai"): "openai_completions",
    (Kind.EMBEDDING, "openai"): "openai_embeddings",
}
ANY_MODEL = KnownModel(  # what nobody described: its limits are only what translations need
    name=UNLISTED,
    model_class=ModelClass.BALANCED,
    family="",
    kind=Kind.CHAT,
    capabilities=OF_KIND[Kind.CHAT],
    context_tokens=128_000,
    output_tokens_max=8192,
)
NOBODY = (
    "nothing can answer: no provider has a key, and simulation is off; set OPENAI_API_KEY or "
    "another key, or simulation.enabled to auto"
)


def build_fleet(
    config: Config,
    environ: Mapping[str, str],
    *,
    on: datetime.date | None = None,
    brought: Collection[str] = (),
) -> Fleet:
    """
    The fleet of *config* at the prices of the day *on* (UTC), today's without one; with the
    providers that tenants have *brought* keys for.

    Deployments stand in order of catalogue, then of provider; those that the operator added come
    last, and replace one with the same id. References to what does not exist are passed over:
    ``check`` reports those.

    Raises:
        ConfigErrors: prices that nobody knows, or nothing that answers.
    """
    day = on or datetime.datetime.now(datetime.UTC).date()
    assembly = _Assembly(config, environ, day, brought)
    assembly.bring()
    assembly.add()
    if not assembly.found and not assembly.problems:
        assembly.problems.append(Problem("$.simulation.enabled", NOBODY))
    if assembly.problems:
        raise ConfigErrors(assembly.problems)
    deployments = tuple(assembly.found.values())
    served = {deployment.model for deployment in deployments}
    models = [known for known in assembly.models.values() if known.name in served]
    references = read_references(config, deployments, price_list(day))
    unlisted = assembly.unlisted()
    return Fleet(
        deployments=deployments,
        models={
            known.name: Model(known.name, known.model_class, known.aliases, known.family)
            for known in models
        },
        version=_version((*deployments, *unlisted), references),
        references=references,
        unlisted=unlisted,
    )


class _Assembly:
    """Collects deployments by id, and the problems of those that cannot be made."""

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        on: datetime.date,
        brought: Collection[str],
    ) -> None:
        self.models = configured_models(config)
        self.found: dict[str, Deployment] = {}
        self.problems: list[Problem] = []
        self._config = config
        self._sources = read_sources(config, environ, brought)
        self._prices = price_list(on)
        self._on = on

    def bring(self) -> None:
        """What the providers serve by themselves."""
        for known in self.models.values():
            home = self._sources.get(HOMES.get(known.family, ""))
            at_home = home is not None and _offer(home, known.name, self._on) is not None
            for source in self._sources.values():
                offer = _offer(source, known.name, self._on)
                if offer is not None and (known.kind, source.family) in DIALECTS:
                    made = self._make(source, known, offer, f"$.providers.{source.name}.models")
                    if at_home and source is not home and made is not None:
                        self.found[made.id] = msgspec.structs.replace(made, weight=0.0)

    def unlisted(self) -> tuple[Deployment, ...]:
        """One place for all other models of each real provider whose models nobody listed."""
        return tuple(
            _deployment(source, ANY_MODEL, Offer(), UNKNOWN_PRICE)
            for source in self._sources.values()
            if not source.simulated and source.models is None
        )

    def add(self) -> None:
        """What the operator adds."""
        for index, added in enumerate(self._config.deployments):
            source = self._sources.get(added.provider)
            known = self.models.get(added.model)
            if source is None or known is None:
                continue
            path = f"$.deployments[{index}]"
            if (known.kind, source.family) not in DIALECTS:
                message = f"the dialect of {source.name} has no endpoint for {known.kind} models"
                self.problems.append(Problem(path, message))
                continue
            offer = OFFERS.get(source.name, {}).get(known.name, Offer())
            if added.upstream_model is not None:
                offer = Offer(added.upstream_model)
            self._make(source, known, offer, path, added)

    def _make(
        self,
        source: Source,
        known: KnownModel,
        offer: Offer,
        path: str,
        added: DeploymentSettings | None = None,
    ) -> Deployment | None:
        price = self._price(source, known, offer, added)
        if price is None:
            message = f"no price is known for {known.name} at {source.name}; "
            where = f"state one under models.{known.name}.price"
            self.problems.append(Problem(path, message + where))
            return None
        made = _deployment(source, known, offer, price)
        if added is not None:
            made = msgspec.structs.replace(
                made,
                id=added.id or made.id,
                region=made.region if added.region is None else added.region,
                weight=added.weight,
            )
        self.found[made.id] = made
        return made

    def _price(
        self,
        source: Source,
        known: KnownModel,
        offer: Offer,
        added: DeploymentSettings | None,
    ) -> Price | None:
        """The price stated nearest: with the deployment, with the model, in the list."""
        settings = self._config.models.get(known.name)
        stated = (added.price if added else None) or (settings.price if settings else None)
        if stated is not None:
            return configured_price(stated)
        writes = known.kind is not Kind.EMBEDDING
        return offered_price(offer, known.name, source.price_list, self._prices, writes=writes)


def _offer(source: Source, model: str, on: datetime.date) -> Offer | None:
    """How *source* serves *model*, None when it does not."""
    offer = OFFERS.get(source.name, {}).get(model)
    if source.models is not None:
        return (offer or Offer()) if model in source.models else None
    if offer is None or (not source.simulated and offer.until and offer.until <= on.isoformat()):
        return None
    return offer


def _deployment(source: Source, known: KnownModel, offer: Offer, price: Price) -> Deployment:
    return Deployment(
        id=f"{source.name}/{known.name}",
        model=known.name,
        provider=source.name,
        upstream_model=offer.upstream or known.name,
        dialect=DIALECTS[known.kind, source.family],
        base_url=source.base_url,
        api_key=source.api_key,
        model_class=known.model_class,
        capabilities=known.capabilities,
        context_tokens=offer.context_tokens or known.context_tokens,
        output_tokens_max=known.output_tokens_max,
        price=price,
        region=source.region,
        timeouts=source.timeouts,
        simulated=source.simulated,
        brought=source.brought,
        headers=source.headers,
        omit=tuple(dict.fromkeys((*source.omit, *known.omit))),
    )


def _version(deployments: tuple[Deployment, ...], references: dict[str, Reference]) -> str:
    """Hash of everything but secrets, which headers may hold too."""
    bare = [
        msgspec.structs.replace(one, api_key=None, headers=dict.fromkeys(one.headers, ""))
        for one in deployments
    ]
    encoded = msgspec.json.encode((bare, references), order="deterministic")
    return hashlib.blake2b(encoded, digest_size=6).hexdigest()
