"""Who judges is told what the sums of the store leave out."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.learn_schema import LearnSettings
from gateway.learn.counted import why_uncounted
from models.scores import UNASKED, UNSCORED
from tests.gateway.record.records import make_record

COUNTED = make_record()


@pytest.mark.parametrize(
    ("changes", "settings", "reason"),
    [
        ({}, LearnSettings(), ""),
        ({}, LearnSettings(projects=("default",)), ""),
        ({}, LearnSettings(projects=("other",)), "project"),
        ({}, LearnSettings(enabled=False), "off"),
        ({"model": ""}, LearnSettings(), "No model"),
        ({"scores": UNASKED}, LearnSettings(), "not classified"),
        ({"scores": UNSCORED}, LearnSettings(), "not classified"),
    ],
)
def test_why_a_judgement_does_not_count(changes, settings, reason):
    """An empty reason where it does."""
    said = why_uncounted(msgspec.structs.replace(COUNTED, **changes), settings)

    assert reason in said
    assert bool(said) is bool(reason)
