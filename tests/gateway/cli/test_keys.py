"""``switchyard keys`` and ``switchyard tenants``."""

from __future__ import annotations

import datetime

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


def test_what_the_api_can_say_of_a_key(terminal):
    """How it is routed, when it is shed, and what happens at its limit; times are for a person."""
    terminal.run(
        "keys", "create", "--id", "k", "--action", "auto", "--mode", "eco", "--priority", "low",
        "--spend", "5/rolling 18000s", "--at-limit", "cheaper", "--days", "1",
    )  # fmt: skip
    value = terminal.json("keys", "show", "k")["value"]
    assert (value["action"], value["mode"], value["priority"]) == ("auto", "eco", "low")
    assert value["limits"]["at_limit"] == "cheaper"
    shown = terminal.run("keys", "show", "k").stdout
    made = datetime.datetime.fromtimestamp(value["created_s"], datetime.UTC)
    assert made.isoformat(timespec="seconds") in shown
    assert "5/rolling 18000s, at the limit cheaper" in shown
    terminal.run("keys", "limit", "k", "--action", "observe", "--priority", "normal")
    value = terminal.json("keys", "show", "k")["value"]
    assert (value["action"], value["mode"], value["priority"]) == ("observe", "eco", "normal")
    assert len(value["limits"]["spend"]) == 1
    terminal.run("keys", "limit", "k", "--spend", "none", "--at-limit", "refuse")
    assert terminal.json("keys", "show", "k")["value"]["limits"]["spend"] == []


def test_limits_of_tenants_and_projects(terminal):
    """Changed where they are named; `default` needs not be made, and forgets what was said."""
    terminal.run("tenants", "limit", "default", "--spend", "100/month", "--requests", "60")
    terminal.run("tenants", "limit", "default", "--tokens", "9", "--at-limit", "cheaper")
    shown = terminal.run("tenants", "show", "default").stdout
    assert "100/month, at the limit cheaper, 60 requests/minute, 9 tokens/minute" in shown
    assert "credits left" not in shown
    assert "100/month" in terminal.run("tenants", "list").stdout
    terminal.run("tenants", "delete", "default")
    assert "none" in terminal.run("tenants", "show", "default").stdout
    terminal.run("tenants", "project", "site", "--mode", "eco")
    terminal.run("projects", "limit", "site", "--concurrent", "3", "--action", "auto")
    listed = terminal.run("projects", "list", "-t", "default").stdout
    assert ("site" in listed, "auto" in listed, "eco" in listed, "3 at once" in listed) == (
        True,
        True,
        True,
        True,
    )
    assert "3 at once" in terminal.run("projects", "show", "site").stdout
    assert terminal.json("projects", "list")[0]["value"]["settings"]["mode"] == "eco"
    terminal.run("projects", "delete", "site")
    assert terminal.json("projects", "list") == []


def test_a_terminal_that_is_narrow_cuts_nothing(terminal):
    """A long cell is folded."""
    spend = ("--spend", "100/month", "--spend", "20/week", "--spend", "5/day")
    terminal.run("tenants", "create", "acme", *spend, "--requests", "60", "--tokens", "100000")
    shown = terminal.run("tenants", "show", "acme", columns=40).stdout

    assert "…" not in shown
    assert "100000" in "".join(line.split("│")[2].strip() for line in shown.splitlines()[1:-1])


def test_the_audit_log(terminal):
    """Who did what, by kind."""
    terminal.run("tenants", "create", "acme")
    terminal.run("keys", "create", "--id", "k", "-t", "acme")

    assert "acme" in terminal.run("audit").stdout
    lines = terminal.json("audit", "--kind", "key")["items"]
    assert [(one["action"], one["id"]) for one in lines] == [("create", "k")]


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
        (("tenants", "top-up", "default", "-5"), 2, "expected USD above 0"),
        (("usage", "--by", "nobody"), 2, "expected one of day, key, model"),
        (("keys", "create", "--action", "zzz"), 2, "disabled, auto, custom, observe"),
        (("keys", "create", "--at-limit", "zzz"), 2, "cheaper, refuse"),
        (("keys", "limit", "k", "--priority", "zzz"), 2, "low, normal"),
        (("keys", "create", "--spend", "1/rolling 999999999999"), 1, "1 to 31622400 seconds"),
        (("webhooks", "create", "https://a.example", "--event", "zzz"), 2, "balance.low"),
        (("webhooks", "create", "https://localhost/x"), 1, "server.endpoint_hosts"),
        (("activity", "--where", "tier=huge"), 2, "tier: expected one of high, low, medium"),
        (("activity", "--where", "tiers=low"), 2, "did you mean"),
        (("activity", "--where", "status=ok"), 2, "status"),
        (("activity", "--export", "xml"), 2, "csv, jsonl"),
        (("audit", "--kind", "zzz"), 2, "expected one of admin_key"),
    ],
)
def test_what_is_refused(terminal, words, status, says):
    """The message is on the error output, and the status says that it failed."""
    assert says in terminal.run(*words, status=status).stderr


def test_usage_without_any(terminal):
    """Nothing was billed."""
    assert terminal.json("usage") == []
    said = terminal.run("usage", "--by", "day", "-t", "nobody").stdout
    assert "Nothing was billed to the tenant 'nobody' in the last 720 hours." in said


def test_a_database_that_does_not_answer(terminal):
    """It is an error in one line."""
    terminal.config.write_text(
        f"state: {{database_url: 'sqlite:////proc/none/x.db', folder: '{terminal.folder}'}}"
    )
    refused = terminal.run("keys", "list", status=1)

    assert "does not answer" in refused.stderr
