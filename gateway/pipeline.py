"""The plot: what happens to one admitted request, in the order it happens."""

from __future__ import annotations

import logging
import traceback
import zlib
from collections.abc import Callable

import msgspec

from gateway.core.chat import Chat, Thinking
from gateway.core.clock import Clock
from gateway.core.decision import Decision
from gateway.core.errors import InternalError, SwitchyardError
from gateway.core.fleet import Price
from gateway.core.ids import request_id
from gateway.core.outcome import Outcome
from gateway.core.question import Question
from gateway.core.request import Controls, Kind, Principal, Request, RouteAction
from gateway.core.signals import Signals
from gateway.decide.ask import is_off
from gateway.decide.decide import decide
from gateway.decide.explain import Explanation, explain
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import Policies, RoutingPolicy
from gateway.execute.failover import execute
from gateway.execute.reply import Reply
from gateway.execute.upstreams import Upstreams
from gateway.ledger.fee import Fee, Settled, fee_of, settle
from gateway.record.record import Record, Stages
from gateway.record.recorder import Recorder
from gateway.signals.excerpt import read_excerpt
from gateway.signals.read import read_signals
from gateway.signals.unread import unread_signals
from models.classifier import Classifier
from models.scores import UNASKED, Scores

log = logging.getLogger(__name__)

SILENT = Controls()
BLIND = "Routing failed: the request was decided without looking at what it is about."


class Routing(msgspec.Struct, frozen=True):
    """What decisions read. Swapped whole, so that no decision sees half of a change."""

    policies: Policies
    view: FleetView


class Gateway:
    """The parts that a request passes through."""

    def __init__(
        self,
        classifier: Classifier,
        routing: Routing,
        upstreams: Upstreams,
        recorder: Recorder,
        clock: Clock,
        *,
        keep_text: bool = False,
    ) -> None:
        self.classifier = classifier
        self.routing = routing
        self.upstreams = upstreams
        self.recorder = recorder
        self.clock = clock
        self.keep_text = keep_text  # of the excerpt, in the record


class Reading(msgspec.Struct, frozen=True):
    """
    What is decided on; *excerpt* is "" where routing is off. *accept_s*, *signals_s* and
    *classify_s*: seconds that reading took.
    """

    question: Question
    signals: Signals
    scores: Scores
    excerpt: str
    accept_s: float
    signals_s: float
    classify_s: float


class Chosen(msgspec.Struct, frozen=True):
    """All that is known before the first attempt."""

    reading: Reading
    view: FleetView
    policy: RoutingPolicy
    decision: Decision
    fee: Fee
    stages: Stages


class Served(msgspec.Struct, frozen=True):
    """A decision, and the reply or the error that came of it."""

    chosen: Chosen
    reply: Reply | None = None
    error: SwitchyardError | None = None
    attempts: int = 0  # that ended in *error*


async def serve(
    request: Request, gateway: Gateway, ended: Callable[[Outcome], None] | None = None
) -> Served:
    """
    Answer one admitted request. *ended* is told how it ended, once, after the record was made.

    Raises:
        SwitchyardError: nothing could be decided; later errors are in the result.
    """
    chosen = await choose(request, gateway.classifier, gateway.routing, gateway.clock)
    attempts = 0

    def finished(outcome: Outcome) -> None:
        nonlocal attempts
        attempts = len(outcome.attempts)
        gateway.recorder.put(record_of(request, chosen, outcome, gateway))
        if ended is not None:
            ended(outcome)

    try:
        reply = await execute(chosen.decision, request, gateway.upstreams, finished)
    except SwitchyardError as error:
        return Served(chosen, error=error, attempts=attempts)
    return Served(chosen, reply)


async def read(
    request: Request, classifier: Classifier, policy: RoutingPolicy, clock: Clock
) -> Reading:
    """
    Learn what the request is about; the classifier works while the signals are read. Where routing
    is off nobody looks at the ask.
    """
    begun = clock.monotonic()
    question = question_of(request)
    if is_off(question, policy):
        signals = read_signals(request.chat, request.kind, None)
        counted = classified = clock.monotonic()
        scores, text = UNASKED, ""
    else:
        excerpt = read_excerpt(request.chat)
        pending = classifier.submit(excerpt.text)
        signals = read_signals(request.chat, request.kind, excerpt)
        counted = clock.monotonic()
        scores, text = await pending, excerpt.text
        classified = clock.monotonic()
    return Reading(
        question=question,
        signals=signals,
        scores=scores,
        excerpt=text,
        accept_s=begun - request.arrived_s,
        signals_s=counted - begun,
        classify_s=classified - counted,
    )


