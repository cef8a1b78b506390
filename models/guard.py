"""The first stage of the scan for attacks: hashed words and one table of weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.hashing import KINDS, hash_text
from kernels.linear import HEADS_MAX, add_groups
from models.artefact import FILES, read_arrays
from models.guard_manifest import GUARD_MANIFEST, GuardManifest, read_guard_manifest
from models.scores import ATTACKS

HEADS = len(ATTACKS)

# Of a text longer than a window only the ends are read: a bound on the time of a call.
HEAD_CHARS, TAIL_CHARS = 600, 400
READ_CHARS = HEAD_CHARS + TAIL_CHARS
SEED = 11  # the words of the guard have buckets of their own
FEATURES_MAX = 3 * READ_CHARS + 16  # of a kind; only scripts of many bytes to a word have more

WINDOW_CHARS = 700
OVERLAP_CHARS = 120  # an order that a cut parts in two is whole in the next window
SEEK_CHARS = 80  # how far before a cut a blank is looked for
WINDOWS_MAX = 16


class Guard:
    """
    How likely a text holds each kind of attack, without a queue, a thread or a wait.

    Deterministic: the same text and artefact give the same bits on every machine that rounds as
    IEEE 754 says.
    """

    def __init__(
        self,
        manifest: GuardManifest,
        table: NDArray[np.int8],
        scale: NDArray[np.float64],
        bias: NDArray[np.float64],
    ) -> None:
        self.manifest = manifest
        self.table = table  # int8[2**bits, HEADS_MAX]
        self.scale = scale  # float64[HEADS]: one step of the table as a logit
        self.bias = bias  # float64[HEADS]: the logits of a text without features
        # Of each kind, the logits between which it is neither surely absent nor present.
        self.doubt = tuple(
            zip(logits_of(manifest.clear_below), logits_of(manifest.sure_above), strict=True)
        )

    @classmethod
    def load(cls, folder: Path = FILES) -> Guard:
        """Read and check the artefact in *folder*. Raises ArtefactError."""
        manifest = read_guard_manifest(folder)
        arrays = read_arrays(
            folder / manifest.weights,
            manifest.sha256,
            GUARD_MANIFEST,
            {
                "table": (np.int8, (1 << manifest.bits, HEADS_MAX)),
                "scale": (np.float64, (HEADS,)),
                "bias": (np.float64, (HEADS,)),
            },
        )
        return cls(manifest, **arrays)

    @property
    def version(self) -> str:
        """Name and version of the artefact, for records."""
        return f"{self.manifest.name}-{self.manifest.version}"

    def logits(self, text: str) -> NDArray[np.float64]:
        """
        float64[HEADS] in the order of ATTACKS: calibrated logits, whose sigmoid is a probability.

        Any text will do; of one longer than READ_CHARS both ends are read, see windows().
        """
        sums = np.zeros(HEADS, dtype=np.float64)
        ids, counts = hashed(text, self.manifest.bits)
        add_groups(self.table, ids, counts, 1.0, sums)
        return sums * self.scale + self.bias

    def windows(self, text: str, most: int = WINDOWS_MAX) -> list[tuple[int, int]]:
        """
        Start and end of overlapping parts of *text*, in characters, to be scored one by one.

        They cover the text and are cut at blanks where there are any. When that would take more
        than *most*, at least 1, they are spread evenly over the text and leave gaps.
        """
        return list(cut_windows(text, most))


def hashed(text: str, bits: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """
    The distinct buckets, of 2**bits, that the words, pairs and n-grams of a text fall into:
    int32[KINDS, n], and how many of each kind there are, int64[KINDS].
    """
    if len(text) > READ_CHARS:
        text = f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"
    utf8 = np.frombuffer(text.lower().encode("utf-8", "replace"), dtype=np.uint8)
    counts = np.empty(KINDS, dtype=np.int64)
    ids = np.empty((KINDS, min(FEATURES_MAX, 3 * utf8.size + 3)), dtype=np.int32)
    hash_text(utf8, SEED, bits, ids, counts)
    return ids, counts


def guard_features(text: str, bits: int) -> Iterator[NDArray[np.int32]]:
    """The buckets of ``hashed``: one array of each kind of feature that the text has."""
    ids, counts = hashed(text, bits)
    for kind in range(KINDS):
        if counts[kind]:
            yield ids[kind, : counts[kind]]


def logits_of(probabilities: tuple[float, ...]) -> tuple[float, ...]:
    """What the logistic function makes *probabilities* of, 0 to 1."""
    return tuple(
        math.log(one / (1.0 - one)) if 0.0 < one < 1.0 else math.copysign(math.inf, one - 0.5)
        for one in probabilities
    )


def cut_windows(text: str, most: int) -> Iterator[tuple[int, int]]:
    """The windows of Guard.windows, in the order of the text."""
    size = len(text)
    step = WINDOW_CHARS - OVERLAP_CHARS - SEEK_CHARS
    if size > WINDOW_CHARS + (most - 1) * step:
        for number in range(most):
            start = number * (size - WINDOW_CHARS) // max(most - 1, 1)
            yield start, start + WINDOW_CHARS
        return
    start = 0
    while start + WINDOW_CHARS < size:
        end = blank_before(text, start + WINDOW_CHARS)
        yield start, end
        start = blank_before(text, end - OVERLAP_CHARS)
    yield start, size


def blank_before(text: str, at: int) -> int:
    """Behind the last blank in front of *at*; *at* where there is none within SEEK_CHARS."""
    found = max(text.rfind(blank, at - SEEK_CHARS, at) for blank in (" ", "\n"))
    return found + 1 if found >= 0 else at
