"""``switchyard provider-keys``, ``webhooks`` and ``policies``."""

from __future__ import annotations

import pytest

from tests.gateway.cli.desks import Terminal

SECRET = "sk-proj-0123456789abcdefghijWXYZ"
RENEWED = "sk-proj-0123456789abcdefghijABCD"
POLICY = "name: No ivory\nphrases: [sell ivory]\naction: block\n"


@pytest.fixture
def terminal(tmp_path):
    """A terminal with a database of its own."""
    return Terminal(tmp_path)


def test_a_provider_key_lives(terminal):
    """Kept, listed, changed, given another secret and forgotten; no secret is ever said."""
    terminal.run("tenants", "create", "acme")
    words = ("provider-keys", "create", "openai", "--id", "k", "-t", "acme", "--weight", "2")
    said = [terminal.run(*words, said=f"{SECRET}\n")]
    said.append(terminal.run("provider-keys", "list", "-t", "acme"))
    assert "WXYZ" in said[-1].stdout
    said.append(terminal.run("provider-keys", "change", "k", "--weight", "3", "--disable"))
    moved = ("provider-keys", "change", "k", "--base-url", "https://llm.example.com/v1")
    said.append(terminal.run(*moved, status=1))
    assert "needs the secret again" in said[-1].stderr
    said.append(terminal.run(*moved, "--secret", "--enable", said=f"{RENEWED}\n"))
    (kept,) = terminal.json("provider-keys", "list")
    changed = {"weight": 3.0, "hint": "ABCD", "disabled": False}
    assert changed.items() <= kept["value"].items()
    assert all(secret not in one.output for one in said for secret in (SECRET, RENEWED))
    terminal.run("provider-keys", "delete", "k")
    assert terminal.json("provider-keys", "list") == []


def test_a_webhook_lives(terminal):
    """Its secret is said when it is made and when it is renewed."""
    words = ("webhooks", "create", "https://hooks.example.com/x", "--id", "pager")
    made = terminal.json(*words, "--event", "balance.low", "--event", "limit.near")
    assert made["secret"].startswith("whsec_")
    assert made["value"]["events"] == ["balance.low", "limit.near"]
    listed = terminal.run("webhooks", "list").stdout
    assert "balance.low, limit.near" in listed
    assert made["secret"] not in listed
    renewed = terminal.run("webhooks", "rotate", "pager").stdout
    assert "pager: whsec_" in renewed
    assert made["secret"] not in renewed
    terminal.run("webhooks", "disable", "pager")
    assert "disabled" in terminal.run("webhooks", "list").stdout
    terminal.run("webhooks", "enable", "pager")
    assert terminal.json("webhooks", "list")[0]["value"]["disabled"] is False
    terminal.run("webhooks", "delete", "pager")
    assert terminal.json("webhooks", "list") == []


def test_a_content_policy_lives(terminal):
    """What is shown is a file to make it from."""
    terminal.run("policies", "create", "ivory", said=POLICY)
    assert "No ivory" in terminal.run("policies", "list").stdout
    shown = terminal.run("policies", "show", "ivory").stdout
    terminal.run("policies", "delete", "ivory")
    assert terminal.json("policies", "list") == []
    path = terminal.folder / "policy.yaml"
    path.write_text(shown)
    again = terminal.json("policies", "create", "ivory", "-f", str(path), "-t", "default")

    assert again["value"]["tenant"] == "default"
    assert again["value"]["policy"]["phrases"] == ["sell ivory"]
    assert terminal.run("policies", "show", "ivory").stdout == shown


@pytest.mark.parametrize(
    ("words", "said", "status", "says"),
    [
        (("provider-keys", "create", "openai"), "\n", 2, "secret"),
        (("provider-keys", "create", "nobody"), "sk-x\n", 1, "$.provider"),
        (("provider-keys", "create", "openai", "--weight", "0"), "sk-x\n", 2, "weight"),
        (("provider-keys", "change", "none", "--enable"), "", 1, "no provider key 'none'"),
        (("webhooks", "create", "http://hooks.example.com"), "", 1, "$.url"),
        (("webhooks", "create", "https://a.example", "--event", "rain"), "", 2, "--event"),
        (("policies", "create", "p"), "name: x\nphrase: [y]\n", 1, "phrase"),
        (("policies", "create", "p"), "name: x\n", 1, "$.policy"),
    ],
)
def test_what_is_refused(terminal, words, said, status, says):
    """The message is on the error output, and the status says that it failed."""
    assert says in terminal.run(*words, status=status, said=said).stderr
