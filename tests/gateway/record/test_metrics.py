"""Metrics count records, and no client can make them grow."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from gateway.core.health import Health
from gateway.core.outcome import Attempt, Ending, Failure
from gateway.record.metrics import COUNTERS, GAUGES, HISTOGRAMS, SCORE_STAGES, Metrics
from gateway.record.series import Counter, Histogram
from gateway.wire.registry import DIALECTS
from models.scores import TASK_TYPES, TIERS
from models.worker import Load
from tests.gateway.record.records import (
    QUESTION,
    SCORES,
    fleet_of,
    make_decision,
    make_outcome,
    make_record,
)


def metrics_of(*records):
    """Metrics that have seen *records*, on a fleet of small and large."""
    metrics = Metrics(fleet_of("small", "large"), "1.2.3")
    metrics.observe(records)
    return metrics


def samples(metrics):
    """Every exposed number but those of buckets, by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


ROUTE = ("Summarization", "low", "small")


@pytest.mark.parametrize(
    ("series", "value"),
    [
        (("switchyard_requests_total", "openai_chat", "200", "complete"), 2),
        (("switchyard_decisions_total", *ROUTE), 2),
        (("switchyard_scores_total", "first-stage", "false"), 2),
        (("switchyard_added_seconds_count",), 2),
        (("switchyard_added_seconds_sum",), 0.0074),
        (("switchyard_stage_seconds_sum", "classify"), 0.006),
        (("switchyard_attempts_total", "p/large", "broken"), 2),
        (("switchyard_attempts_total", "p/small", "ok"), 2),
        (("switchyard_upstream_seconds_sum", "p/small"), 3.0),
        (("switchyard_upstream_ttft_seconds_count", "p/small"), 2),
        (("switchyard_tokens_total", "small", "in"), 236),
        (("switchyard_tokens_total", "small", "out"), 420),
        (("switchyard_tokens_total", "small", "cache_read"), 36),
        (("switchyard_cost_usd_total", *ROUTE), 0.0022),
        (("switchyard_savings_usd_total", *ROUTE), 0.0078),
        (("switchyard_fee_usd_total",), 0.00039),
        (("switchyard_build_info", "1.2.3"), 1),
    ],
)
def test_records_are_counted(series, value):
    """Two alike records: every number twice, money in USD."""
    assert samples(metrics_of(make_record(1), make_record(2)))[series] == pytest.approx(value)


@pytest.mark.parametrize("stage", ["off", "none"])
def test_prompts_that_nobody_classified_are_of_no_kind(stage):
    """What stands in for scores is a guess, and would look like a flood of medium prompts."""
    decision = make_decision(stage=stage, task_type="Other", tier="medium")
    seen = samples(metrics_of(make_record(1, decision=decision)))

    assert seen["switchyard_decisions_total", "none", "none", "small"] == 1


def test_clients_that_went_away_have_their_status():
    """499 is a usual status here, though no client sees it."""
    seen = samples(metrics_of(make_record(1, outcome=make_outcome(status=499))))

    assert seen["switchyard_requests_total", "openai_chat", "499", "complete"] == 1


def test_dearer_answers_are_counted_apart():
    """A counter cannot fall, so what routing cost extra has its own."""
    seen = samples(metrics_of(make_record(1, savings_nano_usd=-1_000_000)))

    assert seen["switchyard_extra_cost_usd_total", *ROUTE] == pytest.approx(0.001)
    assert ("switchyard_savings_usd_total", *ROUTE) not in seen


def test_failures_are_counted():
    """A request that got no answer is there with the status its client saw, and bills nothing."""
    late = Attempt("p/small", 0.1, 60.0, None, Failure.LATE)
    failed = make_outcome(
        ending=Ending.FAILED, status=504, attempts=(late,), usage=None, cost_nano_usd=0
    )
    seen = samples(metrics_of(make_record(1, outcome=failed, model="")))

    assert seen["switchyard_requests_total", "openai_chat", "504", "failed"] == 1
    assert seen["switchyard_attempts_total", "p/small", "late"] == 1
    assert not [key for key in seen if "tokens" in key[0] or "cost" in key[0]]


