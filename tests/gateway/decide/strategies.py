"""Any fleet, policy, health and request: hypothesis strategies for what a decision reads."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st

from gateway.config.schema import Condition, Config, Policy, Routing, Rule, Target
from gateway.core.fleet import Capability, Fleet, Model, ModelClass
from gateway.core.health import Health
from gateway.core.request import RouteAction
from gateway.decide.decide import decide
from gateway.decide.explain import Explanation, explain
from gateway.decide.fleet_view import fleet_view
from gateway.decide.policy import compile_policies
from models.scores import TASK_TYPES, TIERS
from tests.gateway.decide.samples import (
    deployment,
    price,
    question,
    references_of,
    scores,
    signals,
)

NAMES = ("a", "b", "c", "d")
CLASS_OF = dict(zip(NAMES, (*ModelClass, ModelClass.EFFICIENT), strict=True))
PROVIDERS = ("openai", "anthropic", "groq")
VIRTUAL = ("auto", "eco", "sport", "speed", "quality")
NEEDS = (Capability.NONE, Capability.TOOLS, Capability.VISION, Capability.JSON, Capability.STREAM)

share = st.floats(0, 1)
maybe_model = st.none() | st.sampled_from(NAMES)


@st.composite
def fleets(draw):
    """One to six deployments of up to four models, each a place of its own."""
    places = draw(
        st.lists(
            st.tuples(st.sampled_from(NAMES), st.sampled_from(PROVIDERS)),
            unique=True,
            min_size=1,
            max_size=6,
        )
    )
    deployments = tuple(
        deployment(
            model,
            provider,
            model_class=CLASS_OF[model],
            price=price(
                draw(st.floats(0, 50)),
                draw(st.floats(0, 100)),
                request_nano_usd=draw(st.sampled_from([0, 0, 12_000_000])),
            ),
            capabilities=Capability.CHAT
            | draw(st.sampled_from(NEEDS))
            | draw(st.sampled_from(NEEDS)),
            context_tokens=draw(st.sampled_from([4_000, 128_000])),
            output_tokens_max=draw(st.sampled_from([100, 8_000])),
            region=draw(st.sampled_from(["", "eu", "us"])),
            weight=draw(st.sampled_from([1.0, 3.0])),
            api_key=draw(st.sampled_from([None, "sk"])),
        )
        for model, provider in places
    )
    models = {
        name: Model(name=name, model_class=CLASS_OF[name], family="ab" if name in "ab" else name)
        for name, _ in places
    }
    return Fleet(deployments, models, "any", references_of(deployments))


@st.composite
def configs(draw):
    """Defaults, limits and a rule or two."""
    target = st.one_of(
        st.builds(Target, model=st.sampled_from(NAMES), own_key=st.booleans()),
        st.builds(Target, provider=st.sampled_from(PROVIDERS)),
        st.builds(Target, mode=st.sampled_from(["eco", "quality", "sport"])),
        st.builds(Target, best_within_usd=st.floats(1e-6, 0.1)),
        st.just(Target(keep=True)),
    )
    condition = st.builds(
        Condition,
        tiers=st.just(()) | st.just(("low",)),
        has_tools=st.none() | st.booleans(),
    )
    return Config(
        routing=Routing(
            action=draw(st.sampled_from(RouteAction)),
            mode=draw(st.sampled_from(["balanced", "eco", "speed"])),
            uncertain=draw(st.sampled_from(["keep", "complexity"])),
            high_tier=draw(st.sampled_from(["own", "premium"])),
            baseline_model=draw(st.sampled_from([*NAMES, "gpt-4"])),
        ),
        policy=Policy(
            denied_models=draw(st.sampled_from([(), ("a",), ("b", "c")])),
            allowed_models=draw(st.sampled_from([(), ("a", "b", "d")])),
            forced_models=draw(st.sampled_from([{}, {"Rewrite": "a"}])),
            regions=draw(st.sampled_from([(), (), ("eu",)])),
            cost_usd_max=draw(st.none() | st.floats(0.0001, 0.2)),
            quality_min=draw(st.none() | share),
        ),
        rules=tuple(
            Rule(id=f"r{k}", when=draw(condition), then=draw(target))
            for k in range(draw(st.integers(0, 2)))
        ),
    )


controls = st.fixed_dictionaries(
    {
        "action": st.none() | st.sampled_from(RouteAction),
        "mode": st.none() | st.sampled_from([None, "eco", "quality", "cost"]),
        "prefer_model": st.none() | maybe_model,
        "cost_usd_max": st.none() | st.none() | st.floats(0.00001, 0.2),
        "quality_min": st.none() | st.none() | share,
        "task_hint": st.none() | st.sampled_from(["code-review", "other", "x"]),
    }
)


@st.composite
def questions(draw, fleet):
    """A chat request for a model of *fleet*, or for none in particular."""
    place = draw(st.sampled_from(fleet.deployments))
    virtual = draw(st.none() | st.sampled_from(VIRTUAL))
    said = draw(controls)
    if said["prefer_model"] not in {one.model for one in fleet.deployments}:
        said["prefer_model"] = None  # another one is refused before anything is decided
    return question(
        virtual or place.model,
        provider=draw(st.sampled_from([None, None, place.provider])),
        dialect=draw(st.sampled_from(["openai_chat", "anthropic_messages"])),
        thinking_signed=draw(st.booleans()),
        seed=draw(st.integers(0, 2**31 - 1)),
        client_retry=draw(st.sampled_from([0, 0, 1])),
        **said,
    )


healths = st.dictionaries(
    st.sampled_from([f"{provider}/{name}" for provider in PROVIDERS for name in NAMES]),
    st.builds(
        Health,
        available=st.booleans(),
        requests=st.integers(0, 1000),
        error_share=share,
        ttft_s_p50=st.none() | st.floats(0, 10),
        tpot_s=st.none() | st.floats(0, 0.1),
    ),
    max_size=5,
)
read_signals = st.builds(
    signals,
    tokens_in=st.sampled_from([0, 10, 1000, 3990, 100_000]),
    needs=st.sampled_from(NEEDS).map(lambda need: need | Capability.CHAT),
    has_tools=st.booleans(),
    max_tokens=st.none() | st.sampled_from([1, 50, 5000]),
    agent_continuation=st.booleans(),
    words=st.sampled_from([1, 50]),
    excerpt_chars=st.sampled_from([5, 500]),
)
read_scores = st.builds(
    scores,
    st.sampled_from(TASK_TYPES),
    st.sampled_from(TIERS),
    uncertain=st.booleans(),
    confidence=share,
    stage=st.sampled_from(["first-stage", "first-stage", "none"]),
)


class Situation(msgspec.Struct, frozen=True, eq=False):
    """Everything one decision reads."""

    fleet: Fleet
    config: Config
    health: dict
    asked: object
    read: object
    scored: object

    def arguments(self):
        """Of decide and of explain."""
        policy = compile_policies(self.config, self.fleet).default
        return self.asked, self.read, self.scored, policy, fleet_view(self.fleet, self.health)

    def decide(self, **changes):
        """The decision on the question with *changes*."""
        asked, *others = self.arguments()
        return decide(msgspec.structs.replace(asked, **changes), *others)

    def explain(self) -> Explanation:
        """The same with everything that was weighed."""
        return explain(*self.arguments())

    def place(self, name: str):
        """The deployment with the id *name*."""
        return next(d for d in self.fleet.deployments if d.id == name)


@st.composite
def situations(draw):
    """A fleet, and everything else around it."""
    fleet = draw(fleets())
    return Situation(
        fleet=fleet,
        config=draw(configs()),
        health=draw(healths),
        asked=draw(questions(fleet)),
        read=draw(read_signals),
        scored=draw(read_scores),
    )
