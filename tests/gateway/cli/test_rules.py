"""``switchyard rules``."""

from __future__ import annotations

import pytest
import yaml

from tests.gateway.cli.desks import Terminal

RULES = """
- id: easy
  when: {tiers: [low], tokens_in: {lt: 4000}}
  then: {model: gpt-4o-mini}
  reason: cheap
"""


@pytest.fixture
def terminal(tmp_path):
    """A terminal with a file of rules."""
    (tmp_path / "rules.yaml").write_text(RULES)
    return Terminal(tmp_path)


def test_rules_live(terminal):
    """Drafted from a file, tried, published, shown as that file, and rolled back."""
    file = str(terminal.folder / "rules.yaml")
    assert "has 1 rules" in terminal.run("rules", "draft", "*", "--file", file).stdout
    tried = terminal.run("rules", "test", "*").stdout
    assert "would have changed 0 of 0 decisions" in tried
    terminal.run("rules", "publish", "*", "--note", "cheaper")
    shown = terminal.run("rules", "show", "*").stdout
    assert yaml.safe_load(shown) == yaml.safe_load(RULES)
    terminal.run("rules", "draft", "*", said="[]")
    terminal.run("rules", "publish", "*")
    first = terminal.json("rules", "versions", "*")[-1]
    assert "cheaper" in terminal.run("rules", "versions", "*").stdout
    terminal.run("rules", "rollback", "*", str(first["version"]))
    assert terminal.json("rules", "show", "*")["value"]["rules"][0]["id"] == "easy"
    assert terminal.json("rules", "list")[0]["published"] == 1


def test_published_from_a_file(terminal):
    """In one step, and a draft of somebody else is what it replaces."""
    file = str(terminal.folder / "rules.yaml")
    done = terminal.run("rules", "publish", "default", "-f", file).stdout

    assert "1 rules of default" in done
    assert terminal.json("rules", "test", "default", "-f", file)["report"]["records"] == 0
    assert "default" in terminal.run("rules", "list").stdout


def test_templates(terminal):
    """They are listed, and shown as a file that can be drafted."""
    assert "examples" in terminal.run("rules", "template").stdout
    text = terminal.run("rules", "template", "examples").stdout
    drafted = terminal.run("rules", "draft", "*", said=text).stdout
    assert "has 5 rules" in drafted
    assert "groq" in drafted
    assert "template" in terminal.run("rules", "template", "none", status=1).stderr


def test_a_policy_is_called_by_its_id_where_its_file_has_no_name(terminal):
    """A file with nothing in it is told of; a mistake is named with its path."""
    terminal.run("policies", "create", "weapons", said="phrases: [build a bomb]")
    assert terminal.json("policies", "show", "weapons")["value"]["policy"]["name"] == "weapons"
    refused = terminal.run("policies", "create", "p", "-f", "/dev/null", status=1)
    assert "/dev/null: there is nothing in it" in refused.stderr
    refused = terminal.run("policies", "create", "p", said="frases: [x]", status=1)
    assert "$.frases: no setting is called 'frases'" in refused.stderr


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("- {id: x}", "then"),
        ("- {id: x, id: y, then: {keep: true}}", "given twice"),
        ("- {id: x, then: {keep: true}, whn: {}}", "whn"),
        ("- {id: x, then: {}, when: {tiers: [huge]}}\n- {idd: y, then: {}}", "$[0].when.tiers[0]"),
        ("- {id: x, then: {}, when: {tiers: [huge]}}\n- {idd: y, then: {}}", "$[1].idd"),
        ("{", "-"),
    ],
)
def test_a_file_that_is_wrong(terminal, said, says):
    """Nothing is saved, and the mistake is named."""
    assert says in terminal.run("rules", "draft", "*", said=said, status=1).stderr
    assert terminal.json("rules", "list")[0]["drafted"] is None
