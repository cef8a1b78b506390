"""Records to test with."""

from __future__ import annotations

import msgspec
from sqlalchemy import select

from gateway.core.chat import Finish, Usage
from gateway.core.decision import Decision, Versions
from gateway.core.fleet import Capability, Deployment, Fleet, Model, ModelClass, Price
from gateway.core.outcome import Attempt, Ending, Failure, Outcome
from gateway.core.question import Question
from gateway.core.request import Controls, Kind, Principal, RouteAction
from gateway.core.signals import Signals
from gateway.record.record import Feedback, Record, Stages
from gateway.record.store import Store
from gateway.state import tables
from models.scores import Scores


def fleet_of(*models: str) -> Fleet:
    """A fleet in which provider ``p`` serves each of *models*."""
    deployments = tuple(
        Deployment(
            id=f"p/{model}",
            model=model,
            provider="p",
            upstream_model=model,
            dialect="openai_chat",
            base_url="http://127.0.0.1:1/v1",
            api_key=None,
            model_class=ModelClass.BALANCED,
            capabilities=Capability.CHAT | Capability.STREAM,
            context_tokens=8000,
            output_tokens_max=1000,
            price=Price(input=1, output=1, cache_read=1, cache_write=1),
        )
        for model in models
    )
    named = {model: Model(name=model, model_class=ModelClass.BALANCED) for model in models}
    return Fleet(deployments=deployments, models=named, version="f1")


SIGNALS = Signals(
    tokens_in=120,
    tokens_system=20,
    system_prompt_chars=80,
    turns=3,
    asks=2,
    needs=Capability.CHAT | Capability.TOOLS | Capability.STREAM,
    has_tools=True,
    has_vision=False,
    requires_json=False,
    has_code=True,
    has_math=False,
    questions=1,
    constraints=2,
    words=31,
    script="latin",
    language="en",
    max_tokens=None,
    stream=True,
    agent_continuation=False,
    excerpt_chars=200,
    excerpt_truncated=False,
)
SCORES = Scores(
    task_type="Summarization",
    confidence=0.8125,
    complexity=0.1,
    tier="low",
    stage="first-stage",
    uncertain=False,
)
DECISION = Decision(
    action=RouteAction.AUTO,
    mode="balanced",
    ranking=("p/small", "p/large"),
    model="small",
    provider="p",
    original_model="large",
    original_provider="p",
    routed=True,
    reason="low tier: small promises 0.90 of 0.85",
    rule=None,
    task_type="Summarization",
    confidence=0.8125,
    complexity=0.1,
    tier="low",
    stage="first-stage",
    tokens_in=120,
    tokens_out=200,
    cost_original_nano_usd=5_000_000,
    cost_nano_usd=1_000_000,
    quality=0.9,
    within_cost_limit=True,
    provider_healthy=True,
    versions=Versions(policy="p1", fleet="f1", view="v1", classifier="c1"),
    seed=7,
)
OUTCOME = Outcome(
    ending=Ending.COMPLETE,
    status=200,
    deployment="p/small",
    attempts=(
        Attempt(
            deployment="p/large",
            start_s=0.01,
            duration_s=0.2,
            status=503,
            failure=Failure.BROKEN,
        ),
        Attempt(
            deployment="p/small",
            start_s=0.25,
            duration_s=1.5,
            status=200,
            failure=None,
            ttft_s=0.5,
        ),
    ),
    finish=Finish.STOP,
    usage=Usage(tokens_in=118, tokens_out=210, tokens_cache_read=18),
    cost_nano_usd=1_100_000,
    ttft_s=0.76,
    duration_s=1.76,
)
QUESTION = Question(
    kind=Kind.CHAT,
    dialect="openai_chat",
    model="large",
    provider=None,
    controls=Controls(action=RouteAction.AUTO, metadata={"team": "a"}, families=("x",)),
    project="default",
    thinking_signed=False,
    seed=7,
)
RECORD = Record(
    request_id="req_0",
    wall_s=1_700_000_000.25,
    path="/v1/chat/completions",
    principal=Principal(project="default", key_id="k1"),
    question=QUESTION,
    signals=SIGNALS,
    scores=SCORES,
    decision=DECISION,
    outcome=OUTCOME,
    model="small",
    stages=Stages(
        accept_s=0.0004, signals_s=0.0002, classify_s=0.003, decide_s=0.0001, added_s=0.0037
    ),
    fee_nano_usd=200_000,
    savings_nano_usd=3_900_000,
    fee_settled_nano_usd=195_000,
)


def opinions_of(store: Store, request_id: str) -> list[Feedback]:
    """What was said of one answer, oldest first."""
    table = tables.feedback
    query = select(table).where(table.c.request_id == request_id).order_by(table.c.wall_s)
    with store._engine.connect() as connection:
        return [Feedback(**row) for row in connection.execute(query).mappings()]


def make_record(number: int = 0, **changes: object) -> Record:
    """The *number*-th record, a second after the one before it, with *changes*."""
    numbered = {"request_id": f"req_{number}", "wall_s": RECORD.wall_s + number}
    return msgspec.structs.replace(RECORD, **{**numbered, **changes})


def make_decision(**changes: object) -> Decision:
    """DECISION with *changes*."""
    return msgspec.structs.replace(DECISION, **changes)


def make_outcome(**changes: object) -> Outcome:
    """OUTCOME with *changes*."""
    return msgspec.structs.replace(OUTCOME, **changes)
