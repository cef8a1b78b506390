"""
What a well-formed configuration gets wrong: names of nothing, contradictions, open doors.

``decode`` has seen to the types; here every setting is read beside the others.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping

from gateway.config.check_admin import admin_problems, is_origin
from gateway.config.check_providers import deployment_problems, model_problems, provider_problems
from gateway.config.check_routing import learn_problems, project_problems, routing_problems
from gateway.config.check_rules import rule_problems
from gateway.config.known import Known, known_names
from gateway.config.problem import Problem, unknown
from gateway.config.schema import Config, Key, Policy
from gateway.config.secrets import SecretError, is_reference, resolve
from gateway.config.yaml_tree import child

OPEN_DOOR = (
    "nobody but this machine may call without a key: add keys, or set require_key and make them "
    "with `switchyard keys`, or listen on 127.0.0.1"
)


def check(config: Config, environ: Mapping[str, str]) -> list[Problem]:
    """Every problem of meaning, in the order of the file; none when *config* can be used."""
    known = known_names(config)
    return [
        *_server(config),
        *_keys(config, environ),
        *project_problems(config, known),
        *provider_problems(config, known, environ),
        *model_problems(config, known),
        *deployment_problems(config, known, environ),
        *routing_problems(config, known),
        *_all_rules(config, known),
        *_reliability(config),
        *_state(config, environ),
        *admin_problems(config.admin, environ),
        *_recording(config),
        *learn_problems(config),
    ]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches *host*."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _server(config: Config) -> Iterator[Problem]:
    closed = config.keys or config.server.require_key
    if not is_loopback(config.server.host) and not closed:
        yield Problem("$.server.host", f"{config.server.host} is open to others, and {OPEN_DOOR}")
    for index, origin in enumerate(config.server.cors_origins):
        if not is_origin(origin):
            message = f"expected an origin such as https://app.example.com, got '{origin}'"
            yield Problem(f"$.server.cors_origins[{index}]", message)


def _keys(config: Config, environ: Mapping[str, str]) -> Iterator[Problem]:
    ids: dict[str, int] = {}
    secrets: dict[str, int] = {}
    projects = {"default", *config.projects}
    for index, key in enumerate(config.keys):
        path = f"$.keys[{index}]"
        if key.id in ids:
            yield Problem(f"{path}.id", f"'{key.id}' is the id of keys[{ids[key.id]}] too")
        elif not re.fullmatch(r"[\w.@-]{1,64}", key.id, re.ASCII) or key.id == "anonymous":
            message = "expected 1 to 64 of A-Z a-z 0-9 . _ @ -, and not anonymous"
            yield Problem(f"{path}.id", message)
        ids.setdefault(key.id, index)
        if key.project not in projects:
            yield Problem(f"{path}.project", unknown("project", key.project, projects))
        yield from _key_secret(key, index, environ, secrets)


def _key_secret(
    key: Key, index: int, environ: Mapping[str, str], seen: dict[str, int]
) -> Iterator[Problem]:
    path = f"$.keys[{index}].secret"
    try:
        secret = str(resolve(key.secret, environ))
    except SecretError as error:
        yield Problem(path, str(error))
        return
    if secret in seen:
        yield Problem(path, f"the same secret as keys[{seen[secret]}]")
    seen.setdefault(secret, index)


def _all_rules(config: Config, known: Known) -> Iterator[Problem]:
    yield from rule_problems(config.rules, "$.rules", config, known, Policy())
    for name, project in config.projects.items():
        path = f"{child('$.projects', name)}.rules"
        yield from rule_problems(project.rules, path, config, known, project.policy)


def _reliability(config: Config) -> Iterator[Problem]:
    limits = config.reliability
    for first, longest in (
        ("breaker_open_s", "breaker_open_s_max"),
        ("cooldown_s", "cooldown_s_max"),
    ):
        least, most = getattr(limits, first), getattr(limits, longest)
        if most < least:
            message = f"{most:g} s is less than {first}, {least:g} s"
            yield Problem(f"$.reliability.{longest}", message)


def _state(config: Config, environ: Mapping[str, str]) -> Iterator[Problem]:
    state = config.state
    stated = {"master_key": state.master_key, "admin_key": state.admin_key}
    stated |= {f"old_master_keys[{k}]": one for k, one in enumerate(state.old_master_keys)}
    if state.redis_url is not None and is_reference(state.redis_url):
        stated["redis_url"] = state.redis_url
    for name, reference in stated.items():
        try:
            _ = None if reference is None else resolve(reference, environ)
        except SecretError as error:
            yield Problem(f"$.state.{name}", str(error))
    url = state.database_url
    path = "$.state.database_url"
    if is_reference(url):
        try:
            url = resolve(url, environ)
        except SecretError as error:
            yield Problem(path, str(error))
            return
    if "://" not in url:
        yield Problem(path, "expected a URL such as sqlite:///var/switchyard.db")


def _recording(config: Config) -> Iterator[Problem]:
    if config.recording.batch_max > config.recording.queue_max:
        message = (
            f"{config.recording.batch_max} is more than queue_max, {config.recording.queue_max}"
        )
        yield Problem("$.recording.batch_max", message)
