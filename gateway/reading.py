"""What is learnt of a request before it is decided on: signals, scores and a verdict."""

from __future__ import annotations

import asyncio
import logging
import traceback
import zlib

import msgspec

from gateway.core.chat import Chat, Thinking
from gateway.core.clock import Clock
from gateway.core.errors import InternalError, SwitchyardError
from gateway.core.question import Question
from gateway.core.request import Request, RouteAction
from gateway.core.signals import Signals
from gateway.decide.ask import is_off
from gateway.decide.policy import RoutingPolicy
from gateway.scan.placeholders import Placeholders
from gateway.scan.scan import Caller, Scan
from gateway.scan.scanner import Scanner
from gateway.scan.strip import Stripped
from gateway.scan.verdict import Verdict
from gateway.scan.wishes import Wishes
from gateway.signals.excerpt import read_excerpt
from gateway.signals.read import read_signals
from gateway.signals.unread import unread_signals
from models.classifier import Classifier
from models.scores import UNASKED, Scores

log = logging.getLogger(__name__)

LOOP_BYTES_MAX = 65_536  # of a body; work that grows with a larger one goes to a thread


class Readers(msgspec.Struct, frozen=True):
    """Who reads requests. *scanner*: None where the operator wants no scan."""

    classifier: Classifier
    scanner: Scanner | None
    clock: Clock


class Reading(msgspec.Struct, frozen=True):
    """
    What is decided on. *request* is what goes on from here: as it came, or with placeholders for
    what was stripped, which stand for the values in *placeholders*. *excerpt* is "" where routing
    is off; *verdict* None where nobody scans. *accept_s*, *signals_s* (with the part of the scan
    that needs no encoder) and *classify_s*: seconds that reading took.
    """

    request: Request
    question: Question
    signals: Signals
    scores: Scores
    verdict: Verdict | None
    excerpt: str
    accept_s: float
    signals_s: float
    classify_s: float
    placeholders: Placeholders | None = None


async def read(scanning: Scanning, readers: Readers, policy: RoutingPolicy) -> Reading:
    """
    Learn what a request is about, and whether it may go on; the encoder works for both while
    signals are read and patterns matched. Where routing is off nobody classifies the ask.
    """
    clock, request = readers.clock, scanning.request
    begun = clock.monotonic()
    question = question_of(request)
    off = is_off(question, policy)
    excerpt = None if off else read_excerpt(request.chat)
    pending = None if excerpt is None else readers.classifier.submit(excerpt.text)
    scanning.begin()
    signals = read_signals(request.chat, request.kind, excerpt)
    counted = clock.monotonic()
    scores = UNASKED if pending is None else await pending
    verdict = await scanning.verdict(signals)
    classified = clock.monotonic()
    return Reading(
        request=request,
        question=question,
        signals=signals,
        scores=scores,
        verdict=verdict,
        excerpt="" if excerpt is None else excerpt.text,
        accept_s=begun - request.arrived_s,
        signals_s=counted - begun,
        classify_s=classified - counted,
        placeholders=scanning.placeholders,
    )


