"""Plain values into the typed configuration."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.decode import SHAPE, decode
from gateway.config.decode import _filled as filled
from gateway.config.problem import ConfigErrors
from gateway.config.schema import Config, Mode


def mistakes(tree):
    """The problems of *tree* as (path, message)."""
    with pytest.raises(ConfigErrors) as caught:
        decode(tree)
    return [(found.path, found.message) for found in caught.value.problems]


def test_decode_of_nothing_is_the_defaults():
    """No file, an empty one and empty sections mean the same."""
    assert decode(None) == decode({}) == Config()
    assert decode({"server": None, "keys": None, "projects": {"a": None}, "rules": []}) == decode(
        {"projects": {"a": {}}}
    )


def test_decode_reads_values():
    """Whole numbers are numbers, lists are tuples, and class means model_class."""
    config = decode(
        {
            "routing": {"modes": {"x": {"floors": {"low": 1, "medium": 0.5, "high": 0}}}},
            "models": {"m": {"class": "premium", "aliases": ["n"]}},
        }
    )

    assert isinstance(config.routing.modes["x"], Mode)
    assert config.routing.modes["x"].floors.low == 1.0
    assert config.models["m"].model_class == "premium"
    assert config.models["m"].aliases == ("n",)


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        ([], "$", "expected a mapping, got a list"),
        ("x", "$", "expected a mapping, got text"),
        ({"server": 3}, "$.server", "expected a mapping, got a number"),
        ({"keys": {}}, "$.keys", "expected a list, got a mapping"),
        ({"keys": ["sk-1"]}, "$.keys[0]", "expected a mapping, got text"),
        ({"keys": [{"id": "a"}]}, "$.keys[0].secret", "required, but missing"),
        (
            {"sever": {}},
            "$.sever",
            "no setting is called 'sever' here; did you mean 'server'?",
        ),
        ({"zzz": {}}, "$.zzz", "no setting is called 'zzz' here"),
        (
            {"server": {"prot": 1}},
            "$.server.prot",
            "no setting is called 'prot' here; did you mean 'port'?",
        ),
        (
            {"server": {"port": 70000}},
            "$.server.port",
            "expected a whole number from 0 to 65535, got 70000",
        ),
        (
            {"server": {"port": 1.5}},
            "$.server.port",
            "expected a whole number from 0 to 65535, got 1.5",
        ),
        (
            {"server": {"port": True}},
            "$.server.port",
            "expected a whole number from 0 to 65535, got true",
        ),
        (
            {"server": {"request_timeout_s": 0}},
            "$.server.request_timeout_s",
            "expected a number above 0, got 0",
        ),
        (
            {"server": {"drain_s": "long"}},
            "$.server.drain_s",
            "expected a number of at least 0, got 'long'",
        ),
        ({"server": {"host": 1}}, "$.server.host", "expected text, got a number"),
        (
            {"server": {"port": None}},
            "$.server.port",
            "expected a whole number from 0 to 65535, got nothing",
        ),
        (
            {"providers": {"x": {"simulated": "yes"}}},
            "$.providers.x.simulated",
            "expected true or false, got 'yes'",
        ),
        (
            {"providers": {"x": {"timeouts": {"first_s": 1}}}},
            "$.providers.x.timeouts.first_s",
            "no setting is called 'first_s' here; did you mean 'first_token_s'?",
        ),
        (
            {"routing": {"action": "maybe"}},
            "$.routing.action",
            "expected one of disabled, auto, custom, observe, got 'maybe'",
        ),
        (
            {"routing": {"class_quality": {"top": {"low": 1, "medium": 1, "high": 1}}}},
            "$.routing.class_quality.top",
            "expected one of efficient, balanced, premium, got 'top'",
        ),
        (
            {"routing": {"modes": {"eco": {"floors": {"low": 1.5, "medium": 0, "high": 0}}}}},
            "$.routing.modes.eco.floors.low",
            "expected a number from 0 to 1, got 1.5",
        ),
        (
            {"simulation": {"enabled": True}},
            "$.simulation.enabled",
            "expected one of auto, off, on, got true",
        ),
        (
            {"rules": [{"id": "a", "then": {}, "when": {"tiers": ["hard"]}}]},
            "$.rules[0].when.tiers[0]",
            "expected one of high, low, medium, got 'hard'",
        ),
        (
            {"models": {"gpt-4.1": {"price": {"input": -1, "output": 1}}}},
            "$.models['gpt-4.1'].price.input",
            "expected a number of at least 0, got -1",
        ),
        (
            {"policy": {"cost_usd_max": "x" * 50}},
            "$.policy.cost_usd_max",
            "expected a number above 0, got text",
        ),
    ],
)
def test_decode_names_the_place_and_the_expectation(tree, path, message):
    """Each mistake has a path, what was expected and what was there."""
    assert mistakes(tree) == [(path, message)]


def test_decode_finds_all_mistakes_at_once():
    """One run shows everything that is wrong, in the order of the file."""
    tree = {
        "routing": {"mode": 3, "modes": {"eco": {"floors": {"low": "x"}}}},
        "server": {"port": -1, "prot": 1},
        "keys": [{"id": 1, "secret": "env:A"}, 5],
    }

    assert [path for path, _ in mistakes(tree)] == [
        "$.routing.mode",
        "$.routing.modes.eco.floors.low",
        "$.routing.modes.eco.floors.medium",
        "$.routing.modes.eco.floors.high",
        "$.server.port",
        "$.server.prot",
        "$.keys[0].id",
        "$.keys[1]",
    ]


@pytest.mark.parametrize(
    "tree",
    [
        {"keys": "sk-live-1"},
        {"keys": ["sk-live-1"]},
        {"providers": {"openai": "sk-live-1"}},
        {"providers": {"openai": {"headers": "sk-live-1"}}},
        {"providers": {"openai": {"timeouts": "sk-live-1"}}},
    ],
)
def test_decode_never_repeats_what_may_be_a_secret(tree):
    """A key in the wrong place is not shown."""
    assert "sk-live-1" not in str(mistakes(tree))


NAMES = ["server", "port", "keys", "id", "secret", "routing", "modes", "floors", "low", "x"]
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | st.sampled_from([0.5, "auto", "on", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.sampled_from([*Config.__struct_fields__]), trees, max_size=4))
def test_decode_agrees_with_the_decoder_of_msgspec(tree):
    """The walk that finds all mistakes finds one exactly where msgspec finds its first."""
    try:
        msgspec.convert(filled(tree, SHAPE), Config)
        right = True
    except msgspec.ValidationError:
        right = False

    problems = ()
    try:
        decode(tree)
    except ConfigErrors as errors:
        problems = errors.problems

    assert bool(problems) is not right
    assert all(found.path.startswith("$.") for found in problems)
