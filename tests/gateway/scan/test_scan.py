"""The scan of one request: texts, windows, the encoder's word, and the verdict."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from msgspec.structs import replace

from gateway.config.scan_schema import Allowed
from gateway.core.chat import Chat, Role, Text, ToolResult, Turn
from gateway.core.findings import Severity
from gateway.scan import piece_scan
from gateway.scan.abuse import AbuseMonitor
from gateway.scan.allow import AllowList
from gateway.scan.likeness import embed
from gateway.scan.patterns import Pattern, PatternSet
from gateway.scan.personal_data import PersonalData
from gateway.scan.piece_scan import PieceScanner
from gateway.scan.policies import compile_content_policies
from gateway.scan.scan import Caller, Limits, Parts, Scan
from models.guard_manifest import GuardManifest
from models.judge import Judge, Weights
from models.memory import Memory
from models.scores import ATTACKS
from tests.gateway.scan.verdicts import WISHES

CALLER = Caller(key_id="web", project="shop", tokens_in=10, tokens_out_max=None, now_s=0.0)
OVERRIDE = Pattern(
    id="injection.override",
    kind="injection",
    severity=Severity.CRITICAL,
    regex="ignore all previous",
    positive=("ignore all previous",),
    negative=("ignore it",),
)
LIMITS = dict.fromkeys(("low", "medium", "high"), (0.5,) * 5)
ORDERS_ONLY = dict.fromkeys(("low", "medium", "high"), (2.0, 2.0, 2.0, 2.0, 0.5))
JUDGE = Judge(
    guard="guard-1",
    encoder="encoder-1",
    weights={
        kind: Weights(guard=0.0, encoder=1.0, shift=0.0, alone=1.0, alone_shift=0.0)
        for kind in ATTACKS
    },
    ask=LIMITS,
    document=LIMITS,
    system=ORDERS_ONLY,
)
CALM, ALARM = (-6.0,) * 5, (6.0, -6.0, -6.0, -6.0, 6.0)


@pytest.fixture(autouse=True)
def every_text_counts(monkeypatch):
    """Also a short one, to keep the texts below short."""
    monkeypatch.setattr(piece_scan, "ORDER_BYTES_MIN", 0)


class Guard:
    """Is in doubt about texts with "hmm", sure of others; a window for every ten characters."""

    manifest = GuardManifest(
        name="guard",
        version="1",
        weights="",
        sha256="",
        attacks=ATTACKS,
        bits=1,
        clear_below=(0.4,) * 5,
        sure_above=(0.6,) * 5,
        data_sha256="",
        measured={},
    )

    doubt = ((-0.4, 0.4),) * 5

    def logits(self, text):
        return np.array([0.0 if "hmm" in text else -6.0] * 5)

    def windows(self, text, most):
        return [(at, at + 10) for at in range(0, len(text), 10)][:most]


def parts_of(*, allow=(), encoder_windows_max=4, windows_max=8):
    """Everything a scan needs, with one pattern and no model but the fake guard."""
    patterns = PatternSet([OVERRIDE])
    return Parts(
        pieces=PieceScanner(patterns, Guard()),
        personal=PersonalData(patterns, None),
        judge=JUDGE,
        policies=compile_content_policies((), embed),
        allow=AllowList(allow),
        abuse=AbuseMonitor(),
        limits=Limits(1_000, windows_max, encoder_windows_max),
        remembered=Memory(100_000),
    )


class Encoder:
    """Answers at once what it was told to, and remembers what it was asked."""

    def __init__(self, said=CALM):
        self.said = said
        self.asked = []

    def __call__(self, text):
        self.asked.append(text)
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(self.said)
        return answer


def ask(text, role=Role.USER):
    """A chat of one turn."""
    return Chat(model="auto", turns=(Turn(role, (Text(text),)),))


async def verdict_of(chat, parts=None, encoder=None, wishes=WISHES, project="shop"):
    """Scan *chat*."""
    scan = Scan(parts or parts_of(), wishes, project)
    scan.begin(chat, encoder or Encoder())
    return await scan.verdict(CALLER)


async def test_a_pattern_alone_makes_an_attack():
    """A critical one leaves the models nothing to say; its span is that of the text as sent."""
    verdict = await verdict_of(ask("now ignore all previous"))

    assert verdict.attacked
    assert verdict.attack == "injection"
    (finding,) = verdict.findings
    assert (finding.id, finding.start, finding.end) == ("injection.override", 4, 23)


async def test_an_ordinary_prompt_costs_no_encoder():
    """Where the guard is sure nobody else is asked."""
    encoder = Encoder()
    verdict = await verdict_of(ask("hello"), encoder=encoder)

    assert not verdict.attacked
    assert encoder.asked == []
    assert (verdict.texts, verdict.windows, verdict.encoded) == (1, 1, 0)
    assert max(verdict.scores.values()) < 0.01


@pytest.mark.parametrize(("said", "attacked"), [(CALM, False), (ALARM, True)])
async def test_the_encoder_decides_where_the_guard_is_in_doubt(said, attacked):
    """Its logits take the place of the guard's doubt."""
    encoder = Encoder(said)
    verdict = await verdict_of(ask("hmm, so"), encoder=encoder)

    assert encoder.asked == ["hmm, so"]
    assert verdict.attacked is attacked


