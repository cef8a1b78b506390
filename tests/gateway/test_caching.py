"""The cache on the way of one request, without a network."""

from __future__ import annotations

import asyncio
import logging
import threading
from types import SimpleNamespace

import msgspec
import pytest

from gateway import caching as module
from gateway.cache.cache import CHECKS_MAX, LOOP_BYTES_MAX, ResponseCache
from gateway.cache.note import Status
from gateway.cache.rules import AGENT, PERSONAL, RESTORED, UNSCANNED
from gateway.caching import Caching
from gateway.config.cache_schema import CacheSettings
from gateway.core.findings import Finding, Severity
from gateway.core.outcome import Ending
from gateway.core.request import Controls, Principal
from gateway.execute.reply import Reply
from tests.fakes.clock import ManualClock
from tests.gateway.cache.samples import BODY, asked
from tests.gateway.cache.test_streams import Pieces
from tests.gateway.record.records import DECISION, OUTCOME, SIGNALS, fleet_of
from tests.gateway.scan.verdicts import CLEAN, EVERYTHING

FLEET = fleet_of("small", "large")
SMALL, LARGE = FLEET.deployments
SETTINGS = CacheSettings()
POLICY = SimpleNamespace(version="p1")
ANSWER = b'{"answer":"Bonjour"}'
FOUND = msgspec.structs.replace(EVERYTHING, stripped=False)
PLACE = Finding("LOCATION", "names-1", Severity.MEDIUM, 0, 6)
COUNTRY = msgspec.structs.replace(CLEAN, personal=(PLACE,))
UNSEEN = msgspec.structs.replace(CLEAN, missing=True)


class Scanner:
    """Says what it is told of any request; *asked* holds the thread of each question."""

    def __init__(self, *, personal: bool = False) -> None:
        self.found = personal
        self.asked = []

    def personal(self, request):
        """At once."""
        self.asked.append(threading.current_thread())
        return self.found


class Desk:
    """A cache, and who may answer."""

    def __init__(self, settings=SETTINGS, scanner=None) -> None:
        self.scanner = scanner
        self.clock = ManualClock()
        self.cache = ResponseCache(settings, self.clock)
        self.places = {one.id: one for one in FLEET.deployments}
        self.upstreams = SimpleNamespace(deployment=self.places.get, show_asked=False)

    def begin(self, request=None) -> Caching:
        """The way of *request*."""
        caching = Caching(self.cache, self.upstreams, self.scanner)
        caching.begin(request or asked(), POLICY)
        return caching

    async def find(
        self, caching, decision=DECISION, verdict=CLEAN, signals=SIGNALS, restored=False
    ):
        """What is found for what was decided."""
        reading = SimpleNamespace(request=asked(), verdict=verdict, signals=signals)
        return await caching.find(reading, decision, restored=restored)

    async def serve(self, reply=None, outcome=OUTCOME, **found):
        """A miss that is answered by *reply*."""
        caching = self.begin()
        assert await self.find(caching, **found) is None
        caching.ended(outcome)
        assert caching.keep(reply or answer(), found.get("decision", DECISION)) is not None
        return caching

    async def note(self, **found):
        """What the next request is told."""
        caching = self.begin()
        await self.find(caching, **found)
        return caching.note


def answer(deployment=SMALL, **changes) -> Reply:
    """A whole answer of *deployment*."""
    reply = Reply(200, "application/json", (("x-upstream-request-id", "u"),), deployment, ())
    return msgspec.structs.replace(reply, **{"body": ANSWER, **changes})


async def test_an_answer_is_given_again():
    """Without the headers of its upstream, with its age, and nothing billed."""
    desk = Desk()
    await desk.serve(answer(warnings=("dropped;omitted;n",)))
    desk.clock.advance(90)
    caching = desk.begin()
    hit = await desk.find(caching)

    assert (hit.reply.body, hit.reply.headers, hit.reply.attempts) == (ANSWER, (), ())
    assert hit.reply.warnings == ("dropped;omitted;n",)
    assert hit.reply.deployment == SMALL
    assert (hit.outcome.ending, hit.outcome.cost_nano_usd) == (Ending.COMPLETE, 0)
    assert hit.outcome.usage is None
    assert hit.outcome.saved == caching.note.saved
    assert (caching.note.saved.age_s, caching.note.saved.tokens) == (90, 328)
    assert caching.note.saved.cost_nano_usd == OUTCOME.cost_nano_usd


