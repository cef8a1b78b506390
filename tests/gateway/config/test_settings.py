"""Settings: everything resolved, or every problem."""

from __future__ import annotations

import datetime

import pytest

from gateway.config.problem import ConfigErrors
from gateway.config.settings import read_settings
from gateway.core.request import Principal

ON = datetime.date(2026, 11, 25)


@pytest.fixture
def read(tmp_path):
    """Reads settings from the text of a file."""

    def settings(text="", **environ):
        path = tmp_path / "switchyard.yaml"
        path.write_text(text)
        return read_settings(path, environ, on=ON)

    return settings


def test_settings_of_a_newcomer():
    """Without file and keys everything is simulated, on loopback."""
    settings = read_settings(None, {}, on=ON)

    assert (settings.host, settings.port, settings.keys) == ("127.0.0.1", 8080, ())
    assert settings.database_url == "sqlite:///var/switchyard.db"
    assert all(deployment.simulated for deployment in settings.fleet.deployments)
    assert {"openai", "vertex-ai"} <= settings.provider_names


def test_today_is_the_day_of_prices_by_default():
    """Without a day the settings are those of now."""
    assert read_settings(None, {}).fleet.deployments


def test_keys_are_resolved(read):
    """A secret, and who it stands for."""
    settings = read(
        "keys: [{id: a, secret: env:A, project: shop}, {id: b, secret: env:B}]\n"
        "projects: {shop: {}}\nstate: {database_url: env:DB}",
        A="key-a",
        B="key-b",
        DB="postgresql://user:password@db/records",
    )

    assert settings.keys == (
        ("key-a", Principal(project="shop", key_id="a")),
        ("key-b", Principal(project="default", key_id="b")),
    )
    assert settings.database_url == "postgresql://user:password@db/records"


def test_settings_hide_their_secrets(read):
    """Neither the settings nor their parts show a secret."""
    settings = read(
        "keys: [{id: a, secret: env:A}]\nstate: {database_url: env:DB}",
        A="secret-1",
        DB="x://secret-2",
        OPENAI_API_KEY="secret-3",
    )

    shown = f"{settings!r} {settings} {settings.keys!r} {settings.config!r} {settings.fleet!r}"
    assert "secret-" not in shown


def test_all_problems_of_meaning_at_once(read):
    """Checks and the fleet are reported together."""
    with pytest.raises(ConfigErrors) as caught:
        read("simulation: {enabled: off}\nrouting: {mode: x}\nserver: {host: 0.0.0.0}")

    assert [problem.path for problem in caught.value.problems] == [
        "$.server.host",
        "$.routing.mode",
        "$.simulation.enabled",
    ]


def test_problems_of_meaning_alone(read):
    """A sound fleet does not save a wrong rule."""
    with pytest.raises(ConfigErrors) as caught:
        read("rules: [{id: a, then: {}}]")

    assert [problem.path for problem in caught.value.problems] == ["$.rules[0].then"]


@pytest.mark.parametrize(
    "text",
    [
        "routing: {mode: eco}",
        "rules: [{id: a, then: {keep: true}}]",
        "policy: {cost_usd_max: 1}",
        "projects: {shop: {mode: eco}}",
        "models: {gpt-4o: {vision: false}}",
    ],
)
def test_the_version_follows_what_routing_depends_on(read, text):
    """Each of these may change a decision."""
    assert read(text).version != read().version


def test_the_version_ignores_the_rest(read):
    """Ports, keys and limits of the server decide nothing."""
    text = "server: {port: 1}\nkeys: [{id: a, secret: env:A}]\nrecording: {keep_days: 1}"

    assert read(text, A="x").version == read().version


def test_problems_of_form_and_of_meaning_come_together(tmp_path):
    """A misspelt key does not hide that a mode is unknown, nor that a rule has no target."""
    path = tmp_path / "c.yaml"
    path.write_text("routing: {mode: ecco, baselin: x}\nrules: [{id: a, then: {}}]\n")

    with pytest.raises(ConfigErrors) as caught:
        read_settings(path, {})

    assert [problem.path for problem in caught.value.problems] == [
        "$.routing.baselin",
        "$.routing.mode",
        "$.rules[0].then",
    ]


def test_what_is_lost_is_not_missed(tmp_path):
    """A mode that is malformed is one mistake; that others name it is none."""
    path = tmp_path / "c.yaml"
    path.write_text("routing: {mode: mine, modes: {mine: {floors: 3}}}\n")

    with pytest.raises(ConfigErrors) as caught:
        read_settings(path, {})

    assert [problem.path for problem in caught.value.problems] == ["$.routing.modes.mine.floors"]


def test_a_broken_member_is_one_problem(tmp_path):
    """What is wrong of form is not missing as well."""
    path = tmp_path / "c.yaml"
    path.write_text(
        "models: {mine: {class: best, context_tokens: 9, output_tokens_max: 9}}\n"
        "deployments: [{model: mine, provider: openai}]\n"
    )

    with pytest.raises(ConfigErrors) as caught:
        read_settings(path, {})

    assert [problem.path for problem in caught.value.problems] == ["$.models.mine.class"]
