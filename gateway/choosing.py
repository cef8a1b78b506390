"""From a request to a decision, without calling anybody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import msgspec

from gateway.compress.compress import CompressionSummary, compress_body
from gateway.core.chat import Chat, Usage
from gateway.core.clock import Clock
from gateway.core.decision import Decision
from gateway.core.errors import CostLimitExceeded, InternalError, SwitchyardError
from gateway.core.ids import request_id
from gateway.core.question import Question
from gateway.core.request import Controls, Kind, Principal, Request, RouteAction
from gateway.decide.decide import decide
from gateway.decide.explain import Explanation, explain
from gateway.decide.fleet_view import FleetView
from gateway.decide.policy import Policies, RoutingPolicy
from gateway.ledger.fee import Fee, fee_of
from gateway.ledger.usage_cost import cost_nano_usd
from gateway.reading import LOOP_BYTES_MAX, Readers, Reading, Scanning, blindly, log_fault, read
from gateway.record.record import Stages
from gateway.wire.registry import DIALECTS

SILENT = Controls()
BLIND = "Routing failed: the request was decided without looking at what it is about."
COMPRESSION_RATE = 0.5  # LockLLM's default


class Routing(msgspec.Struct, frozen=True):
    """What decisions read. Swapped whole, so that no decision sees half of a change."""

    policies: Policies
    view: FleetView


class Chosen(msgspec.Struct, frozen=True):
    """All that is known before the first attempt."""

    reading: Reading
    view: FleetView
    policy: RoutingPolicy
    decision: Decision
    fee: Fee
    stages: Stages
    compression: CompressionSummary | None = None


async def choose(
    request: Request,
    readers: Readers,
    routing: Routing,
    known: Callable[[Request, RoutingPolicy], None] | None = None,
) -> Chosen:
    """
    Decide, without calling anybody. A fault of ours is logged, and the request decided blindly.
    *known* is called with the request as an upstream would see it, before it is read.

    Raises:
        SwitchyardError: no such model, or none that may serve the request.
    """
    policy, view = routing.policies.for_project(request.principal.project), routing.view
    version, clock = readers.classifier.version, readers.clock
    scanning = Scanning(readers, request)
    await scanning.strip()
    if known is not None:
        known(scanning.request, policy)
    begun = clock.monotonic()
    verdict = scanning.unknown()
    try:
        reading = await read(scanning, readers, policy)
        verdict = reading.verdict
        begun = clock.monotonic()
        reading, decision = decide_within(reading, policy, view, version)
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


def decide_within(
    reading: Reading, policy: RoutingPolicy, view: FleetView, version: str
) -> tuple[Reading, Decision]:
    """
    Decide within what spend limits leave. Where that is too little, a cheaper model than the named
    one is looked for, if the operator wants that; else the decision is made without regard to it,
    and the reservation tells the client which limit refuses.

    Raises:
        SwitchyardError: as ``decide``.
    """

    def decided(question: Question) -> Decision:
        signals, scores = reading.signals, reading.scores
        return decide(question, signals, scores, policy, view, classifier_version=version)

    question, replace = reading.question, msgspec.structs.replace
    grant = question.grant
    try:
        return reading, decided(question)
    except CostLimitExceeded:
        if grant.spend_left_nano_usd is None:
            raise
    if grant.cheaper:
        routed = replace(question, controls=replace(question.controls, action=RouteAction.AUTO))
        with contextlib.suppress(CostLimitExceeded):
            return replace(reading, question=routed), decided(routed)
    unbound = replace(question, grant=replace(grant, spend_left_nano_usd=None))
    return replace(reading, question=unbound), decided(unbound)


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
    decision = cheaper(chosen, done.tokens_before - done.tokens_after)
    return msgspec.structs.replace(
        chosen,
        reading=msgspec.structs.replace(reading, request=request),
        decision=decision,
        fee=fee_of(decision, chosen.policy.fee_rate),
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


async def explained(
    request: Request, readers: Readers, routing: Routing
) -> tuple[Reading, Explanation]:
    """
    What is read of *request*, and the decision that ``choose`` takes on it with every candidate and
    why it lost; nobody is called.
    """
    policy = routing.policies.for_project(request.principal.project)
    scanning = Scanning(readers, request)
    await scanning.strip()
    reading = await read(scanning, readers, policy)
    found = explain(
        reading.question,
        reading.signals,
        reading.scores,
        policy,
        routing.view,
        classifier_version=readers.classifier.version,
    )
    return reading, found


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
