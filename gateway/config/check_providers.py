"""Providers, models and deployments of a configuration: what is missing and what contradicts."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gateway.config.catalogue import CATALOGUE
from gateway.config.known import Known
from gateway.config.problem import Problem, hint
from gateway.config.providers import PROVIDERS
from gateway.config.schema import Config, ModelSettings, PriceSettings, ProviderSettings
from gateway.config.secrets import SecretError, is_reference, resolve
from gateway.config.sources import read_sources
from gateway.config.yaml_tree import child

INSIDE = (".local", ".internal", ".svc", ".cluster.local", ".localhost")
NEEDED = ("class", "context_tokens", "output_tokens_max")  # of a model that we do not know
SIMULATED_ONLY = (
    "speaks a dialect of its own that we do not speak yet: it is simulated only; remove its key, "
    "or state the base_url of an endpoint of the OpenAI dialect"
)


def provider_problems(
    config: Config, known: Known, environ: Mapping[str, str]
) -> Iterator[Problem]:
    """Problems of ``providers``."""
    for name, settings in config.providers.items():
        path = child("$.providers", name)
        yield from _identity(path, name, settings, config)
        yield from _secrets(path, settings, environ)
        if settings.base_url is not None:
            yield from _base_url(f"{path}.base_url", settings.base_url)
        for index, model in enumerate(settings.models or ()):
            if model not in known.models:
                yield from known.model(f"{path}.models[{index}]", model)
                if known.canonical(model) != model:
                    message = f"'{model}' is an alias; write '{known.canonical(model)}'"
                    yield Problem(f"{path}.models[{index}]", message)
        times = settings.timeouts
        for part in ("connect_s", "first_token_s", "inter_token_s"):
            if getattr(times, part) > times.total_s:
                message = f"{getattr(times, part):g} s is more than total_s, {times.total_s:g} s"
                yield Problem(f"{path}.timeouts.{part}", message)


def model_problems(config: Config, known: Known) -> Iterator[Problem]:
    """Problems of ``models``."""
    for name, settings in config.models.items():
        path = child("$.models", name)
        if name not in CATALOGUE:
            yield from _complete(path, name, settings, known)
        for index, alias in enumerate(settings.aliases):
            owner = known.names[alias.lower()]
            if owner != name:
                yield Problem(f"{path}.aliases[{index}]", f"'{alias}' is a name of {owner} already")
        if settings.price is not None:
            yield from _price(f"{path}.price", settings.price)


def deployment_problems(
    config: Config, known: Known, environ: Mapping[str, str]
) -> Iterator[Problem]:
    """Problems of ``deployments``."""
    sources = read_sources(config, environ)
    ids: dict[str, int] = {}
    for index, added in enumerate(config.deployments):
        path = f"$.deployments[{index}]"
        name = added.id or f"{added.provider}/{added.model}"
        if name in ids:
            yield Problem(path, f"has the id of deployments[{ids[name]}], '{name}'; state another")
        ids.setdefault(name, index)
        if added.model not in known.models:
            yield from known.model(f"{path}.model", added.model)
            if known.canonical(added.model) != added.model:
                message = f"'{added.model}' is an alias; write '{known.canonical(added.model)}'"
                yield Problem(f"{path}.model", message)
        yield from known.provider(f"{path}.provider", added.provider)
        if added.provider in known.providers and added.provider not in sources:
            message = f"{added.provider} has no key: it cannot serve anything"
            yield Problem(f"{path}.provider", message)
        if added.price is not None:
            yield from _price(f"{path}.price", added.price)


def _identity(
    path: str, name: str, settings: ProviderSettings, config: Config
) -> Iterator[Problem]:
    known = PROVIDERS.get(name)
    if "/" in name or not name:
        yield Problem(path, "a provider's name stands in paths: no slash, not empty")
    if settings.simulated and settings.api_key is not None:
        yield Problem(f"{path}.api_key", "a simulated provider takes no key: remove one of the two")
    if known is not None:
        if known.base_url is None and settings.api_key is not None and settings.base_url is None:
            yield Problem(f"{path}.api_key", f"{name} {SIMULATED_ONLY}")
        return
    if settings.base_url is None and not settings.simulated:
        message = f"required, because we do not know a provider '{name}'{hint(name, PROVIDERS)}"
        yield Problem(f"{path}.base_url", message)
    if not settings.models and not any(one.provider == name for one in config.deployments):
        yield Problem(f"{path}.models", f"required, because we do not know what {name} serves")


def _secrets(
    path: str, settings: ProviderSettings, environ: Mapping[str, str]
) -> Iterator[Problem]:
    references = {} if settings.api_key is None else {f"{path}.api_key": settings.api_key}
    for name, value in settings.headers.items():
        if is_reference(value):
            references[child(f"{path}.headers", name)] = value
        elif not value.isascii() or not value.isprintable():
            yield Problem(child(f"{path}.headers", name), "holds a character no header may hold")
    for place, reference in references.items():
        try:
            resolve(reference, environ)
        except SecretError as error:
            yield Problem(place, str(error))


def _base_url(path: str, url: str) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        yield Problem(path, f"not a URL: {error}")
        return
    if parts.scheme not in ("http", "https") or not host:
        yield Problem(path, "expected a URL such as https://api.example.com/v1")
    elif parts.username or parts.password:
        yield Problem(path, "holds a user or password: state them as api_key or in headers")
    elif parts.query or parts.fragment:
        yield Problem(path, "expected no ? or #: paths are added behind it")
    elif parts.path.rstrip("/").endswith(("/chat/completions", "/messages")):
        yield Problem(path, "expected the part before the endpoint's own path")
    elif parts.scheme == "http" and not inside(host):
        message = "http shows keys and prompts to everybody on the way; https is needed outside "
        yield Problem(path, f"{message}your own network")


def inside(host: str) -> bool:
    """Whether *host* is on this machine or a private network, as far as its name tells."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(INSIDE)


def _complete(path: str, name: str, settings: ModelSettings, known: Known) -> Iterator[Problem]:
    given = {
        "class": settings.model_class,
        "context_tokens": settings.context_tokens,
        "output_tokens_max": settings.output_tokens_max or settings.kind == "embedding",
    }
    for member in NEEDED:
        if not given[member]:
            reason = f"required, because we do not know a model '{name}'"
            yield Problem(f"{path}.{member}", reason + hint(name, CATALOGUE))
    if not any(name in models for models in known.served.values()):
        yield Problem(path, "nobody serves it: name it in a provider's models or in deployments")


def _price(path: str, price: PriceSettings) -> Iterator[Problem]:
    steps = (price.long_input, price.long_output, price.long_cache_read, price.long_cache_write)
    if price.long_context_tokens and (price.long_input is None or price.long_output is None):
        yield Problem(path, "long_context_tokens needs long_input and long_output")
    if not price.long_context_tokens and any(step is not None for step in steps):
        yield Problem(path, "the long_* prices need long_context_tokens, above which they hold")
    if price.date:
        try:
            datetime.date.fromisoformat(price.date)
        except ValueError:
            yield Problem(f"{path}.date", f"expected a date such as 2026-11-25, got '{price.date}'")
