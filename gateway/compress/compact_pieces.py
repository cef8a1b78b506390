"""
Cut a text into pieces that can be dropped one by one, and say which must stay.

A piece is a word with the signs and the space behind it; in scripts that set no spaces, a clause.
Quotations, code, addresses, tables and headings are single pieces that stay.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterator

import msgspec

from gateway.compress.compact_words import (
    ABBREVIATIONS,
    FILLERS,
    FUNCTION_WORDS,
    IMPERATIVES,
    KEPT_INSIDE,
    MODALS,
    NEGATIONS,
)

STEM_CHARS = 6  # of a word's beginning: "compete" and "competition" are one term
BOUND_WORDS = 2  # with content, behind a negation or modal: what it is that must or must not
HEADING_CHARS_MAX = 60  # of a line that ends in a colon
SENTENCES_MAX = 20_000  # 0.2 s; what follows the last of them stays whole
JSON_TRIES_MAX = 16  # places of one text that are tried as the start of a JSON value
SIGNS = "\"'“”„«»‘’「」『』()[]{}<>.,;:!?…。！？；，、：؟،؛।-–—*_~|/\\ \t\r\n\u3000"
ENDS = ".!?…。！？؟।;；"
QUESTIONS = ("?", "？", "؟")


class Rank(enum.IntEnum):
    """What becomes of a piece: the lower, the sooner it is dropped; KEPT and BREAK never are."""

    FILLER = 0
    FUNCTION = 1
    CONTENT = 2
    KEPT = 3
    BREAK = 4  # the end of a line


class Sentence(msgspec.Struct):
    """
    Pieces *first* to *end*, exclusive, and the *terms* in them, for comparison with an ask.
    *asks*: it asks or orders itself, and stays whole.
    """

    first: int
    end: int
    terms: list[str]
    asks: bool


class Pieces(msgspec.Struct):
    """
    A whole text in pieces: *texts* joined are the text, *ranks* run beside them. *sentences* cover
    every piece that may be dropped.
    """

    texts: list[str] = []
    ranks: list[Rank] = []
    sentences: list[Sentence] = []


def cut(text: str, ask: str) -> Pieces:
    """*text* in pieces; sentences that occur in *ask*, "" for none, stay whole."""
    reader = _Reader(ask)
    for block, verbatim in _blocks(text):
        if verbatim or reader.is_full():
            reader.add(block, Rank.KEPT)
            reader.close()
            continue
        for line in _LINES.findall(block):
            reader.line(line)
    reader.close()
    reader.keep_names()
    return reader.pieces


def terms_of(text: str) -> list[str]:
    """The terms of *text* that have content, in order."""
    reader = _Reader("")
    for line in _LINES.findall(text):
        reader.line(line)
    reader.close()
    return [term for sentence in reader.pieces.sentences for term in sentence.terms]


class _Reader:
    """Collects the pieces of one text, line by line. All its state is the sentence it is in."""

    def __init__(self, ask: str) -> None:
        self.pieces = Pieces([], [], [])
        self._ask = ask
        self._starts: list[tuple[int, str]] = []  # capitalised words that open a sentence
        self._names: set[str] = set()
        self._terms: list[str] = []
        self._first = 0
        self._at_start = True
        self._ordered = False  # the sentence began with an imperative
        self._bound = 0  # so many of the next words belong to a negation, a modal or a list item

    def add(self, text: str, rank: Rank) -> None:
        """One more piece."""
        self.pieces.texts.append(text)
        self.pieces.ranks.append(rank)

    def is_full(self) -> bool:
        """Whether no more is read."""
        return len(self.pieces.sentences) >= SENTENCES_MAX

    def line(self, line: str) -> None:
        """One line with its break, if it has one."""
        if self.is_full():
            self.add(line, Rank.KEPT)
            return
        body = line.rstrip("\r\n")
        stripped = body.strip()
        if not stripped or not body[0].islower():
            self.close()  # else the sentence goes on from the line before
        if stripped and _is_fixed(body, stripped):
            self.add(body, Rank.KEPT)
            self.close()
        elif stripped:
            self._prose(body)
        elif body:
            self.add(body, Rank.KEPT)
        if len(body) < len(line):
            self.add(line[len(body) :], Rank.BREAK)

    def _prose(self, body: str) -> None:
        marker = _MARKER.match(body)
        here = 0
        if marker is not None:
            self.add(marker[0], Rank.KEPT)
            here = marker.end()
            self._bound = 1  # so that no item of a list is left empty
        for span in _SPANS.finditer(body, here):
            self._words(body[here : span.start()])
            self.add(span[0], Rank.KEPT)
            self._at_start = False
            here = span.end()
        self._words(body[here:])

    def _words(self, text: str) -> None:
        found = _PIECES.findall(text)
        for row, piece in enumerate(found):
            core = piece.strip(SIGNS)
            if not core:
                kept = piece.isspace() or self._at_start
                self.add(piece, Rank.KEPT if kept else Rank.FUNCTION)
                continue
            low = core.lower()
            rank = self._rank(core, low)
            if low not in _RANK_OF:
                if core.isascii() or _UNSPACED.search(core) is None:
                    self._terms.append(low[:STEM_CHARS])
                else:
                    self._terms += [low[i : i + 2] for i in range(len(low) - 1)]
            self.add(piece, rank)
            self._at_start = False
            if not piece.endswith(core[-1] + " ") and _closes(piece, core, low):
                self.close()
                if self.is_full():
                    self.add("".join(found[row + 1 :]), Rank.KEPT)
                    return

    def _rank(self, core: str, low: str) -> Rank:
        opens, bound = self._at_start, self._bound
        if opens:
            self._ordered = low in IMPERATIVES
            if core != low:
                self._starts.append((len(self.pieces.texts), core))
        rank = _RANK_OF.get(low)
        if rank is Rank.KEPT or low.endswith(("n't", "n’t")):
            self._bound = BOUND_WORDS
            return Rank.KEPT
        if core != low and core != "I" and (not opens or core[1:] != low[1:]):
            self._names.add(core)
            return Rank.KEPT
        if rank is not None:
            return Rank.KEPT if bound else rank  # "not in the house": the house is what counts
        self._bound = max(bound - 1, 0)
        if bound or (not core.isalpha() and _MARKED.search(core) is not None):
            return Rank.KEPT
        if not core.isascii() and _INSIDE.search(core) is not None:
            return Rank.KEPT
        return Rank.CONTENT

    def close(self) -> None:
        """End the sentence, and keep it whole when it asks or orders."""
        pieces, first = self.pieces, self._first
        end = len(pieces.texts)
        if end > first:
            words = "".join(pieces.texts[first:end]).strip()
            asks = self._ordered or words.rstrip("\"'”»」)")[-1:] in QUESTIONS
            asks = asks or (bool(words) and words in self._ask)
            if asks:
                for index in range(first, end):
                    pieces.ranks[index] = max(pieces.ranks[index], Rank.KEPT)
            pieces.sentences.append(Sentence(first, end, self._terms, asks))
        self._terms = []
        self._first, self._at_start, self._ordered, self._bound = end, True, False, 0

    def keep_names(self) -> None:
        """Keep first words of sentences that are names elsewhere."""
        for index, core in self._starts:
            if core in self._names and self.pieces.ranks[index] is Rank.CONTENT:
                self.pieces.ranks[index] = Rank.KEPT


def _blocks(text: str) -> Iterator[tuple[str, bool]]:
    """*text* in parts; True for fenced code and JSON, which no word may leave."""
    here = 0
    for fence in _FENCES.finditer(text):
        yield from _json_blocks(text[here : fence.start()])
        yield fence[0], True
        here = fence.end()
    yield from _json_blocks(text[here:])


def _json_blocks(text: str) -> Iterator[tuple[str, bool]]:
    """The same for JSON alone."""
    here = 0
    for attempt, opening in enumerate(_OPENINGS.finditer(text)):
        if attempt == JSON_TRIES_MAX:
            break
        start = opening.end() - 1
        if start < here:
            continue  # inside the value before
        try:
            end = _SCANNER.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            continue
        yield text[here:start], False
        yield text[start:end], True
        here = end
    yield text[here:], False


def _is_fixed(body: str, stripped: str) -> bool:
    """Whether a line is a heading, a row of a table or code."""
    if stripped[0] in "#|" or stripped[-1] in ";{}":
        return True
    if stripped[-1] in ":：" and len(stripped) <= HEADING_CHARS_MAX:
        return True
    indented = body[0] == "\t" or body.startswith("    ")
    return indented and _CODE.search(stripped) is not None


def _closes(piece: str, core: str, low: str) -> bool:
    """Whether the signs behind the word of a piece end a sentence."""
    signs = piece[piece.rfind(core) + len(core) :]
    if not any(sign in ENDS for sign in signs):
        return False
    return signs[0] != "." or (len(core) > 1 and low not in ABBREVIATIONS)


_RANK_OF: dict[str, Rank] = {
    **dict.fromkeys(FUNCTION_WORDS, Rank.FUNCTION),
    **dict.fromkeys(FILLERS, Rank.FILLER),
    **dict.fromkeys(MODALS | NEGATIONS, Rank.KEPT),
}
_SCANNER = json.JSONDecoder()
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_FENCES = re.compile(r"```[\s\S]*?(?:```|\Z)|~~~[\s\S]*?(?:~~~|\Z)")
_OPENINGS = re.compile(r"^[ \t]*[{\[]", re.MULTILINE)
_MARKER = re.compile(r"\s*(?:[-*+•>]+|\d{1,3}[.)、]|[A-Za-z][.)])\s+")
# Every alternative begins with a literal, so that the search skips from one to the next.
_SPANS = re.compile(
    r"(?:`[^`]+`|https?://[^\s,;]+|www\.[^\s,;]+"
    r'|"[^"]{1,400}"|“[^“”]{1,400}”|„[^„“”"]{1,400}[“”"]|«[^«»]{1,400}»|「[^「」]{1,400}」'
    r"|『[^『』]{1,400}』|'(?<!\w')[^']{1,100}'(?!\w)|‘(?<!\w‘)[^‘’]{1,100}’(?!\w))"
    r"[.,;:!?)\]]*\s*"
)
_INSIDE = re.compile("|".join(KEPT_INSIDE))
_PIECES = re.compile(r"[^\s。！？；，、：]+[。！？；，、：]*\s*|[。！？；，、：]+\s*|\s+")
_MARKED = re.compile(r"[\d/_@\\=<>{}#$%&+*|~^€£¥°]|\w\.\w")
_CODE = re.compile(r"[;{}=<>()]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
