"""Checks of the dashboard's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from gateway.config.admin_schema import AdminSettings
from gateway.config.check_providers import inside
from gateway.config.problem import Problem
from gateway.config.secrets import SecretError, resolve


def admin_problems(admin: AdminSettings, environ: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with *admin*."""
    url = admin.public_url
    if url is not None and not is_origin(url):
        message = f"expected an origin such as https://llm.example.com, got '{url}'"
        yield Problem("$.admin.public_url", message)
    oidc, path = admin.oidc, "$.admin.oidc"
    if oidc is None:
        return
    yield from _issuer(f"{path}.issuer", oidc.issuer)
    if oidc.client_secret is not None:
        try:
            resolve(oidc.client_secret, environ)
        except SecretError as error:
            yield Problem(f"{path}.client_secret", str(error))
    if "openid" not in oidc.scopes:
        yield Problem(f"{path}.scopes", "without openid there is no ID token, so nobody is known")
    if not oidc.roles:
        yield Problem(f"{path}.roles", "no group has a role, so nobody could log in")


def is_origin(url: str) -> bool:
    """Whether *url* is a scheme and a host, perhaps a port, and nothing else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.scheme in ("http", "https") and parts.netloc and not parts.path)


def _issuer(path: str, url: str) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        yield Problem(path, f"not a URL: {error}")
        return
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        yield Problem(path, "expected a URL such as https://login.example.com/realms/ours")
    elif parts.scheme == "http" and not inside(host):
        message = "over http everybody on the way can log in as anybody; https is needed outside "
        yield Problem(path, f"{message}your own network")
