"""``switchyard keys`` and ``switchyard tenants``."""

from __future__ import annotations

import pytest

from tests.gateway.cli.desks import Terminal


@pytest.fixture
def terminal(tmp_path):
    """A terminal with a database of its own."""
    return Terminal(tmp_path)


def test_a_key_lives(terminal):
    """Made, listed, shown, limited, rotated, revoked and forgotten."""
    made = terminal.json(
        "keys", "create", "--id", "laptop", "--name", "mine", "--model", "gpt-4o", "--days", "30",
        "--spend", "5/day", "--requests", "60",
    )  # fmt: skip
    assert made["secret"].startswith("sy_")
    listed = terminal.run("keys", "list").stdout
    assert made["secret"][:10] in listed
    assert made["secret"] not in listed
    limited = terminal.json("keys", "limit", "laptop", "--tokens", "1000")["value"]["limits"]
    assert (limited["requests_per_minute"], limited["tokens_per_minute"]) == (60, 1000)
    assert limited["spend"] == [{"usd": 5.0, "window": "day"}]
    assert "gpt-4o" in terminal.run("keys", "show", "laptop").stdout
    renewed = terminal.run("keys", "rotate", "laptop", "--overlap", "60").stdout
    assert "laptop: sy_" in renewed
    terminal.run("keys", "revoke", "laptop")
    assert "revoked" in terminal.run("keys", "list").stdout
    terminal.run("keys", "delete", "laptop")
    assert terminal.json("keys", "list") == []


def test_a_key_for_a_person(terminal):
    """Its whole secret is on one line."""
    shown = terminal.run("keys", "create").stdout
    line = shown.splitlines()[0]

    assert len(line.partition(": ")[2]) == 46
    assert "not shown again" in shown


def test_admin_keys(terminal):
    """They are made by their role, and the last of them stays."""
    made = terminal.json("keys", "create", "--role", "admin", "--id", "boss")
    assert made["secret"].startswith("sya_")
    assert "boss" in terminal.run("keys", "list", "--admin").stdout
    refused = terminal.run("keys", "revoke", "boss", "--admin", status=1)
    assert "last admin key" in refused.stderr
    assert "viewer" in terminal.run("keys", "create", "--role", "boss", status=2).stderr
    ignored = terminal.run("keys", "create", "--role", "viewer", "--requests", "5", status=2)
    assert "only a name" in ignored.stderr


def test_a_tenant_lives(terminal):
    """Made, given a project, a key and credits; disabled; deleted when empty."""
    terminal.run("tenants", "create", "acme", "--name", "Acme", "--credits", "--spend", "9/month")
    terminal.run("tenants", "project", "site", "--tenant", "acme", "--mode", "eco")
    terminal.run("keys", "create", "--id", "k", "-t", "acme", "-p", "site")
    for _ in range(2):
        terminal.run("tenants", "top-up", "acme", "25.50", "--once", "may")
    shown = terminal.json("tenants", "show", "acme")
    assert shown["balance"]["available_nano_usd"] == 25_500_000_000
    assert "25.5" in terminal.run("tenants", "list").stdout
    terminal.run("tenants", "disable", "acme")
    assert terminal.json("tenants", "list")[0]["value"]["disabled"] is True
    terminal.run("tenants", "enable", "acme")
    assert "Acme" in terminal.run("tenants", "show", "acme").stdout
    refused = terminal.run("tenants", "delete", "acme", status=1)
    assert "1 projects left" in refused.stderr
    terminal.run("tenants", "create", "empty")
    terminal.run("tenants", "delete", "empty")


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("keys", "show", "none"), 1, "There is no key 'none'."),
        (("keys", "create", "--model", "no-such"), 1, "$.allowed_models[0]"),
        (("keys", "create", "--spend", "five"), 2, "--spend"),
        (("tenants", "top-up", "default", "0"), 2, "USD"),
        (("tenants", "top-up", "default", "0.0000000001"), 2, "USD"),
        (("tenants", "top-up", "default", "nan"), 2, "USD"),
        (("usage", "--by", "nobody"), 2, "nobody"),
    ],
)
def test_what_is_refused(terminal, words, status, says):
    """The message is on the error output, and the status says that it failed."""
    assert says in terminal.run(*words, status=status).stderr


def test_usage_without_any(terminal):
    """Nothing was billed."""
    assert terminal.json("usage") == []
    assert "0 USD in the last 720 hours" in terminal.run("usage", "--by", "day").stdout


def test_a_database_that_does_not_answer(terminal):
    """It is an error in one line."""
    terminal.config.write_text(
        f"state: {{database_url: 'sqlite:////proc/none/x.db', folder: '{terminal.folder}'}}"
    )
    refused = terminal.run("keys", "list", status=1)

    assert "does not answer" in refused.stderr
