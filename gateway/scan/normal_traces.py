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


class Traces(msgspec.Struct, frozen=True):
    """Which disguises *text* may wear. A trace is a reason to look, no finding."""

    escaped: bool  # percent, entity or backslash codes
    base64: bool
    hexadecimal: bool  # or binary, or decimal codes
    morse: bool
    leet: bool
    spaced: bool
    # int64[READINGS, 3]: of the letters turned by 13, backwards, both: gain, start and end
    readings: NDArray[np.int64]


def latin(text: str) -> NDArray[np.uint8]:
    """*text* in Latin-1, one byte a character, with ? for what is not in it."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    # Not by encode("latin-1", "replace"), which takes a microsecond for each that is not in it.
    return np.where(points < 0x100, points, ord("?")).astype(np.uint8)


def traces_of(raw: NDArray[np.uint8]) -> Traces:
    """The traces of a text in Latin-1."""
    signs = np.empty(kernel.SIGNS, dtype=np.int64)
    readings = np.empty((kernel.READINGS, 3), dtype=np.int64)
    kernel.count_signs(raw, signs)
    kernel.best_readings(raw, GAINS, readings)
    inside, before, spaced, escaped = signs.tolist()
    return Traces(
        escaped=escaped > 0,
        base64=kernel.has_run(raw, kernel.BASE64, BASE64_RUN_MIN),
        hexadecimal=kernel.has_run(raw, kernel.HEX, HEX_RUN_MIN),
        morse=kernel.has_run(raw, kernel.MORSE, MORSE_RUN_MIN),
        leet=inside > 0 or before >= DIGITS_BEFORE_WORDS_MIN,
        spaced=spaced >= SPACED_LETTERS_MIN,
        readings=readings,
    )
