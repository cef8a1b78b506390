"""What ships with the gateway is valid, and found by name."""

from __future__ import annotations

import pytest

from gateway.config.schema import Condition
from gateway.core.errors import NotFound
from gateway.learn.shipped import find_mix, find_template, mixes, templates
from models.scores import TASK_TYPES


def test_the_five_example_rules():
    """Task type and tier to model, in the published order."""
    template = find_template("examples")

    assert [
        (rule.when.task_types, rule.when.tiers, rule.then.model) for rule in template.rules
    ] == [
        (("Code Generation",), ("high",), "claude-sonnet-5-5"),
        (("Code Generation",), ("low",), "gpt-4o-mini"),
        (("Summarization",), ("low",), "gpt-4o-mini"),
        (("Open QA",), ("high",), "gpt-4"),
        (("Chatbot",), ("low",), "llama-3-8b"),
    ]
    assert template.rules[4].then.provider == "groq"
    assert all(rule.reason and rule.when != Condition() for rule in template.rules)


def test_names_are_unique():
    """One name, one thing."""
    assert len({one.name for one in templates()}) == len(templates())
    assert len({one.name for one in mixes()}) == len(mixes())


@pytest.mark.parametrize("mix", mixes(), ids=lambda mix: mix.name)
def test_mixes_are_whole(mix):
    """Shares sum to one, and the task types exist."""
    assert sum(kind.share for kind in mix.prompts) == pytest.approx(1.0)
    assert all(kind.task_type in TASK_TYPES for kind in mix.prompts)


def test_the_general_mix():
    """Sixty easy, thirty medium, ten hard."""
    shares = dict.fromkeys(("low", "medium", "high"), 0.0)
    for kind in find_mix("general").prompts:
        shares[kind.tier] += kind.share

    assert shares == pytest.approx({"low": 0.6, "medium": 0.3, "high": 0.1})


@pytest.mark.parametrize(
    ("find", "name", "message"),
    [
        (find_template, "example", "no template is called 'example'; did you mean 'examples'?"),
        (find_mix, "x", "no mix is called 'x'; one of general, code-assistant, content-platform"),
    ],
)
def test_unknown_names(find, name, message):
    """The message says what there is."""
    with pytest.raises(NotFound) as caught:
        find(name)

    assert message in caught.value.message