words = st.text(max_size=8)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(words, words, st.integers(100, 599)), max_size=30))
def test_labels_are_bounded(strange):
    """Names from outside, a strange upstream's statuses included, end in a few series."""
    metrics = metrics_of()
    for word, other, status in strange:
        metrics.observe(
            [
                make_record(
                    question=msgspec.structs.replace(QUESTION, dialect=word),
                    scores=msgspec.structs.replace(SCORES, stage=other),
                    decision=make_decision(model=word, task_type=other, tier=word),
                    model=other,
                    outcome=make_outcome(
                        status=status, attempts=(Attempt(word, 0.0, 1.0, status, None, 0.5),)
                    ),
                )
            ]
        )
        metrics.count_refused(word, status)
    labels = {value for key in samples(metrics) for value in key[1:]}
    known = {
        *("other", "none", "ok", "complete", "true", "false", "1.2.3", "in", "out", "cache_read"),
        *("accept", "signals", "classify", "decide", "small", "large"),
        *("1xx", "2xx", "3xx", "4xx", "5xx", "full", "refused"),
        *(*TASK_TYPES, *TIERS, *SCORE_STAGES, *DIALECTS),  # a strange word may be one of ours
    }

    assert {label for label in labels if not label.isdigit()} <= known
    assert len({label for label in labels if label.isdigit()}) <= 15


def test_refusals_are_counted():
    """Requests that never reached a decision have their own counter."""
    metrics = metrics_of()
    metrics.count_refused("anthropic_messages", 401)
    metrics.count_refused("anthropic_messages", 401)

    seen = samples(metrics)
    assert seen["switchyard_refused_total", "anthropic_messages", "401"] == 2


def test_gauges_are_read_when_asked_for():
    """What changes by itself is read at the moment of the exposition."""
    metrics = metrics_of()
    metrics.in_flight = lambda: 3
    metrics.records_waiting = lambda: 4
    metrics.records_dropped = lambda: 5
    metrics.classifier_load = lambda: Load(device="cpu int8", waiting=6, batches=7, rows=8)
    metrics.use_health(
        {
            "p/small": Health(state="half_open"),
            "p/large": Health(state="open"),
            "gone": Health(),
        }
    )
    seen = samples(metrics)

    assert seen["switchyard_in_flight",] == 3
    assert seen["switchyard_records_waiting",] == 4
    assert seen["switchyard_records_dropped_total",] == 5
    assert seen["switchyard_encoder_waiting",] == 6
    assert seen["switchyard_encoder_batches_total",] == 7
    assert seen["switchyard_encoder_prompts_total",] == 8
    assert seen["switchyard_encoder_info", "cpu int8"] == 1
    assert seen["switchyard_breaker_state", "p/small"] == 1
    assert seen["switchyard_breaker_state", "p/large"] == 3
    assert ("switchyard_breaker_state", "gone") not in seen


def test_series_of_departed_models_end():
    """After a reload the models and deployments that have left take their series with them."""
    metrics = metrics_of(make_record(1))
    metrics.use_fleet(fleet_of("large"))
    metrics.observe([make_record(2)])
    labels = {value for key in samples(metrics) for value in key[1:]}

    assert "small" not in labels
    assert "p/small" not in labels
    assert {"other", "p/large"} <= labels
    assert samples(metrics)["switchyard_attempts_total", "other", "ok"] == 1


def test_the_table_names_everything():
    """Nothing is exposed that the tables do not list, and everything in them is."""
    metrics = metrics_of(make_record(1))
    families = {family.name for family in text_string_to_metric_families(metrics.render().decode())}

    assert families == {*COUNTERS, *HISTOGRAMS, *GAUGES}


@given(st.lists(st.floats(0, 10), max_size=50))
def test_histograms_count_like_the_obvious_way(values):
    """A bucket holds the values up to and including its bound, and all below it."""
    histogram = Histogram("h", "text", (), (0.5, 1.0, 5.0))
    for value in values:
        histogram.observe((), value)
    family = histogram.family()
    found = {
        sample.labels["le"]: sample.value for sample in family.samples if sample.name == "h_bucket"
    }
    expected = {
        name: sum(value <= float(name) for value in values) for name in ("0.5", "1.0", "5.0", "inf")
    }

    assert list(found.values()) == (list(expected.values()) if values else [])


def test_counters_keep_only_what_is_known():
    """Series whose label is unknown end; the others go on from where they were."""
    counter = Counter("c", "text", ("model", "kind"))
    counter.add(("a", "in"), 2)
    counter.add(("b", "in"))
    counter.keep_only(0, {"a"})
    counter.add(("a", "in"))

    assert counter.sums == {("a", "in"): 3}
