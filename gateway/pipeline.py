"""The plot: what happens to one admitted request, in the order it happens."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from gateway.cache.cache import ResponseCache
from gateway.cache.note import Note
from gateway.caching import Caching
from gateway.charging import Bill, Charging
from gateway.choosing import Chosen, Routing, choose, compressed
from gateway.core.clock import Clock
from gateway.core.errors import SwitchyardError, Unscanned
from gateway.core.fleet import Price
from gateway.core.outcome import Ending, Outcome
from gateway.core.request import Request
from gateway.execute.failover import execute
from gateway.execute.reply import Reply
from gateway.execute.upstreams import Upstreams
from gateway.ledger.fee import Fee, Settled, settle
from gateway.reading import (
    Readers,
)
from gateway.record.record import Record
from gateway.record.recorder import Recorder
from gateway.scan.enforce import blocked
from gateway.scan.restore import Restorer
from gateway.scan.scanner import Scanner
from gateway.signals.excerpt import read_excerpt
from models.classifier import Classifier

log = logging.getLogger(__name__)

CACHED = Fee(amount_nano_usd=0, reason="Free: answered from the cache")


class Gateway:
    """The parts that a request passes through."""

    def __init__(
        self,
        readers: Readers,
        routing: Routing,
        upstreams: Upstreams,
        recorder: Recorder,
        *,
        charging: Charging,
        keep_text: bool = False,
        cache: ResponseCache | None = None,
    ) -> None:
        self.readers = readers
        self.routing = routing
        self.upstreams = upstreams
        self.recorder = recorder
        self.clock = readers.clock
        self.keep_text = keep_text  # of the excerpt, in the record
        self.cache = cache
        self.charging = charging

    @property
    def classifier(self) -> Classifier:
        """That of the readers."""
        return self.readers.classifier


class Served(msgspec.Struct, frozen=True):
    """A decision, and the reply or the error that came of it."""

    chosen: Chosen
    reply: Reply | None = None
    error: SwitchyardError | None = None
    attempts: int = 0  # that ended in *error*
    cache: Note | None = None  # None: nothing is to be said of it
    bill: Bill | None = None


async def serve(
    request: Request,
    gateway: Gateway,
    bill: Bill,
    ended: Callable[[Outcome], None] | None = None,
) -> Served:
    """
    Answer one admitted request, whose *bill* is settled when it has ended. *ended* is told how it
    ended, once, after the record was made.

    Raises:
        SwitchyardError: nothing could be decided; later errors are in the result.
    """
    readers = gateway.readers  # a reload in between must not judge by other settings
    caching = Caching(gateway.cache, gateway.upstreams, readers.scanner)
    chosen = await choose(request, readers, gateway.routing, caching.begin)
    attempts = 0

    def finished(outcome: Outcome) -> None:
        nonlocal attempts
        attempts = len(outcome.attempts)
        caching.ended(outcome)
        record = record_of(chosen, outcome, gateway)
        bill.settle(
            outcome,
            record.model,
            fee_nano_usd=record.fee_settled_nano_usd,
            savings_nano_usd=record.savings_nano_usd,
        )
        gateway.recorder.put(record)
        if ended is not None:
            ended(outcome)

    refusal = refused(chosen, readers.scanner)
    if refusal is not None:
        finished(unsent_outcome(request, refusal, gateway.clock))
        return Served(chosen, error=refusal, bill=bill)
    restorer = restorer_of(chosen, readers.scanner)
    hit = await caching.find(chosen.reading, chosen.decision, restored=restorer is not None)
    if hit is not None:
        chosen = msgspec.structs.replace(chosen, fee=CACHED)
        finished(hit.outcome)
        return Served(chosen, hit.reply, cache=caching.note, bill=bill)
    if chosen.reading.question.controls.compression is not None:
        chosen = await compressed(chosen)
    bill.expect(chosen.reading.request, chosen.decision, chosen.fee.amount_nano_usd)
    try:
        reply = await execute(
            chosen.decision,
            chosen.reading.request,
            gateway.upstreams,
            finished,
            restorer,
            bill.attempt,
        )
    except SwitchyardError as error:
        return Served(chosen, error=error, attempts=attempts, cache=caching.note, bill=bill)
    return Served(chosen, caching.keep(reply, chosen.decision), cache=caching.note, bill=bill)


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
