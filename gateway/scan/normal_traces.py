"""What of a disguise a text shows at first sight: decides which of the slower readings run."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.scan.normal_words import GAINS
from kernels import normal as kernel

BASE64_RUN_MIN = 16  # characters: 12 bytes
HEX_RUN_MIN = 20  # digits and what stands between them
MORSE_RUN_MIN = 20  # dots, dashes and what stands between them
SPACED_LETTERS_MIN = 5
DIGITS_BEFORE_WORDS_MIN = 3  # "3rd", "10k": one or two are ordinary
SELECTORS_MIN = 8  # variation selectors, each of which may stand for a byte
SELECTORS = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))


def _latin_table() -> NDArray[np.uint8]:
    """uint8[0x110000]: each character in Latin-1, selectors as one sign, others as ?."""
    table = np.full(0x110000, ord("?"), dtype=np.uint8)
    table[:0x100] = np.arange(0x100)
    for first, last in SELECTORS:
        table[first : last + 1] = kernel.SELECTOR_SIGN
    return table


LATIN_OF = _latin_table()


class Traces(msgspec.Struct, frozen=True):
    """Which disguises *text* may wear. A trace is a reason to look, no finding."""

    raw: NDArray[np.uint8]  # the text in Latin-1
    escaped: bool  # percent, entity or backslash codes
    hexadecimal: bool  # or binary, or decimal codes
    morse: bool
    selectors: bool
    leet: bool
    spaced: bool
    # int64[READINGS, 3]: of the letters turned by 13, backwards, both: gain, start and end
    readings: NDArray[np.int64]


def latin(text: str) -> NDArray[np.uint8]:
    """
    *text* in Latin-1, one byte a character: SELECTOR_SIGN for variation selectors, ? for others.
    """
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    # Not by encode("latin-1", "replace"), which takes a microsecond for each that is not in it.
    return LATIN_OF[points]


def traces_of(raw: NDArray[np.uint8]) -> Traces:
    """The traces of a text in Latin-1."""
    signs = np.empty(kernel.SIGNS, dtype=np.int64)
    readings = np.empty((kernel.READINGS, 3), dtype=np.int64)
    kernel.count_signs(raw, signs)
    kernel.best_readings(raw, GAINS, readings)
    inside, before, spaced, escaped = signs.tolist()
    return Traces(
        raw=raw,
        escaped=escaped > 0,
        hexadecimal=kernel.next_run(raw, kernel.HEX, HEX_RUN_MIN, 0) >= 0,
        morse=kernel.next_run(raw, kernel.MORSE, MORSE_RUN_MIN, 0) >= 0,
        selectors=kernel.next_run(raw, kernel.SELECTOR, SELECTORS_MIN, 0) >= 0,
        leet=inside > 0 or before >= DIGITS_BEFORE_WORDS_MIN,
        spaced=spaced >= SPACED_LETTERS_MIN,
        readings=readings,
    )
