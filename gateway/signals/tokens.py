"""
How many tokens a text, an image, a request will be, without a vocabulary.

A linear model over what the text kernel counts: each class of characters, and each run of letters,
digits, signs or white space, costs a constant. Real tokenizers need milliseconds for what this
does in microseconds, each model has its own, and of the newest none is published; what is off here
by a few per cent is off there between two models.

The weights are the non-negative least squares of the relative error (reweighted to its absolute
value) against the mean of three published vocabularies: o200k_base, DeepSeek V4 and Mistral's
Tekken. ``bench/token_error.py --fit`` computes them; README.md in this folder has the error per
language and vocabulary. Images, audio, files and the frame of a message are approximations by
published formulas, not fitted.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from gateway.core.chat import Image, Opaque
from gateway.core.request import Kind
from gateway.signals.parts import Contents
from kernels import text as kernel

Counts = NDArray[np.int64]  # [kernel.COLUMNS]

# Tokens per unit of each column; columns that are not here cost nothing of their own.
CHARACTER_TOKENS = {
    kernel.LATIN: 0.109,
    kernel.LATIN_UPPER: 0.213,
    kernel.LATIN_MARKED: 0.428,
    kernel.CYRILLIC: 0.046,
    kernel.GREEK: 0.267,
    kernel.HAN: 0.745,
    kernel.KANA: 0.695,
    kernel.HANGUL: 0.684,
    kernel.ARABIC: 0.237,
    kernel.HEBREW: 0.368,
    kernel.DEVANAGARI: 0.378,
    kernel.BENGALI: 0.441,
    kernel.THAI: 0.440,
    kernel.OTHER_LETTER: 0.407,
    kernel.SPACE: 0.014,
    kernel.PUNCTUATION: 0.105,
    kernel.QUESTION: 1.098,
    kernel.CODE: 0.331,
    kernel.SYMBOL: 1.853,
    kernel.DIGIT: 0.437,
    kernel.MATH: 0.350,
}
RUN_TOKENS = {
    kernel.LATIN: 0.298,
    kernel.LATIN_UPPER: 0.298,
    kernel.LATIN_MARKED: 0.960,
    kernel.CYRILLIC: 1.433,
    kernel.GREEK: 0.792,
    kernel.HAN: 0.306,
    kernel.KANA: 0.113,
    kernel.HANGUL: 0.228,
    kernel.ARABIC: 0.430,
    kernel.HEBREW: 0.325,
    kernel.DEVANAGARI: 0.303,
    kernel.THAI: 0.329,
    kernel.OTHER_LETTER: 0.779,
    kernel.SPACE: 0.256,
    kernel.PUNCTUATION: 0.797,
    kernel.CODE: 0.420,
    kernel.SYMBOL: 0.634,
    kernel.DIGIT: 1.032,
    kernel.NEWLINE: 0.350,
    kernel.MATH: 0.779,
}
SHAPE_TOKENS = {
    kernel.DIGIT_GROUPS: 0.078,
    kernel.INDENTED_LINES: 0.788,
    kernel.FENCES: 1.214,
    kernel.ARITHMETIC: 0.108,
}
# Words with marked letters are seldom in a vocabulary whole, and their language's other words are
# not either: in a text with more than MARKED_SHARE of them every Latin letter costs more.
MARKED_LATIN_TOKENS = 0.061
MARKED_SHARE = 0.004

TURN_TOKENS = 4  # role and delimiters of a message, as OpenAI documents for its chat format
REPLY_TOKENS = 3  # the opening of the answer
TOOL_TOKENS = 8  # what frames a tool's name, description and schema
IMAGE_TOKENS = 765  # 1024 x 1024: 85 and 4 tiles of 170; other families are between 258 and 1,600
IMAGE_TOKENS_LOW = 85  # detail "low"
AUDIO_BYTES_PER_TOKEN = 2_000  # base64 of compressed speech at 10 tokens a second
FILE_BYTES_PER_TOKEN = 40  # base64 of a PDF page: 60 to 100 kB for about 2,000 tokens


def _weights() -> NDArray[np.float64]:
    weights = np.zeros(kernel.COLUMNS)
    for columns, offset in ((CHARACTER_TOKENS, 0), (RUN_TOKENS, kernel.RUNS), (SHAPE_TOKENS, 0)):
        for column, tokens in columns.items():
            weights[offset + column] = tokens
    weights.setflags(write=False)
    return weights


WEIGHTS = _weights()


class Estimate(msgspec.Struct, frozen=True):
    """Tokens of a request: all of it, and of that the system prompt."""

    tokens_in: int
    tokens_system: int


def counts_of(texts: Iterable[str]) -> Counts:
    """What the kernel counts in *texts*, a line break between two."""
    counts = np.zeros(kernel.COLUMNS, np.int64)
    joined = "\n".join(texts)
    if joined:
        data = joined.encode("utf-8", "surrogatepass")
        kernel.count_text(np.frombuffer(data, np.uint8), counts)
    return counts


def tokens_of(counts: Counts) -> int:
    """Tokens of a text with these *counts*; 0 only for no text."""
    tokens: float = kernel.weighted_sum(counts, WEIGHTS)
    marked = int(counts[kernel.LATIN_MARKED])
    if marked:
        latin, upper = int(counts[kernel.LATIN]), int(counts[kernel.LATIN_UPPER])
        if marked > MARKED_SHARE * (latin + upper + marked):
            tokens += MARKED_LATIN_TOKENS * latin
    return round(tokens) or int(counts.any())


def text_tokens(text: str) -> int:
    """Tokens of *text* alone."""
    return tokens_of(counts_of((text,)))


def image_tokens(image: Image) -> int:
    """Tokens of a picture whose size nobody has looked at."""
    return IMAGE_TOKENS_LOW if image.detail == "low" else IMAGE_TOKENS


def opaque_tokens(part: Opaque) -> int:
    """Tokens of a part that only its own dialect understands, by its kind and size."""
    if part.kind == "input_audio":
        return len(part.json) // AUDIO_BYTES_PER_TOKEN + 1
    if b"base64" in part.json:
        return len(part.json) // FILE_BYTES_PER_TOKEN + 1
    return text_tokens(part.json.decode(errors="replace"))


def estimate(contents: Contents, counts: Counts, kind: Kind) -> Estimate:
    """
    Tokens of everything that a request of *kind* sends; *counts* are those of ``contents.texts``.

    Only a chat has frames around its messages and tools; other kinds send bare text.
    """
    system = tokens_of(counts_of(contents.system)) if contents.system else 0
    tokens = system + tokens_of(counts)
    if contents.images or contents.opaque:
        tokens += sum(map(image_tokens, contents.images)) + sum(map(opaque_tokens, contents.opaque))
    if kind is Kind.CHAT:
        tokens += contents.turns * TURN_TOKENS + contents.tools * TOOL_TOKENS + REPLY_TOKENS
    return Estimate(tokens, system)
