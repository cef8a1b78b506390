"""Undo codes in a text, one inside the other, as far as they hide words."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

import msgspec

from gateway.scan.decoded_runs import Run, runs_of
from gateway.scan.normal_form import Form
from gateway.scan.normal_plain import plain_form
from gateway.scan.normal_traces import Traces, latin, traces_of
from gateway.scan.normal_words import ROT13, WORDS, is_words
from kernels import normal as kernel

DEPTH_MAX = 3  # codes inside each other
FORMS_MAX = 16  # of one text
RUNS_MAX = 256  # that are looked into, words or not, of one text
CHARS_PER_CHAR = 4  # of the text, decoded in all
CHARS_MAX = 65_536  # decoded in all
READING_GAIN_MIN = 1_300  # hundredths of a natural logarithm: over what 99 % of honest texts show
READING_LETTERS_MIN = 16  # a list of abbreviations gains too
READING_LETTER_SHARE_MIN = 0.5  # a to z among its characters: other scripts are not turned
STRETCHES_MAX = 4  # of one text that are read otherwise
WORDS_BESIDE_MAX = 8  # on either side of a stretch that gains
WORD_CHARS_MAX = 24
_WORD_BEFORE = re.compile(r"(?<![^\W\d_])([A-Za-z]+)[ ,.;:]{1,2}\Z")
_WORD_AFTER = re.compile(r"[ ,.;:]{1,2}([A-Za-z]+)(?![^\W\d_])")
_HOW = ("rot13", "reversed", "rot13/reversed")


def decoded_forms(text: str, traces: Traces, offset: int = 0) -> list[Form]:
    """
    Forms of the runs of *text* that decode to words, in order of depth, then of place.

    *offset* is where the text begins in the original. Work is bounded by the constants above:
    what lies beyond them stays undecoded.
    """
    forms: list[Form] = []
    seen: set[str] = {text}
    left = min(CHARS_PER_CHAR * len(text), CHARS_MAX)
    queue: deque[tuple[str, Traces, Form | None, int]] = deque([(text, traces, None, 1)])
    runs = 0
    while queue:
        outer, outer_traces, form, depth = queue.popleft()
        for run in _runs(outer, outer_traces, form):
            runs += 1
            said = run.text[:left]
            if runs > RUNS_MAX or not said:
                return forms
            if said in seen:
                continue
            seen.add(said)
            left -= len(said)
            inner = _form(said, run, form, offset)
            signs = traces_of(latin(said))
            forms += _in_words(inner, signs)
            if len(forms) >= FORMS_MAX:
                return forms[:FORMS_MAX]
            if depth < DEPTH_MAX:
                queue.append((said, signs, inner, depth + 1))
    return forms


def _in_words(form: Form, signs: Traces) -> Iterator[Form]:
    """*form* if it reads as words, and its plain form if that differs and does."""
    if is_words(form.text):
        yield form
    plain = plain_form(form.text, signs)
    if plain is not None and is_words(plain.text):
        yield msgspec.structs.replace(form, text=plain.text, how=f"{form.how}/normal")


def _form(said: str, run: Run, outer: Form | None, offset: int) -> Form:
    """What *run* says; inside another form it stands for the whole of that one's run."""
    if outer is None:
        return Form(said, run.how, None, offset + run.start, offset + run.end)
    return Form(said, f"{outer.how}/{run.how}", None, outer.start, outer.end)


def _runs(text: str, traces: Traces, form: Form | None) -> Iterator[Run]:
    yield from runs_of(text, traces)
    if form is None or not form.how.endswith(_HOW):  # twice the same would be the text again
        yield from read_otherwise(text, traces)


def read_otherwise(text: str, traces: Traces) -> Iterator[Run]:
    """Stretches whose letters make words only when turned by 13, read backwards, or both."""
    readings = traces.readings
    raw = None
    for _ in range(STRETCHES_MAX):
        k = int(readings[:, kernel.BEST].argmax())
        if readings[k, kernel.BEST] < READING_GAIN_MIN:
            return
        start, end = int(readings[k, kernel.START]), int(readings[k, kernel.END])
        start, end = _whole_words(text, start, end, k)
        said = _reading(text[start:end], k)
        if sum(c.isascii() and c.isalpha() for c in said) >= max(
            READING_LETTERS_MIN, READING_LETTER_SHARE_MIN * len(said)
        ):
            yield Run(_HOW[k], start, end, said)
        raw = latin(text).copy() if raw is None else raw
        raw[start:end] = 0x20
        readings = traces_of(raw).readings


def _reading(text: str, k: int) -> str:
    """*text* read as the reading *k* of ``best_readings``: turned, backwards, both."""
    turned = text if k == 1 else text.translate(ROT13)
    return turned[::-1] if k else turned


def _whole_words(text: str, start: int, end: int, k: int) -> tuple[int, int]:
    """The stretch to its words' ends, with the words beside it that are known when read so."""
    while start < end and not text[start].isalpha():
        start += 1
    while end > start and not text[end - 1].isalpha():
        end -= 1
    while start > 0 and text[start - 1].isalpha():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    for _ in range(WORDS_BESIDE_MAX):
        before = _WORD_BEFORE.search(text, max(0, start - WORD_CHARS_MAX), start)
        if not before or _reading(before[1], k).lower() not in WORDS:
            break
        start = before.start(1)
    for _ in range(WORDS_BESIDE_MAX):
        after = _WORD_AFTER.match(text, end, end + WORD_CHARS_MAX)
        if not after or _reading(after[1], k).lower() not in WORDS:
            break
        end = after.end(1)
    return start, end
