"""The example in deploy/ is valid, also with all of its optional lines."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from gateway.config.schema import Config
from gateway.config.settings import read_settings
from gateway.config.yaml_tree import parse

EXAMPLE = Path(__file__).parents[3] / "deploy" / "switchyard.yaml"
ON = datetime.date(2026, 11, 25)
ENVIRON = {
    "SWITCHYARD_KEY": "key-1",
    "SWITCHYARD_BATCH_KEY": "key-2",
    "LOCAL_API_KEY": "key-3",
    "OPENAI_API_KEY": "key-4",
    "OIDC_CLIENT_SECRET": "key-5",
}


@pytest.fixture
def uncommented(tmp_path):
    """The example with its optional lines in force."""
    path = tmp_path / "switchyard.yaml"
    path.write_text(EXAMPLE.read_text().replace("#:", ""))
    return path


def test_the_example_shows_every_section():
    """A newcomer finds each of them, and the optional lines parse."""
    tree, duplicates = parse(EXAMPLE.read_text())

    assert tree.keys() == set(Config.__struct_fields__)
    assert duplicates == []


def test_the_example_works_without_any_provider():
    """One gateway key is all that it asks for."""
    settings = read_settings(EXAMPLE, {"SWITCHYARD_KEY": "key-1"}, on=ON)

    assert all(deployment.simulated for deployment in settings.fleet.deployments)
    assert [principal.key_id for _, principal in settings.keys] == ["web"]


def test_the_example_works_with_everything_in_force(uncommented):
    """Real providers, a server of one's own and two projects."""
    settings = read_settings(uncommented, ENVIRON, on=ON)
    served = {deployment.id: deployment for deployment in settings.fleet.deployments}

    assert not any(deployment.simulated for deployment in served.values())
    assert served["local/qwen-second"].upstream_model == "qwen-second-gpu"
    assert served["local/qwen-local"].region == "eu"
    assert [principal.project for _, principal in settings.keys] == ["shop", "research"]
    assert "openai/gpt-6-luna" in served
    assert settings.config.admin.oidc.roles["everybody"] == "viewer"
    assert settings.oidc_secret == "key-5"


def test_the_rules_of_the_example():
    """They are those that the guides of other routers show."""
    rules = {rule.id: rule for rule in read_settings(EXAMPLE, ENVIRON, on=ON).config.rules}

    assert rules["code-high"].then.model == "claude-sonnet-5-5"
    assert rules["code-low"].then.model == "gpt-4o-mini"
    assert rules["summaries-low"].then.model == "gpt-4o-mini"
    assert rules["questions-high"].then.model == "gpt-4"
    assert (rules["chat-low"].then.model, rules["chat-low"].then.provider) == ("llama-3-8b", "groq")
    assert rules["long-context"].when.tokens_in.gt == 50_000
    assert rules["tools"].when.has_tools is True
    assert rules["expensive"].then.best_within_usd == 0.02
    assert rules["code-review"].when.labels == ("code-review",)


def test_virtual_models_of_the_readme_work_with_the_example():
    """Names that other tools ask for are there beside the example's own."""
    virtual = read_settings(EXAMPLE, ENVIRON, on=ON).config.routing.virtual_models

    assert {"auto", "claude-auto", "neural-router-v2", "code-review"} <= virtual.keys()
