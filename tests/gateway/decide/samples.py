"""Fleets, questions, signals and scores to decide on, each with the least that a test must say."""

from __future__ import annotations

from typing import Any

from gateway.config.schema import Config
from gateway.core.decision import Decision
from gateway.core.fleet import (
    Capability,
    Deployment,
    Fleet,
    Model,
    ModelClass,
    Price,
    Reference,
)
from gateway.core.health import Health
from gateway.core.question import Question
from gateway.core.request import Controls, Kind
from gateway.core.signals import Signals
from gateway.decide.decide import decide
from gateway.decide.fleet_view import FleetView, fleet_view
from gateway.decide.policy import RoutingPolicy, compile_policies
from models.scores import Scores

CHAT = Capability.CHAT | Capability.TOOLS | Capability.VISION | Capability.JSON | Capability.STREAM
EFFICIENT, BALANCED, PREMIUM = ModelClass.EFFICIENT, ModelClass.BALANCED, ModelClass.PREMIUM

# name, class, provider, family, USD per million tokens in and out
MODELS = (
    ("gpt-4", PREMIUM, "openai", "gpt", 30.0, 60.0),
    ("gpt-4o", BALANCED, "openai", "gpt", 2.5, 10.0),
    ("gpt-4o-mini", EFFICIENT, "openai", "gpt", 0.15, 0.6),
    ("claude-opus-4", PREMIUM, "anthropic", "claude", 15.0, 75.0),
    ("claude-sonnet-4", BALANCED, "anthropic", "claude", 3.0, 15.0),
    ("claude-haiku", EFFICIENT, "anthropic", "claude", 0.8, 4.0),
    ("llama-3-8b", EFFICIENT, "groq", "llama", 0.05, 0.08),
)


def price(usd_in: float, usd_out: float, **changes: int) -> Price:
    """A price of *usd_in* and *usd_out* per million tokens; cached input costs as fresh."""
    per_token = round(usd_in * 1e6)
    fields = {"cache_read": per_token, "cache_write": per_token} | changes
    return Price(input=per_token, output=round(usd_out * 1e6), **fields)


def deployment(model: str, provider: str = "openai", **changes: Any) -> Deployment:
    """One deployment, of a class and price of *changes* or balanced at 1 and 2 USD."""
    fields: dict[str, Any] = {
        "id": f"{provider}/{model}",
        "upstream_model": model,
        "dialect": "anthropic_messages" if provider == "anthropic" else "openai_chat",
        "base_url": "http://127.0.0.1",
        "api_key": "sk-test",
        "model_class": BALANCED,
        "capabilities": CHAT,
        "context_tokens": 128_000,
        "output_tokens_max": 16_000,
        "price": price(1.0, 2.0),
    }
    return Deployment(model=model, provider=provider, **(fields | changes))


def references_of(deployments: tuple[Deployment, ...]) -> dict[str, Reference]:
    """Every model as its first deployment serves it."""
    return {
        d.model: Reference(d.model, d.price, d.output_tokens_max) for d in reversed(deployments)
    }


def fleet_of(*deployments: Deployment, version: str = "f1", **models: Model) -> Fleet:
    """A fleet; models that are not given have neither aliases nor a family."""
    named = {d.model: Model(name=d.model, model_class=d.model_class) for d in deployments}
    return Fleet(deployments, named | models, version, references_of(deployments))


def usual_fleet(*more: Deployment) -> Fleet:
    """One deployment of every model of MODELS, then *more*."""
    deployments = tuple(
        deployment(name, provider, model_class=kind, price=price(usd_in, usd_out))
        for name, kind, provider, _, usd_in, usd_out in MODELS
    )
    models = {
        name: Model(name=name, model_class=kind, family=family, aliases=(f"{name}-latest",))
        for name, kind, _, family, _, _ in MODELS
    }
    extra = {d.model: Model(name=d.model, model_class=d.model_class) for d in more}
    everyone = deployments + more
    return Fleet(everyone, extra | models, "usual", references_of(everyone))


def question(model: str = "gpt-4", **changes: Any) -> Question:
    """A chat request that names *model*; keywords of Controls go there."""
    controls = {name: changes.pop(name) for name in Controls.__struct_fields__ if name in changes}
    fields: dict[str, Any] = {
        "kind": Kind.CHAT,
        "dialect": "openai_chat",
        "provider": None,
        "project": "default",
        "thinking_signed": False,
        "seed": 7,
    }
    return Question(model=model, controls=Controls(**controls), **(fields | changes))


def signals(**changes: Any) -> Signals:
    """A plain request of a thousand tokens."""
    fields: dict[str, Any] = {
        "tokens_in": 1000,
        "tokens_system": 0,
        "system_prompt_chars": 0,
        "turns": 1,
        "asks": 1,
        "needs": Capability.CHAT,
        "has_tools": False,
        "has_vision": False,
        "requires_json": False,
        "has_code": False,
        "has_math": False,
        "questions": 1,
        "constraints": 0,
        "words": 40,
        "script": "latin",
        "language": "en",
        "max_tokens": None,
        "stream": False,
        "agent_continuation": False,
        "excerpt_chars": 200,
        "excerpt_truncated": False,
    }
    return Signals(**(fields | changes))


COMPLEXITY = {"low": 0.12, "medium": 0.5, "high": 0.81}


def scores(task_type: str = "Summarization", tier: str = "low", **changes: Any) -> Scores:
    """A sure classification."""
    fields: dict[str, Any] = {
        "confidence": 0.9,
        "complexity": COMPLEXITY[tier],
        "stage": "first-stage",
        "uncertain": False,
    }
    return Scores(task_type=task_type, tier=tier, **(fields | changes))


def policy(fleet: Fleet, project: str = "default", **config: Any) -> RoutingPolicy:
    """The policy of *project* under the members of Config that are given."""
    return compile_policies(Config(**config), fleet).for_project(project)


class Desk:
    """A fleet under one configuration, to ask for decisions."""

    def __init__(
        self, fleet: Fleet | None = None, health: dict[str, Health] | None = None, **config: Any
    ) -> None:
        self.fleet = usual_fleet() if fleet is None else fleet
        self.view: FleetView = fleet_view(self.fleet, health or {})
        self.policies = compile_policies(Config(**config), self.fleet)

    def decide(
        self,
        asked: Question,
        scored: Scores | None = None,
        project: str = "default",
        **read: Any,
    ) -> Decision:
        """Decide on *asked* with signals of *read*."""
        return decide(
            asked,
            signals(**read),
            scores() if scored is None else scored,
            self.policies.for_project(project),
            self.view,
        )
