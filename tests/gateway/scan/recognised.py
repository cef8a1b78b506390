"""Scans texts with the patterns of data that ship, for the tests of what validates them."""

from __future__ import annotations

from functools import cache

from gateway.core.findings import Finding
from gateway.scan.patterns import PatternSet, read_patterns
from gateway.scan.personal import PERSONAL, SECRETS, Recognisers


@cache
def scanner() -> tuple[PatternSet, Recognisers]:
    """The patterns of personal data and secrets, and what validates them."""
    kinds = {*PERSONAL, *SECRETS}
    patterns = PatternSet([one for one in read_patterns() if one.kind in kinds])
    return patterns, Recognisers(patterns.patterns)


def findings_in(text: str) -> list[Finding]:
    """The findings in *text*."""
    patterns, recognisers = scanner()
    return recognisers.findings(text, patterns.scan(text))


def found_in(text: str) -> list[tuple[str, str]]:
    """Kind and words of each finding in *text*."""
    return [(one.kind, text[one.start : one.end]) for one in findings_in(text)]
