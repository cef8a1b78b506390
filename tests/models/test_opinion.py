"""Two opinions on one text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from models.opinion import Opinion, blended, log_likelihoods, mixed, on_line
from models.scores import TASK_TYPES
from tests.models.artefacts import ENCODER_ALONE

FIRST = Opinion(log_likelihoods([2.0, 1.0, *[-5.0] * 9], 1.0), 0.2)
SECOND = Opinion(log_likelihoods([1.0, 1.5, *[-5.0] * 9], 1.0), 0.6, strong_need=0.4)
BLEND = replace(ENCODER_ALONE, task_english=0.25, task_other=0.75, complexity=0.5)


def test_a_label_is_the_likeliest():
    """The first of equals."""
    assert (FIRST.label, SECOND.label) == (0, 1)
    assert Opinion([-1.0, -0.5, -0.5], 0.0).label == 1


@pytest.mark.parametrize(("english", "label"), [(True, 1), (False, 0)])
def test_the_first_stage_weighs_more_in_other_languages(english, label):
    """A quarter of it does not turn the encoder's word in English; three quarters do elsewhere."""
    scores = blended(FIRST, replace(SECOND, english=english), BLEND)

    assert scores.task_type == TASK_TYPES[label]
    assert (scores.stage, scores.strong_need) == ("encoder", 0.4)
    assert scores.complexity == pytest.approx(0.4)
    assert scores.tier == "medium"


def test_the_encoder_alone_is_left_as_it_is():
    """No weight, no change."""
    scores = blended(FIRST, SECOND, ENCODER_ALONE)

    assert math.log(scores.confidence) == pytest.approx(SECOND.likelihoods[1])
    assert scores.complexity == SECOND.complexity


def test_it_is_calibrated_once_more():
    """A higher temperature makes it less sure, and then uncertain; the line bends complexity."""
    blend = replace(
        BLEND,
        temperature=3.0,
        uncertain_below=0.9,
        complexity_from=(0.3, 0.5),
        complexity_to=(0, 1),
    )
    plain, bent = blended(FIRST, SECOND, BLEND), blended(FIRST, SECOND, blend)

    assert bent.confidence < plain.confidence
    assert (plain.uncertain, bent.uncertain) == (False, True)
    assert bent.complexity == pytest.approx(0.5)


def test_truncation_shows():
    """What the encoder has not read stays visible."""
    assert blended(FIRST, replace(SECOND, truncated=True), BLEND).truncated


@given(st.lists(st.floats(-1e4, 1e4), min_size=1), st.floats(0.01, 10.0))
def test_likelihoods_are_those_of_a_distribution(logits, temperature):
    """They sum up to one, however large the scores."""
    assert math.fsum(map(math.exp, log_likelihoods(logits, temperature))) == pytest.approx(1.0)


def test_nothing_is_made_up_from_what_is_no_number():
    """A broken graph is an error, not a label."""
    with pytest.raises(ValueError, match="not a number"):
        log_likelihoods([1.0, math.nan], 1.0)


@pytest.mark.parametrize(("raw", "found"), [(-1.0, 0.0), (0.5, 0.25), (2.0, 0.5)])
def test_a_line_ends_at_its_knots(raw, found):
    """Beyond them it is level."""
    assert on_line(raw, (0.0, 1.0), (0.0, 0.5)) == found


def test_opinions_of_different_tasks_do_not_mix():
    """A label too few is a bug."""
    with pytest.raises(ValueError, match="shorter"):
        mixed(FIRST, Opinion([0.0], 0.5), BLEND)
