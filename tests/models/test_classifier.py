"""The door of the classifiers."""

from __future__ import annotations

import logging

import pytest

from models.classifier import Classifier, load_classifier
from models.linear import FirstStage
from models.scores import UNSCORED


@pytest.fixture(scope="module")
def first_stage():
    return FirstStage.load()


async def test_first_stage_answers(first_stage):
    """What the first stage says is what the caller gets."""
    text = "Write a poem about rain"

    assert await Classifier(first_stage).submit(text) == first_stage.score(text)


async def test_without_a_model_nothing_is_scored():
    """Routing goes on without scores."""
    assert await Classifier(None).submit("Write a poem about rain") == UNSCORED


async def test_an_empty_text_is_unscored(first_stage):
    """A chat in which nobody has asked anything has no scores."""
    assert await Classifier(first_stage).submit("") == UNSCORED


def test_the_door_describes_what_is_behind_it(first_stage):
    """Version and description say which model answers, if any."""
    there, none = Classifier(first_stage), Classifier(None)

    assert (there.version, none.version) == (first_stage.version, "none")
    assert there.describe().startswith(f"first stage {first_stage.version}: 11 task types, uncert")
    assert none.describe() == "no classifier: every prompt counts as unscored"


def test_load_classifier_finds_the_shipped_artefact(first_stage):
    """The artefact in the repository is the one that serves."""
    assert load_classifier().version == first_stage.version


def test_a_missing_artefact_is_logged_and_survived(tmp_path, caplog):
    """A gateway without an artefact starts, and its log says what to do."""
    with caplog.at_level(logging.WARNING):
        assert load_classifier(tmp_path).version == "none"

    assert "manifest.toml: No such file or directory; restore both files" in caplog.text
