"""What is kept of a request, and the decision object that clients read."""

from __future__ import annotations

import msgspec

from gateway.core.decision import Decision
from gateway.core.health import Health
from gateway.core.money import NANO_USD_PER_USD
from gateway.core.outcome import Outcome
from gateway.core.question import Question
from gateway.core.request import Principal
from gateway.core.signals import Signals
from gateway.scan.verdict import Verdict
from models.scores import Scores

RECORD_BYTES = 4096  # of one in memory, less what its client wrote
VERSION = 1  # of the shape below; a new field has a default, so that old records stay readable


class Stages(msgspec.Struct, frozen=True):
    """Seconds spent before dispatch. *added_s*: from the arrival of the request to dispatch."""

    accept_s: float
    signals_s: float
    classify_s: float
    decide_s: float
    added_s: float


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """
    One decided request. *question*, *signals*, *scores* and the versions in *decision* are all
    that deciding again needs; none of them holds words of the prompt. *text* is the classified
    excerpt, and None unless the operator keeps text.

    *fee_nano_usd* was reserved on the estimate; *savings_nano_usd*, negative when routing cost
    more, and *fee_settled_nano_usd* are of the actual usage, 0 unless the decided model answered.
    """

    request_id: str
    wall_s: float  # of arrival, seconds since the epoch
    path: str
    principal: Principal
    question: Question
    signals: Signals
    scores: Scores
    decision: Decision
    outcome: Outcome
    model: str  # that answered, another than decided after a failover; "" when none did
    stages: Stages
    fee_nano_usd: int = 0
    savings_nano_usd: int = 0
    fee_settled_nano_usd: int = 0
    verdict: Verdict | None = None  # of the scan: kinds, severities and offsets, never words
    text: str | None = None
    version: int = VERSION

    @property
    def cost_nano_usd(self) -> int:
        """What the request is billed at; 0 when nothing came back."""
        return self.outcome.cost_nano_usd


def client_chars(record: Record) -> int:
    """Characters that the client chose the length of."""
    controls, question = record.question.controls, record.question
    return (
        len(record.path)
        + len(question.model)
        + len(record.text or "")
        + len(controls.prefer_model or "")
        + len(controls.task_hint or "")
        + len(controls.session_id or "")
        + sum(len(name) + len(value) for name, value in controls.metadata.items())
    )


class View(msgspec.Struct, frozen=True):
    """Health that decisions of *version* saw, by deployment id. Who is absent was FRESH."""

    version: str
    health: dict[str, Health]


class Feedback(msgspec.Struct, frozen=True):
    """What a client thought of an answer. A later one of the same key replaces it."""

    request_id: str
    score: float  # 0 to 1: thumbs down and up are its ends
    wall_s: float
    key_id: str
    comment: str = ""


class RequestSignals(msgspec.Struct, frozen=True, rename="camel"):
    """Part of RoutingDecision."""

    input_tokens: int
    has_tool_use: bool
    has_vision: bool
    requires_json: bool
    system_prompt_length: int  # characters


class RoutingDecision(msgspec.Struct, frozen=True, rename="camel"):
    """
    The decision in the members that rule-based gateways log. *final_model* answered, "" when every
    attempt failed.
    """

    incoming_model: str
    request_signals: RequestSignals
    matched_rule: str | None
    recommended_model: str
    provider_healthy: bool
    estimated_cost_usd: float = msgspec.field(name="estimatedCostUSD")
    within_cost_limit: bool
    final_model: str
    routing_latency_ms: float


def rbaos_view(record: Record) -> dict[str, object]:
    """*record* as the object of RoutingDecision, ready for JSON."""
    decision, signals = record.decision, record.signals
    seen = RoutingDecision(
        incoming_model=record.question.model,
        request_signals=RequestSignals(
            input_tokens=signals.tokens_in,
            has_tool_use=signals.has_tools,
            has_vision=signals.has_vision,
            requires_json=signals.requires_json,
            system_prompt_length=signals.system_prompt_chars,
        ),
        matched_rule=decision.rule,
        recommended_model=decision.would or decision.model,
        provider_healthy=decision.provider_healthy,
        estimated_cost_usd=decision.cost_nano_usd / NANO_USD_PER_USD,
        within_cost_limit=decision.within_cost_limit,
        final_model=record.model,
        routing_latency_ms=round(record.stages.added_s * 1000, 3),
    )
    return dict(msgspec.to_builtins(seen))
