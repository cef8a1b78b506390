"""Everything that a configuration may refer to by name, and what to say of a name that is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gateway.config.catalogue import KnownModel
from gateway.config.configured_models import configured_models
from gateway.config.offers import OFFERS
from gateway.config.problem import Problem, unknown
from gateway.config.providers import PROVIDERS
from gateway.config.schema import MODE_ALIASES, MODES, Config, Mode
from gateway.config.sources import provider_names
from models.scores import TASK_TYPES

NO_PREFIX = "; name the provider in a setting of its own"


class Known(msgspec.Struct, frozen=True):
    """Names of a configuration. *names* holds every name and alias in lower case -> model."""

    models: dict[str, KnownModel]
    names: dict[str, str]
    providers: tuple[str, ...]
    served: dict[str, frozenset[str]]  # provider -> models
    modes: dict[str, Mode]
    virtual: dict[str, str]
    regions: frozenset[str]

    def model(self, path: str, name: str) -> Iterator[Problem]:
        """The problem of a *name* at *path* that is no model."""
        if name.lower() not in self.names:
            message = unknown("model", name, [*self.names, *self.virtual])
            tail = name.partition("/")[2].lower()
            yield Problem(path, message + (NO_PREFIX if tail in self.names else ""))

    def named_by_client(self, path: str, name: str) -> Iterator[Problem]:
        """As ``model``, for a setting that may name a virtual model too."""
        if name not in self.virtual:
            yield from self.model(path, name)

    def provider(self, path: str, name: str) -> Iterator[Problem]:
        """The problem of a *name* at *path* that is no provider."""
        if name not in self.providers:
            yield Problem(path, unknown("provider", name, self.providers))

    def mode(self, path: str, name: str) -> Iterator[Problem]:
        """The problem of a *name* at *path* that is no mode."""
        if name not in self.modes and name not in MODE_ALIASES:
            yield Problem(path, unknown("mode", name, [*self.modes, *MODE_ALIASES]))

    def task(self, path: str, name: str) -> Iterator[Problem]:
        """The problem of a *name* at *path* that is no task type."""
        if name not in TASK_TYPES:
            lowered = {task.lower(): task for task in TASK_TYPES}
            meant = lowered.get(name.lower().replace("-", " ").replace("_", " "))
            close = f"; did you mean '{meant}'?" if meant else ""
            choice = ", ".join(TASK_TYPES)
            yield Problem(path, f"no task type is called '{name}'{close or f'; one of {choice}'}")

    def canonical(self, name: str) -> str:
        """The model behind *name*, or *name* itself where there is none."""
        return self.names.get(name.lower(), name)


def known_names(config: Config) -> Known:
    """What *config* may refer to."""
    models = configured_models(config)
    names = _names(list(models.values()))
    return Known(
        models=models,
        names=names,
        providers=tuple(provider_names(config)),
        served={name: frozenset(_served(config, name, names)) for name in provider_names(config)},
        modes={**MODES, **config.routing.modes},
        virtual=config.routing.virtual_models,
        regions=frozenset(_regions(config)) - {""},
    )


def _names(models: list[KnownModel]) -> dict[str, str]:
    """Names before aliases; the first that claims a name keeps it."""
    names = {model.name.lower(): model.name for model in models}
    for model in models:
        for alias in model.aliases:
            names.setdefault(alias.lower(), model.name)
    return names


def _served(config: Config, provider: str, names: dict[str, str]) -> Iterator[str]:
    settings = config.providers.get(provider)
    listed = settings.models if settings is not None else None
    for model in OFFERS.get(provider, {}) if listed is None else listed:
        yield names.get(model.lower(), model)
    for added in config.deployments:
        if added.provider == provider:
            yield names.get(added.model.lower(), added.model)


def _regions(config: Config) -> Iterable[str]:
    yield from (provider.region for provider in PROVIDERS.values())
    yield from (settings.region or "" for settings in config.providers.values())
    yield from (added.region or "" for added in config.deployments)
