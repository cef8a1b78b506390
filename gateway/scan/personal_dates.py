"""Dates of birth: dates behind a word that says so, and columns of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.scan.personal_context import DELIMITERS, Hit, before, is_cut

ROWS_MAX = 200  # of a column
GAP = 36  # characters between the word and the date
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:18|19|20)\d\d"
_DATES = (
    rf"{_YEAR}[-./ ](?:0?[1-9]|1[0-2])[-./ ]{_DAY}",
    rf"{_DAY}[-./ ]{{1,2}}(?:0?[1-9]|[12]\d|3[01])[-./ ]{{1,2}}(?:{_YEAR}|\d\d)",
    rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])",
    rf"{_DAY}(?:st|nd|rd|th|er|º|\.)?(?: of| de)?[ -]?[^\W\d_]{{3,12}}\.?,?(?: de[l]?)?[ -]?"
    rf"(?:{_YEAR}|'?\d\d)",
    rf"[^\W\d_]{{3,12}}\.? {_DAY}(?:st|nd|rd|th)?,? {_YEAR}",
    rf"{_YEAR}\s?[年년]\s?\d{{1,2}}\s?[月월]\s?\d{{1,2}}\s?[日일]?",
    r"(?:昭和|平成|令和|大正)\d{1,2}年\d{1,2}月\d{1,2}日",
)
_DATE = re.compile(f"(?<![\\w])(?:{'|'.join(_DATES)})(?![\\d])", re.IGNORECASE)
_GAP = re.compile(rf"[^\d\n]{{0,{GAP}}}|[^\d\n]{{0,4}}\n\s{{0,4}}")
_OTHER_DATE = re.compile(
    r"\b(?:died|death|gest\w*|mort\w*|expir\w*|issued|admitted|hired|since|until|founded|flight)\b",
    re.IGNORECASE,
)


def date_of_birth(text: str, start: int, end: int) -> Iterable[Hit]:
    """The date behind a word for birth, or the dates of the column that it heads."""
    if is_cut(text, end):
        return
    column = list(_column(text, start, end))
    if column:
        yield from column
        return
    gap = _GAP.match(text, end)
    reach = min(len(text), end + GAP + 24) if gap is None else gap.end()
    for at in _starts(text, end, reach):
        found = _DATE.match(text, at)
        if found is not None:
            if _OTHER_DATE.search(text, end, at) is None:
                yield Hit(*found.span())
            return


def date_beside_identity(text: str, start: int, end: int) -> Iterable[Hit]:
    """A date between a name and the next thing that a form asks of a person."""
    found = _DATE.match(text, start)
    if (
        found is None
        or found.end() > end
        or (not found[0][-4:].isdigit() and not found[0][:4].isdigit())
    ):
        return
    lead = before(text, start, 2).strip()
    if lead[-1:] in (",", ";", "(") and _OTHER_DATE.search(before(text, start, 30)) is None:
        yield Hit(*found.span(), 0.8)


def _starts(text: str, end: int, reach: int) -> Iterator[int]:
    """Where a date may begin between a word that ends at *end* and the first digit behind."""
    for at in range(end, reach + 1):
        if at == end or not text[at - 1].isalnum() or not text[at - 1].isascii():
            yield at


def _column(text: str, start: int, end: int) -> Iterator[Hit]:
    """The dates below a heading of delimited values."""
    opening = text.rfind("\n", max(0, start - 400), start) + 1
    closing = text.find("\n", end, end + 400)
    if closing < 0 or start - opening > 399:
        return
    heading = text[opening:closing]
    sign = max(DELIMITERS, key=heading.count)
    fields = heading.count(sign)
    if not fields or any(character.isdigit() for character in heading):
        return
    place = text.count(sign, opening, start)
    for _ in range(ROWS_MAX):
        opening, closing = closing + 1, text.find("\n", closing + 1, closing + 2000)
        closing = min(len(text), opening + 2000) if closing < 0 else closing
        row = text[opening:closing]
        if row.count(sign) < fields:
            return
        at = opening + sum(len(value) + 1 for value in row.split(sign, place)[:place])
        found = _DATE.match(text, at + (text[at : at + 1] in ('"', " ")))
        if found is not None and found.end() <= closing:
            yield Hit(*found.span())
