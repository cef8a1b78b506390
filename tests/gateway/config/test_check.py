"""Checks of server, keys, reliability and recording, and that all checks run."""

from __future__ import annotations

import pytest

from gateway.config.check import check, is_loopback
from gateway.config.decode import decode
from gateway.config.schema import Config

ENVIRON = {"A": "secret-one-1", "B": "secret-two-2", "SAME": "secret-one-1"}


def found(tree, environ=ENVIRON):
    """The problems of a well-formed *tree* as (path, message)."""
    return [(problem.path, problem.message) for problem in check(decode(tree), environ)]


def test_the_defaults_are_right():
    """A configuration that says nothing has no problem."""
    assert check(Config(), {}) == []


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        (
            {"server": {"host": "0.0.0.0"}},
            "$.server.host",
            "0.0.0.0 is open to others, and nobody but this machine may call without a key: "
            "add keys, or set require_key and make them with `switchyard keys`, or "
            "listen on 127.0.0.1",
        ),
        (
            {"server": {"cors_origins": ["app.example.com"]}},
            "$.server.cors_origins[0]",
            "expected an origin such as https://app.example.com, got 'app.example.com'",
        ),
        (
            {"server": {"cors_origins": ["https://b.example", "*"]}},
            "$.server.cors_origins[1]",
            "expected an origin such as https://app.example.com, got '*'",
        ),
        (
            {"keys": [{"id": "a", "secret": "env:A"}, {"id": "a", "secret": "env:B"}]},
            "$.keys[1].id",
            "'a' is the id of keys[0] too",
        ),
        (
            {"keys": [{"id": "a b", "secret": "env:A"}]},
            "$.keys[0].id",
            "expected 1 to 64 of A-Z a-z 0-9 . _ @ -, and not anonymous",
        ),
        (
            {"keys": [{"id": "anonymous", "secret": "env:A"}]},
            "$.keys[0].id",
            "expected 1 to 64 of A-Z a-z 0-9 . _ @ -, and not anonymous",
        ),
        (
            {"keys": [{"id": "a", "secret": "env:A"}, {"id": "b", "secret": "env:SAME"}]},
            "$.keys[1].secret",
            "the same secret as keys[0]",
        ),
        (
            {"keys": [{"id": "a", "secret": "hunter2"}]},
            "$.keys[0].secret",
            "a secret is written as env:NAME or file:PATH, never itself",
        ),
        (
            {"keys": [{"id": "a", "secret": "env:NONE"}]},
            "$.keys[0].secret",
            "the environment variable NONE is not set",
        ),
        (
            {"keys": [{"id": "a", "secret": "env:A", "project": "shp"}], "projects": {"shop": {}}},
            "$.keys[0].project",
            "no project is called 'shp'; did you mean 'shop'?",
        ),
        (
            {"reliability": {"breaker_open_s": 10, "breaker_open_s_max": 5}},
            "$.reliability.breaker_open_s_max",
            "5 s is less than breaker_open_s, 10 s",
        ),
        (
            {"reliability": {"cooldown_s": 10, "cooldown_s_max": 5}},
            "$.reliability.cooldown_s_max",
            "5 s is less than cooldown_s, 10 s",
        ),
        (
            {"state": {"database_url": "var/switchyard.db"}},
            "$.state.database_url",
            "expected a URL such as sqlite:///var/switchyard.db",
        ),
        (
            {"state": {"database_url": "env:NONE"}},
            "$.state.database_url",
            "the environment variable NONE is not set",
        ),
        (
            {"recording": {"batch_max": 50, "queue_max": 20}},
            "$.recording.batch_max",
            "50 is more than queue_max, 20",
        ),
    ],
)
def test_each_problem_has_its_words(tree, path, message):
    """One mistake, one problem."""
    assert found(tree) == [(path, message)]


def test_check_finds_problems_of_every_section():
    """All checks run, in the order of the file, and none stops another."""
    tree = {
        "server": {"host": "::"},
        "projects": {"shop": {"mode": "ecco"}},
        "providers": {"nobody": {}},
        "models": {"mine": {}},
        "deployments": [{"model": "gpt-5", "provider": "nowhere"}],
        "routing": {"baseline_model": "gpt-0"},
        "rules": [{"id": "a", "then": {}}],
        "policy": {"regions": ["mars"]},
        "reliability": {"cooldown_s": 10, "cooldown_s_max": 5},
        "state": {"database_url": "x"},
        "admin": {"public_url": "x"},
    }

    sections = [path.split(".")[1].split("[")[0] for path, _ in found(tree)]

    assert list(dict.fromkeys(sections)) == [
        "server",
        "projects",
        "providers",
        "models",
        "deployments",
        "routing",
        "policy",
        "rules",
        "reliability",
        "state",
        "admin",
    ]


def test_check_never_tells_a_secret():
    """Neither a resolved secret nor one that was written down stands in a message."""
    tree = {
        "keys": [{"id": "a", "secret": "env:A"}, {"id": "a", "secret": "env:SAME"}],
        "providers": {"openai": {"api_key": "secret-three-3", "headers": {"x": "env:NONE"}}},
    }

    assert "secret-" not in str(found(tree))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_is_loopback(host, loopback):
    """Only addresses that nobody else can reach count."""
    assert is_loopback(host) is loopback
