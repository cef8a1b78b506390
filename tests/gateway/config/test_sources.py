"""Which providers answer."""

from __future__ import annotations

import pytest

from gateway.config.decode import decode
from gateway.config.providers import PROVIDERS
from gateway.config.sources import provider_names, read_sources

OWN = {"base_url": "http://localhost:1/v1/", "models": ["gpt-4o"]}


def sources(tree=None, **environ):
    """The sources of a well-formed *tree*."""
    return read_sources(decode(tree), environ)


def modes(tree=None, **environ):
    """Name -> simulated."""
    return {name: source.simulated for name, source in sources(tree, **environ).items()}


def test_without_any_key_everything_known_is_simulated():
    """A newcomer can try every path of every provider."""
    assert modes() == dict.fromkeys(PROVIDERS, True)


def test_one_key_ends_the_simulation():
    """A key in its usual variable makes its provider real, and nothing else answers."""
    assert modes(OPENAI_API_KEY="sk-1") == {"openai": False}
    assert modes(GOOGLE_API_KEY="k", HF_TOKEN="t") == {"gemini": False, "huggingface": False}


@pytest.mark.parametrize(
    ("simulation", "expected"),
    [
        ("auto", {"groq": False}),
        ("off", {"groq": False}),
        ("on", {name: name != "groq" for name in PROVIDERS}),
    ],
)
def test_simulation_beside_real_providers(simulation, expected):
    """A provider with a key is never simulated unasked; on simulates the others."""
    assert modes({"simulation": {"enabled": simulation}}, GROQ_API_KEY="k") == expected


def test_without_a_key_and_without_simulation():
    """Then nobody answers."""
    assert modes({"simulation": {"enabled": "off"}}) == {}


def test_a_provider_that_asks_to_be_simulated():
    """It is, beside real ones and in spite of a key in the environment."""
    tree = {"providers": {"openai": {"simulated": True}}}

    assert modes(tree, OPENAI_API_KEY="sk-1", GROQ_API_KEY="k") == {"openai": True, "groq": False}
    assert modes(tree, OPENAI_API_KEY="sk-1") == dict.fromkeys(PROVIDERS, True)


def test_the_configured_key_comes_first():
    """Then the variables in their order."""
    tree = {"providers": {"gemini": {"api_key": "env:MINE"}}}

    assert sources(tree, MINE="a", GEMINI_API_KEY="b")["gemini"].api_key == "a"
    assert sources(None, GOOGLE_API_KEY="c", GEMINI_API_KEY="b")["gemini"].api_key == "b"


def test_a_provider_of_ones_own_needs_no_key():
    """A base URL is enough; it ends without a slash."""
    found = sources({"providers": {"local": OWN}})

    assert list(found) == ["local"]
    assert found["local"].base_url == "http://localhost:1/v1"
    assert found["local"].api_key is None
    assert found["local"].family == "openai"
    assert found["local"].price_list is None


def test_another_endpoint_of_a_known_provider():
    """It keeps what is known of the provider, unless the configuration says otherwise."""
    tree = {
        "providers": {
            "mistral": {
                "base_url": "https://proxy.example/v1",
                "region": "us",
                "headers": {"X-Token": "env:T", "X-Plain": "p"},
                "omit": ["user"],
                "timeouts": {"first_token_s": 7},
            }
        }
    }
    found = sources(tree, T="secret")["mistral"]

    assert found.base_url == "https://proxy.example/v1"
    assert (found.region, found.omit) == ("us", ("user",))
    assert found.headers == {"x-token": "secret", "x-plain": "p"}
    assert (found.timeouts.first_token_s, found.timeouts.total_s) == (7.0, 600.0)
    assert found.price_list == "mistral"
    assert sources(MISTRAL_API_KEY="k")["mistral"].region == "eu"


def test_azure_with_an_endpoint_of_the_openai_dialect():
    """What is simulated only becomes real with a base URL."""
    tree = {"providers": {"azure": {"base_url": "https://x.example/v1", "models": ["gpt-4o"]}}}

    assert modes(tree) == {"azure": False}


def test_a_simulated_provider_holds_no_secret():
    """Neither key nor headers reach it."""
    tree = {"providers": {"openai": {"simulated": True, "headers": {"X-A": "env:T"}}}}
    found = sources(tree, T="secret", OPENAI_API_KEY="sk-1")["openai"]

    assert (found.base_url, found.api_key, found.headers) == ("simulated://openai", None, {})


def test_references_that_lead_nowhere_count_as_no_key():
    """Checks report them; here nothing is raised."""
    tree = {"providers": {"openai": {"api_key": "env:NONE", "headers": {"X-A": "env:NONE"}}}}

    assert modes(tree, GROQ_API_KEY="k") == {"groq": False}


def test_sources_hide_their_keys():
    """A repr shows no secret."""
    tree = {"providers": {"openai": {"headers": {"X-A": "env:T"}}}}

    assert "secret" not in repr(sources(tree, OPENAI_API_KEY="secret-1", T="secret-2"))


def test_provider_names():
    """Known ones first, then those of the configuration."""
    config = decode({"providers": {"local": OWN, "groq": {}}})

    assert provider_names(config) == [*PROVIDERS, "local"]
