"""Replay compares what was decided with what would be."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.schema import Config, Policy, Recording
from gateway.core.clock import SystemClock
from gateway.core.errors import NoEligibleModel
from gateway.core.health import Health
from gateway.core.request import RouteAction
from gateway.decide.decide import decide
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.record.record import Record
from gateway.record.recorder import Recorder
from gateway.record.replay import EXAMPLES_MAX, Change, decide_again, replay
from gateway.record.store import Store
from tests.gateway.record.records import QUESTION, fleet_of, make_decision, make_record

LARGE = make_decision(model="large", cost_nano_usd=5_000_000, reason="policy: large")


def same(record, health):
    """Decide as recorded."""
    return record.decision


def always_large(record, health):
    """Decide for the large model."""
    return LARGE


def refuse(record, health):
    """Decide that nothing may answer."""
    raise NoEligibleModel("No model is left.")


def known(version):
    """Every view is stored, and says nothing."""
    return {}


def test_the_same_decisions_are_no_difference():
    """Nothing changes when the decisions are the recorded ones."""
    report = replay([make_record(i) for i in range(3)], known, same)

    assert report.summary() == "0 of 3 decisions would change: +0.00 USD"
    assert report.examples == []
    assert report.total.cost_nano_usd == report.total.savings_nano_usd == 0


def test_differences_add_up():
    """Changed models, money and groups; a record already on the model does not change."""
    records = [
        make_record(1),
        make_record(2, decision=make_decision(task_type="Rewrite", tier="high")),
        make_record(3, decision=LARGE),
    ]
    report = replay(records, known, always_large)

    assert (report.records, report.changed, report.total.records) == (3, 2, 3)
    assert report.total.cost_nano_usd == 8_000_000
    assert report.total.savings_nano_usd == -8_000_000
    assert {name: delta.changed for name, delta in report.by_task.items()} == {
        "Summarization": 1,
        "Rewrite": 1,
    }
    assert {name: delta.records for name, delta in report.by_tier.items()} == {"low": 2, "high": 1}
    assert report.by_model["small"].cost_nano_usd == 8_000_000
    assert report.by_model["large"].changed == 0
    assert report.examples[0] == Change("req_1", "small", "large", "policy: large", 4_000_000)


def test_refusals_are_changes_without_money():
    """A request that no model may answer any more is told, and is in no sum."""
    report = replay([make_record(1)], known, refuse)

    assert report.summary() == ("1 of 1 decisions would change: +0.00 USD, 1 would be refused")
    assert report.examples == [Change("req_1", "small", None, "No model is left.", 0)]
    assert report.total.records == 0


def test_records_without_their_view_are_skipped():
    """Without the health of that moment a difference would say nothing about the policy."""
    report = replay([make_record(1), make_record(2)], lambda version: None, always_large)

    assert (report.records, report.skipped, report.changed) == (2, 2, 0)
    assert report.summary().startswith("0 of 0 decisions would change")
    assert "2 cannot be decided again" in report.summary()


@pytest.mark.parametrize(
    ("stage", "before", "after", "unscored"),
    [
        ("off", RouteAction.DISABLED, RouteAction.AUTO, 1),
        ("off", RouteAction.DISABLED, RouteAction.DISABLED, 0),
        ("none", RouteAction.AUTO, RouteAction.AUTO, 0),  # decided blindly then, and now
        ("first-stage", RouteAction.DISABLED, RouteAction.AUTO, 0),
    ],
)
def test_records_that_were_not_classified_are_not_judged(stage, before, after, unscored):
    """Where routing was off nobody read the prompt, so nobody knows what routing would do."""
    record = make_record(1, decision=make_decision(stage=stage, action=before))
    now = msgspec.structs.replace(LARGE, action=after)
    report = replay([record], known, lambda record, health: now)

    assert (report.unscored, report.total.records) == (unscored, 1 - unscored)
    assert ("1 records were not classified (routing was off)" in report.summary()) is bool(unscored)


def test_each_record_is_decided_on_its_own_view():
    """Health is looked up by the version that the record names, once for neighbours."""
    health = {"a": {"p": Health(requests=1)}, "b": {"p": Health(requests=2)}}
    asked, seen = [], []

    def find(version):
        asked.append(version)
        return health[version]

    def watch(record, found):
        seen.append(found["p"].requests)
        return record.decision

    def on(view):
        versions = make_decision().versions
        changed = type(versions)(versions.policy, versions.fleet, view, versions.classifier)
        return make_decision(versions=changed)

    replay([make_record(i, decision=on(view)) for i, view in enumerate("aab")], find, watch)

    assert asked == ["a", "b"]
    assert seen == [1, 1, 2]


@pytest.mark.parametrize(("count", "kept"), [(3, 3), (EXAMPLES_MAX + 5, EXAMPLES_MAX)])
def test_examples_are_bounded(count, kept):
    """A year of records needs no more memory than a day of them."""
    report = replay((make_record(i) for i in range(count)), known, always_large)

    assert len(report.examples) == kept
    assert report.changed == count


HEALTH = {
    "p/small": Health(requests=40, error_share=1 / 3, ttft_s_p50=0.7, tpot_s=0.013),
    "p/large": Health(),
}


def decided(number: int, config: Config, fleet, **changes) -> Record:
    """A record as the pipeline makes it, with the decision that *config* leads to."""
    record = make_record(number, **changes)
    policy = compile_policies(config, fleet).for_project(record.question.project)
    view = fleet_view(fleet, HEALTH)
    decision = decide(record.question, record.signals, record.scores, policy, view)
    return make_record(number, **{**changes, "decision": decision, "model": decision.model})


def test_the_same_versions_give_the_same_decision():
    """Through the database and back, records and health decide exactly as they did."""
    fleet, store = fleet_of("small", "large"), Store("sqlite://")
    records = [
        decided(number, Config(), fleet, question=msgspec.structs.replace(QUESTION, seed=number))
        for number in range(20)
    ]
    recorder = Recorder(store, Recording(keep_days=1e5), SystemClock())
    recorder.note_view(fleet_view(fleet, HEALTH).version, HEALTH)
    for record in records:
        recorder.put(record)
    assert recorder.close(timeout_s=0) == 0
    again = decide_again(compile_policies(Config(), fleet), fleet)
    found = list(store.read_records(0, 1e12))

    assert found == records
    for record in found:
        view = store.find_view(record.decision.versions.view)
        assert view is not None
        assert again(record, view.health) == record.decision
    store.close()


def test_another_policy_shows_as_a_difference():
    """A model that is denied now is replaced in every decision that it had won."""
    fleet = fleet_of("small", "large")
    record = decided(1, Config(), fleet)
    denied = Config(policy=Policy(denied_models=(record.decision.model,)))
    again = decide_again(compile_policies(denied, fleet), fleet)
    report = replay([record], lambda version: HEALTH, again)

    assert (report.records, report.changed) == (1, 1)
    assert report.examples[0].before == record.decision.model
    assert report.examples[0].after != record.decision.model
