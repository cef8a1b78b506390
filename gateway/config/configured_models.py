"""The catalogue as a configuration changes it."""

from __future__ import annotations

from gateway.config.catalogue import CATALOGUE, KnownModel, capabilities
from gateway.config.schema import Config, ModelSettings
from gateway.core.fleet import Capability, ModelClass
from gateway.core.request import Kind


def configured_models(config: Config) -> dict[str, KnownModel]:
    """Every model that a configuration may name: the known ones, then its own."""
    changed = {
        name: _configured(name, CATALOGUE.get(name), settings)
        for name, settings in config.models.items()
    }
    return {**CATALOGUE, **changed}


def _configured(name: str, known: KnownModel | None, settings: ModelSettings) -> KnownModel:
    """*known* where *settings* say nothing. ``check`` demands what a model of one's own lacks."""
    kind = Kind(settings.kind) if settings.kind is not None else known.kind if known else Kind.CHAT
    return KnownModel(
        name=name,
        model_class=settings.model_class or (known.model_class if known else ModelClass.EFFICIENT),
        family=settings.family or (known.family if known else name),
        kind=kind,
        capabilities=_capabilities(kind, known, settings),
        context_tokens=settings.context_tokens or (known.context_tokens if known else 1),
        output_tokens_max=settings.output_tokens_max or (known.output_tokens_max if known else 0),
        aliases=tuple(dict.fromkeys((*(known.aliases if known else ()), *settings.aliases))),
        omit=known.omit if known else (),
    )


def _capabilities(kind: Kind, known: KnownModel | None, settings: ModelSettings) -> Capability:
    found = capabilities(kind, "")
    for flag, wanted in (
        (Capability.TOOLS, settings.tools),
        (Capability.VISION, settings.vision),
        (Capability.JSON, settings.json),
    ):
        if wanted or (wanted is None and known is not None and flag in known.capabilities):
            found |= flag
    return found