async def test_a_stream_is_kept_when_it_has_ended():
    """What was read by then is the answer."""
    desk = Desk()
    caching = desk.begin()
    await desk.find(caching)
    kept = caching.keep(answer(body=None, stream=Pieces(b"a\n\n", b"b\n\n")), DECISION)
    pieces = [piece async for piece in kept.stream]
    before = len(desk.cache.memory)
    caching.ended(OUTCOME)
    hit = await desk.find(desk.begin())

    assert pieces == [b"a\n\n", b"b\n\n"]
    assert before == 0
    assert hit.reply.body is None
    assert b"".join([piece async for piece in hit.reply.stream]) == b"a\n\nb\n\n"


async def test_a_stream_that_breaks_off_is_not_kept():
    """Nor one that nobody read to its end."""
    desk = Desk()
    for ending in (Ending.TRUNCATED, Ending.CLIENT_GONE):
        caching = desk.begin()
        await desk.find(caching)
        caching.keep(answer(body=None, stream=Pieces(b"a\n\n")), DECISION)
        caching.ended(msgspec.structs.replace(OUTCOME, ending=ending))

    assert len(desk.cache.memory) == 0


@pytest.mark.parametrize(
    "decision",
    [
        {"model": "large"},
        {"ranking": ("p/large",)},
    ],
)
async def test_a_hit_obeys_the_decision_of_now(decision):
    """Another model, or a place that may not answer any more."""
    desk = Desk()
    await desk.serve()

    assert (await desk.note()).status is Status.HIT
    other = msgspec.structs.replace(DECISION, **decision)
    assert (await desk.note(decision=other)).status is Status.MISS


async def test_a_place_that_is_gone_answers_nobody():
    """A reload has removed it."""
    desk = Desk()
    await desk.serve()
    del desk.places[SMALL.id]

    assert (await desk.note()).status is Status.MISS


async def test_another_models_answer_is_not_kept():
    """It was the best there was, not what was decided on."""
    desk = Desk()
    await desk.serve(answer(LARGE))

    assert len(desk.cache.memory) == 0


async def test_tenants_never_share():
    """The same words, another tenant: nothing is found."""
    desk = Desk()
    await desk.serve()
    caching = desk.begin(asked(principal=Principal(tenant="other")))

    assert await desk.find(caching) is None
    assert caching.note.status is Status.MISS


@pytest.mark.parametrize(
    ("found", "settings", "reason"),
    [
        ({"verdict": FOUND}, CacheSettings(), PERSONAL),
        ({"verdict": UNSEEN}, CacheSettings(), PERSONAL),
        ({"verdict": FOUND}, CacheSettings(personal_data=True), ""),
        ({"verdict": EVERYTHING}, CacheSettings(), ""),  # was taken out
        ({"verdict": CLEAN}, CacheSettings(), ""),
        ({"verdict": COUNTRY}, CacheSettings(), ""),
        ({"verdict": None}, CacheSettings(), UNSCANNED),
        ({"verdict": msgspec.structs.replace(CLEAN, truncated=True)}, CacheSettings(), UNSCANNED),
        ({"verdict": None}, CacheSettings(personal_data=True), ""),
        ({"restored": True}, CacheSettings(personal_data=True), RESTORED),
        (
            {"signals": msgspec.structs.replace(SIGNALS, agent_continuation=True)},
            CacheSettings(),
            AGENT,
        ),
    ],
)
async def test_what_only_reading_shows(found, settings, reason):
    """Then it is neither given nor kept."""
    desk = Desk(settings)
    await desk.serve(**found)
    note = await desk.note(**found)

    assert note.reason == reason
    assert (note.status is Status.BYPASS) == bool(reason)
    assert len(desk.cache.memory) == (0 if reason else 1)


