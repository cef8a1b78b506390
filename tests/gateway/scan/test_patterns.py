"""Tests of gateway/scan/patterns.py."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.findings import Severity
from gateway.scan import patterns as module
from gateway.scan.patterns import (
    ENGINES,
    MATCHES_MAX,
    Match,
    Pattern,
    PatternSet,
    read_patterns,
)

RULE = """
[[pattern]]
id = "a.b"
kind = "injection"
severity = "high"
regex = '''
ignore\\s+
  previous'''
positive = ["ignore previous"]
negative = ["ignore"]
"""


def rule(regex: str, *, kind: str = "injection", **how: bool) -> Pattern:
    return Pattern("x", kind, Severity.LOW, regex, ("",), ("",), **how)


def spans(regex: str, text: str, engine: str, **how: bool) -> list[tuple[int, int]]:
    found = PatternSet([rule(regex, **how)], engine).scan(text)
    return [(match.start, match.end) for match in found]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(
    ("regex", "text", "expected"),
    [
        (r"ignore\s+all", "Please IGNORE  all.", [(7, 18)]),
        (r"go+d", "good gooood", [(0, 4), (5, 11)]),
        (r"one( two)*", "one two two, one", [(0, 11), (13, 16)]),  # the longest
        (r"aba", "ababa", [(0, 3)]),  # of overlapping ones the leftmost
        (r"забудь", "é😀 ЗАБУДЬ и é забудь", [(3, 9), (14, 20)]),  # characters, not bytes
        (r"^###\s*end$", "x\n### end\ny", [(2, 9)]),  # lines
        (r"no match", "here", []),
        (r"word", "", []),
        (r"a\?b", "a\ud800b", [(0, 3)]),  # a lone surrogate
        (r"nul\x00here", "nul\x00here", [(0, 8)]),
    ],
)
def test_spans(engine: str, regex: str, text: str, expected: list[tuple[int, int]]) -> None:
    """Both engines give the same spans, in characters; looking for the whole changes nothing."""
    assert spans(regex, text, engine) == expected
    assert spans(regex, text, engine, whole=True) == expected


def test_case_sensitive(engine: str) -> None:
    """Case counts where the pattern says so."""
    assert spans(r"\bDAN\b", "Dan met DAN", engine, case_sensitive=True) == [(8, 11)]


def test_data_kind_is_compiled_as_it_is(engine: str) -> None:
    """A pattern for data needs no word that is always there."""
    found = PatternSet([rule(r"\d{3}-[^a]{2}", kind="US_SSN")], engine).scan("call 123-éé now")
    assert found == [Match(0, 5, 11)]


def test_matches_are_bounded(engine: str) -> None:
    """Of each pattern, so that none crowds out another."""
    found = PatternSet([rule("word"), rule("other")], engine).scan("word other " * 2 * MATCHES_MAX)
    assert [one.pattern for one in found] == [0] * MATCHES_MAX + [1] * MATCHES_MAX


def test_no_pattern(engine: str) -> None:
    """An empty set finds nothing."""
    assert PatternSet([], engine).scan("ignore previous") == []


def test_threads(engine: str) -> None:
    """Several threads may scan at once."""
    scanner = PatternSet([rule("ignore")], engine)
    found: list[list[Match]] = []

    def work() -> None:
        found.extend(scanner.scan("please ignore " * 20) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(len(matches) == 20 for matches in found)


@pytest.mark.parametrize("regex", ["[", "a*", "(?=x)y", r"(a)\1"])
def test_bad_regex(engine: str, regex: str) -> None:
    """What does not compile, or matches the empty text, is refused by the pattern's id."""
    with pytest.raises(ValueError, match="x: "):
        PatternSet([rule(regex)], engine)


def test_read(tmp_path: Path) -> None:
    """A regex over several lines is joined, and fields left out have their defaults."""
    (tmp_path / "a.toml").write_text(RULE)
    (pattern,) = read_patterns(tmp_path)
    assert pattern.regex == r"ignore\s+previous"
    assert pattern.severity is Severity.HIGH
    assert not pattern.case_sensitive


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"injection"', '"mischief"', "kind 'mischief' is none of"),
        ('"high"', '"huge"', "'huge'"),
        ("previous'''", "(previous'''", "missing"),
        ('["ignore previous"]', "[]", "a positive and a negative example"),
        ('negative = ["ignore"]', "", "negative"),
        ('"a.b"', '"A B"', "an id is lower-case"),
        ("severity", "severeness", "severeness"),
    ],
)
def test_read_names_file_and_id(tmp_path: Path, old: str, new: str, says: str) -> None:
    """An error in a rule names the file and the rule."""
    (tmp_path / "bad.toml").write_text(RULE.replace(old, new))
    with pytest.raises(ValueError, match=r"bad\.toml: pattern (a\.b|A B): .*" + says):
        read_patterns(tmp_path)


def test_read_duplicate(tmp_path: Path) -> None:
    """An id is taken once over all files."""
    (tmp_path / "a.toml").write_text(RULE)
    (tmp_path / "b.toml").write_text(RULE)
    with pytest.raises(ValueError, match=r"b\.toml: pattern a\.b: the id is taken"):
        read_patterns(tmp_path)


def test_read_broken_file(tmp_path: Path) -> None:
    """A file that is no TOML is named."""
    (tmp_path / "bad.toml").write_text("[[pattern")
    with pytest.raises(ValueError, match=r"bad\.toml: "):
        read_patterns(tmp_path)


PATTERNS = read_patterns()
SETS = [PatternSet(PATTERNS, engine) for engine in ENGINES]
PLACES = [module._compiled(pattern) for pattern in PATTERNS]
WORDS = sorted({word for pattern in PATTERNS for word in " ".join(pattern.positive).split()})


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=30).map(" ".join))
def test_cues_lose_nothing(text: str) -> None:
    """Looking for cues first finds what every pattern finds by itself."""
    data = text.encode(errors="replace")
    expected = {i for i, place in enumerate(PLACES) if place.search(data) is not None}
    for scanner in SETS:
        assert {match.pattern for match in scanner.scan(text)} == expected
