"""Make a prompt shorter before it is sent: the door of this package."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gateway.compress.body_texts import Place, places_in, replaced
from gateway.compress.compact import compact
from gateway.compress.toon import to_toon
from gateway.core.errors import InvalidRequest
from gateway.signals.tokens import text_tokens

METHODS = ("toon", "compact", "combined")
RATE_MIN, RATE_MAX = 0.3, 0.7
TOKENS_MIN = 60  # a shorter text says nothing twice
COMPACT_CHARS_MAX = 1_048_576  # 1 s of prose, 2.5 s at worst; a longer text stays as it is
ASK_CHARS_MAX = 700  # of another part of the same message: longer is not an ask
ASKS_MAX = 4  # of them that are read


class Compressed(msgspec.Struct, frozen=True):
    """
    *text* after *method*. Lengths count characters, tokens are estimates. Not *applied*: nothing
    could be saved, and the text is the original.
    """

    text: str
    method: str
    applied: bool
    original_length: int
    compressed_length: int
    tokens_before: int
    tokens_after: int

    @property
    def ratio(self) -> float:
        """Compressed to original length, 0 to 1; 1 for no text."""
        return self.compressed_length / self.original_length if self.original_length else 1.0


class CompressionSummary(msgspec.Struct, frozen=True):
    """
    What became of a body: *texts* were shortened by *method*. Lengths, in characters, and tokens
    are sums over all texts that might have been, shortened or not.
    """

    method: str
    texts: int
    original_length: int
    compressed_length: int
    tokens_before: int
    tokens_after: int

    @property
    def applied(self) -> bool:
        """Whether any text was shortened."""
        return self.texts > 0

    @property
    def ratio(self) -> float:
        """Compressed to original length, 0 to 1; 1 for no text."""
        return self.compressed_length / self.original_length if self.original_length else 1.0


def compress_text(text: str, method: str, rate: float = 0.5, *, ask: str = "") -> Compressed:
    """
    *text* by *method*, one of METHODS; the original wherever that does not save tokens.

    "toon" writes a text that is JSON as a whole in TOON. "compact" leaves out words until about
    *rate*, RATE_MIN to RATE_MAX, of the characters is left; how many are must be read off the
    ratio. "combined" does the one for JSON and the other for anything else. *ask* is what a text
    beside this one asks about it.

    Raises:
        ValueError: another method or rate.
    """
    if method not in METHODS:
        raise ValueError(f"method is {method!r}, not one of {', '.join(METHODS)}")
    if not RATE_MIN <= rate <= RATE_MAX:
        raise ValueError(f"rate is {rate}, not between {RATE_MIN} and {RATE_MAX}")
    before = text_tokens(text)
    shorter = _shorter(text, method, rate, ask, before)
    after = before if shorter is None else text_tokens(shorter)
    if shorter is None or after >= before or not shorter:
        return _untouched(text, method, before)
    return Compressed(
        shorter,
        method,
        applied=True,
        original_length=len(text),
        compressed_length=len(shorter),
        tokens_before=before,
        tokens_after=after,
    )


def compress_body(
    body: bytes, dialect: str, method: str, rate: float = 0.5, *, even_cached: bool = False
) -> tuple[bytes, CompressionSummary] | None:
    """
    The *body* of a client in *dialect* with its texts compressed; None where nothing is gained.

    System and user texts are; a tool's result only when it is JSON, by toon; nothing else ever
    (see ``body_texts``), and texts before a cache mark only with *even_cached*. What a text becomes
    depends on its own message alone, so that the history of a conversation stays the same from
    turn to turn and a provider's own cache of prefixes keeps working.

    Raises:
        ValueError: as ``compress_text``.
    """
    try:
        places = places_in(body, dialect, even_cached=even_cached)
    except InvalidRequest:
        return None  # an object too wide to read: sent as it is
    beside: dict[int, list[Place]] = {}
    for place in places:
        if len(place.text) <= ASK_CHARS_MAX:
            beside.setdefault(place.turn, []).append(place)
    results = [_compress_place(place, beside.get(place.turn, ()), method, rate) for place in places]
    changed = {row: done.text for row, done in enumerate(results) if done.applied}
    if not changed:
        return None
    summary = CompressionSummary(
        method,
        len(changed),
        sum(done.original_length for done in results),
        sum(done.compressed_length for done in results),
        sum(done.tokens_before for done in results),
        sum(done.tokens_after for done in results),
    )
    return replaced(body, changed, places), summary


def _shorter(text: str, method: str, rate: float, ask: str, tokens: int) -> str | None:
    """*text* by *method*, None where it does not apply."""
    opens = text.lstrip()[:1]
    if method != "compact" and opens in ("{", "["):
        written = to_toon(text)
        if written is not None or method == "toon":
            return written
    if method == "toon" or tokens < TOKENS_MIN or len(text) > COMPACT_CHARS_MAX:
        return None
    return compact(text, rate, ask)


def _compress_place(place: Place, beside: Sequence[Place], method: str, rate: float) -> Compressed:
    """The text of *place*, asked about by the last of the short texts *beside* it."""
    if not place.tool_result:
        others = [other.text for other in beside[-ASKS_MAX:] if other is not place]
        return compress_text(place.text, method, rate, ask="\n".join(others))
    if method != "compact":
        return compress_text(place.text, "toon", rate)
    return _untouched(place.text, method, text_tokens(place.text))


def _untouched(text: str, method: str, tokens: int) -> Compressed:
    """*text*, of so many *tokens*, as it is."""
    return Compressed(
        text,
        method,
        applied=False,
        original_length=len(text),
        compressed_length=len(text),
        tokens_before=tokens,
        tokens_after=tokens,
    )
