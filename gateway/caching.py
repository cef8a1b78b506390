"""
The response cache on the way of one request: looked into while it is decided on, asked when the
decision is there, filled when the answer has ended.

A kept answer is given again only where the decision of now names the model that made it, and its
deployment among those that may answer. So a hit obeys the policy, the health and the limits of
now, and its headers explain it. An answer that a failover made with another model is not kept.

Nor is one to personal data, unless the operator wants that. Where nobody has looked for any yet, we
look when the answer has ended, so that no request waits for it.
"""

from __future__ import annotations

import asyncio

import msgspec

from gateway.cache.cache import LOOP_BYTES_MAX, Look, ResponseCache
from gateway.cache.entry import Entry
from gateway.cache.note import Note, Status
from gateway.cache.rules import AGENT, PERSONAL, RESTORED, UNSCANNED, worth_keeping
from gateway.cache.streams import Collected, Replay
from gateway.config.cache_schema import CacheSettings
from gateway.core.clock import Clock
from gateway.core.decision import Decision
from gateway.core.fleet import Deployment
from gateway.core.outcome import Ending, Outcome, Saved
from gateway.core.request import Request
from gateway.decide.policy import RoutingPolicy
from gateway.execute.reply import Reply
from gateway.execute.upstreams import Upstreams
from gateway.reading import Reading, log_fault
from gateway.scan.personal_data import tells_of_someone
from gateway.scan.scanner import Scanner
from gateway.scan.verdict import Verdict


class Hit(msgspec.Struct, frozen=True):
    """An answer of the cache, and how its request ended."""

    reply: Reply
    outcome: Outcome


class Caching:
    """
    For one request: ``begin``, ``find``, and on a miss ``keep`` and ``ended`` in any order.

    The mutable state: the *_look*, None before it begins and where there is no cache; *note*, what
    the reply says; and on a miss the *_reply* to be kept, its stream as far as it is *_collected*,
    its *_outcome*, and whether nobody has looked for personal data (*_unseen*).
    """

    def __init__(
        self, cache: ResponseCache | None, upstreams: Upstreams, scanner: Scanner | None
    ) -> None:
        self.note: Note | None = None
        self._cache = cache
        self._upstreams = upstreams
        self._scanner = scanner
        self._unseen = False
        self._look: Look | None = None
        self._reply: Reply | None = None
        self._outcome: Outcome | None = None
        self._collected: Collected | None = None

    def begin(self, request: Request, policy: RoutingPolicy) -> None:
        """
        *request* is known as an upstream would see it. A fault of ours is logged, and there is no
        cache for this request.
        """
        if self._cache is None:
            return
        shown = "asked" if self._upstreams.show_asked else "served"
        try:
            self._look = Look(self._cache, request, policy.version, shown)
        except Exception as fault:  # noqa: BLE001 - logged without its message
            log_fault(request, fault, "looking into the cache")

    async def find(self, reading: Reading, decision: Decision, *, restored: bool) -> Hit | None:
        """
        The kept answer for what was decided. *restored*: values would be put back into it, which
        are of one request alone.
        """
        look, cache = self._look, self._cache
        if look is None or cache is None or not look.wish.told:
            self._look = None
            return None
        entry = await look.found()
        self._unseen = not look.settings.personal_data and not seen(reading.verdict)
        reason = look.reason or late_reason(reading, look.settings, restored=restored)
        if not reason and self._unseen:
            reason = self._unseen_reason(look)
        if reason:
            self._tell(Note(Status.BYPASS, reason))
            self._look = None
            return None
        place = None if entry is None else self._place(entry, decision)
        if entry is None or place is None:
            self._tell(Note(Status.MISS))
            return None
        now_s = cache.clock.wall()
        saved = Saved(entry.usage, entry.cost_nano_usd, max(0.0, now_s - entry.stored_s))
        self._tell(Note(Status.HIT, saved=saved))
        return Hit(reply_of(entry, place), outcome_of(entry, saved, reading.request, cache.clock))

    def keep(self, reply: Reply, decision: Decision) -> Reply:
        """*reply*, which is kept when it has ended well."""
        look = self._look
        if look is None or reply.deployment.model != decision.model:
            return reply
        if reply.stream is not None:
            limit = look.settings.entry_bytes_max
            self._collected = Collected(reply.stream, limit, look.cache.room)
            self._reply = msgspec.structs.replace(reply, stream=self._collected)
            return self._reply
        self._reply = reply
        if self._outcome is not None:
            self._store(self._outcome)
        return reply

    def ended(self, outcome: Outcome) -> None:
        """
        The answer has ended so: a whole one before ``keep`` knows it, a stream after that. Never
        raises.
        """
        self._outcome = outcome
        if self._reply is not None:
            self._store(outcome)

    def _store(self, outcome: Outcome) -> None:
        """Keep the answer if it is worth it; a fault of ours is logged, and it is not kept."""
        look, cache, reply = self._look, self._cache, self._reply
        if look is None or cache is None or reply is None or look.key is None:
            return
        try:
            entry = self._entry_of(reply, outcome, look)
            if entry is None:
                return
            if self._unseen and self._scanner is not None:
                cache.check(check(look, look.key, entry, self._scanner))
            else:
                cache.put(look.key, entry)
        except Exception as fault:  # noqa: BLE001 - logged without its message
            log_fault(look.request, fault, "keeping an answer")

    def _entry_of(self, reply: Reply, outcome: Outcome, look: Look) -> Entry | None:
        """What is kept of *reply*; None where nothing is."""
        body = reply.body if self._collected is None else self._collected.body
        usage = outcome.usage
        if body is None or usage is None or len(body) > look.settings.entry_bytes_max:
            return None
        if not worth_keeping(outcome, look.request, look.settings):
            return None
        now_s = look.cache.clock.wall()
        return Entry(
            body=body,
            content_type=reply.content_type,
            stream=reply.stream is not None,
            model=reply.deployment.model,
            deployment=reply.deployment.id,
            finish=outcome.finish,
            usage=usage,
            cost_nano_usd=outcome.cost_nano_usd,
            warnings=reply.warnings,
            stored_s=now_s,
            until_s=now_s + look.wish.ttl_s,
        )

    def _place(self, entry: Entry, decision: Decision) -> Deployment | None:
        """Where *entry* was made, if the *decision* may be answered there."""
        if entry.model != decision.model or entry.deployment not in decision.ranking:
            return None
        place = self._upstreams.deployment(entry.deployment)
        return None if place is None else place.serving(decision.model)

    def _unseen_reason(self, look: Look) -> str:
        """What is known, though nobody has looked into this request."""
        if self._scanner is None:
            return UNSCANNED
        known = look.key is not None and look.cache.never.get(look.key)
        return PERSONAL if known else ""

    def _tell(self, note: Note) -> None:
        self.note = note
        if self._cache is not None:
            self._cache.lookups[note.status] += 1