@pytest.mark.parametrize("wished", [None, "allow_with_warning"])
async def test_nobody_has_looked_for_personal_data(wished):
    """So we do when the answer has ended; the next request is told what was found."""
    wishes = msgspec.structs.replace(CLEAN.wishes, personal_action=wished)
    verdict = msgspec.structs.replace(CLEAN, wishes=wishes)
    for personal, told in ((False, (Status.HIT, "")), (True, (Status.BYPASS, PERSONAL))):
        desk = Desk(scanner=Scanner(personal=personal and wished is None))
        await desk.serve(verdict=verdict)
        assert not desk.scanner.asked  # the reply is on its way
        await asyncio.sleep(0)
        note = await desk.note(verdict=verdict)

        assert len(desk.scanner.asked) == (wished is None)
        assert (note.status, note.reason) == (told if wished is None else (Status.HIT, ""))


async def test_a_large_request_is_looked_into_in_a_thread():
    """The event loop goes on meanwhile."""
    desk = Desk(scanner=Scanner())
    large = {"model": "m", "messages": [{"role": "user", "content": "x" * LOOP_BYTES_MAX}]}
    caching = desk.begin(asked(large))
    await desk.find(caching, verdict=None)
    caching.ended(OUTCOME)
    caching.keep(answer(), DECISION)
    await asyncio.gather(*desk.cache._checks)

    assert len(desk.cache.memory) == 1
    assert desk.scanner.asked != [threading.current_thread()]
    assert len(desk.scanner.asked) == 1


async def test_what_cannot_be_looked_into_is_not_kept(caplog):
    """A fault of ours, or too many at once."""
    desk = Desk(scanner=Scanner())
    desk.scanner.personal = None
    await desk.serve(verdict=None)
    await asyncio.sleep(0)
    assert "keeping an answer failed with TypeError" in caplog.text
    desk = Desk(scanner=Scanner())
    for _ in range(CHECKS_MAX + 1):
        await desk.serve(verdict=None)
    await asyncio.sleep(0)

    assert len(desk.scanner.asked) == CHECKS_MAX


async def test_a_reload_that_forbids_personal_data_forgets_it():
    """Nobody looked into what is there."""
    desk = Desk(CacheSettings(personal_data=True))
    await desk.serve(verdict=FOUND)
    desk.cache.use(CacheSettings())

    assert len(desk.cache.memory) == 0


async def test_a_large_answer_is_not_kept():
    """The limit of one entry holds for whole answers and for streams."""
    desk = Desk(CacheSettings(entry_bytes_max=1024))
    await desk.serve(answer(body=bytes(1025)))
    caching = desk.begin()
    await desk.find(caching)
    kept = caching.keep(answer(body=None, stream=Pieces(bytes(1000), bytes(25))), DECISION)
    assert len([piece async for piece in kept.stream]) == 2
    caching.ended(OUTCOME)

    assert len(desk.cache.memory) == 0


async def test_who_does_not_ask_passes_by():
    """No note, and the very same reply."""
    desk = Desk()
    caching = desk.begin(asked(controls=Controls()))
    found = await desk.find(caching)
    reply = answer()

    assert found is None
    assert caching.keep(reply, DECISION) is reply
    assert caching.note is None
    assert not desk.cache.lookups


async def test_a_fault_of_the_cache_is_not_the_clients(monkeypatch, caplog):
    """The request goes on without it; the log never quotes the prompt."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError(BODY["messages"])

    desk = Desk()
    caching = desk.begin()
    await desk.find(caching)
    monkeypatch.setattr(desk.cache, "put", fail)
    with caplog.at_level(logging.ERROR):
        caching.ended(OUTCOME)
        assert caching.keep(answer(), DECISION).body == ANSWER
        monkeypatch.setattr(module, "Look", fail)
        assert await desk.find(desk.begin()) is None

    assert caplog.text.count("failed with ZeroDivisionError") == 2
    assert "French" not in caplog.text


async def test_without_a_cache():
    """As in tools that only decide."""
    caching = Caching(None, Desk().upstreams, None)
    caching.begin(asked(), POLICY)

    assert await Desk().find(caching) is None
    caching.ended(OUTCOME)
    assert caching.keep(answer(), DECISION).body == ANSWER
