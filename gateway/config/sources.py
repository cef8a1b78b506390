"""Which providers answer in a configuration: those with credentials, or simulated ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from gateway.config.providers import PROVIDERS, Family
from gateway.config.schema import Config, ProviderSettings
from gateway.config.secrets import Secret, SecretError, resolve, resolve_text
from gateway.core.fleet import Timeouts


class Source(msgspec.Struct, frozen=True):
    """
    A provider as this configuration reaches it. *models* are names of ours, None: those that it is
    known to serve.
    """

    name: str
    base_url: str
    family: Family
    api_key: Secret | None
    headers: dict[str, str]
    omit: tuple[str, ...]
    region: str
    timeouts: Timeouts
    simulated: bool
    price_list: str | None
    models: tuple[str, ...] | None
    brought: bool = False  # only tenants have keys for it


def read_sources(
    config: Config, environ: Mapping[str, str], brought: Collection[str] = ()
) -> dict[str, Source]:
    """
    The providers that answer, known ones first. Tenants have keys of their own for those that are
    *brought*.

    A known provider is real when it has a key, in the configuration or in its environment
    variable; any provider is when it has a base URL of its own. Simulated are those that ask for
    it; and every other known one while simulation is on, or automatically while nothing is real.
    References that lead nowhere count as no key here: ``check`` reports them.
    """
    real: dict[str, Source] = {}
    asked: list[str] = []
    for name in provider_names(config):
        settings = config.providers.get(name, ProviderSettings())
        if settings.simulated:
            asked.append(name)
        elif found := _real(name, settings, environ):
            real[name] = found
    mode = config.simulation.enabled
    if mode == "on" or (mode == "auto" and not real):
        asked += PROVIDERS
    for name in brought:
        if name not in real and (found := _brought(name, config, environ)):
            real[name] = found
    return {
        name: real[name] if name in real else _simulated(name, config.providers.get(name))
        for name in provider_names(config)
        if name in real or name in asked
    }


def provider_names(config: Config) -> list[str]:
    """Every provider that is known or configured, known ones first."""
    return [*PROVIDERS, *(name for name in config.providers if name not in PROVIDERS)]


def found_key(name: str, settings: ProviderSettings, environ: Mapping[str, str]) -> Secret | None:
    """The key of a provider: the configured one, else that of its environment variable."""
    known = PROVIDERS.get(name)
    references = [settings.api_key] if settings.api_key is not None else []
    if not references and known is not None:
        references = [f"env:{variable}" for variable in known.keys if environ.get(variable)]
    for reference in references:
        try:
            return resolve(reference, environ)
        except SecretError:
            continue
    return None


def _real(name: str, settings: ProviderSettings, environ: Mapping[str, str]) -> Source | None:
    known = PROVIDERS.get(name)
    base_url = settings.base_url or (known.base_url if known is not None else None)
    key = found_key(name, settings, environ)
    if base_url is None or (settings.base_url is None and key is None):
        return None
    return _source(name, settings, base_url.rstrip("/"), key, environ)


def _brought(name: str, config: Config, environ: Mapping[str, str]) -> Source | None:
    """A known provider that the operator has no key for."""
    known = PROVIDERS.get(name)
    if known is None or known.base_url is None:
        return None
    settings = config.providers.get(name, ProviderSettings())
    source = _source(name, settings, known.base_url.rstrip("/"), None, environ)
    return msgspec.structs.replace(source, brought=True)


def _simulated(name: str, settings: ProviderSettings | None) -> Source:
    bare = msgspec.structs.replace(settings or ProviderSettings(), headers={})
    source = _source(name, bare, f"simulated://{name}", None, {})
    return msgspec.structs.replace(source, simulated=True)


def _source(
    name: str,
    settings: ProviderSettings,
    base_url: str,
    key: Secret | None,
    environ: Mapping[str, str],
) -> Source:
    known = PROVIDERS.get(name)
    family = settings.dialect or (known.family if known is not None else "openai")
    omit = settings.omit if settings.omit is not None else (known.omit if known else ())
    region = settings.region if settings.region is not None else (known.region if known else "")
    return Source(
        name=name,
        base_url=base_url,
        family=family,
        api_key=key,
        headers=_headers(settings, environ),
        omit=omit,
        region=region,
        timeouts=Timeouts(**msgspec.structs.asdict(settings.timeouts)),
        simulated=False,
        price_list=known.price_list if known is not None else None,
        models=settings.models,
    )


def _headers(settings: ProviderSettings, environ: Mapping[str, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in settings.headers.items():
        try:
            headers[name.lower()] = resolve_text(value, environ)
        except SecretError:
            continue
    return headers
