"""Task labels."""

from __future__ import annotations

import pytest

from gateway.decide.labels import TASK_OF_LABEL, plain, task_of
from models.scores import TASK_TYPES


@pytest.mark.parametrize("task", TASK_TYPES)
def test_every_task_type_is_its_own_label(task):
    """A client may name a task type, in any case."""
    assert task_of(task) == task
    assert task_of(task.upper().replace(" ", "_")) == task


@pytest.mark.parametrize(
    ("label", "task"),
    [
        ("code-review", "Code Generation"),
        ("Code_Review", "Code Generation"),
        (" summarise ", "Summarization"),
        ("customer-support", "Chatbot"),
        ("release-notes", None),  # still a label for rules
        ("", None),
    ],
)
def test_labels_of_clients(label, task):
    """Common labels name a task type; others name none."""
    assert task_of(label) == task


def test_labels_are_written_as_they_are_compared():
    """A label with a hyphen in the table would never be found."""
    assert {label for label in TASK_OF_LABEL if plain(label) != label} == set()
    assert set(TASK_OF_LABEL.values()) == set(TASK_TYPES)
