"""How the two stages are put together."""

from __future__ import annotations

import msgspec
import pytest

pytest.importorskip("scipy", reason="training has an environment of its own: `make train`")

from models.cascade import Thresholds
from models.opinion import Opinion
from models.scores import TASK_TYPES, Scores
from models.serving_manifest import SelfTest, ServingManifest
from models.train.data import Row
from models.train.serving import (
    ALWAYS,
    PLAIN,
    Held,
    Priced,
    answers_of,
    choose_blend,
    choose_thresholds,
    least,
    measured,
    toml_of,
)


def opinion(label: int, complexity: float, *, sure: float, english: bool = True) -> Opinion:
    likelihoods = [0.0 if at == label else -sure for at in range(len(TASK_TYPES))]
    return Opinion(likelihoods, complexity, english=english)


def held(at: int, *, english: bool) -> Held:
    """The first stage is right outside English, the encoder in it."""
    label, complexity = at % len(TASK_TYPES), (at % 17) / 17
    wrong = (label + 1) % len(TASK_TYPES)
    row = Row("x" * (1 + at % 5), label, complexity, "en" if english else "fr", "authored-a")
    first = opinion(wrong if english else label, 0.5, sure=1.0)
    second = opinion(label if english else wrong, complexity, sure=2.0, english=english)
    confidence = 0.3 if english else 0.9
    task = TASK_TYPES[first.label]
    guess = Scores(task, confidence, complexity, "medium", "first-stage", uncertain=english)
    return Held(row, guess, first, second)


HELD = [held(at, english=at % 2 == 0) for at in range(200)]
MIX = [Priced(one.scores, 0.1, 3.0) for one in HELD]


def test_the_least_share_that_is_nearly_the_best_is_taken():
    """A thousandth is no reason to trust the first stage more."""
    assert least(lambda share: 0.8 + 0.001 * share) == 0.0
    assert least(lambda share: min(share, 0.5)) == 0.5


def test_each_stage_weighs_what_it_is_worth():
    """Nothing in English, more than the encoder elsewhere; complexity is the encoder's."""
    blend = choose_blend(HELD)

    assert blend.task_english == 0.0
    assert blend.task_other > 0.6
    assert blend.complexity == 0.0
    assert [a.task_type for a in answers_of(HELD, ALWAYS, blend)] == [
        TASK_TYPES[one.row.label] for one in HELD
    ]


def test_thresholds_keep_to_the_budget(capsys):
    """The encoder reads the half that the first stage is unsure of, when there is time for it."""
    blend = choose_blend(HELD)
    rich, poor = choose_thresholds(HELD, MIX, blend, 2.0), choose_thresholds(HELD, MIX, blend, 0.5)

    assert measured(HELD, MIX, rich, blend)["accuracy"] == 1.0
    assert measured(HELD, MIX, rich, blend)["mean_ms"] == pytest.approx(0.1 + 0.5 * 3.0)
    assert measured(HELD, MIX, poor, blend)["mean_ms"] <= 0.5


def test_a_manifest_is_read_as_it_was_written():
    """Quotes and other alphabets too."""
    manifest = ServingManifest(
        first_stage="f",
        encoder="e",
        thresholds=Thresholds(0.9, 0.05),
        blend=PLAIN,
        self_test=(SelfTest('say "雨"\n', "Other", 0.5),),
        measured={"accuracy": 0.5},
    )

    assert msgspec.toml.decode(toml_of(manifest), type=ServingManifest) == manifest
