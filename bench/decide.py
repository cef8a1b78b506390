"""How long one decision takes, by fleet size and by what is asked: ``python -m bench.decide``."""

from __future__ import annotations

import timeit
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from gateway.config.schema import Condition, Config, Routing, Rule, Target
from gateway.core.fleet import (
    Capability,
    Deployment,
    Fleet,
    Model,
    ModelClass,
    Price,
    Reference,
)
from gateway.core.question import Question
from gateway.core.request import Controls, Kind, RouteAction
from gateway.core.signals import Signals
from gateway.decide.decide import decide
from gateway.decide.explain import explain
from gateway.decide.fleet_view import FleetView, fleet_view
from gateway.decide.policy import RoutingPolicy, compile_policies
from models.scores import UNSCORED, Scores

SIZES = (7, 60, 200)  # a small fleet, the default one, the largest we promise 50 us for
REPEATS, RUNS = 2000, 5
BASELINE = "model-2"
NEEDS = Capability.CHAT | Capability.TOOLS | Capability.STREAM
SIGNALS = Signals(
    tokens_in=1200,
    tokens_system=300,
    system_prompt_chars=1200,
    turns=3,
    asks=2,
    needs=NEEDS,
    has_tools=True,
    has_vision=False,
    requires_json=False,
    has_code=False,
    has_math=False,
    questions=1,
    constraints=2,
    words=60,
    script="latin",
    language="en",
    max_tokens=1000,
    stream=True,
    agent_continuation=False,
    excerpt_chars=900,
    excerpt_truncated=False,
)


def fleet_of(size: int) -> Fleet:
    """A fleet of *size* deployments: classes in turn, two deployments of every model."""
    classes = tuple(ModelClass)
    deployments = []
    for k in range(size):
        rank = (k // 2) % 3
        per_token = (50_000 + 1000 * k) * 10**rank
        price = Price(
            input=per_token, output=4 * per_token, cache_read=per_token, cache_write=per_token
        )
        deployments.append(
            Deployment(
                id=f"provider-{k % 9}/model-{k // 2}",
                model=f"model-{k // 2}",
                provider=f"provider-{k % 9}",
                upstream_model=f"model-{k // 2}",
                dialect="openai_chat",
                base_url="http://127.0.0.1",
                api_key="none",
                model_class=classes[rank],
                capabilities=NEEDS if k % 5 else Capability.CHAT,
                context_tokens=128_000,
                output_tokens_max=8192,
                price=price,
            )
        )
    models = {d.model: Model(name=d.model, model_class=d.model_class) for d in deployments}
    references = {BASELINE: Reference(BASELINE, deployments[4].price, 8192)}
    return Fleet(tuple(deployments), models, f"bench-{size}", references)


def ask(model: str, action: RouteAction | None = None) -> Question:
    """A chat request for *model*."""
    return Question(
        kind=Kind.CHAT,
        dialect="openai_chat",
        model=model,
        provider=None,
        controls=Controls(action=action),
        project="default",
        thinking_signed=False,
        seed=12345,
    )


def policy_of(fleet: Fleet, rules: int = 0) -> RoutingPolicy:
    """A policy with so many rules, none of which matches."""
    never = Condition(task_types=("Extraction",), tiers=("high",))
    config = Config(
        routing=Routing(baseline_model=BASELINE),
        rules=tuple(
            Rule(id=f"r{k}", when=never, then=Target(model="model-1")) for k in range(rules)
        ),
    )
    return compile_policies(config, fleet).default


def microseconds(call: Callable[[], object]) -> float:
    """The fastest of RUNS averages over REPEATS calls."""
    call()
    return min(timeit.repeat(call, number=REPEATS, repeat=RUNS)) / REPEATS * 1e6


def cases(fleet: Fleet, view: FleetView) -> dict[str, Callable[[], object]]:
    """What is measured on one fleet, by name."""
    plain, ruled = policy_of(fleet), policy_of(fleet, rules=20)
    low = Scores("Summarization", 0.9, 0.12, "low", "first-stage", uncertain=False)
    high = Scores("Open QA", 0.9, 0.8, "high", "first-stage", uncertain=False)
    auto, custom = RouteAction.AUTO, RouteAction.CUSTOM
    return {
        "disabled, named": lambda: decide(ask("model-2"), SIGNALS, low, plain, view),
        "auto, named, low: routed": lambda: decide(ask("model-2", auto), SIGNALS, low, plain, view),
        "auto, named, high: kept": lambda: decide(ask("model-2", auto), SIGNALS, high, plain, view),
        "auto, named, unscored": lambda: decide(
            ask("model-2", auto), SIGNALS, UNSCORED, plain, view
        ),
        "virtual, low": lambda: decide(ask("auto"), SIGNALS, low, plain, view),
        "virtual, quality": lambda: decide(ask("quality"), SIGNALS, low, plain, view),
        "custom, 20 rules": lambda: decide(ask("model-2", custom), SIGNALS, low, ruled, view),
        "observe": lambda: decide(ask("model-2", RouteAction.OBSERVE), SIGNALS, low, plain, view),
        "explain": lambda: explain(ask("model-2", auto), SIGNALS, low, plain, view),
        "new view of the same fleet": lambda: view.with_health({}),
    }


def main() -> None:
    """Print microseconds per call."""
    table = Table("µs per call", *(f"{size} deployments" for size in SIZES))
    columns = []
    for size in SIZES:
        fleet = fleet_of(size)
        named = cases(fleet, fleet_view(fleet, {}))
        columns.append({name: microseconds(call) for name, call in named.items()})
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:.1f}" for column in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
