"""The fleet of a configuration: simulated, real and mixed."""

from __future__ import annotations

import datetime

import msgspec
import pytest

from gateway.config.catalogue import CATALOGUE
from gateway.config.decode import decode
from gateway.config.fleet import NOBODY, build_fleet
from gateway.config.offers import OFFERS
from gateway.config.problem import ConfigErrors, Problem
from gateway.config.providers import PROVIDERS
from gateway.core.fleet import Capability

ON = datetime.date(2026, 11, 25)
OWN = {
    "class": "efficient",
    "context_tokens": 1000,
    "output_tokens_max": 100,
    "price": {"input": 0.02, "output": 0.04},
}
LOCAL = {"base_url": "http://localhost:1/v1", "models": ["mine"]}


def fleet(tree=None, on=ON, **environ):
    """The fleet of a well-formed *tree*."""
    return build_fleet(decode(tree), environ, on=on)


def by_id(found):
    """Deployments by id."""
    return {deployment.id: deployment for deployment in found.deployments}


def test_a_simulated_fleet_serves_everything():
    """Every offer of every known provider, also of models that were shut down."""
    found = fleet()

    assert len(found.deployments) == sum(len(offers) for offers in OFFERS.values())
    assert {deployment.provider for deployment in found.deployments} == PROVIDERS.keys()
    assert found.models.keys() == CATALOGUE.keys()
    assert all(deployment.simulated for deployment in found.deployments)
    assert all(deployment.api_key is None for deployment in found.deployments)
    assert by_id(found)["groq/llama-3-8b"].base_url == "simulated://groq"


@pytest.mark.parametrize(
    ("deployment", "dialect", "bit"),
    [
        ("openai/gpt-4", "openai_chat", Capability.CHAT),
        ("anthropic/claude-opus-5-5", "anthropic_messages", Capability.CHAT),
        ("bedrock/claude-opus-5-5", "openai_chat", Capability.CHAT),
        ("gemini/gemini-2.0-flash", "openai_chat", Capability.CHAT),
        ("openai/text-embedding-3-small", "openai_embeddings", Capability.EMBEDDINGS),
        ("openai/gpt-3.5-turbo-instruct", "openai_completions", Capability.COMPLETIONS),
    ],
)
def test_the_dialect_of_a_deployment(deployment, dialect, bit):
    """The provider and the kind of the model decide, one dialect each."""
    found = by_id(fleet())[deployment]

    assert found.dialect == dialect
    assert bit in found.capabilities


def test_a_real_fleet():
    """Key, endpoint, the provider's name of the model, and what it rejects."""
    found = by_id(fleet(ANTHROPIC_API_KEY="sk-1", GROQ_API_KEY="k", MISTRAL_API_KEY="m"))
    claude, groq = found["anthropic/claude-haiku-4-5-20251001"], found["groq/gpt-oss-120b"]

    assert {deployment.provider for deployment in found.values()} == {
        "anthropic",
        "groq",
        "mistral",
    }
    assert not any(deployment.simulated for deployment in found.values())
    assert (claude.base_url, claude.api_key) == ("https://api.anthropic.com", "sk-1")
    assert claude.price.input == 1_000_000
    assert groq.upstream_model == "openai/gpt-oss-120b"
    assert "logit_bias" in groq.omit
    assert found["mistral/mistral-small"].region == "eu"
    assert "stream_options" in found["mistral/mistral-small"].omit


def test_what_model_and_provider_reject_adds_up():
    """Each once, the provider's first."""
    tree = {"providers": {"openai": {"omit": ["store", "temperature"]}}}
    omit = by_id(fleet(tree, OPENAI_API_KEY="sk-1"))["openai/gpt-6-luna"].omit

    assert omit[:2] == ("store", "temperature")
    assert "max_tokens" in omit
    assert len(omit) == len(set(omit))