async def choose(
    request: Request, classifier: Classifier, routing: Routing, clock: Clock
) -> Chosen:
    """
    Decide, without calling anybody. A fault of ours is logged, and the request decided blindly.

    Raises:
        SwitchyardError: no such model, or none that may serve the request.
    """
    policy, view = routing.policies.for_project(request.principal.project), routing.view
    version = classifier.version
    begun = clock.monotonic()
    try:
        reading = await read(request, classifier, policy, clock)
        begun = clock.monotonic()
        decision = decide(
            reading.question,
            reading.signals,
            reading.scores,
            policy,
            view,
            classifier_version=version,
        )
    except SwitchyardError:
        raise
    except Exception as fault:  # noqa: BLE001 - logged by blindly, without its message
        reading = blindly(request, fault, accept_s=begun - request.arrived_s)
        decision = decide_blindly(reading, policy, view)
    fee = fee_of(decision, policy.fee_rate)
    decided = clock.monotonic()
    stages = Stages(
        accept_s=reading.accept_s,
        signals_s=reading.signals_s,
        classify_s=reading.classify_s,
        decide_s=decided - begun,
        added_s=decided - request.arrived_s,
    )
    return Chosen(reading, view, policy, decision, fee, stages)


def blindly(request: Request, fault: Exception, *, accept_s: float) -> Reading:
    """
    A reading of *request* that looks at nothing but its size and its names, after *fault*: routing
    is off for a model that was named. The log has no message, which may quote the prompt.
    """
    trace = "".join(traceback.format_tb(fault.__traceback__))
    log.error("%s: routing failed with %s\n%s", request.id, type(fault).__name__, trace)
    question = question_of(request)
    controls = msgspec.structs.replace(question.controls, action=RouteAction.DISABLED)
    return Reading(
        question=msgspec.structs.replace(question, controls=controls),
        signals=unread_signals(request.chat, len(request.body)),
        scores=UNASKED,
        excerpt="",
        accept_s=accept_s,
        signals_s=0.0,
        classify_s=0.0,
    )


def decide_blindly(reading: Reading, policy: RoutingPolicy, view: FleetView) -> Decision:
    """
    The decision for a reading of ``blindly``.

    Raises:
        SwitchyardError: as ``decide``; InternalError where it fails again.
    """
    try:
        decision = decide(reading.question, reading.signals, reading.scores, policy, view)
    except SwitchyardError:
        raise
    except Exception as fault:
        raise InternalError("Nothing could be decided; this is a fault of the gateway.") from fault
    return msgspec.structs.replace(decision, warnings=(*decision.warnings, BLIND))


def explain_reading(reading: Reading, classifier: Classifier, routing: Routing) -> Explanation:
    """The same decision as ``choose`` takes, with every candidate and why it lost."""
    return explain(
        reading.question,
        reading.signals,
        reading.scores,
        routing.policies.for_project(reading.question.project),
        routing.view,
        classifier_version=classifier.version,
    )


def record_of(request: Request, chosen: Chosen, outcome: Outcome, gateway: Gateway) -> Record:
    """What is kept of *request*."""
    answered = chosen.view.rows.find(outcome.deployment)
    model = chosen.decision.model if outcome.deployment else ""
    if answered is not None:
        model = answered.model
    settled = Settled()
    if model == chosen.decision.model:
        original = original_price(chosen)
        settled = settle(chosen.decision, outcome, original, chosen.policy.fee_rate)
    clock = gateway.clock
    text = None
    if gateway.keep_text:
        text = chosen.reading.excerpt or read_excerpt(request.chat).text
    return Record(
        request_id=request.id,
        wall_s=clock.wall() - (clock.monotonic() - request.arrived_s),
        path=request.path,
        principal=request.principal,
        question=chosen.reading.question,
        signals=chosen.reading.signals,
        scores=chosen.reading.scores,
        decision=chosen.decision,
        outcome=outcome,
        model=model,
        stages=chosen.stages,
        fee_nano_usd=chosen.fee.amount_nano_usd,
        savings_nano_usd=settled.savings_nano_usd,
        fee_settled_nano_usd=settled.fee_nano_usd,
        text=text,
    )


def original_price(chosen: Chosen) -> Price | None:
    """The price that savings are counted against: of the client's own model, or the baseline's."""
    decision, rows = chosen.decision, chosen.view.rows
    if decision.original_model is None:
        baseline = chosen.policy.baseline
        return None if baseline is None else baseline.price
    own = rows.find(decision.original_model, decision.original_provider)
    return None if own is None else rows.fleet.deployments[own.rows[0]].price


def question_of(request: Request) -> Question:
    """What routing reads of *request*. The seed follows from its id: a record decides alike."""
    return Question(
        kind=request.kind,
        dialect=request.dialect,
        model=request.chat.model,
        provider=request.provider,
        controls=request.controls,
        project=request.principal.project,
        thinking_signed=thinking_signed(request.chat),
        seed=zlib.crc32(request.id.encode()) & 0x7FFFFFFF,
        client_retry=request.client_retry,
    )


def thinking_signed(chat: Chat) -> bool:
    """Whether the history holds reasoning that only the family that wrote it can read."""
    for turn in chat.turns:
        for part in turn.parts:
            if type(part) is Thinking and (part.signature is not None or part.redacted):
                return True
    return False


def unsent(chat: Chat, clock: Clock, controls: Controls = SILENT) -> Request:
    """A request that nobody sent, to be decided and never dispatched."""
    now = clock.monotonic()
    return Request(
        id=request_id(clock.wall()),
        kind=Kind.CHAT,
        dialect="openai_chat",
        path="",
        body=b"{}",
        chat=chat,
        controls=controls,
        principal=Principal(),
        provider=None,
        headers=(),
        arrived_s=now,
        deadline_s=now,
    )
