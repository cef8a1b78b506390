"""Everything a configuration comes to: resolved once, swapped whole by a reload."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.config.check import check
from gateway.config.fleet import build_fleet
from gateway.config.load import load
from gateway.config.problem import ConfigErrors
from gateway.config.schema import Config, StateSettings
from gateway.config.secrets import Secret, resolve, resolve_text
from gateway.config.sources import provider_names
from gateway.core.fleet import Fleet
from gateway.core.request import Principal


class StateSecrets(msgspec.Struct, frozen=True):
    """The secrets of ``config.state``, resolved, and its folder."""

    folder: Path
    redis_url: str | None = None
    master_key: Secret | None = None
    old_master_keys: tuple[Secret, ...] = ()
    admin_key: Secret | None = None

    def __repr__(self) -> str:
        return f"StateSecrets({self.folder})"


class Settings(msgspec.Struct, frozen=True):
    """
    A configuration that was found right, with its fleet and its secrets. *keys* are the gateway
    keys and who they stand for. *version* is a hash of all that routing depends on.
    """

    config: Config
    fleet: Fleet
    keys: tuple[tuple[Secret, Principal], ...]
    database_url: str  # resolved; may hold a password
    version: str
    state: StateSecrets
    oidc_secret: Secret | None = None  # of the client at the identity provider

    @property
    def host(self) -> str:
        """Where to listen."""
        return self.config.server.host

    @property
    def port(self) -> int:
        """Where to listen; 0: any free port."""
        return self.config.server.port

    @property
    def provider_names(self) -> frozenset[str]:
        """Every provider that a path may name, with or without deployments."""
        return frozenset(provider_names(self.config))

    def __repr__(self) -> str:
        return f"Settings({self.version}, {len(self.fleet.deployments)} deployments)"


def read_settings(
    path: Path | None, environ: Mapping[str, str], *, on: datetime.date | None = None
) -> Settings:
    """
    The settings of the file *path*, or the defaults, at the prices of the day *on* (today).

    Raises:
        ConfigErrors: every problem of form, and of meaning as far as the form allows.
    """
    try:
        config = load(path, environ)
    except ConfigErrors as errors:
        told = {found.path for found in errors.problems}  # what is broken there is missing in sound
        meant = check(errors.sound, environ) if errors.sound is not None else []
        also = [found for found in meant if found.path not in told]
        raise ConfigErrors([*errors.problems, *also]) from None
    problems = check(config, environ)
    try:
        fleet = build_fleet(config, environ, on=on)
    except ConfigErrors as errors:
        raise ConfigErrors([*problems, *errors.problems]) from None
    if problems:
        raise ConfigErrors(problems)
    return Settings(
        config=config,
        fleet=fleet,
        keys=tuple(
            (resolve(key.secret, environ), Principal(project=key.project, key_id=key.id))
            for key in config.keys
        ),
        database_url=resolve_text(config.state.database_url, environ),
        version=_version(config, fleet),
        state=state_secrets(config.state, environ),
        oidc_secret=_oidc_secret(config, environ),
    )


def state_secrets(state: StateSettings, environ: Mapping[str, str]) -> StateSecrets:
    """
    What ``config.state`` refers to.

    Raises:
        SecretError: a reference leads to nothing.
    """
    folder = state.folder
    if folder is None:
        url = resolve_text(state.database_url, environ)
        file = url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else ""
        on_disk = file and file != ":memory:"
        folder = str(Path(file.partition("?")[0]).parent) if on_disk else "var"
    return StateSecrets(
        folder=Path(folder),
        redis_url=None if state.redis_url is None else resolve_text(state.redis_url, environ),
        master_key=None if state.master_key is None else resolve(state.master_key, environ),
        old_master_keys=tuple(resolve(one, environ) for one in state.old_master_keys),
        admin_key=None if state.admin_key is None else resolve(state.admin_key, environ),
    )


def _oidc_secret(config: Config, environ: Mapping[str, str]) -> Secret | None:
    oidc = config.admin.oidc
    reference = None if oidc is None else oidc.client_secret
    return None if reference is None else resolve(reference, environ)


def _version(config: Config, fleet: Fleet) -> str:
    decisive = (fleet.version, config.projects, config.routing, config.rules, config.policy)
    encoded = msgspec.json.encode(decisive, order="deterministic")
    return hashlib.blake2b(encoded, digest_size=6).hexdigest()