@pytest.mark.parametrize(
    ("day", "served"), [("2026-10-22", True), ("2026-10-23", False), ("2027-03-01", False)]
)
def test_a_real_model_ends_with_its_shutdown(day, served):
    """From that day on the provider refuses it, and so nobody serves it."""
    found = fleet(on=datetime.date.fromisoformat(day), OPENAI_API_KEY="sk-1")

    assert ("openai/gpt-4" in by_id(found)) is served
    assert ("gpt-4" in found.models) is served


def test_a_mixed_fleet():
    """Only the provider that asks for it is simulated beside a real one."""
    found = fleet({"providers": {"groq": {"simulated": True}}}, OPENAI_API_KEY="sk-1")

    assert {(d.provider, d.simulated) for d in found.deployments} == {
        ("openai", False),
        ("groq", True),
    }


def test_deployments_stand_in_order_of_catalogue():
    """Ties are decided by this order, so it is stable."""
    order = list(CATALOGUE)
    places = [order.index(deployment.model) for deployment in fleet().deployments]

    assert places == sorted(places)


def test_ids_are_unique_and_stable():
    """A reload with other keys keeps them."""
    first = fleet(OPENAI_API_KEY="sk-1")
    second = fleet(OPENAI_API_KEY="sk-2", GROQ_API_KEY="k")

    assert len(by_id(first)) == len(first.deployments)
    assert by_id(first).keys() < by_id(second).keys()


def test_the_models_that_a_provider_shall_serve():
    """A list replaces what is known, and may name what we did not know it has."""
    tree = {"providers": {"openai": {"models": ["gpt-4o", "mixtral-8x7b"]}}}
    tree["models"] = {"mixtral-8x7b": {"price": {"input": 1, "output": 1}}}

    found = by_id(fleet(tree, OPENAI_API_KEY="sk-1"))

    assert list(found) == ["openai/gpt-4o", "openai/mixtral-8x7b"]
    assert found["openai/mixtral-8x7b"].upstream_model == "mixtral-8x7b"


def test_a_provider_and_a_model_of_ones_own():
    """They stand beside the known ones, at the stated price."""
    tree = {"models": {"mine": OWN}, "providers": {"local": LOCAL}}
    found = fleet(tree, OPENAI_API_KEY="sk-1")
    mine = by_id(found)["local/mine"]

    assert (mine.base_url, mine.upstream_model, mine.simulated) == (
        "http://localhost:1/v1",
        "mine",
        False,
    )
    assert (mine.price.input, mine.price.source) == (20_000, "configuration")
    assert found.models["mine"].family == "mine"


def test_added_deployments_come_last_and_replace():
    """The same id replaces what the provider brings; another stands beside it."""
    tree = {
        "deployments": [
            {"model": "gpt-4o", "provider": "openai", "weight": 3},
            {
                "model": "gpt-4o",
                "provider": "openai",
                "id": "second",
                "upstream_model": "ft:mine",
                "region": "eu",
                "price": {"input": 9, "output": 9},
            },
        ]
    }
    found = by_id(fleet(tree, OPENAI_API_KEY="sk-1"))

    assert found["openai/gpt-4o"].weight == 3.0
    assert list(found)[-1] == "second"
    assert found["second"].upstream_model == "ft:mine"
    assert (found["second"].region, found["second"].price.input) == ("eu", 9_000_000)


def test_the_price_stated_nearest_counts():
    """With the deployment, else with the model, else in the list."""
    tree = {
        "models": {"gpt-4o": {"price": {"input": 1, "output": 1}}},
        "deployments": [
            {
                "model": "gpt-4o",
                "provider": "openai",
                "id": "x",
                "price": {"input": 7, "output": 7},
            }
        ],
    }
    found = by_id(fleet(tree, OPENAI_API_KEY="sk-1"))

    assert found["x"].price.input == 7_000_000
    assert found["openai/gpt-4o"].price.input == 1_000_000
    assert found["openai/gpt-4o-mini"].price.input == 150_000


