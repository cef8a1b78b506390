"""What the operator lets pass: findings allowed by pattern, by phrase and by project."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.config.scan_schema import Allowed
from gateway.core.findings import Finding


class AllowList:
    """The entries in force. A new list replaces the old one whole."""

    def __init__(self, entries: Sequence[Allowed] = ()) -> None:
        self.entries = tuple(entries)
        self._phrases = [
            (entry, re.compile(re.escape(entry.phrase), re.IGNORECASE))
            for entry in self.entries
            if entry.phrase
        ]

    def permits(self, finding: Finding, text: str, project: str) -> bool:
        """Whether any entry lets *finding*, a span of *text*, pass for *project*."""
        return any(_permits(entry, finding, text, project) for entry in self.entries)

    def cleared(self, text: str, project: str) -> str:
        """
        *text* with every phrase that *project* may say blank, letter for letter, so that models do
        not see it either. An entry that names a pattern too allows that pattern alone.
        """
        for entry, phrase in self._phrases:
            if not entry.pattern and entry.project in ("", project):
                text = phrase.sub(lambda found: " " * len(found[0]), text)
        return text


def _permits(entry: Allowed, finding: Finding, text: str, project: str) -> bool:
    """Whether *entry* lets *finding* pass."""
    if entry.pattern not in ("", finding.id) or entry.project not in ("", project):
        return False
    return not entry.phrase or _inside(finding, text, entry.phrase)


def _inside(finding: Finding, text: str, phrase: str) -> bool:
    """Whether the span of *finding* lies inside an occurrence of *phrase* in *text*."""
    if finding.end - finding.start > len(phrase):
        return False
    # Only the surroundings, and letter by letter: lower() may change the length of a text.
    first = max(0, finding.end - len(phrase))
    around = text[first : finding.start + len(phrase)]
    wanted = [letter.lower() for letter in phrase]
    letters = [letter.lower() for letter in around]
    return any(
        letters[at : at + len(wanted)] == wanted for at in range(len(letters) - len(wanted) + 1)
    )
