"""Find patterns in text: one compiled database says which may match, re2 says where they do."""

from __future__ import annotations

import re
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import re2  # type: ignore[import-untyped]  # google-re2 has no stubs

from gateway.core.findings import ATTACKS, Finding, Severity
from gateway.scan.cues import Cue, required

try:
    import hyperscan
except ImportError:  # no wheel for this processor or system
    hyperscan = None  # type: ignore[assignment]

RULES = Path(__file__).parent / "rules"
ENGINES = ("re2",) if hyperscan is None else ("hyperscan", "re2")  # the fastest first
MATCHES_MAX = 1000  # of one pattern in one scan: none can crowd out another
_SET_BYTES = 128 << 20  # re2 may grow its automaton of all patterns to this

_WIDE = re.compile(r"(?<!\\)\.|\[\^|\\[DSWpPx]")  # what may match a character outside ASCII
_ID = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")
_DATA_KIND = re.compile(r"[A-Z][A-Z0-9_]*")


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One regular expression of the rules, in the syntax that hyperscan, re2 and Python share: no
    look-around, no back-reference. ``^`` and ``$`` are starts and ends of lines; ``\\b``, ``\\w``,
    ``\\d`` and ``\\s`` know ASCII only, so a word of another script takes no ``\\b``.
    """

    id: str
    kind: str  # one of ATTACKS, or a type of data in capitals
    severity: Severity
    regex: str
    positive: tuple[str, ...]  # texts that it matches
    negative: tuple[str, ...]  # texts close to those, that it does not match
    source: str = ""  # where the knowledge comes from
    case_sensitive: bool = False
    whole: bool = False  # many texts hold all its words: looked for as it is, where that compiles
    check: str = ""  # name of the validator that a match must pass; not applied here


class Match(msgspec.Struct, frozen=True):
    """Characters *start* to *end*, exclusive, matched the pattern of this index."""

    pattern: int
    start: int
    end: int


class PatternSet:
    """
    Patterns compiled into one database. *scan* may be called from several threads.

    *engine* is one of ENGINES; the matches are the same with each. ValueError names the pattern
    that does not compile.
    """

    def __init__(self, patterns: Sequence[Pattern], engine: str = ENGINES[0]) -> None:
        self.patterns = tuple(patterns)
        self.engine = engine
        self._places = [_compiled(pattern) for pattern in self.patterns]
        numbers: dict[Cue, int] = {}  # of the cues
        wanting: dict[int, list[int]] = {}  # patterns of each cue
        self._wanted: list[int] = []  # cues of each pattern
        for index, pattern in enumerate(self.patterns):
            cues = _cues(pattern)
            self._wanted.append(len(cues))
            for cue in cues:
                wanting.setdefault(numbers.setdefault(cue, len(numbers)), []).append(index)
        self._wanting = [wanting[number] for number in range(len(numbers))]
        self._always = [index for index, wanted in enumerate(self._wanted) if wanted == 0]
        pieces: dict[str, list[int]] = {}  # cues of each piece
        for cue, number in numbers.items():
            for piece in sorted(cue):
                pieces.setdefault(piece, []).append(number)
        self._cues_of = list(pieces.values())
        self._seen: Callable[[bytes], Sequence[int]] = (
            _hyperscan(list(pieces)) if engine == "hyperscan" else _re2_set(list(pieces))
        )

    def scan(self, text: str) -> list[Match]:
        """
        The matches in *text*, by pattern and start, MATCHES_MAX of each pattern at most.

        Of overlapping matches of one pattern the leftmost counts, at its longest. A lone surrogate
        counts as a question mark.
        """
        data = text.encode(errors="replace")
        found = list(self._found(data, self._candidates(data)))
        return found if len(data) == len(text) else _in_characters(data, found)

    def finding(self, match: Match) -> Finding:
        """What *match* says by itself, before any check."""
        pattern = self.patterns[match.pattern]
        return Finding(pattern.kind, pattern.id, pattern.severity, match.start, match.end)

    def _candidates(self, data: bytes) -> list[int]:
        """The patterns of which every cue is in *data*, in order."""
        lacking: dict[int, int] = {}
        wanted, candidates = self._wanted, self._always.copy()
        cues = {cue for piece in self._seen(data) for cue in self._cues_of[piece]}
        for cue in cues:
            for index in self._wanting[cue]:
                left = lacking.get(index, wanted[index]) - 1
                lacking[index] = left
                if left == 0:
                    candidates.append(index)
        candidates.sort()
        return candidates

    def _found(self, data: bytes, candidates: Iterable[int]) -> Iterator[Match]:
        """The matches of the patterns of these indices, in bytes."""
        for index in candidates:
            for place in islice(self._places[index].finditer(data), MATCHES_MAX):
                yield Match(index, place.start(), place.end())


def read_patterns(folder: Path = RULES) -> tuple[Pattern, ...]:
    """
    The ``[[pattern]]`` tables of all ``*.toml`` in *folder*, by file name and place in the file.

    A regex may be broken over lines: line ends and the white space around them are left out.
    ValueError names the file and the pattern's id.
    """
    patterns: dict[str, Pattern] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text("utf-8")).get("pattern", [])
        except ValueError as wrong:
            raise ValueError(f"{path.name}: {wrong}") from wrong
        for table in tables:
            name = table.get("id", "without id")
            if name in patterns:
                raise ValueError(f"{path.name}: pattern {name}: the id is taken")
            try:
                patterns[name] = _pattern(table)
            except ValueError as wrong:
                raise ValueError(f"{path.name}: pattern {name}: {wrong}") from wrong
    return tuple(patterns.values())


def _pattern(table: dict[str, Any]) -> Pattern:
    """One table of the rules, checked. ValueError says what is wrong."""
    pattern = msgspec.convert(table, Pattern)
    joined = "".join(line.strip() for line in pattern.regex.splitlines())
    pattern = msgspec.structs.replace(pattern, regex=joined)
    if _ID.fullmatch(pattern.id) is None:
        raise ValueError("an id is lower-case words and digits, joined by . _ or -")
    if pattern.kind not in ATTACKS and _DATA_KIND.fullmatch(pattern.kind) is None:
        raise ValueError(f"kind {pattern.kind!r} is none of {', '.join(ATTACKS)}, nor in capitals")
    if not pattern.positive or not pattern.negative:
        raise ValueError("a positive and a negative example are wanted")
    _compiled(pattern)
    return pattern


def _flagged(pattern: Pattern) -> str:
    """The regular expression with its flags in front."""
    return f"(?{'m' if pattern.case_sensitive else 'im'}){pattern.regex}"


def _cues(pattern: Pattern) -> tuple[Cue, ...]:
    """Sets of expressions of which each must match somewhere: words, or the pattern as it is."""
    if pattern.whole or pattern.kind not in ATTACKS:
        return (frozenset({_flagged(pattern)}),)
    return tuple(frozenset(f"(?i){piece}" for piece in cue) for cue in required(pattern.regex))


def _compiled(pattern: Pattern) -> Any:
    """What finds the places of a pattern, longest first. ValueError names the pattern."""
    options = re2.Options()
    options.longest_match = True
    options.never_capture = True
    options.log_errors = False
    try:
        compiled = re2.compile(_flagged(pattern), options)
    except re2.error as wrong:
        raise ValueError(f"{pattern.id}: {wrong}") from wrong
    if compiled.search(b"") is not None:
        raise ValueError(f"{pattern.id}: matches the empty text")
    return compiled


def _hyperscan(sources: Sequence[str]) -> Callable[[bytes], Sequence[int]]:
    """
    A function from UTF-8 to the indices of the expressions that match it.

    Asked only whether each matches, hyperscan keeps no starts and calls back once per expression:
    with starts and every end, a call into Python for each, a scan takes several times as long.
    """
    if not sources:
        return lambda _: ()
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[source.encode() for source in sources],
            ids=list(range(len(sources))),
            flags=[hyperscan.HS_FLAG_SINGLEMATCH | _utf8(source) for source in sources],
        )
    except hyperscan.error as wrong:
        raise ValueError(f"hyperscan: {wrong}") from wrong
    threads = threading.local()  # working memory serves one scan at a time

    def matching(data: bytes) -> list[int]:
        try:
            scratch = threads.scratch
        except AttributeError:
            scratch = threads.scratch = hyperscan.Scratch(database)
        found: list[int] = []
        database.scan(data, _keep, context=found, scratch=scratch)
        return found

    return matching


def _utf8(source: str) -> int:
    """
    The flag for UTF-8 where *source* may match other than ASCII, else 0.

    With it, case matters in ASCII too: s and k have each a third form there, and a word with one
    is no longer a plain literal, which takes some twenty times as long.
    """
    wide = not source.isascii() or _WIDE.search(source) is not None
    return int(hyperscan.HS_FLAG_UTF8) if wide else 0


def _keep(index: int, _start: int, _end: int, _flags: int, found: Any) -> None:
    """Note that an expression matches."""
    found.append(index)


def _re2_set(sources: Sequence[str]) -> Callable[[bytes], Sequence[int]]:
    """A function from UTF-8 to the indices of the expressions that match it."""
    options = re2.Options()
    options.max_mem = _SET_BYTES
    options.never_capture = True
    database = re2.Set.SearchSet(options)
    for source in sources:
        database.Add(source)
    database.Compile()
    return lambda data: database.Match(data) or ()


def _in_characters(data: bytes, found: Sequence[Match]) -> list[Match]:
    """Matches counted in bytes of the UTF-8 *data*, counted in characters."""
    characters = {0: 0}
    last = count = 0
    for offset in sorted({offset for match in found for offset in (match.start, match.end)}):
        count += len(data[last:offset].decode())
        characters[offset] = count
        last = offset
    return [Match(match.pattern, characters[match.start], characters[match.end]) for match in found]
