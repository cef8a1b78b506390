"""Words of other products."""

from __future__ import annotations

import pytest

from gateway.api.vocabulary import (
    PRISM_KINDS,
    mode_names,
    neuralrouting_complexity,
    prism_kind,
    task_label,
)
from gateway.config.schema import MODE_ALIASES, MODES
from models.scores import TASK_TYPES, TIERS


def test_every_task_type_has_a_prism_kind_for_every_tier():
    """A new task type needs a row."""
    assert set(PRISM_KINDS) == set(TASK_TYPES)
    for row in PRISM_KINDS.values():
        assert len(row) == len(TIERS)
        assert set(row) <= {"simple", "code", "reasoning", "complex"}


@pytest.mark.parametrize(
    ("task_type", "tier", "kind"),
    [
        ("Code Generation", "low", "code"),
        ("Code Generation", "high", "code"),
        ("Closed QA", "low", "simple"),
        ("Closed QA", "high", "reasoning"),
        ("Summarization", "high", "complex"),
        ("Never heard of", "medium", "complex"),
    ],
)
def test_prism_kinds(task_type, tier, kind):
    """Code is code at any tier; what is hard is reasoning or complex."""
    assert prism_kind(task_type, tier) == kind


@pytest.mark.parametrize(("ours", "theirs"), [(0.0, 0.0), (0.349, 3.5), (1.0, 10.0)])
def test_neuralrouting_counts_complexity_to_ten(ours, theirs):
    """One decimal, as a person would say it."""
    assert neuralrouting_complexity(ours) == theirs


@pytest.mark.parametrize("hint", ["Code Generation", "code-generation", "CODE_GENERATION"])
def test_hints_that_name_a_task_type_become_it(hint):
    """However it is spelt."""
    assert task_label(hint) == "Code Generation"


def test_other_hints_stay_labels():
    """Rules compare them as they are."""
    assert task_label("Code-Review") == "Code-Review"


def test_mode_names_lead_to_configured_modes():
    """Aliases, built-in modes and the operator's own are all names a client may use."""
    names = mode_names(["night"])

    assert set(names) == {*MODES, *MODE_ALIASES, "night"}
    assert set(names.values()) == {*MODES, "night"}
    assert names["cost"] == "eco"


def test_mode_names_are_in_lower_case():
    """So that a client may write them as it likes."""
    assert mode_names(["Night"])["night"] == "Night"


def test_a_configured_mode_wins_over_an_alias_of_its_name():
    """An operator who names a mode ``fast`` means theirs."""
    assert mode_names(["fast"])["fast"] == "fast"
