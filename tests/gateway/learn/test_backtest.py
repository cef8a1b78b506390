"""A draft of rules against the rules in force, on recorded requests."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.schema import Condition, Config, Policy, Rule, Target
from gateway.core.chat import Usage
from gateway.core.request import RouteAction
from gateway.decide.decide import decide
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.learn.backtest import EXAMPLES_MAX, Backtest, Sums, backtest
from models.scores import UNASKED
from tests.gateway.decide.samples import question, scores, signals, usual_fleet
from tests.gateway.record.records import make_outcome, make_record

FLEET = usual_fleet()
VIEW = fleet_view(FLEET, {})
CODE_LOW = Rule(
    id="code-low",
    when=Condition(task_types=("Code Generation",), tiers=("low",)),
    then=Target(model="claude-haiku"),
    reason="easy code",
)
USAGE = Usage(tokens_in=1000, tokens_out=500)


def healthy(version):
    """Every view is stored, and everybody in it was well."""
    return {}


def recorded(number: int, task: str = "Code Generation", tier: str = "low", **changes):
    """A request for gpt-4 under custom rules, answered as the default policy decides."""
    asked = question(action=changes.pop("action", RouteAction.CUSTOM), seed=number)
    read, scored = signals(), changes.pop("scored", scores(task, tier))
    decision = decide(asked, read, scored, compile_policies(Config(), FLEET).default, VIEW)
    outcome = make_outcome(usage=changes.pop("usage", USAGE))
    return make_record(
        number,
        question=asked,
        signals=read,
        scores=scored,
        decision=decision,
        outcome=outcome,
        model=decision.model,
        **changes,
    )


def run(records, *rules, find=healthy, **config):
    """Try *rules* where none were, under the members of Config that are given."""
    before = compile_policies(Config(**config), FLEET)
    after = compile_policies(Config(rules=rules, **config), FLEET)
    return backtest(records, before, after, VIEW, find)


def test_the_same_rules_change_nothing():
    """No rule before, none after."""
    report = run([recorded(1), recorded(2, "Rewrite")])

    assert report.summary() == (
        "would have changed 0 of 2 decisions: +0.00 USD, 0 to another provider"
    )
    assert report.total == Sums(records=2)
    assert report.examples == []


def test_a_rule_changes_what_it_matches():
    """Golden: 1000 tokens in and 500 out, at the price of either model."""
    report = run([recorded(1), recorded(2, "Rewrite"), recorded(3, "Rewrite", "high")], CODE_LOW)
    llama, haiku = 1000 * 50 + 500 * 80, 1000 * 800 + 500 * 4000

    assert (report.changed, report.ruled, report.metered) == (1, 3, 3)
    assert report.total == Sums(3, 1, 1, haiku - llama)
    assert report.by_task["Code Generation"] == Sums(1, 1, 1, haiku - llama)
    assert report.by_task["Rewrite"] == Sums(2)
    assert {tier: sums.records for tier, sums in report.by_tier.items()} == {"low": 2, "high": 1}
    assert {rule: sums.changed for rule, sums in report.by_rule.items()} == {"code-low": 1, "": 0}
    (example,) = report.examples
    assert (example.before, example.after) == ("groq/llama-3-8b", "anthropic/claude-haiku")
    assert (example.rule, example.reason) == ("code-low", "Rule code-low: easy code")
    assert example.cost_nano_usd == haiku - llama


def test_estimates_stand_in_for_usage():
    """Nothing was billed for a failed request: what was expected counts."""
    report = run([recorded(1, usage=None)], CODE_LOW)
    estimate = recorded(1).decision

    assert report.metered == 0
    assert report.total.cost_nano_usd == report.examples[0].cost_nano_usd > 0
    assert report.total.cost_nano_usd != run([recorded(1)], CODE_LOW).total.cost_nano_usd
    assert estimate.cost_nano_usd > 0


def test_rules_have_no_say_in_auto():
    """Only custom and observe ask for rules; what was observed counts as if it had an effect."""
    records = [recorded(1, action=RouteAction.AUTO), recorded(2, action=RouteAction.OBSERVE)]
    report = run(records, CODE_LOW)

    assert (report.ruled, report.changed, report.judged) == (1, 1, 2)
    assert [example.request_id for example in report.examples] == ["req_2"]


def test_refused_and_admitted():
    """A verdict that changes is a change, and is in no sum of money."""
    denied = tuple(d.model for d in FLEET.deployments)
    records = [recorded(1)]
    open_, shut = (
        compile_policies(Config(policy=Policy(denied_models=some)), FLEET) for some in ((), denied)
    )
    report = backtest(records, open_, shut, VIEW, healthy)
    assert (report.refused, report.admitted, report.changed) == (1, 0, 1)
    assert (report.examples[0].before, report.examples[0].after) == ("groq/llama-3-8b", None)
    assert "1 would be refused" in report.summary()
    assert report.total == Sums()

    report = backtest(records, shut, open_, VIEW, healthy)
    assert (report.refused, report.admitted, report.changed) == (0, 1, 1)
    assert report.examples[0].before is None
    assert "1 would be refused no more" in report.summary()

    report = backtest(records, shut, shut, VIEW, healthy)
    assert (report.changed, report.judged, report.examples) == (0, 1, [])


def test_what_cannot_be_decided_again_is_told():
    """Without its view, or without a classification where the draft's effect depends on one."""
    blind = recorded(1, scored=UNASKED, action=RouteAction.DISABLED)
    asked = msgspec.structs.replace(
        blind.question,
        controls=msgspec.structs.replace(blind.question.controls, action=RouteAction.CUSTOM),
    )
    report = run([msgspec.structs.replace(blind, question=asked)], CODE_LOW)
    assert (report.unscored, report.judged) == (1, 0)

    report = run([recorded(1)], CODE_LOW, find=lambda version: None)
    assert (report.skipped, report.judged) == (1, 0)
    assert report.summary().endswith("; 1 records cannot be decided again")


@pytest.mark.parametrize(("count", "kept"), [(3, 3), (EXAMPLES_MAX + 5, EXAMPLES_MAX)])
def test_examples_are_bounded(count, kept):
    """However many records there are."""
    report = run((recorded(number) for number in range(count)), CODE_LOW)

    assert len(report.examples) == kept
    assert report.changed == count


def test_views_are_looked_up_once_for_neighbours():
    """Records of the same second mostly saw the same health."""
    asked = []

    def find(version):
        asked.append(version)
        return {}

    run([recorded(number) for number in range(5)], CODE_LOW, find=find)
    assert len(asked) == 1


def test_becomes_json():
    """The admin API sends it as it is."""
    report = run([recorded(1)], CODE_LOW)

    assert msgspec.json.decode(msgspec.json.encode(report), type=Backtest) == report


def test_rules_that_had_no_say_in_any_record():
    """The summary says so, and what to do; records that nobody can judge are another matter."""
    auto = [recorded(1, action=RouteAction.AUTO)]
    said = run(auto, CODE_LOW).summary()

    assert said.startswith("would have changed 0 of 1 decisions")
    assert "rules had a say in none of them" in said
    assert "`action: custom`" in said
    assert "had a say" not in run([*auto, recorded(2)], CODE_LOW).summary()
    assert "had a say" not in run([], CODE_LOW).summary()
