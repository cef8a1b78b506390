"""The plot: what happens to one admitted request, in the order it happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from gateway.compress.compress import CompressionSummary, compress_body
from gateway.core.chat import Chat, Usage
from gateway.core.clock import Clock
from gateway.core.decision import Decision
from gateway.core.errors import InternalError, SwitchyardError, Unscanned
from gateway.core.fleet import Price
from gateway.core.ids import request_id
from gateway.core.outcome import Ending, Outcome
from gateway.core.request import Controls, Kind, Principal, Request
from gateway.decide.decide import decide
from gateway.decide.explain import Explanation, explain
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import Policies, RoutingPolicy
from gateway.execute.failover import execute
from gateway.execute.reply import Reply
from gateway.execute.upstreams import Upstreams
from gateway.ledger.fee import Fee, Settled, fee_of, settle
from gateway.ledger.usage_cost import cost_nano_usd
from gateway.reading import (
    LOOP_BYTES_MAX,
    Readers,
    Reading,
    Scanning,
    blindly,
    log_fault,
    read,
)
from gateway.record.record import Record, Stages
from gateway.record.recorder import Recorder
from gateway.scan.enforce import blocked
from gateway.scan.restore import Restorer
from gateway.scan.scanner import Scanner
from gateway.signals.excerpt import read_excerpt
from gateway.wire.registry import DIALECTS
from models.classifier import Classifier

log = logging.getLogger(__name__)

SILENT = Controls()
BLIND = "Routing failed: the request was decided without looking at what it is about."
COMPRESSION_RATE = 0.5  # LockLLM's default


class Routing(msgspec.Struct, frozen=True):
    """What decisions read. Swapped whole, so that no decision sees half of a change."""

    policies: Policies
    view: FleetView


class Gateway:
    """The parts that a request passes through."""

    def __init__(
        self,
        readers: Readers,
        routing: Routing,
        upstreams: Upstreams,
        recorder: Recorder,
        *,
        keep_text: bool = False,
    ) -> None:
        self.readers = readers
        self.routing = routing
        self.upstreams = upstreams
        self.recorder = recorder
        self.clock = readers.clock
        self.keep_text = keep_text  # of the excerpt, in the record

    @property
    def classifier(self) -> Classifier:
        """That of the readers."""
        return self.readers.classifier


class Chosen(msgspec.Struct, frozen=True):
    """All that is known before the first attempt."""

    reading: Reading
    view: FleetView
    policy: RoutingPolicy
    decision: Decision
    fee: Fee
    stages: Stages
    compression: CompressionSummary | None = None


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
    readers = gateway.readers  # a reload in between must not judge by other settings
    chosen = await choose(request, readers, gateway.routing)
    attempts = 0

    def finished(outcome: Outcome) -> None:
        nonlocal attempts
        attempts = len(outcome.attempts)
        gateway.recorder.put(record_of(chosen, outcome, gateway))
        if ended is not None:
            ended(outcome)

    refusal = refused(chosen, readers.scanner)
    if refusal is not None:
        finished(unsent_outcome(request, refusal, gateway.clock))
        return Served(chosen, error=refusal)
    if chosen.reading.question.controls.compression is not None:
        chosen = await compressed(chosen)
    try:
        reply = await execute(
            chosen.decision,
            chosen.reading.request,
            gateway.upstreams,
            finished,
            restorer_of(chosen, readers.scanner),
        )
    except SwitchyardError as error:
        return Served(chosen, error=error, attempts=attempts)
    return Served(chosen, reply)


async def choose(request: Request, readers: Readers, routing: Routing) -> Chosen:
    """
    Decide, without calling anybody. A fault of ours is logged, and the request decided blindly.

    Raises:
        SwitchyardError: no such model, or none that may serve the request.
    """
    policy, view = routing.policies.for_project(request.principal.project), routing.view
    version, clock = readers.classifier.version, readers.clock
    scanning = Scanning(readers, request)
    await scanning.strip()
    begun = clock.monotonic()
    verdict = scanning.unknown()
    try:
        reading = await read(scanning, readers, policy)
        verdict = reading.verdict
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
        reading = blindly(scanning, fault, verdict, accept_s=begun - request.arrived_s)
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


def refused(chosen: Chosen, scanner: Scanner | None) -> SwitchyardError | None:
    """Why the request is not sent, None when it is."""
    verdict = chosen.reading.verdict
    if verdict is None or scanner is None:
        return None
    if verdict.missing:
        strict = scanner.settings.on_missing == "refuse"
        if not strict and verdict.wishes.personal_action != "block":
            return None
        return Unscanned("The prompt could not be scanned, and none may pass without a verdict.")
    return blocked(verdict, scanner.refused(chosen.reading.question.controls))


async def compressed(chosen: Chosen) -> Chosen:
    """
    The same with a shorter prompt, where the client wants that and it can be had; the costs are
    then those of what is sent. A fault in it is logged, and the prompt stays as it is.
    """
    reading = chosen.reading
    request, controls = reading.request, reading.question.controls
    if controls.compression is None or request.kind is Kind.EMBEDDING:
        return chosen
    large = len(request.body) > LOOP_BYTES_MAX
    rate = COMPRESSION_RATE if controls.compression_rate is None else controls.compression_rate
    try:
        work = (request.body, request.dialect, controls.compression, rate)
        shorter = await asyncio.to_thread(compress_body, *work) if large else compress_body(*work)
        chat = None if shorter is None else DIALECTS[request.dialect].read(shorter[0])
    except Exception as fault:  # noqa: BLE001 - logged without its message
        log_fault(request, fault, "compressing")
        return chosen
    if shorter is None or chat is None:
        untouched = CompressionSummary(controls.compression, 0, 0, 0, 0, 0)
        return msgspec.structs.replace(chosen, compression=untouched)
    body, done = shorter
    request = msgspec.structs.replace(request, body=body, chat=chat)
    return msgspec.structs.replace(
        chosen,
        reading=msgspec.structs.replace(reading, request=request),
        decision=cheaper(chosen, done.tokens_before - done.tokens_after),
        compression=done,
    )


def cheaper(chosen: Chosen, tokens: int) -> Decision:
    """The decision of *chosen* for a prompt that has so many *tokens* less."""
    decision = chosen.decision
    rows = chosen.view.rows.find(decision.model, decision.provider)
    tokens_in = max(decision.tokens_in - tokens, 0)
    if rows is None or not tokens:
        return decision
    price = chosen.view.rows.fleet.deployments[rows.rows[0]].price
    usage = Usage(tokens_in=tokens_in, tokens_out=decision.tokens_out)
    return msgspec.structs.replace(
        decision, tokens_in=tokens_in, cost_nano_usd=cost_nano_usd(usage, price)
    )


def unsent_outcome(request: Request, error: SwitchyardError, clock: Clock) -> Outcome:
    """How a request ended that nobody was asked to answer."""
    return Outcome(
        ending=Ending.FAILED,
        status=error.status,
        deployment="",
        attempts=(),
        finish=None,
        usage=None,
        cost_nano_usd=0,
        ttft_s=None,
        duration_s=clock.monotonic() - request.arrived_s,
        error=error.code,
    )


def restorer_of(chosen: Chosen, scanner: Scanner | None) -> Restorer | None:
    """What puts stripped values back into the answer, where the operator wants that."""
    placeholders = chosen.reading.placeholders
    if placeholders is None or scanner is None or not scanner.settings.restore:
        return None
    return Restorer(placeholders)


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


def record_of(chosen: Chosen, outcome: Outcome, gateway: Gateway) -> Record:
    """What is kept of a request."""
    request = chosen.reading.request
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
        verdict=chosen.reading.verdict,
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
