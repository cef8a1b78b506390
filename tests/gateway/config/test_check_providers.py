"""Checks of providers, models and deployments."""

from __future__ import annotations

import pytest

from gateway.config.check import check
from gateway.config.decode import decode

ENVIRON = {"KEY": "sk-1"}
OWN = {"class": "efficient", "context_tokens": 1000, "output_tokens_max": 100}
LOCAL = {"base_url": "http://localhost:8000/v1", "models": ["mine"]}


def found(tree, environ=ENVIRON):
    """The problems of a well-formed *tree* as (path, message)."""
    return [(problem.path, problem.message) for problem in check(decode(tree), environ)]


def test_a_provider_and_a_model_of_ones_own():
    """A complete entry for what we do not know has no problem."""
    tree = {
        "models": {"mine": {**OWN, "price": {"input": 0, "output": 0}}},
        "providers": {"local": {**LOCAL, "api_key": "env:KEY", "headers": {"X-A": "b"}}},
        "deployments": [{"model": "mine", "provider": "local", "id": "second"}],
    }

    assert found(tree) == []


@pytest.mark.parametrize(
    ("name", "settings", "place", "message"),
    [
        (
            "opnai",
            {"models": ["gpt-4o"]},
            ".base_url",
            "required, because we do not know a provider 'opnai'; did you mean 'openai'?",
        ),
        (
            "local",
            {"base_url": "http://localhost:8000/v1"},
            ".models",
            "required, because we do not know what local serves",
        ),
        (
            "azure",
            {"api_key": "env:KEY"},
            ".api_key",
            "azure speaks a dialect of its own that we do not speak yet: it is simulated only; "
            "remove its key, or state the base_url of an endpoint of the OpenAI dialect",
        ),
        (
            "openai",
            {"api_key": "env:KEY", "simulated": True},
            ".api_key",
            "a simulated provider takes no key: remove one of the two",
        ),
        (
            "openai",
            {"api_key": "sk-live-1"},
            ".api_key",
            "a secret is written as env:NAME or file:PATH, never itself",
        ),
        (
            "openai",
            {"api_key": "env:NONE"},
            ".api_key",
            "the environment variable NONE is not set",
        ),
        (
            "openai",
            {"headers": {"X-Org": "env:NONE"}},
            ".headers.X-Org",
            "the environment variable NONE is not set",
        ),
        (
            "openai",
            {"headers": {"X-Org": "a\nb"}},
            ".headers.X-Org",
            "holds a character no header may hold",
        ),
        (
            "openai",
            {"models": ["gtp-4o"]},
            ".models[0]",
            "no model is called 'gtp-4o'; did you mean 'gpt-4o'?",
        ),
        (
            "anthropic",
            {"models": ["claude-sonnet-4"]},
            ".models[0]",
            "'claude-sonnet-4' is an alias; write 'claude-sonnet-4-20250514'",
        ),
        (
            "openai",
            {"timeouts": {"first_token_s": 90, "total_s": 60}},
            ".timeouts.first_token_s",
            "90 s is more than total_s, 60 s",
        ),
    ],
)
def test_problems_of_a_provider(name, settings, place, message):
    """One mistake, one problem, at the setting that has to change."""
    assert found({"providers": {name: settings}}) == [(f"$.providers.{name}{place}", message)]


def test_a_name_that_no_path_can_hold():
    """The proxy path is /v1/proxy/NAME/...."""
    tree = {"providers": {"a/b": {"base_url": "https://a.example", "models": ["gpt-4o"]}}}

    assert found(tree) == [
        ("$.providers['a/b']", "a provider's name stands in paths: no slash, not empty")
    ]