def test_a_context_that_one_provider_cuts():
    """The provider's own limit counts where it is lower."""
    assert by_id(fleet())["huggingface/llama-3.1-8b-instant"].context_tokens == 16_384
    assert by_id(fleet())["groq/llama-3.1-8b-instant"].context_tokens == 131_072


@pytest.mark.parametrize(
    ("tree", "path", "message"),
    [
        (
            {"simulation": {"enabled": "off"}},
            "$.simulation.enabled",
            NOBODY,
        ),
        (
            {
                "models": {"mine": {key: OWN[key] for key in OWN if key != "price"}},
                "providers": {"local": LOCAL},
            },
            "$.providers.local.models",
            "no price is known for mine at local; state one under models.mine.price",
        ),
        (
            {"deployments": [{"model": "gpt-4o", "provider": "groq"}]},
            "$.deployments[0]",
            "no price is known for gpt-4o at groq; state one under models.gpt-4o.price",
        ),
        (
            {"deployments": [{"model": "mistral-embed", "provider": "anthropic"}]},
            "$.deployments[0]",
            "the dialect of anthropic has no endpoint for embedding models",
        ),
    ],
)
def test_fleets_that_cannot_be(tree, path, message):
    """A price that nobody knows is never taken as zero."""
    with pytest.raises(ConfigErrors) as caught:
        fleet(tree)

    assert caught.value.problems == (Problem(path, message),)


def test_the_version_changes_with_everything_but_secrets():
    """Another key, or another header value, is the same fleet."""
    tree = {"providers": {"openai": {"headers": {"X-A": "env:T"}}}}
    first = fleet(tree, OPENAI_API_KEY="sk-1", T="a")

    assert fleet(tree, OPENAI_API_KEY="sk-2", T="b").version == first.version
    assert fleet(tree, OPENAI_API_KEY="sk-1", T="a") == first
    assert len(first.version) == 12
    others = [
        fleet(OPENAI_API_KEY="sk-1"),
        fleet(tree, OPENAI_API_KEY="sk-1", T="a", GROQ_API_KEY="k"),
        fleet({**tree, "models": {"gpt-4o": {"vision": False}}}, OPENAI_API_KEY="sk-1", T="a"),
        fleet(tree, on=datetime.date(2026, 9, 1), OPENAI_API_KEY="sk-1", T="a"),
    ]
    assert first.version not in {other.version for other in others}


def test_a_fleet_hides_its_secrets():
    """No repr or text of it, or of a deployment, shows a key or a secret header."""
    tree = {"providers": {"openai": {"headers": {"X-A": "env:T"}}}}
    found = fleet(tree, OPENAI_API_KEY="secret-1", T="secret-2")

    assert by_id(found)["openai/gpt-4o"].api_key == "secret-1"
    assert "secret" not in f"{found!r} {found} {found.deployments[0]}"
    assert "secret" not in repr(msgspec.structs.asdict(found.deployments[0]))


def test_a_model_is_asked_of_its_maker_first():
    """Who resells a model that its maker serves too only gets what the maker cannot take."""
    both = fleet(OPENAI_API_KEY="a", OPENROUTER_API_KEY="b")
    weights = {d.provider: d.weight for d in both.deployments if d.model == "gpt-4o"}
    alone = fleet(OPENROUTER_API_KEY="b")

    assert weights == {"openai": 1.0, "openrouter": 0.0}
    assert {d.weight for d in alone.deployments} == {1.0}


def test_real_providers_serve_what_nobody_described():
    """A place for all other models, unless simulated, or the operator listed the models."""
    tree = {"providers": {"local": LOCAL, "groq": {"simulated": True}}, "models": {"mine": OWN}}
    found = fleet(tree, OPENAI_API_KEY="sk-1", ANTHROPIC_API_KEY="sk-2")

    assert [(place.id, place.dialect, place.price.source) for place in found.unlisted] == [
        ("openai/*", "openai_chat", "unknown"),
        ("anthropic/*", "anthropic_messages", "unknown"),
    ]
    assert not {place.id for place in found.unlisted} & by_id(found).keys()
