"""A matrix of what a database holds."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.learn_schema import LearnSettings
from gateway.decide.ask import UNCLASSIFIED
from gateway.learn.matrix import NO_MATRIX, Cell
from gateway.learn.refresh import SECONDS_PER_DAY, refresh
from gateway.record.record import Feedback
from gateway.record.rows import Batch, feedback_row, record_row
from gateway.record.store import Store
from models.scores import UNSCORED
from tests.gateway.record.records import make_decision, make_record

NOW_S = 20_000.5 * SECONDS_PER_DAY
ON = LearnSettings()


@pytest.fixture(scope="module")
def postgres_url(postgres_server):
    """A database for this file."""
    return postgres_server.create("learn_refresh")


@pytest.fixture(params=["sqlite", "postgres"])
def store(request):
    """An empty store, on either database."""
    postgres = request.param == "postgres"
    opened = Store(request.getfixturevalue("postgres_url") if postgres else "sqlite://")
    opened.prepare()
    opened.forget(1e12, 10**6)
    yield opened
    opened.close()


def say(store, opinions, records=()):
    """Put *opinions* of (record number, key, score, age in days), and *records*."""
    rows = [
        feedback_row(Feedback(f"req_{number}", score, NOW_S - age * SECONDS_PER_DAY, key))
        for number, key, score, age in opinions
    ]
    store.write(Batch(records=[record_row(one) for one in records], feedback=rows))


def test_nothing_was_said(store):
    """An empty store gives a matrix without cells."""
    assert refresh(store, ON, NOW_S).cells == ()


def test_judgements_of_several_days(store):
    """Sums by model, task type and tier, each day at its weight; two keys are two judgements."""
    records = [make_record(number) for number in range(3)]
    say(store, [(0, "a", 1.0, 0), (0, "b", 0.0, 0), (1, "a", 0.5, 30), (2, "a", 1.0, 60)], records)

    assert refresh(store, ON, NOW_S).cells == (
        Cell("small", "Summarization", "low", judged=4, samples=2.75, score=1.5),
    )


def test_a_later_judgement_replaces_the_first(store):
    """A client that changes its mind is counted once."""
    say(store, [(0, "a", 0.0, 3)], [make_record(0)])
    say(store, [(0, "a", 1.0, 0)])

    (cell,) = refresh(store, ON, NOW_S).cells
    assert (cell.judged, cell.score) == (1, 1.0)


def test_what_nobody_answered_is_no_evidence(store):
    """Feedback on a failure, or on a record that is gone, belongs to no model."""
    say(store, [(0, "a", 0.0, 0), (7, "a", 0.0, 0)], [make_record(0, model="")])

    assert refresh(store, ON, NOW_S).cells == ()


@pytest.mark.parametrize("stage", sorted(UNCLASSIFIED))
def test_what_nobody_classified_is_no_evidence(store, stage):
    """Where routing was off the task type and tier are a guess; a client cannot fake that."""
    guessed = make_record(0, decision=make_decision(stage=stage), scores=UNSCORED)
    faked = make_record(1, text=f'"stage":"{stage}"', path='/v1/"stage":"none"')
    say(store, [(0, "a", 0.0, 0), (1, "a", 1.0, 0)], [guessed, faked])

    (cell,) = refresh(store, ON, NOW_S).cells
    assert (cell.judged, cell.score) == (1, 1.0)


def test_old_judgements_are_not_read(store):
    """After ten half-lives they count less than a thousandth."""
    say(store, [(0, "a", 0.0, 12)], [make_record(0)])

    assert refresh(store, LearnSettings(half_life_days=1.0), NOW_S).cells == ()
    assert len(refresh(store, LearnSettings(half_life_days=2.0), NOW_S).cells) == 1


def test_off(store):
    """Where learning is off the promises stay as they are."""
    say(store, [(0, "a", 0.0, 0)], [make_record(0)])

    assert refresh(store, msgspec.structs.replace(ON, enabled=False), NOW_S) is NO_MATRIX


def test_only_trusted_projects(store):
    """Where strangers have keys, the operator names those whose judgements count."""
    say(store, [(0, "a", 0.0, 0)], [make_record(0)])

    assert refresh(store, LearnSettings(projects=("shop",)), NOW_S).cells == ()
    assert len(refresh(store, LearnSettings(projects=("shop", "default")), NOW_S).cells) == 1


def test_days_that_are_over_are_summed_up_once(store, monkeypatch):
    """Until one of their judgements is replaced, which then counts today; today may always grow."""
    say(store, [(0, "a", 0.0, 2), (1, "a", 0.0, 1)], [make_record(number) for number in range(3)])
    summed, past = [], {}
    real = store.sum_feedback

    def watch(since_s, until_s, projects):
        summed.append(int(NOW_S - since_s) // SECONDS_PER_DAY)
        return real(since_s, until_s, projects)

    monkeypatch.setattr(store, "sum_feedback", watch)
    first = refresh(store, ON, NOW_S, past)
    assert summed == [2, 1, 0]
    assert refresh(store, ON, NOW_S, past) == first
    assert summed == [2, 1, 0, 0]
    say(store, [(1, "a", 1.0, 0), (2, "a", 1.0, 0)])
    (cell,) = refresh(store, ON, NOW_S, past).cells
    assert summed == [2, 1, 0, 0, 1, 0]
    assert (cell.judged, cell.score) == (3, 2.0)
    assert refresh(store, LearnSettings(projects=("shop",)), NOW_S, past).cells == ()


def test_what_is_too_old_is_forgotten(store):
    """The sums that are kept between refreshes are never more than the days that count."""
    say(store, [(0, "a", 0.0, 8)], [make_record(0)])
    past = {}
    refresh(store, ON, NOW_S, past)
    refresh(store, LearnSettings(half_life_days=0.5), NOW_S, past)

    assert min(past) >= NOW_S // SECONDS_PER_DAY - 5