HTTP = (
    "http shows keys and prompts to everybody on the way; https is needed outside your own network"
)
URL = "expected a URL such as https://api.example.com/v1"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("api.example.com/v1", URL),
        ("ftp://api.example.com", URL),
        ("https://", URL),
        ("https://[::1", "not a URL: Invalid IPv6 URL"),
        ("https://a.example:99999", "not a URL: Port out of range 0-65535"),
        (
            "https://user:pw@a.example",
            "holds a user or password: state them as api_key or in headers",
        ),
        ("https://a.example/v1?x=1", "expected no ? or #: paths are added behind it"),
        (
            "https://a.example/v1/chat/completions",
            "expected the part before the endpoint's own path",
        ),
        ("http://api.example.com/v1", HTTP),
        ("http://8.8.8.8/v1", HTTP),
    ],
)
def test_base_urls_that_cannot_be(url, message):
    """A wrong URL is found before the first request fails."""
    assert found({"providers": {"openai": {"base_url": url}}}) == [
        ("$.providers.openai.base_url", message)
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v1/",
        "http://localhost:8000/v1",
        "http://127.0.0.1:1/v1",
        "http://10.1.2.3/v1",
        "http://vllm:8000/v1",
        "http://vllm.models.svc:8000",
        "http://[::1]:8000",
    ],
)
def test_base_urls_that_are_fine(url):
    """Plain http is fine where nobody else listens."""
    assert found({"providers": {"openai": {"base_url": url}}}) == []


@pytest.mark.parametrize(
    ("settings", "place", "message"),
    [
        (
            {"class": "efficient", "output_tokens_max": 1},
            ".context_tokens",
            "required, because we do not know a model 'mine'",
        ),
        (
            {**OWN, "aliases": ["gpt-4o"]},
            ".aliases[0]",
            "'gpt-4o' is a name of gpt-4o already",
        ),
        (
            {**OWN, "price": {"input": 1, "output": 1, "long_context_tokens": 9, "long_input": 2}},
            ".price",
            "long_context_tokens needs long_input and long_output",
        ),
        (
            {**OWN, "price": {"input": 1, "output": 1, "long_input": 2}},
            ".price",
            "the long_* prices need long_context_tokens, above which they hold",
        ),
        (
            {**OWN, "price": {"input": 1, "output": 1, "date": "today"}},
            ".price.date",
            "expected a date such as 2026-11-25, got 'today'",
        ),
    ],
)
def test_problems_of_a_model(settings, place, message):
    """What we do not know has to be told, once and without contradiction."""
    tree = {"models": {"mine": settings}, "providers": {"local": LOCAL}}

    assert found(tree) == [(f"$.models.mine{place}", message)]


def test_a_model_that_nobody_serves():
    """Naming a model does not make it answer."""
    assert found({"models": {"gpt-4oo": OWN}}) == [
        (
            "$.models.gpt-4oo",
            "nobody serves it: name it in a provider's models or in deployments",
        )
    ]


def test_an_embedding_model_needs_no_output_limit():
    """It writes no tokens."""
    embed = {"kind": "embedding", "class": "efficient", "context_tokens": 512}
    tree = {"models": {"mine": embed}, "providers": {"local": LOCAL}}

    assert found(tree) == []


@pytest.mark.parametrize(
    ("added", "place", "message"),
    [
        (
            {"model": "gpt-44", "provider": "openai"},
            ".model",
            "no model is called 'gpt-44'; did you mean 'gpt-4'?",
        ),
        (
            {"model": "GPT-4o", "provider": "openai"},
            ".model",
            "'GPT-4o' is an alias; write 'gpt-4o'",
        ),
        (
            {"model": "openai/gpt-4o", "provider": "openai"},
            ".model",
            "no model is called 'openai/gpt-4o'; did you mean 'gpt-4o'?"
            "; name the provider in a setting of its own",
        ),
        (
            {"model": "gpt-4o", "provider": "opnai"},
            ".provider",
            "no provider is called 'opnai'; did you mean 'openai'?",
        ),
        (
            {"model": "gpt-4o", "provider": "openrouter"},
            ".provider",
            "openrouter has no key: it cannot serve anything",
        ),
        (
            {
                "model": "gpt-4o",
                "provider": "openai",
                "price": {"input": 1, "output": 1, "date": "x"},
            },
            ".price.date",
            "expected a date such as 2026-11-25, got 'x'",
        ),
    ],
)
def test_problems_of_a_deployment(added, place, message):
    """A deployment names a model by its own name, and a provider that answers."""
    tree = {"providers": {"openai": {"api_key": "env:KEY"}}, "deployments": [added]}

    assert found(tree) == [(f"$.deployments[0]{place}", message)]


def test_two_deployments_with_one_id():
    """Health and records go by id."""
    added = {"model": "gpt-4o", "provider": "openai"}

    assert found({"deployments": [added, added]}) == [
        (
            "$.deployments[1]",
            "has the id of deployments[0], 'openai/gpt-4o'; state another",
        )
    ]