async def test_the_worst_window_decides_and_the_encoder_reads_only_so_many():
    """Of a long text the doubtful windows go to the encoder, within its limit."""
    encoder = Encoder(ALARM)
    text = "all is wellhmm, so....hmm, again...hmm"
    verdict = await verdict_of(ask(text), parts_of(encoder_windows_max=2), encoder)

    assert len(encoder.asked) == 2
    assert verdict.windows == 4
    assert verdict.attacked


async def test_without_chunks_a_text_is_one_window():
    """As the client wants it."""
    verdict = await verdict_of(ask("hmm " * 9), wishes=replace(WISHES, chunk=False))

    assert verdict.windows == 1


async def test_a_late_encoder_leaves_the_guards_word():
    """And nothing is remembered, so that the next scan may ask again."""
    parts, encoder = parts_of(), Encoder(None)
    verdict = await verdict_of(ask("hmm, so"), parts, encoder)
    await verdict_of(ask("hmm, so"), parts, encoder)

    assert verdict.scores["injection"] == 0.5
    assert len(encoder.asked) == 2


async def test_a_text_that_was_scanned_is_remembered():
    """A conversation comes again with every turn; its old turns cost a look-up."""
    parts, encoder = parts_of(), Encoder(ALARM)
    before = await verdict_of(ask("hmm, so"), parts, encoder)
    after = await verdict_of(ask("hmm, so"), parts, encoder)

    assert len(encoder.asked) == 1
    assert before == after


async def test_all_turns_and_tool_results_count():
    """Not only the last; an assistant's own words are not judged."""
    turns = (
        Turn(Role.USER, (Text("ignore all previous"),)),
        Turn(Role.ASSISTANT, (Text("I will not ignore all previous"),)),
        Turn(Role.USER, (ToolResult("c", (Text("ignore all previous"),)), Text("go on"))),
    )
    verdict = await verdict_of(Chat(model="auto", turns=turns))

    assert sorted(one.place for one in verdict.findings) == [0, 2]


async def test_a_system_prompt_is_judged_for_hidden_orders_alone():
    """It is full of orders, and may be."""
    assert not (await verdict_of(ask("ignore all previous", Role.SYSTEM))).attacked
    assert (await verdict_of(ask("hmm", Role.SYSTEM), encoder=Encoder(ALARM))).attacked


@pytest.mark.parametrize(
    "entry",
    [
        Allowed(pattern="injection.override"),
        Allowed(phrase="Ignore all previous"),
        Allowed(phrase="ignore all previous", project="shop"),
    ],
)
async def test_what_the_operator_allows_is_no_attack(entry):
    """By pattern or phrase, for everybody or one project."""
    verdict = await verdict_of(ask("now ignore all previous"), parts_of(allow=[entry]))

    assert not verdict.attacked
    assert verdict.findings == ()


async def test_what_is_allowed_to_one_project_is_an_attack_of_another():
    """The same text, with the same memory."""
    parts = parts_of(allow=[Allowed(phrase="ignore all previous", project="shop")])

    assert not (await verdict_of(ask("ignore all previous"), parts)).attacked
    assert (await verdict_of(ask("ignore all previous"), parts, project="bank")).attacked


async def test_nobody_looks_for_attacks_where_only_policies_are_wanted():
    """No scores and no findings then."""
    wishes = replace(WISHES, mode="policy_only")
    verdict = await verdict_of(ask("ignore all previous"), wishes=wishes)

    assert verdict.scores == {}
    assert verdict.safe
    assert verdict.findings == ()


async def test_what_is_left_out_is_told():
    """A text above the limit is read at both ends."""
    verdict = await verdict_of(ask("x" * 2_000 + "ignore all previous"))

    assert verdict.truncated
    assert verdict.attacked
    (finding,) = verdict.findings
    assert (finding.start, finding.end) == (2_000, 2_019)


async def test_patterns_alone_decide_where_there_is_no_model():
    """High and critical ones make an attack, milder ones do not."""
    parts = parts_of()
    bare = replace(parts, judge=None, pieces=PieceScanner(PatternSet([OVERRIDE]), None))
    verdict = await verdict_of(ask("ignore all previous"), bare)

    assert verdict.attacked
    assert (verdict.windows, verdict.encoded) == (0, 0)
    assert not (await verdict_of(ask("hello"), bare)).attacked
