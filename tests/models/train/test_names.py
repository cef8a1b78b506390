"""What the tagger of names learns from, and how it is measured and calibrated."""

from __future__ import annotations

import random

import numpy as np
import pytest

from kernels.tagger import COMPANY, ENTRY, GIVEN, INSIDE, PLACE
from models.names import TYPES, Names, tokens_of
from models.train import names_data, names_evaluate, names_fit
from models.train.names_calibrate import THRESHOLDS, best_threshold, logistic
from models.train.names_lexicon import Builder
from models.train.names_phrases import TYPE_OF, Labelled, phrases, read_phrases, read_words


@pytest.fixture(scope="module")
def written():
    return phrases(copies=1)


def test_every_language_has_words_and_phrases():
    """No sentence lacks names to fill it with, and no list of names a sentence."""
    assert set(read_phrases()) - {"brands"} == set(read_words())


def test_phrases_are_filled(written):
    """No slot stays open, every name lies where its span says, and all types occur."""
    assert not any("{P}" in one.text or "{n}" in one.text or "{t}" in one.text for one in written)
    spans = [(one.text[start:end], kind) for one in written for start, end, kind in one.spans]
    assert all(name == name.strip() and name for name, _ in spans)
    assert {kind for _, kind in spans} == set(TYPE_OF.values()) == set(TYPES)


def test_phrases_are_the_same_each_time(written):
    """Training is deterministic from its first step on."""
    assert phrases(copies=1) == written
    assert phrases(copies=1, seed=1) != written


def test_varied_texts_keep_their_labels(written):
    """Whatever is swapped, blended or put into capitals, spans are sorted and not empty."""
    names = names_data.pools(written)
    varied = names_data.varied(written, names, copies=2, weight=0.5, seed="x")

    assert len(varied) == 3 * len(written)
    for one in varied:
        edges = [edge for start, end, _ in one.spans for edge in (start, end)]
        assert edges == sorted(edges)
        assert all(one.text[start:end].strip() for start, end, _ in one.spans)
        assert one.weight == 0.5


def test_swapping_changes_names_only():
    """What stands between the names stays as it is."""
    labelled = Labelled("I met Ann Lee in Rome.", ((6, 13, "PERSON"), (17, 21, "LOCATION")))
    names = {"PERSON": ["Bo Dee"], "LOCATION": ["Oslo"], "ORGANIZATION": [], "ADDRESS": []}
    swapped = {names_data.swapped(labelled, names, random.Random(k)).text for k in range(30)}

    assert swapped == {
        f"I met {person} in {place}."
        for person in ("Ann Lee", "Bo Dee")
        for place in ("Rome", "Oslo")
    }


def test_counts_are_exact_and_by_overlap():
    """A span that is too long is wrong exactly and right by overlap; another type is wrong."""
    one = Labelled("x" * 30, ((0, 5, "PERSON"), (10, 15, "LOCATION"), (20, 25, "PERSON")))
    found = [(0, 5, "PERSON"), (10, 15, "PERSON"), (20, 26, "PERSON")]
    counts = names_evaluate.count([(one, found)])

    assert (counts["all"].there, counts["all"].found, counts["all"].exact) == (3, 3, 1)
    assert counts["all"].f1() == pytest.approx(1 / 3)
    assert counts["all"].overlap_f1() == pytest.approx(2 / 3)
    assert counts["LOCATION"].f1() == 0.0
    assert "F1 0.333" in names_evaluate.report(counts)


def test_the_lexicon_finds_what_was_added():
    """Bits of the same entry are joined; an entry of two words marks both."""
    builder = Builder()
    for entry, bit in (("Anna", GIVEN), ("Anna", COMPANY), ("New York", PLACE)):
        builder.add(entry, bit)
    rows = tokens_of(np.array([ord(c) for c in "ANNA New York"], np.uint32), builder.lexicon())

    assert rows[:, ENTRY].tolist() == [GIVEN | COMPANY, PLACE, PLACE | INSIDE]


def test_calibration_finds_the_line():
    """Of log-odds that are twice too sure it makes honest ones."""
    chance = np.random.default_rng(3)
    margins = chance.normal(0.0, 3.0, 4_000)
    right = chance.random(4_000) < 1 / (1 + np.exp(-margins / 2))
    factor, offset = logistic(margins, right)

    assert factor == pytest.approx(0.5, abs=0.05)
    assert offset == pytest.approx(0.0, abs=0.15)


def test_calibration_of_few_and_sure_names_stays_modest():
    """Large log-odds of which some are wrong end below certainty, not at hundreds of it."""
    margins = np.array([25.0, 18.0, 14.0, 22.0, 9.0, 16.0, 11.0, 20.0, 1.0, 3.0])
    right = np.array([True, False, True, True, True, True, False, True, False, True])
    factor, offset = logistic(margins, right)

    assert 0.0 < factor < 1.0
    assert abs(offset) < 2.0


def test_threshold_is_the_one_with_the_best_f1():
    """Wrong names below the right ones are cut off; when all are right, none is lost."""
    likely = np.array([0.9, 0.8, 0.52, 0.51])

    assert best_threshold(likely, np.array([True, True, False, False]), 2) == THRESHOLDS[-1]
    assert best_threshold(likely, np.array([True, True, True, True]), 4) == 0.5


def test_fitting_learns_names_and_leaves_open_what_nobody_labelled(monkeypatch):
    """A tiny fit finds the names of its sentences, twice the same; open words teach nothing."""
    monkeypatch.setattr(names_fit, "BITS", 12)
    builder = Builder()
    for name in ("Anna", "Bela", "Cem", "Dora"):
        builder.add(name, GIVEN)
    lexicon = builder.lexicon()
    texts = [
        Labelled(f"my friend {name} is here", ((10, 10 + len(name), "PERSON"),))
        for name in ("Anna", "Bela", "Cem", "Dora")
    ] * 20
    texts.append(Labelled("my friend Zoe is here", (), open=((10, 13),)))
    models = [names_fit.fit(list(texts), lexicon) for _ in range(2)]

    assert isinstance(models[0], Names)
    assert np.array_equal(models[0].weights.table, models[1].weights.table)
    assert [span[:3] for span in models[0].spans("my friend Zoe is here")] == [(10, 13, "PERSON")]
    assert models[0].spans("is here my friend") == []


def test_open_prompts_leave_doubtful_runs_open():
    """Known names are open in every prompt, unknown capitalised words only in public ones."""
    builder = Builder()
    builder.add("Anna", GIVEN)
    model = names_fit.fit([Labelled("x", ())], builder.lexicon())
    text = "ask Anna about the Zorgl thing"
    mine, public = (
        names_fit.unlabelled(model, [text], written=written)[0].open for written in (True, False)
    )

    assert mine == ((4, 8),)
    assert public == ((4, 8), (19, 24))
