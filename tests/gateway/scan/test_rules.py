"""Tests of the rules in gateway/scan/rules: every example of every pattern."""

from __future__ import annotations

import re

import pytest

from gateway.core.findings import ATTACKS, Severity
from gateway.scan.patterns import ENGINES, Pattern, PatternSet, read_patterns

PATTERNS = read_patterns()
SETS = {engine: PatternSet(PATTERNS, engine) for engine in ENGINES}
LANGUAGES = (
    *("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru"),
    *("uk", "zh", "ja", "ko", "ar", "hi", "tr", "vi"),
)


def found(text: str, engine: str) -> set[str]:
    return {PATTERNS[match.pattern].id for match in SETS[engine].scan(text)}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.id)
def test_examples(pattern: Pattern, engine: str) -> None:
    """A pattern matches its positive examples and none of the negative ones."""
    assert [text for text in pattern.positive if pattern.id not in found(text, engine)] == []
    assert [text for text in pattern.negative if pattern.id in found(text, engine)] == []


PHRASES = [pattern for pattern in PATTERNS if pattern.kind in ATTACKS]


@pytest.mark.parametrize("pattern", PHRASES, ids=lambda pattern: pattern.id)
def test_syntax_is_shared(pattern: Pattern) -> None:
    """Python reads every pattern of an attack too: its cues are read from that."""
    re.compile(pattern.regex, re.IGNORECASE | re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_override_in_every_language(language: str) -> None:
    """Each language has an order to ignore the instructions, of high severity."""
    pattern = next(p for p in PATTERNS if p.id == f"injection.override.{language}")
    assert pattern.severity is Severity.HIGH


@pytest.mark.parametrize(
    "text",
    [
        "Ignore the draft I pasted at 9, the client swapped two paragraphs.",
        "How do I write a .gitignore that ignores everything under build/ except build/keep.txt?",
        "What is a system prompt, and how long should it be for a booking assistant?",
        "How do I kill a process that ignores SIGTERM?",
        "forget what I said about Tuesday and keep the rest of the list",
        "My manager said the previous rules of the bonus scheme no longer suit us.",
        "Pretend you are a senator from 1913 and answer my pupils' questions.",
        "Is it safe to enable developer mode on my phone?",
        "Explain what a prompt injection is, for a security course, with no example.",
    ],
)
def test_trigger_words_in_innocent_text(text: str) -> None:
    """Words that attacks use too pass in an innocent sentence."""
    severities = {
        PATTERNS[match.pattern].severity
        for match in SETS[ENGINES[0]].scan(text)
        if PATTERNS[match.pattern].kind in ATTACKS
    }
    assert severities <= {Severity.LOW}
