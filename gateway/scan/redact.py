"""Replace what was found in the texts of a request's body by placeholders."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.core.findings import Finding
from gateway.scan.body_texts import Document, Leaf, document_of
from gateway.scan.placeholders import PLACEHOLDER, Placeholders

SHORT_CHARS = 200  # texts below it share one search: a call each would cost more than it finds
SHARED_CHARS = 4_000
BETWEEN = "\n\n"  # two texts that are searched together

Find = Callable[[str], Sequence[Finding]]


class Redaction(msgspec.Struct, frozen=True):
    """
    *body* with placeholders, and what was found: offsets in characters of one text each, whose
    index among all texts of the body is the finding's place. *texts* counts those changed.
    """

    body: bytes
    findings: tuple[Finding, ...]
    placeholders: Placeholders
    texts: int


def redact_body(body: bytes, find: Find) -> Redaction | None:
    """
    *body* without what *find* finds in any text that a model reads; None where it finds nothing.
    Strings without a finding keep their bytes, and so does everything between them. A long number
    with a finding becomes a string.

    Raises:
        InvalidRequest: no JSON, not UTF-8, or nested too deeply.
    """
    document = document_of(body)
    leaves = document.leaves()
    found = find_in_leaves(leaves, find)
    if not found:
        return None
    placeholders = Placeholders(
        match[0] for leaf in leaves for match in PLACEHOLDER.finditer(leaf.text)
    )
    changed = {
        id(leaves[place]): redact_text(leaves[place].text, found[place], placeholders)
        for place in sorted(found)
    }
    return Redaction(
        body=_rewritten(document, changed),
        findings=tuple(finding for place in sorted(found) for finding in found[place]),
        placeholders=placeholders,
        texts=len(found),
    )


def redact_text(text: str, findings: Sequence[Finding], placeholders: Placeholders) -> str:
    """
    *text* with a placeholder for each of the *findings*. Where some overlap, all that they cover
    becomes one placeholder, of the longest one's type. White space at their ends stays.
    """
    pieces: list[str] = []
    at = 0
    for start, end, kind in _covered(findings, len(text)):
        value = text[start:end]
        if not value.strip():
            continue
        start += len(value) - len(value.lstrip())
        pieces += (text[at:start], placeholders.of(kind, value))
        at = start + len(value.strip())
    return "".join((*pieces, text[at:]))


def _covered(findings: Iterable[Finding], size: int) -> list[tuple[int, int, str]]:
    """Start, end and type of the spans to replace: sorted, inside the text, none overlapping."""
    spans: list[tuple[int, int, str]] = []
    longest = 0
    for finding in sorted(findings, key=lambda one: (one.start, -one.end)):
        start, end, kind = max(0, finding.start), min(size, finding.end), finding.kind
        if start >= end:
            continue
        if not spans or start >= spans[-1][1]:
            spans.append((start, end, kind))
            longest = end - start
            continue
        first, last, before = spans[-1]
        if end - start <= longest:
            kind = before
        longest = max(longest, end - start)
        spans[-1] = (first, max(last, end), kind)
    return spans


def find_in_leaves(leaves: Sequence[Leaf], find: Find) -> dict[int, list[Finding]]:
    """The findings of each text that has some, by its place."""
    found: dict[int, list[Finding]] = {}
    shared: list[tuple[int, str]] = []
    size = 0
    for place, leaf in enumerate(leaves):
        shown = leaf.label + leaf.text
        if not leaf.text:
            continue
        if len(shown) >= SHORT_CHARS:
            _search([(place, shown)], leaves, find, found)
            continue
        if size + len(shown) > SHARED_CHARS:
            _search(shared, leaves, find, found)
            shared, size = [], 0
        shared.append((place, shown))
        size += len(shown) + len(BETWEEN)
    _search(shared, leaves, find, found)
    return found


def _search(
    shown: Sequence[tuple[int, str]],
    leaves: Sequence[Leaf],
    find: Find,
    found: dict[int, list[Finding]],
) -> None:
    """
    One search in the texts *shown*, each behind its label: "card: 4111..." says more than the
    number. A finding across two texts is one in each; in a label alone it is none.
    """
    if not shown:
        return
    findings = find(BETWEEN.join(text for _, text in shown))
    if not findings:
        return
    begins = [0]
    for _, text in shown:
        begins.append(begins[-1] + len(text) + len(BETWEEN))
    for finding in findings:
        row = max(0, bisect_right(begins, finding.start) - 1)
        while row < len(shown) and begins[row] < finding.end:
            place, text = shown[row]
            first, last = begins[row] + len(leaves[place].label), begins[row] + len(text)
            start, end = max(first, finding.start), min(last, finding.end)
            if start < end:
                span = {"start": start - first, "end": end - first, "place": place}
                found.setdefault(place, []).append(msgspec.structs.replace(finding, **span))
            row += 1


def _rewritten(document: Document, changed: dict[int, str]) -> bytes:
    """The bytes of *document* with the texts in *changed*, by the identity of their leaf."""
    pieces: list[bytes] = []
    at = 0
    for part in document.parts:
        if isinstance(part, Leaf):
            text = changed.get(id(part))
        else:
            inner = _rewritten(part.document, changed)
            text = None if inner is part.document.data else inner.decode()
        if text is not None:
            pieces += (document.data[at : part.start], msgspec.json.encode(text))
            at = part.end
    return b"".join((*pieces, document.data[at:])) if pieces else document.data
