"""
The scan of one request. What needs no model runs at once, on the event loop, while the encoder
reads the windows that the guard is in doubt about; then both make the verdict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from gateway.core.chat import Chat
from gateway.core.findings import ATTACKS, Finding, Source
from gateway.scan.abuse import AbuseMonitor, AbuseReport
from gateway.scan.allow import AllowList
from gateway.scan.personal_data import PersonalData
from gateway.scan.piece_scan import PieceScanner, Window
from gateway.scan.pieces import Piece, pieces_of
from gateway.scan.policies import CompiledPolicies, Violation
from gateway.scan.verdict import Verdict
from gateway.scan.wishes import Wishes
from models.judge import Judge, probability
from models.memory import Memory, key_of

Attacks = tuple[float, ...]
AskEncoder = Callable[[str], Awaitable[Attacks | None]]

SURE = 0.5  # of a risk: from here on it is an attack
UNSAFE = ("injection", "jailbreak", "extraction", "indirect")  # harmful: for policies to say
EVEN = (0.5,) * len(ATTACKS)  # limits where there are no models, and patterns decide alone
PIECES_BYTES_MAX = 8 * 2**20  # of remembered texts: a conversation comes again with every turn


class Limits(msgspec.Struct, frozen=True):
    """Of one request, see config.scan_schema.ScanSettings."""

    chars_max: int
    windows_max: int
    encoder_windows_max: int


class Seen(msgspec.Struct, frozen=True):
    """What is known of one piece: findings from its own beginning, logits of its worst window."""

    findings: tuple[Finding, ...]
    personal: tuple[Finding, ...]
    logits: Attacks | None
    windows: int
    encoded: int


class Caller(msgspec.Struct, frozen=True):
    """Who asks, and for how much."""

    key_id: str
    project: str
    tokens_in: int
    tokens_out_max: int | None
    now_s: float


class Parts(msgspec.Struct, frozen=True):
    """What scanning needs. Swapped whole by a reload, but for the state of *abuse*."""

    pieces: PieceScanner
    personal: PersonalData
    judge: Judge | None
    policies: CompiledPolicies
    allow: AllowList
    abuse: AbuseMonitor
    limits: Limits
    remembered: Memory[Seen]


class Opened:
    """A piece that is being read: what was found, and which windows the encoder has in hand."""

    def __init__(self, piece: Piece, key: bytes) -> None:
        self.piece = piece
        self.key = key
        self.findings: tuple[Finding, ...] = ()
        self.personal: tuple[Finding, ...] = ()
        self.windows: list[Window] = []
        self.asked: dict[int, Awaitable[Attacks | None]] = {}
        self.whole = True  # there were windows for all of it


class Scan:
    """One request that is being scanned: made by ``begin``, ended by ``verdict``."""

    def __init__(
        self,
        parts: Parts,
        wishes: Wishes,
        project: str,
        *,
        refusing: bool = False,
    ) -> None:
        """*refusing*: patterns are looked for in every mode, because some are always refused."""
        self._parts = parts
        self._refusing = refusing
        self._wishes = wishes
        # What is to be stripped was looked for, and is gone, before this begins.
        self._personal = wishes.personal_action not in (None, "strip")
        self._project = project
        self._seen: list[tuple[Piece, Seen]] = []
        self._open: list[Opened] = []
        self._chars = 0
        self._truncated = False

    def begin(self, chat: Chat, ask_encoder: AskEncoder) -> None:
        """Read every text, and hand the windows that are most in doubt to the encoder."""
        limits = self._parts.limits
        pieces = pieces_of(chat, limits.chars_max)
        self._chars, self._truncated = pieces.chars, pieces.truncated
        left = limits.windows_max
        for piece in pieces.pieces:
            key = self._key(piece)
            seen = self._parts.remembered.get(key)
            if seen is not None:
                self._seen.append((piece, seen))
                continue
            opened = self._read(piece, key, left)
            opened.whole = len(opened.windows) < left or left == limits.windows_max
            self._truncated = self._truncated or not opened.whole
            left = max(1, left - len(opened.windows))
            self._open.append(opened)
        self._ask(ask_encoder)

    def _key(self, piece: Piece) -> bytes:
        """Everything that what is found depends on, besides the parts."""
        wishes = self._wishes
        looked_for = f"{self._refusing:d}{wishes.attacks:d}{self._personal:d}{wishes.chunk:d}"
        return key_of(f"{piece.source}\0{looked_for}\0{self._project}\0{piece.text}")

    def _read(self, piece: Piece, key: bytes, windows_max: int) -> Opened:
        parts, opened = self._parts, Opened(piece, key)
        text = parts.allow.cleared(piece.text, self._project)
        if self._personal:
            matches = parts.personal.matches(text, self._permits)
            opened.personal = tuple(
                one for one in parts.personal.find(text, matches) if not self._permits(one, text)
            )
        if piece.source is Source.ASSISTANT or not (self._wishes.attacks or self._refusing):
            return opened
        found = parts.pieces.matches(text, self._permits)
        opened.findings = parts.pieces.findings(found)
        if self._wishes.attacks:
            opened.windows = list(
                parts.pieces.windows(found, windows_max, chunk=self._wishes.chunk)
            )
        return opened

    def _permits(self, finding: Finding, text: str) -> bool:
        return self._parts.allow.permits(finding, text, self._project)

    def _ask(self, ask_encoder: AskEncoder) -> None:
        doubtful = [
            (window.suspicion, opened, at)
            for opened in self._open
            for at, window in enumerate(opened.windows)
            if window.doubtful
        ]
        doubtful.sort(key=lambda one: -one[0])
        for _, opened, at in doubtful[: self._parts.limits.encoder_windows_max]:
            opened.asked[at] = ask_encoder(opened.windows[at].text)

    async def verdict(self, caller: Caller) -> Verdict:
        """The verdict, as soon as the encoder has said what it has to say."""
        for opened in self._open:
            self._seen.append((opened.piece, await self._close(opened)))
        wishes = self._wishes
        scores, risk, attack = self._judged()
        return Verdict(
            wishes=wishes,
            attacked=risk >= SURE,
            risk=risk,
            attack=attack,
            scores=scores,
            findings=self._collected(lambda seen: seen.findings),
            personal=self._collected(lambda seen: seen.personal),
            violations=self._violations(scores) if wishes.policies else (),
            abuse=self._abuse(caller) if wishes.abuse_action is not None else None,
            texts=len(self._seen),
            chars=self._chars,
            windows=sum(seen.windows for _, seen in self._seen),
            encoded=sum(seen.encoded for _, seen in self._seen),
            truncated=self._truncated,
        )

    async def _close(self, opened: Opened) -> Seen:
        """
        Wait for the encoder, and remember what came out, unless something was left unread: another
        request may have the windows or the time for it.
        """
        judge = self._parts.judge
        worst: Attacks | None = None
        unread = not opened.whole
        for at, window in enumerate(opened.windows):
            asked = opened.asked.get(at)
            said = None if asked is None else await asked
            unread = unread or (window.doubtful and said is None)
            logits = window.guard if judge is None else judge.logits(window.guard, said)
            logits = tuple(map(sum, zip(logits, window.evidence, strict=True)))
            worst = logits if worst is None else tuple(map(max, worst, logits))
        seen = Seen(
            findings=opened.findings,
            personal=opened.personal,
            logits=worst,
            windows=sum(window.text != "" for window in opened.windows),
            encoded=len(opened.asked),
        )
        if not unread:
            self._parts.remembered.put(opened.key, seen)
        return seen

    def _judged(self) -> tuple[dict[str, float], float, str]:
        """
        The worst probability of each kind; the risk, on a scale on which every threshold is SURE;
        and the kind that it is of, "" without any.
        """
        judge = self._parts.judge
        scores: dict[str, float] = {}
        risk, attack = 0.0, ""
        if not self._wishes.attacks:
            return scores, risk, attack
        for piece, seen in self._seen:
            if seen.logits is None:
                continue
            sensitivity = self._wishes.sensitivity
            limits = EVEN if judge is None else judge.limits(piece.source, sensitivity)
            for kind, logit, limit in zip(ATTACKS, seen.logits, limits, strict=True):
                if limit > 1.0:
                    continue
                found = probability(logit)
                scores[kind] = max(found, scores.get(kind, 0.0))
                if kind in UNSAFE and (scaled := on_scale(found, limit)) >= risk:
                    risk, attack = scaled, kind
        return scores, risk, attack

    def _collected(self, which: Callable[[Seen], tuple[Finding, ...]]) -> tuple[Finding, ...]:
        """The findings of all pieces, at their places in the request."""
        return tuple(
            msgspec.structs.replace(
                finding,
                start=finding.start + piece.offset,
                end=finding.end + piece.offset,
                place=piece.place,
            )
            for piece, seen in self._seen
            for finding in which(seen)
        )

    def _violations(self, scores: dict[str, float]) -> tuple[Violation, ...]:
        asks = [piece for piece, _ in self._seen]
        found = self._parts.policies.check([ask.text for ask in asks], scores, self._project)
        return tuple(
            msgspec.structs.replace(
                one,
                place=asks[one.place].place,
                start=one.start + asks[one.place].offset,
                end=one.end + asks[one.place].offset,
            )
            for one in found
        )

    def _abuse(self, caller: Caller) -> AbuseReport | None:
        """Of the newest words of a human."""
        asks = [piece for piece, _ in self._seen if piece.source is Source.ASK]
        newest = max(asks, key=lambda piece: piece.place, default=None)
        if newest is None:
            return None
        return self._parts.abuse.observe(
            caller.key_id,
            caller.project,
            newest.text,
            caller.tokens_in,
            max_tokens=caller.tokens_out_max,
            now_s=caller.now_s,
        )


def on_scale(found: float, limit: float) -> float:
    """*found*, 0 to 1, on the scale on which *limit* is SURE: two straight lines."""
    if found >= limit:
        return SURE + (1.0 - SURE) * (found - limit) / max(1.0 - limit, 1e-9)
    return SURE * found / limit
