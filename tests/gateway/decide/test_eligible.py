"""Which deployments may serve a request, and in which words they may not."""

from __future__ import annotations

import pytest

from gateway.config.schema import Policy
from gateway.core.fleet import Capability, Model
from gateway.core.health import Health
from gateway.core.request import Grant, Kind
from gateway.decide.case import read_case
from gateway.decide.eligible import sentences
from gateway.decide.fleet_view import fleet_view
from gateway.decide.lack import Lack
from tests.gateway.decide.samples import (
    BALANCED,
    CHAT,
    deployment,
    fleet_of,
    policy,
    price,
    question,
    scores,
    signals,
)

C = Capability


def read(asked, one=None, said=None, health=None, **config):
    """The case of one deployment ``m`` at openai, beside another that lacks nothing."""
    fleet = fleet_of(
        deployment("m", **(one or {})),
        deployment("other", price=price(0.0, 0.0)),
        m=Model("m", BALANCED, family="f"),
        other=Model("other", BALANCED, family="g"),
    )
    view = fleet_view(fleet, {"openai/m": health} if health else {})
    return read_case(asked, said or signals(), scores(), policy(fleet, **config), view)


TOOLS, VISION, JSON, STREAM = (
    signals(needs=need) for need in (C.TOOLS, C.VISION, C.JSON, C.STREAM)
)
M = question("m")


@pytest.mark.parametrize(
    ("case", "lack", "text"),
    [
        (read(M), Lack.NONE, ()),
        (read(M, {"capabilities": C.CHAT}, TOOLS), Lack.TOOLS, ("cannot call tools",)),
        (read(M, {"capabilities": C.CHAT}, VISION), Lack.VISION, ("cannot read images",)),
        (read(M, {"capabilities": C.CHAT}, JSON), Lack.JSON, ("has no JSON mode",)),
        (read(M, {"capabilities": C.CHAT}, STREAM), Lack.STREAM, ("does not stream",)),
        (read(M, {"capabilities": C.EMBEDDINGS}), Lack.CHAT, ("serves no chat",)),
        (
            read(question("m", kind=Kind.EMBEDDING, dialect="openai_embeddings")),
            Lack.EMBEDDINGS,
            ("serves no embeddings",),
        ),
        (
            read(question("m", kind=Kind.COMPLETION, dialect="openai_completions")),
            Lack.COMPLETIONS,
            ("serves no legacy completions",),
        ),
        (
            read(
                question("m", kind=Kind.COMPLETION, dialect="openai_completions"),
                {"dialect": "anthropic_messages", "capabilities": C.COMPLETIONS},
            ),
            Lack.DIALECT,
            ("speaks a dialect that this endpoint is not translated to",),
        ),
        (read(M, {"context_tokens": 1000}), Lack.NONE, ()),  # just fits
        (
            read(M, {"context_tokens": 1100}, signals(max_tokens=101)),
            Lack.CONTEXT,
            ("holds 1100 tokens, fewer than the 1101 of this request",),
        ),
        (
            read(M, {"output_tokens_max": 99}, signals(max_tokens=100)),
            Lack.OUTPUT,
            ("answers with 99 tokens at most, fewer than the 100 asked for",),
        ),
        (read(M, policy=Policy(denied_models=("m",))), Lack.DENIED, ("is denied by the policy",)),
        (
            read(M, policy=Policy(allowed_models=("other",))),
            Lack.NOT_ALLOWED,
            ("is not among the models that the policy allows",),
        ),
        (read(question("m", regions=("eu",)), {"region": "eu-west-1"}), Lack.NONE, ()),
        (
            read(question("m", regions=("eu",)), {"region": "us"}),
            Lack.REGION,
            ("is not in an allowed region",),
        ),
        (
            read(M, health=Health(available=False)),
            Lack.UNAVAILABLE,
            ("is unavailable right now",),
        ),
        (
            read(question("m", cost_usd_max=0.0017)),
            Lack.COST,
            ("may cost 0.00172 USD, more than the limit of 0.0017",),
        ),
        (read(question("m", cost_usd_max=0.00172)), Lack.NONE, ()),
        (
            read(M, policy=Policy(cost_usd_max=0.001)),
            Lack.COST,
            ("may cost 0.00172 USD, more than the limit of 0.001",),
        ),
        (
            read(question("m", quality_min=0.95)),
            Lack.QUALITY,
            ("promises 0.94, less than the minimum of 0.95",),
        ),
        (
            read(M, {"capabilities": C.CHAT}, TOOLS, policy=Policy(denied_models=("m",))),
            Lack.TOOLS | Lack.DENIED,
            ("is denied by the policy", "cannot call tools"),
        ),
    ],
)
def test_lacks(case, lack, text):
    """One bit and one sentence for everything that stands against a deployment."""
    assert Lack(int(case.lacks[0])) == lack
    assert sentences(0, int(case.lacks[0]), case.view, case.estimates, case.limits) == text