def late_reason(reading: Reading, settings: CacheSettings, *, restored: bool) -> str:
    """Why an answer is not kept, as far as only reading the request shows; "" when it is."""
    verdict = reading.verdict
    if restored:
        return RESTORED
    if verdict is not None and not settings.personal_data:
        unknown = verdict.missing and verdict.wishes.personal_action is not None
        if unknown or (tells_of_someone(verdict.personal) and not verdict.stripped):
            return PERSONAL
    return AGENT if reading.signals.agent_continuation else ""


def seen(verdict: Verdict | None) -> bool:
    """Whether all of a request was searched for personal data."""
    if verdict is None or verdict.wishes.personal_action is None:
        return False
    return verdict.stripped or not (verdict.missing or verdict.truncated)


async def check(look: Look, key: bytes, entry: Entry, scanner: Scanner) -> None:
    """Keep *entry* unless its request holds personal data; in a thread where that is large."""
    request = look.request
    try:
        if len(request.body) > LOOP_BYTES_MAX:
            personal = await asyncio.to_thread(scanner.personal, request)
        else:
            personal = scanner.personal(request)
        if personal:
            look.cache.never.put(key, answer=True)
        else:
            look.cache.put(key, entry)
    except Exception as fault:  # noqa: BLE001 - logged without its message
        log_fault(request, fault, "keeping an answer")


def reply_of(entry: Entry, place: Deployment) -> Reply:
    """*entry* as an answer of *place*, where it was made."""
    return Reply(
        status=200,
        content_type=entry.content_type,
        headers=(),  # those of the upstream were about its limits then
        deployment=place,
        attempts=(),
        body=None if entry.stream else entry.body,
        stream=Replay(entry.body) if entry.stream else None,
        warnings=entry.warnings,
    )


def outcome_of(entry: Entry, saved: Saved, request: Request, clock: Clock) -> Outcome:
    """How a request ends that *entry* answers: nobody was asked, and nothing is billed."""
    taken_s = max(0.0, clock.monotonic() - request.arrived_s)
    return Outcome(
        ending=Ending.COMPLETE,
        status=200,
        deployment=entry.deployment,
        attempts=(),
        finish=entry.finish,
        usage=None,
        cost_nano_usd=0,
        ttft_s=taken_s,
        duration_s=taken_s,
        saved=saved,
    )