class Scanning:
    """
    The scan of one request in its three steps: strip, begin, verdict. *request* is what everything
    after the first step reads. A fault in the others is logged and makes the verdict *missing*,
    and what that means is the operator's to say.
    """

    def __init__(self, readers: Readers, request: Request) -> None:
        self.request = request
        self.stripped: Stripped | None = None
        self._readers = readers
        self._scan: Scan | None = None
        scanner = readers.scanner
        self._took_s = 0.0
        self._wishes: Wishes | None = None
        if scanner is not None:
            self._wishes = scanner.wishes(request.controls, request.principal.project)

    async def strip(self) -> None:
        """
        Take out of the request what is to be taken out; in a thread where it is large.

        Raises:
            InternalError: it could not be: nobody may see the request.
        """
        scanner, wishes, request = self._readers.scanner, self._wishes, self.request
        if scanner is None or wishes is None or wishes.personal_action != "strip":
            return
        begun_s = self._readers.clock.monotonic()
        try:
            if len(request.body) > LOOP_BYTES_MAX:
                self.stripped = await asyncio.to_thread(scanner.strip, request)
            else:
                self.stripped = scanner.strip(request)
        except SwitchyardError:
            raise
        except Exception as fault:  # noqa: BLE001 - logged without its message
            log_fault(request, fault, "stripping")
            raise InternalError("Personal data could not be stripped; nothing was sent.") from None
        self._took_s += self._readers.clock.monotonic() - begun_s
        if self.stripped is not None:
            self.request = self.stripped.request

    @property
    def placeholders(self) -> Placeholders | None:
        """What was stripped; None where nothing was."""
        return None if self.stripped is None else self.stripped.placeholders

    def begin(self) -> None:
        """Match patterns, and hand to the encoder what is in doubt."""
        scanner = self._readers.scanner
        if scanner is None or self._wishes is None:
            return
        begun_s = self._readers.clock.monotonic()
        try:
            scan = scanner.begin(self.request, self._wishes)
            scan.begin(self.request.chat, self._readers.classifier.attacks)
            self._scan = scan
        except Exception as fault:  # noqa: BLE001 - logged without its message
            log_fault(self.request, fault, "scanning")
        self._took_s += self._readers.clock.monotonic() - begun_s

    async def verdict(self, signals: Signals) -> Verdict | None:
        """What came out; None where nobody scans."""
        if self._wishes is None:
            return None
        if self._scan is None:
            return self.unknown()
        try:
            verdict = await self._scan.verdict(self._caller(signals))
        except Exception as fault:  # noqa: BLE001 - logged without its message
            log_fault(self.request, fault, "scanning")
            return self.unknown()
        return self._with_stripped(verdict)

    def unknown(self) -> Verdict | None:
        """The verdict where the scan failed; None where nobody scans."""
        if self._wishes is None:
            return None
        return self._with_stripped(Verdict(wishes=self._wishes, missing=True))

    def _with_stripped(self, verdict: Verdict) -> Verdict:
        if self.stripped is None:
            return msgspec.structs.replace(verdict, took_s=self._took_s)
        return msgspec.structs.replace(
            verdict, personal=self.stripped.findings, stripped=True, took_s=self._took_s
        )

    def _caller(self, signals: Signals) -> Caller:
        principal = self.request.principal
        return Caller(
            key_id=principal.key_id,
            project=principal.project,
            tokens_in=signals.tokens_in,
            tokens_out_max=signals.max_tokens,
            now_s=self._readers.clock.monotonic(),
        )


def blindly(
    scanning: Scanning, fault: Exception, verdict: Verdict | None, *, accept_s: float
) -> Reading:
    """
    A reading that looks at nothing but the size and the names of a request, after *fault*: routing
    is off for a model that was named. *verdict*: as far as the scan had come.
    """
    request = scanning.request
    log_fault(request, fault, "routing")
    question = question_of(request)
    controls = msgspec.structs.replace(question.controls, action=RouteAction.DISABLED)
    return Reading(
        request=request,
        question=msgspec.structs.replace(question, controls=controls),
        signals=unread_signals(request.chat, len(request.body)),
        scores=UNASKED,
        verdict=verdict,
        excerpt="",
        placeholders=scanning.placeholders,
        accept_s=accept_s,
        signals_s=0.0,
        classify_s=0.0,
    )


def log_fault(request: Request, fault: Exception, doing: str) -> None:
    """Log *fault* without its message, which may quote the prompt."""
    trace = "".join(traceback.format_tb(fault.__traceback__))
    log.error("%s: %s failed with %s\n%s", request.id, doing, type(fault).__name__, trace)


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
        grant=request.grant,
    )


def thinking_signed(chat: Chat) -> bool:
    """Whether the history holds reasoning that only the family that wrote it can read."""
    for turn in chat.turns:
        for part in turn.parts:
            if type(part) is Thinking and (part.signature is not None or part.redacted):
                return True
    return False