def test_the_tighter_limit_holds():
    """The client cannot loosen what the operator set, nor the other way round."""
    loose = read(
        question("m", cost_usd_max=1.0, quality_min=0.1),
        policy=Policy(cost_usd_max=0.5, quality_min=0.3),
    )
    tight = read(
        question("m", cost_usd_max=0.1, quality_min=0.9),
        policy=Policy(cost_usd_max=0.5, quality_min=0.3),
    )

    assert (loose.limits.cost_max_nano_usd, loose.limits.quality_min) == (500_000_000, 0.3)
    assert (tight.limits.cost_max_nano_usd, tight.limits.quality_min) == (100_000_000, 0.9)


def test_a_pinned_provider_is_the_only_one_while_routing_is_off():
    """With routing the target may be anywhere; without, the path says where."""
    fleet = fleet_of(deployment("m", "openai"), deployment("m", "azure"))
    view, compiled = fleet_view(fleet, {}), policy(fleet)

    def lacks(**controls):
        asked = question("m", provider="azure", **controls)
        return read_case(asked, signals(), scores(), compiled, view).lacks.tolist()

    assert lacks() == [int(Lack.PROVIDER), 0]
    assert lacks(action="auto") == [0, 0]


@pytest.mark.parametrize(
    ("asked", "continuation", "lacks"),
    [
        (question("m", thinking_signed=True), True, [Lack.NONE, Lack.FAMILY]),
        (question("m", thinking_signed=True), False, [Lack.NONE, Lack.NONE]),
        (question("m"), True, [Lack.NONE, Lack.NONE]),
        (question("auto", thinking_signed=True), True, [Lack.NONE, Lack.NONE]),
        (
            question("auto", thinking_signed=True, dialect="anthropic_messages"),
            True,
            [Lack.FAMILY, Lack.FAMILY],  # neither speaks the dialect that signed it
        ),
    ],
)
def test_signed_reasoning_stays_in_its_family_inside_a_loop(asked, continuation, lacks):
    """Between turns it can be left out; between a tool call and its result it cannot."""
    case = read(asked, said=signals(agent_continuation=continuation))

    assert case.lacks.tolist() == [int(lack) for lack in lacks]


def test_everything_at_once():
    """A request that needs all of chat finds a deployment that has it."""
    assert read(M, said=signals(needs=CHAT, max_tokens=100)).lacks.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("grant", "one", "lack"),
    [
        (Grant(), {"brought": True}, Lack.KEYLESS),
        (Grant(models=("other",)), {"brought": True}, Lack.KEYLESS | Lack.NOT_GRANTED),
        (Grant(models=("m",)), {}, Lack.NONE),
        (Grant(own_providers=("openai",)), {"brought": True}, Lack.NONE),
        (Grant(own_only=True), {}, Lack.KEYLESS),
        (Grant(own_only=True, own_providers=("openai",)), {}, Lack.NONE),
        (Grant(spend_left_nano_usd=1000), {}, Lack.COST),
        (Grant(spend_left_nano_usd=10**9), {}, Lack.NONE),
    ],
)
def test_a_caller_may_use_what_it_was_granted(grant, one, lack):
    """Models of its key, providers that somebody pays, and what its spend limits leave."""
    case = read(question("m", grant=grant), one)
    assert Lack(int(case.lacks[0])) == lack
