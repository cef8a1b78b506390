"""Is a block of a message something that is asked, or material that was pasted beside it?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.hashing import KINDS, hash_text
from kernels.linear import add_rows
from models.artefact import FILES, read_arrays, read_toml

MATERIAL_MANIFEST = "material.toml"

# Of a longer block only the ends are read: how it begins says most, how it ends much.
HEAD_CHARS, TAIL_CHARS = 160, 80
READ_CHARS = HEAD_CHARS + TAIL_CHARS
WORDS_SEED, SHAPE_SEED = 12, 13
FEATURES_MAX = 3 * READ_CHARS + 16
SHAPE_WEIGHT = 1.0  # of the shape beside the words
ENDS = {"?": "q", "？": "q", "؟": "q", ":": "c", "：": "c", "!": "x", ".": "s", "。": "s", "।": "s"}
QUOTES = '"“”„«»「」'
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SENTENCE_ENDS = (". ", "。", "। ", "۔ ", ".\n")


class MaterialManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    ``material.toml``: written by training, read at start.

    Scores from *material_from* on are material, scores of *ask_below* and less are asked; what
    lies between is in doubt. Of two blocks at least *gap* apart, *material_beside* and *ask_beside*
    count instead: each makes the other more likely. *data_sha256* names the training rows,
    *measured* what was found on blocks that were not learnt from.
    """

    name: str
    version: str
    weights: str  # name of the file beside the manifest
    sha256: str  # of that file
    bits: int  # logarithm of the number of rows of the table
    material_from: float
    ask_below: float
    gap: float
    material_beside: float
    ask_beside: float
    data_sha256: str
    measured: dict[str, float]

    def limit(self, least: float, most: float) -> float | None:
        """
        From which score on blocks of one message are material; None: nothing is surely asked.

        *least* is the least score of those that may be asked, *most* the highest of all.
        """
        if most - least >= self.gap and least <= self.ask_beside:
            return max(self.material_beside, least + self.gap / 2)
        return self.material_from if least <= self.ask_below else None


class Material:
    """
    How much a block of text looks like material, without a queue, a thread or a wait.

    Deterministic: the same text and artefact give the same bits on every machine that rounds as
    IEEE 754 says.
    """

    def __init__(
        self, manifest: MaterialManifest, table: NDArray[np.int8], scale: float, bias: float
    ) -> None:
        self.manifest = manifest
        self.table = table  # int8[2**bits, 1]
        self.scale = scale  # one step of the table as a score
        self.bias = bias  # the score of a text without features

    @classmethod
    def load(cls, folder: Path = FILES) -> Material:
        """Read and check the artefact in *folder*. Raises ArtefactError."""
        manifest = read_material_manifest(folder)
        arrays = read_arrays(
            folder / manifest.weights,
            manifest.sha256,
            MATERIAL_MANIFEST,
            {"table": (np.int8, (1 << manifest.bits, 1)), "line": (np.float64, (2,))},
        )
        scale, bias = arrays["line"].tolist()
        return cls(manifest, arrays["table"], scale, bias)

    @property
    def version(self) -> str:
        """Name and version of the artefact, for records."""
        return f"{self.manifest.name}-{self.manifest.version}"

    def score(self, block: str) -> float:
        """
        Above 0 for what looks like material, below for what looks asked; see the manifest's limits.

        Any text will do; of one longer than READ_CHARS both ends are read.
        """
        sums = np.zeros(1, dtype=np.float64)
        for ids, weight in block_features(block, self.manifest.bits):
            add_rows(self.table, ids, weight, sums)
        return float(sums[0]) * self.scale + self.bias


def read_material_manifest(folder: Path = FILES) -> MaterialManifest:
    """The manifest in *folder*. Raises ArtefactError."""
    return read_toml(folder / MATERIAL_MANIFEST, MaterialManifest)


def block_features(block: str, bits: int) -> Iterator[tuple[NDArray[np.int32], float]]:
    """The distinct buckets, of 2**bits, of the words and of the shape of a block, and weights."""
    read = block
    if len(block) > READ_CHARS:
        read = f"{block[:HEAD_CHARS]}\n{block[-TAIL_CHARS:]}"
    counts = np.empty(KINDS, dtype=np.int64)
    for words, seed, weight in (
        (read.lower(), WORDS_SEED, 1.0),
        (shape_of(block), SHAPE_SEED, SHAPE_WEIGHT),
    ):
        utf8 = np.frombuffer(words.encode("utf-8", "replace"), dtype=np.uint8)
        ids = np.empty((KINDS, min(FEATURES_MAX, 3 * utf8.size + 3)), dtype=np.int32)
        hash_text(utf8, seed, bits, ids, counts)
        for kind in range(KINDS):
            if counts[kind]:
                yield ids[kind, : counts[kind]], weight


def shape_of(block: str) -> str:
    """
    What a block looks like in any language, as made-up words: its length in steps of a half more,
    how it opens and ends, its lines and sentences, whether it asks, numbers and capitals.
    """
    text = block.strip()
    if not text:
        return "empty"
    size = len(text.encode("utf-8", "replace"))
    head = text[:READ_CHARS]
    first = text[0]
    opening = "u" if first.isupper() else "l" if first.islower() else "d" if first.isdigit() else ""
    opening = opening or ("w" if first.isalpha() else "p")
    asks = any(mark in text[-READ_CHARS:] or mark in head for mark in "?？؟")
    newlines = text.count("\n")
    digits = sum(map(head.count, "0123456789"))
    return " ".join(
        (
            f"len{letter(int(2 * math.log2(size)))}",
            f"end{ENDS.get(text[-1], 'o' if text[-1].isalnum() else 'p')}",
            f"open{opening}",
            f"ask{'y' if asks else 'n'}",
            f"lines{letter(min(6, newlines))}",
            f"sent{letter(min(8, sum(text.count(end) for end in SENTENCE_ENDS)))}",
            f"num{letter(digits * 20 // len(head))}",
            f"quote{letter(min(4, sum(map(head.count, QUOTES))))}",
        )
    )


def letter(count: int) -> str:
    """A letter for a small count: the hash takes all digits for one."""
    return LETTERS[min(count, len(LETTERS) - 1)]
