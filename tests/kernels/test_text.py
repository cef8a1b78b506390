"""Tests of kernels/text.py."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import text as kernel
from tests import reference_text

# What prompts are made of, so that shapes that need several characters in a row do occur.
PIECES = (
    *("a", "Ω", "ж", "é", "Q", "7", "1234567", " ", "  ", "\t", "\n", "\r\n", "\u2028", "- ", "* "),
    *(
        "• ",
        "1. ",
        "12) ",
        "```",
        "~~~",
        "`",
        ";",
        "{",
        "}",
        "=",
        "==",
        "->",
        "<=",
        "\\frac",
        "\\(",
    ),
    *(
        "\\[",
        "+",
        "2+2",
        "x = 5",
        "∑",
        "²",
        "𝛼",
        "×",
        "?",
        "¿",
        "？",
        "؟",
        ".",
        "…",
        "汉",
        "か",
        "한",
    ),
    *("ع", "ש", "अ", "ব", "ก", "🐶", "\U00020000", "\ud800", "_", "|", "#", "@"),
)
made_up = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
texts = st.one_of(
    made_up,
    st.text(max_size=60),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Z"]), max_size=60),
).map(lambda text: text.encode("utf-8", "surrogatepass"))
anything = st.one_of(texts, st.binary(max_size=60), st.tuples(texts, st.binary()).map(b"".join))


def count(text: bytes) -> list[int]:
    """The kernel's counts of one text."""
    counts = np.zeros(kernel.COLUMNS, dtype=np.int64)
    kernel.count_text(np.frombuffer(text, dtype=np.uint8), counts)
    return counts.tolist()


@given(anything)
@settings(deadline=None, max_examples=300)
def test_count_text_agrees_with_the_reference(text):
    """Every column is what the naive twin counts, whatever the bytes."""
    assert count(text) == reference_text.count_text(text)


def test_every_code_point_has_the_class_of_the_reference():
    """The table of the kernel is the table of the twin, for the whole basic plane."""
    names = [reference_text.CLASSES[row] for row in kernel.CLASS_OF]
    assert names == [reference_text.class_of(point) for point in range(0x10000)]


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("Zwölf Boxkämpfer jagen", "LATIN LATIN_UPPER LATIN_MARKED"),
        ("Съешь ещё этих мягких булок", "CYRILLIC"),
        ("Ξεσκεπάζω την ψυχοφθόρα", "GREEK"),
        ("我能吞下玻璃而不伤身体", "HAN"),
        ("いろはにほへとチリヌルヲ", "KANA"),
        ("다람쥐 헌 쳇바퀴에", "HANGUL"),
        ("نص حكيم له سر", "ARABIC"),
        ("דג סקרן שט בים", "HEBREW"),
        ("ऋषियों को सताने वाले", "DEVANAGARI"),
        ("আমি কাঁচ খেতে পারি", "BENGALI"),
        ("เป็นมนุษย์สุดประเสริฐ", "THAI"),
        ("யாமறிந்த மொழிகளிலே", "OTHER_LETTER"),
        ("გთხოვთ ახლავე", "OTHER_LETTER"),
    ],
)
def test_letters_have_the_class_of_their_script(words, names):
    """Words of a script, marks included, are letters of its classes and nothing else."""
    found = {reference_text.CLASSES[kernel.CLASS_OF[ord(sign)]] for sign in words}

    assert found - {"SPACE"} == set(names.split())


@given(texts, texts)
@settings(deadline=None, max_examples=100)
def test_counts_are_added(first, second):
    """Two calls on one array give the sum: a run never goes on in the next text."""
    counts = np.zeros(kernel.COLUMNS, dtype=np.int64)
    for text in (first, second):
        kernel.count_text(np.frombuffer(text, dtype=np.uint8), counts)

    assert counts.tolist() == [a + b for a, b in zip(count(first), count(second), strict=True)]


@given(anything)
@settings(deadline=None, max_examples=100)
def test_characters_and_runs_fit_together(text):
    """No class has more runs than characters, and every text has characters or is empty."""
    counts = count(text)
    characters, runs = counts[: kernel.CLASSES], counts[kernel.RUNS : kernel.RUNS + kernel.CLASSES]

    assert all(run <= character for run, character in zip(runs, characters, strict=True))
    assert (sum(characters) > 0) == bool(text)


@pytest.mark.parametrize(
    ("text", "column", "times"),
    [
        ("What? ¿Qué? 何？", kernel.QUESTION, 4),
        ("1234567 12", kernel.DIGIT_GROUPS, 4),
        ("if (a == b && c)", kernel.OPERATORS, 2),
        ("x = 1;\nif (x) {\n}\nprose\n", kernel.CODE_LINES, 3),
        ("a\n  b\n\tc\n d", kernel.INDENTED_LINES, 2),
        ("```py\nx\n```", kernel.FENCES, 2),
        ("- a\n* b\n12. c\n3) d\n• e\n-f\n1234. g", kernel.LIST_ITEMS, 5),
        ("2 + 2", kernel.ARITHMETIC, 2),
        ("C++ 11", kernel.ARITHMETIC, 1),
        ("∑ and 𝛼, but 5 m²", kernel.ARITHMETIC, 2),
        (r"\frac{1}{2} \( x \) \[ y \] \n", kernel.TEX_COMMANDS, 3),
        ("naïve café", kernel.LATIN_MARKED, 2),
        ("日本語のテスト", kernel.KANA, 4),
    ],
)
def test_what_a_column_counts(text, column, times):
    """The documented meaning of a column, on a text that shows it."""
    assert count(text.encode())[column] == times


def test_invalid_bytes_are_counted_one_by_one():
    """A cut character is as many invalid bytes as are left of it."""
    assert count("€".encode()[:2] + b"a\xff")[kernel.INVALID] == 3


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="only compiled code has a signature")
def test_other_arrays_are_refused():
    """Another type is an error at once, not a second compilation in production."""
    counts = np.zeros(kernel.COLUMNS, dtype=np.int64)
    with pytest.raises(TypeError):
        kernel.count_text(np.zeros(3, dtype=np.int32), counts)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0.0, 10.0)), max_size=60))
def test_weighted_sum(pairs):
    """Each count times its weight."""
    counts = np.array([count for count, _ in pairs], np.int64)
    weights = np.array([weight for _, weight in pairs], np.float64)

    expected = sum(count * weight for count, weight in pairs)
    assert kernel.weighted_sum(counts, weights) == pytest.approx(expected)
