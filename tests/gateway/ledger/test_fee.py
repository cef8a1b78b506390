"""The routing fee: charged for savings, free for everything else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.chat import Usage
from gateway.core.request import RouteAction
from gateway.ledger.fee import Fee, Settled, fee_of, routing_fee, settle
from tests.gateway.decide.samples import Desk, price, question
from tests.gateway.record.records import OUTCOME

AUTO = RouteAction.AUTO
FREE = {
    "off": "Free: routing is off",
    "observed": "Free: observed without effect",
    "own": "Free: the client's own model answers",
    "same": "Free: the chosen model costs the same",
    "dearer": "Free: the chosen model costs more",
    "unknown": "Free: nothing to compare with",
}


def test_fee_of_the_published_example():
    """0.50 to 0.05 USD: savings 0.45, fee 0.0225, total 0.0725, the client keeps 0.4275."""
    before, after = 500_000_000, 50_000_000

    fee = routing_fee(before - after, 0.05, action=AUTO, routed=True)

    assert fee.amount_nano_usd == 22_500_000
    assert after + fee.amount_nano_usd == 72_500_000
    assert before - after - fee.amount_nano_usd == 427_500_000
    assert int(100 * (before - after - fee.amount_nano_usd) / before) == 85
    assert fee.reason == "5 % of the estimated savings"


@pytest.mark.parametrize(
    ("savings_nano_usd", "action", "routed", "reason"),
    [
        (450_000_000, RouteAction.DISABLED, True, FREE["off"]),
        (450_000_000, RouteAction.OBSERVE, True, FREE["observed"]),
        (450_000_000, AUTO, False, FREE["own"]),  # no route, or no cheaper alternative
        (0, AUTO, True, FREE["same"]),
        (-1, AUTO, True, FREE["dearer"]),
        (-1, RouteAction.CUSTOM, True, FREE["dearer"]),
    ],
)
def test_free_of_charge(savings_nano_usd, action, routed, reason):
    """Only a cheaper model that really answers costs a fee."""
    fee = routing_fee(savings_nano_usd, 0.05, action=action, routed=routed)

    assert fee == Fee(amount_nano_usd=0, reason=reason)


@pytest.mark.parametrize(
    ("savings_nano_usd", "rate", "amount", "reason"),
    [
        (1, 0.05, 0, "5 % of the estimated savings"),
        (9, 0.05, 0, "5 % of the estimated savings"),  # 0.45 rounds down
        (10, 0.05, 1, "5 % of the estimated savings"),  # 0.5 rounds up
        (1000, 0.0, 0, "0 % of the estimated savings"),
        (1000, 1.0, 1000, "100 % of the estimated savings"),
        (1000, 0.125, 125, "12.5 % of the estimated savings"),
    ],
)
def test_fee_rounds_to_nearest(savings_nano_usd, rate, amount, reason):
    """Integer nano-dollars, halves up."""
    fee = routing_fee(savings_nano_usd, rate, action=AUTO, routed=True)

    assert (fee.amount_nano_usd, fee.reason) == (amount, reason)


@given(st.integers(-(10**12), 10**12), st.floats(0, 1), st.booleans(), st.sampled_from(RouteAction))
def test_fee_never_exceeds_the_savings(savings_nano_usd, rate, routed, action):
    """Whatever happens, routing does not cost the client more than it saves."""
    fee = routing_fee(savings_nano_usd, rate, action=action, routed=routed)

    assert 0 <= fee.amount_nano_usd <= max(savings_nano_usd, 0)


def test_fee_of_a_decision():
    """A routed decision pays for its savings; compared with nothing it is free."""
    decision = Desk().decide(question("gpt-4", action=AUTO))

    fee = fee_of(decision, 0.05)

    assert decision.savings_nano_usd > 0
    assert fee.amount_nano_usd == pytest.approx(decision.savings_nano_usd * 0.05, abs=1)
    alone = msgspec.structs.replace(decision, cost_original_nano_usd=None)
    assert fee_of(alone, 0.05) == Fee(0, FREE["unknown"])


HALF = price(500.0, 0.0)  # 0.50 USD for the thousand tokens of USED
USED = Usage(tokens_in=1000, tokens_out=0)


def outcome(cost_nano_usd, usage=USED):
    """The end of a request that is billed *cost_nano_usd*."""
    return msgspec.structs.replace(OUTCOME, usage=usage, cost_nano_usd=cost_nano_usd)


@pytest.mark.parametrize(
    ("action", "model", "cost", "settled"),
    [
        (AUTO, "gpt-4", 50_000_000, Settled(450_000_000, 22_500_000)),  # the published example
        (AUTO, "gpt-4", 600_000_000, Settled(-100_000_000, 0)),  # dearer after all
        (AUTO, "llama-3-8b", 50_000_000, Settled(450_000_000, 0)),  # another place of its model
        (RouteAction.OBSERVE, "gpt-4", 50_000_000, Settled()),
        (RouteAction.DISABLED, "gpt-4", 50_000_000, Settled()),
    ],
)
def test_fee_is_settled_on_the_actual_usage(action, model, cost, settled):
    """The tokens of the answer, at the price of the original, less what they are billed at."""
    decision = Desk().decide(question(model, action=action))

    assert settle(decision, outcome(cost), HALF, 0.05) == settled


@pytest.mark.parametrize(("usage", "original"), [(None, HALF), (USED, None)])
def test_nothing_is_settled_without_an_answer_or_a_price(usage, original):
    """Nobody answered, or nobody knows what the original costs."""
    decision = Desk().decide(question("gpt-4", action=AUTO))

    assert settle(decision, outcome(0, usage), original, 0.05) == Settled()
