"""What a request is expected to give and to take."""

from __future__ import annotations

import pytest

from gateway.core.health import Health
from gateway.core.request import Kind
from gateway.decide.ask import read_ask
from gateway.decide.estimate import estimate
from gateway.decide.fleet_view import fleet_view
from gateway.decide.priors import TOKENS_OUT
from tests.gateway.decide.samples import (
    deployment,
    fleet_of,
    policy,
    price,
    question,
    scores,
    signals,
)

FLEET = fleet_of(
    deployment("a", price=price(1.0, 2.0), output_tokens_max=10_000),
    deployment("b", price=price(10.0, 20.0), output_tokens_max=50),
)


def estimates(scored, kind=Kind.CHAT, health=None, **read):
    """Estimates for both deployments."""
    compiled, view, said = policy(FLEET), fleet_view(FLEET, health or {}), signals(**read)
    ask = read_ask(question("a", kind=kind), said, scored, compiled, view.rows)
    return estimate(kind, ask, said, compiled, view)


@pytest.mark.parametrize(
    ("scored", "max_tokens", "tokens_out"),
    [
        (scores("Classification", "low"), None, TOKENS_OUT["Classification"][0]),
        (scores("Code Generation", "high"), None, TOKENS_OUT["Code Generation"][2]),
        (scores("Code Generation", "high"), 100, 100),
        (scores("Classification", "low"), 100, TOKENS_OUT["Classification"][0]),
    ],
)
def test_tokens_out(scored, max_tokens, tokens_out):
    """The usual length for task and tier, at most what the client allows."""
    assert estimates(scored, max_tokens=max_tokens).tokens_out == tokens_out


def test_embeddings_answer_without_tokens():
    """An embedding is priced by its input alone."""
    assert estimates(scores(), Kind.EMBEDDING).tokens_out == 0
    assert estimates(scores(), Kind.EMBEDDING).cost_nano_usd.tolist() == [1_000_000, 10_000_000]


def test_cost_per_deployment():
    """Every deployment at its own price, its longest answer cutting the prediction."""
    found = estimates(scores("Rewrite", "low"), tokens_in=1000)

    assert found.tokens_out == 150
    assert found.cost_nano_usd.tolist() == [1000_000 + 150 * 2000, 10_000_000 + 50 * 20_000]


@pytest.mark.parametrize(
    ("max_tokens", "tokens_out"), [(None, 450), (200, 200), (100, 100), (4000, 450)]
)
def test_limits_are_held_against_a_long_answer(max_tokens, tokens_out):
    """Three times the usual length, at most what the client allows and the model can give."""
    found = estimates(scores("Rewrite", "low"), tokens_in=1000, max_tokens=max_tokens)

    assert found.cost_most_nano_usd.tolist() == [
        1_000_000 + tokens_out * 2000,
        10_000_000 + 50 * 20_000,
    ]


def test_latency():
    """Time to the first token, then every token."""
    health = {"openai/a": Health(ttft_s_p50=0.5, tpot_s=0.01)}
    found = estimates(scores("Rewrite", "low"), health=health)

    assert found.latency_s.tolist() == pytest.approx([0.5 + 150 * 0.01, 0.5 + 50 * 0.012])


def test_quality_falls_with_the_errors():
    """A deployment that fails every second request promises half of what it would."""
    health = {"openai/a": Health(requests=10**9, error_share=0.5)}
    found = estimates(scores("Rewrite", "medium"), health=health)

    assert found.quality.tolist() == pytest.approx([0.43, 0.86])
