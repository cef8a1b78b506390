"""What operators may see of settings and of the audit log: everything but secrets."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gateway.config.schema import Config
from gateway.config.secrets import is_reference

HIDDEN = "(hidden)"
SECRET_FACTS = frozenset({"hashes", "sealed", "pepper"})
SECRETS = frozenset(
    {"secret", "api_key", "master_key", "old_master_keys", "admin_key", "client_secret"}
)
URLS = frozenset({"database_url", "redis_url"})
VALUES = frozenset({"headers"})  # mappings whose values may be secrets


def masked_config(config: Config) -> dict[str, Any]:
    """*config* as plain values; references to secrets are shown, secrets are not."""
    shown: dict[str, Any] = masked(msgspec.to_builtins(config))
    return shown


def masked(value: Any) -> Any:
    """*value* of a configuration, without what may be a secret."""
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: member(name, item) for name, item in value.items()}


def member(name: str, value: Any) -> Any:
    """What is shown of the member *name*."""
    if name in SECRETS:
        return [hidden(one) for one in value] if isinstance(value, list | tuple) else hidden(value)
    if name in URLS:
        return masked_url(value)
    if name in VALUES and isinstance(value, dict):
        return {header: hidden(text) for header, text in value.items()}
    return masked(value)


def hidden(value: Any) -> Any:
    """A reference or nothing as it is; anything else hidden."""
    if value is None or (isinstance(value, str) and is_reference(value)):
        return value
    return HIDDEN


def masked_url(url: Any) -> Any:
    """*url* without its password, and without parameters, which may hold one too."""
    if not isinstance(url, str) or is_reference(url):
        return url
    try:
        parsed = make_url(url)
    except ArgumentError:
        return HIDDEN
    return parsed.set(query={}).render_as_string(hide_password=True)


def masked_fact(payload: msgspec.Raw | None) -> dict[str, Any] | None:
    """A fact of the audit log without hashes and sealed secrets; None for none."""
    if payload is None:
        return None
    fact = msgspec.json.decode(payload)
    if not isinstance(fact, dict):
        return {"value": fact}
    return {name: HIDDEN if name in SECRET_FACTS else value for name, value in fact.items()}
