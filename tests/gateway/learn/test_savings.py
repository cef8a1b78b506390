"""The bill with and without routing."""

from __future__ import annotations

import msgspec
import pytest

from gateway.config.schema import Config, Policy, Routing
from gateway.core.chat import Usage
from gateway.core.request import RouteAction
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from gateway.learn.savings import (
    AUTO,
    Line,
    Workload,
    calculate,
    named_baseline,
    of_mix,
    of_records,
)
from gateway.learn.shipped import Mix, Prompts, find_mix
from models.scores import UNASKED
from tests.gateway.decide.samples import price, question, scores, signals, usual_fleet
from tests.gateway.record.records import make_outcome, make_record

FLEET = usual_fleet()
VIEW = fleet_view(FLEET, {})
USAGE = Usage(tokens_in=1000, tokens_out=500)


def bill_of(*workloads, **config):
    """The bill under the members of Config that are given."""
    return calculate(workloads, compile_policies(Config(**config), FLEET), VIEW)


def work(model="gpt-4", scored=None, **changes):
    """One request, routing off unless the calculator turns it on."""
    asked = question(model, action=RouteAction.DISABLED)
    fields = {"usage": USAGE} | changes
    return Workload(asked, signals(), scored or scores(), **fields)


def test_golden():
    """gpt-4 at 30 and 60 USD against llama at 0.05 and 0.08, and 5 % of the difference."""
    bill = bill_of(work(requests=10))
    original, cost = 30_000_000 + 30_000_000, 50_000 + 40_000
    fee = round((original - cost) * 0.05)

    assert bill.total == Line(10, 10 * original, 10 * cost, 10 * fee)
    assert bill.by_model == {"llama-3-8b": bill.total}
    assert bill.by_tier == {"low": bill.total}
    assert bill.by_task == {"Summarization": bill.total}
    assert bill.total.share == pytest.approx(0.95 * (original - cost) / original)


def test_a_hard_prompt_keeps_its_model():
    """Nothing saved, nothing charged."""
    bill = bill_of(work(scored=scores(tier="high")))

    assert bill.total.savings_nano_usd == bill.total.fee_nano_usd == 0
    assert list(bill.by_model) == ["gpt-4"]


def test_dearer_choices_are_negative():
    """A mode that takes the best costs more than the small model that was named."""
    bill = bill_of(work("gpt-4o-mini", scores(tier="high")), routing=Routing(mode="quality"))

    assert bill.total.savings_nano_usd < 0
    assert bill.total.fee_nano_usd == 0
    assert bill.total.share < 0


def test_without_usage_estimates_count():
    """A prompt of a file has no answer yet."""
    bill = bill_of(work(usage=None))

    assert 0 < bill.total.cost_nano_usd < bill.total.original_nano_usd


def test_a_virtual_model_is_compared_with_the_baseline():
    """Where no model was named the policy says what would have been."""
    bill = bill_of(work(AUTO), routing=Routing(baseline_model="gpt-4"))

    assert bill.total.original_nano_usd == 60_000_000


def test_what_cannot_be_judged():
    """Never classified, nothing to compare with, nobody may answer: none is in a sum."""
    everybody = tuple(d.model for d in FLEET.deployments)

    assert bill_of(work(scored=UNASKED, requests=3)).unjudged == 3
    assert bill_of(work(AUTO, requests=2), routing=Routing(baseline_model="lost")).unjudged == 2
    refused = bill_of(work(requests=4), policy=Policy(denied_models=everybody))
    assert (refused.refused, refused.total) == (4, Line())
    assert Line().share == 0.0


def test_records():
    """Each at the model it named, or all at one."""
    record = make_record(1, question=question("gpt-4o"), scores=scores(), outcome=make_outcome())
    (own,) = of_records([record])
    (other,) = of_records([record], "gpt-4")

    assert (own.question.model, other.question.model) == ("gpt-4o", "gpt-4")
    assert own.usage == record.outcome.usage
    assert bill_of(other).total.original_nano_usd > bill_of(own).total.original_nano_usd


def test_records_at_prices_of_a_cache():
    """Tokens that were read from a prompt cache are cheap on both sides."""
    cached = msgspec.structs.replace(USAGE, tokens_cache_read=1000)
    fleet = usual_fleet()
    cheap = msgspec.structs.replace(
        fleet.deployments[0], price=price(30.0, 60.0, cache_read=3_000_000)
    )
    fleet = msgspec.structs.replace(fleet, deployments=(cheap, *fleet.deployments[1:]))
    bill = calculate([work(usage=cached)], compile_policies(Config(), fleet), fleet_view(fleet, {}))

    assert bill.total.original_nano_usd == 3_000_000 + 30_000_000


def test_mixes():
    """Every request of a mix is on the bill; hard ones keep gpt-4."""
    mix = find_mix("general")
    bill = bill_of(*of_mix(mix, "gpt-4"))

    assert bill.total.requests == mix.requests
    assert bill.by_tier["high"].savings_nano_usd == 0
    assert bill.by_tier["low"].requests == 0.6 * mix.requests
    assert 0.5 < bill.total.share < 0.95


def test_a_mix_of_one_kind():
    """Tokens and tier as stated."""
    kind = Prompts(share=1.0, task_type="Rewrite", tier="medium", tokens_in=900, tokens_out=500)
    (only,) = of_mix(Mix(name="m", title="", requests=7, prompts=(kind,)))

    assert (only.requests, only.question.model) == (7, AUTO)
    assert only.usage == Usage(tokens_in=900, tokens_out=500)
    assert (only.signals.tokens_in, only.scores.tier) == (900, "medium")
    assert 0.35 < only.scores.complexity < 0.66


@pytest.mark.parametrize(("name", "asked"), [("gpt-4", "gpt-4"), ("gpt-3", AUTO)])
def test_a_baseline_that_nobody_serves(name, asked):
    """Requests cannot name it, so they name no model, and the policy compares."""
    assert named_baseline(name, VIEW) == asked
