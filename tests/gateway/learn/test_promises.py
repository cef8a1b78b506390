"""What judgements do to promises, and promises to decisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.schema import CLASS_QUALITY, Config, Floors, QualityOverride, Routing
from gateway.core.fleet import ModelClass
from gateway.decide.fleet_view import fleet_rows
from gateway.decide.policy import compile_policies
from gateway.learn.matrix import Cell
from gateway.learn.promises import hit_rates, insights, posterior, promises
from tests.gateway.decide.samples import Desk, question, scores, usual_fleet
from tests.gateway.learn.samples import day_of, judged, matrix_of

FLEET = usual_fleet()
ROUTING = Routing()
SHARE = st.floats(0.0, 1.0)


def cell_of(samples: float, score: float) -> Cell:
    """A cell of easy summaries."""
    return Cell("gpt-4o-mini", "Summarization", "low", int(samples), samples, score)


def learnt(*sums, **settings):
    """What the judgements *sums* of today teach."""
    return promises(matrix_of(day_of(*sums), **settings), ROUTING, FLEET)


@given(st.floats(0.0, 1e4), SHARE, SHARE, SHARE, st.floats(0.1, 100.0))
def test_better_scores_promise_no_less(samples, share, other, promise, prior_samples):
    """The posterior grows with the score, and lies between promise and observation."""
    low, high = sorted((share, other))
    worse = posterior(cell_of(samples, samples * low), promise, prior_samples)
    better = posterior(cell_of(samples, samples * high), promise, prior_samples)

    assert worse.mean <= better.mean + 1e-12
    held = min(max(promise, 0.01), 0.99)
    assert min(held, low) - 1e-9 <= worse.mean <= max(held, low) + 1e-9


@given(st.floats(20.0, 1e4), SHARE, st.floats(0.05, 0.95))
def test_more_samples_narrow_the_interval(samples, share, promise):
    """The same share seen ten times as often leaves less doubt."""
    few = posterior(cell_of(samples, samples * share), promise, 5.0).interval()
    many = posterior(cell_of(10 * samples, 10 * samples * share), promise, 5.0).interval()

    assert many[1] - many[0] < few[1] - few[0]


def test_golden():
    """Thirty thumbs down on a promise of 0.90 that weighs five: 4.5 / 35."""
    known = learnt(judged(30, 0.0))

    assert known["gpt-4o-mini", "Summarization", "low"] == 0.129


def test_few_judgements_change_nothing():
    """Nineteen of them, however bad, leave the promise of the class."""
    assert learnt(judged(19, 0.0)) == {}


def test_poor_on_easy_prompts_is_poor_on_hard_ones():
    """A trusted cell caps the tiers above it, and praise lifts none of them."""
    poor, good = learnt(judged(30, 0.0)), learnt(judged(30, 30.0))

    assert {tier: value for (_, _, tier), value in poor.items()} == {
        "low": 0.129,
        "medium": 0.129,
        "high": 0.129,
    }
    assert {tier: value for (_, _, tier), value in good.items()} == {"low": 0.986}


def test_each_tier_has_its_own_judgements():
    """What is trusted of a hard tier stands, below what easier ones allow."""
    known = learnt(judged(30, 24.0), judged(200, 190.0, tier="high"))

    assert known["gpt-4o-mini", "Summarization", "low"] == 0.814
    assert known["gpt-4o-mini", "Summarization", "high"] == 0.814  # not the 0.94 that was seen
    assert ("gpt-4o-mini", "Summarization", "medium") not in known  # 0.70 as promised


def test_models_that_left_the_fleet_teach_nothing():
    """Their judgements may be kept for weeks."""
    assert learnt(judged(30, 0.0, model="gone")) == {}


def test_the_classes_of_the_operator_are_the_prior():
    """What a configuration promises of a class is what judgements start from."""
    classes = {ModelClass.EFFICIENT: Floors(low=0.5, medium=0.5, high=0.5)}
    found = promises(matrix_of(day_of(judged(20, 20.0))), Routing(class_quality=classes), FLEET)

    assert found["gpt-4o-mini", "Summarization", "low"] == 0.9  # (2.5 + 20) / 25


def test_decisions_leave_a_poor_pair():
    """The next summary goes to another model; other tasks stay, and the version tells."""
    config = Config()
    desk, taught = Desk(FLEET), Desk(FLEET)
    asked = question("auto")
    before = desk.decide(asked)
    matrix = matrix_of(day_of(judged(30, 0.0, model=before.model)))
    taught.policies = compile_policies(config, FLEET, promises(matrix, config.routing, FLEET))
    after = taught.decide(asked)

    assert after.model != before.model
    assert after.quality >= 0.85  # the floor of the mode: not just anything
    other = scores("Extraction")
    assert taught.decide(asked, other).model == desk.decide(asked, other).model
    assert after.versions.policy != before.versions.policy


def test_the_operator_knows_better():
    """An override stands whatever clients say."""
    override = QualityOverride(model="gpt-4o-mini", task_type="Summarization", low=0.95)
    config = Config(routing=Routing(quality=(override,)))
    matrix = matrix_of(day_of(judged(30, 0.0)))
    policies = compile_policies(config, FLEET, promises(matrix, config.routing, FLEET))
    rows = fleet_rows(FLEET)
    (found,) = insights(matrix, config.routing, policies.default, rows)

    assert found.in_force == 0.95
    assert found.mean == pytest.approx(4.5 / 35)


def test_insights_show_what_is_known():
    """Counts, rate, prior, posterior with its interval, and what decisions believe."""
    matrix = matrix_of(day_of(judged(10, 8.0), judged(30, 15.0, tier="medium")))
    policies = compile_policies(Config(), FLEET, promises(matrix, ROUTING, FLEET))
    low, medium = insights(matrix, ROUTING, policies.default, fleet_rows(FLEET))

    assert (low.trusted, medium.trusted) == (False, True)
    assert (low.judged, low.samples, low.rate) == (10, 10.0, 0.8)
    assert low.promise == low.in_force == CLASS_QUALITY[ModelClass.EFFICIENT].low
    assert medium.in_force == round(medium.mean, 3) == round((3.5 + 15) / 35, 3)
    assert low.low < low.mean < low.high
    assert 0.35 < medium.low < medium.mean < medium.high < 0.68


def test_insights_pass_over_what_is_gone():
    """A cell of no deployment has no promise to compare with."""
    matrix = matrix_of(day_of(judged(30, 0.0, model="gone")))
    policies = compile_policies(Config(), FLEET)

    assert list(insights(matrix, ROUTING, policies.default, fleet_rows(FLEET))) == []


def test_hit_rates_put_tiers_together():
    """One row for each model and task."""
    matrix = matrix_of(
        day_of(judged(10, 8.0), judged(30, 12.0, tier="high"), judged(2, 1.0, task_type="Rewrite"))
    )
    rewrite, summaries = hit_rates(matrix)

    assert (rewrite.task_type, rewrite.rate) == ("Rewrite", 0.5)
    assert (summaries.judged, summaries.samples, summaries.rate) == (40, 40.0, 0.5)
