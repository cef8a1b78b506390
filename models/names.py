"""Names of people, places and organisations, and addresses: a small tagger of hashed features."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.tagger import COLUMNS, END, START, find_runs, look_up_all, split_tokens
from kernels.tagger_features import FEATURES_MAX, read_features
from kernels.tagger_path import LABELS, WEIGHTS, label_tokens, read_spans
from models.artefact import FILES, REMEDY, ArtefactError, read_arrays, read_toml

MANIFEST = "names.toml"
TYPES = ("PERSON", "LOCATION", "ORGANIZATION", "ADDRESS")
CHARS_MAX = 16_384  # of a text that are read, from its beginning
CHUNK_TOKENS = 4_096  # of a text that are labelled at a time, which bounds the memory


class NamesManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    ``names.toml``: written by training, read at start.

    *scale*: log-odds of one step of the weights. *calibration*: by type, factor and offset that
    make of log-odds those of a name being right. *thresholds*: by type, the least probability
    of a name that is reported. *data_sha256* names the training rows, *measured* what the run
    found.
    """

    name: str
    version: str
    weights: str  # name of the file beside the manifest
    sha256: str  # of that file
    labels: tuple[str, ...]
    bits: int  # logarithm of the number of rows of the table
    scale: float
    calibration: tuple[tuple[float, float], ...]
    thresholds: tuple[float, ...]
    data_sha256: str
    measured: dict[str, float]


class Lexicon(msgspec.Struct, frozen=True):
    """Words that are known, see kernels.tagger.look_up."""

    prints: NDArray[np.uint32]
    entries: NDArray[np.uint16]


class Tokens(msgspec.Struct, frozen=True):
    """
    Tokens of a text and their features, a chunk at a time.

    *rows* is int64[n, COLUMNS], *ids* int32[n, FEATURES_MAX] of which row k holds *sizes*[k].
    """

    rows: NDArray[np.int64]
    ids: NDArray[np.int32]
    sizes: NDArray[np.int32]


class Weights(msgspec.Struct, frozen=True):
    """*table* is int8[2**bits, WEIGHTS], *follow* int32[LABELS, LABELS]: see label_tokens."""

    table: NDArray[np.int8]
    follow: NDArray[np.int32]


class Names:
    """
    Names in any text, without a queue, a thread or a wait.

    Deterministic: the same text and artefact give the same spans on every machine. Where a name
    in capitals-only or small letters, or in a script without capitals, is told by its neighbours
    alone, expect it to be missed more often.
    """

    def __init__(self, manifest: NamesManifest, lexicon: Lexicon, weights: Weights) -> None:
        self.manifest = manifest
        self.lexicon = lexicon
        self.weights = weights
        self._rows = weights.table.view("<u8").ravel()  # the weights of a feature as one number
        self.version = f"{manifest.name}-{manifest.version}"

    @classmethod
    def load(cls, folder: Path = FILES) -> Names:
        """Read and check the artefact in *folder*. Raises ArtefactError."""
        manifest = read_manifest(folder)
        lexicon, weights = read_tables(folder / manifest.weights, manifest)
        return cls(manifest, lexicon, weights)

    def spans(self, text: str) -> list[tuple[int, int, str, float]]:
        """
        Start, end (exclusive, in characters), type and probability of each name in *text*.

        Sorted, not overlapping; only the first CHARS_MAX characters are read. Any text will do.
        """
        names = []
        for start, end, kind, margin in self.candidates(text):
            factor, offset = self.manifest.calibration[kind]
            probability = 1.0 / (1.0 + math.exp(-max(-30.0, factor * margin + offset)))
            if probability >= self.manifest.thresholds[kind]:
                names.append((start, end, TYPES[kind], probability))
        return names

    def candidates(self, text: str) -> list[tuple[int, int, int, float]]:
        """The same before calibration: start, end, index in TYPES and raw log-odds."""
        points = points_of(text)
        rows = tokens_of(points, self.lexicon)
        names: list[tuple[int, int, int, float]] = []
        for first in range(0, len(rows), CHUNK_TOKENS):
            tokens = featured(points, rows[first : first + CHUNK_TOKENS], self.manifest.bits)
            for begin, end, kind, margin in self.best_path(tokens):
                start, stop = tokens.rows[begin, START], tokens.rows[end - 1, END]
                names.append((int(start), int(stop), kind, margin * self.manifest.scale))
        return names

    def best_path(self, tokens: Tokens) -> list[tuple[int, int, int, int]]:
        """First token, end (exclusive), index in TYPES and margin of each name in a chunk."""
        count = len(tokens.rows)
        scores = np.empty((count, LABELS), dtype=np.int32)
        labels = np.empty(count, dtype=np.uint8)
        follow = self.weights.follow
        label_tokens(tokens.ids, tokens.sizes, count, self._rows, follow, scores, labels)
        spans = np.empty((count, 4), dtype=np.int64)
        found = read_spans(scores, follow, labels, count, spans)
        return [tuple(span) for span in spans[:found].tolist()]


def points_of(text: str) -> NDArray[np.uint32]:
    """uint32[n], read-only: the first CHARS_MAX characters of *text*, lone surrogates too."""
    return np.frombuffer(text[:CHARS_MAX].encode("utf-32-le", "surrogatepass"), dtype="<u4")


def tokens_of(points: NDArray[np.uint32], lexicon: Lexicon) -> NDArray[np.int64]:
    """int64[n, COLUMNS]: the tokens of a text, looked up."""
    rows = np.empty((points.size, COLUMNS), dtype=np.int64)
    count = split_tokens(points, rows)
    look_up_all(rows, count, lexicon.prints, lexicon.entries)
    return rows[:count]


def featured(points: NDArray[np.uint32], rows: NDArray[np.int64], bits: int) -> Tokens:
    """The features of a chunk of tokens: a run ends where the chunk does."""
    count = len(rows)
    find_runs(rows, count, points)
    ids = np.empty((count, FEATURES_MAX), dtype=np.int32)
    sizes = np.empty(count, dtype=np.int32)
    read_features(points, rows, count, bits, ids, sizes)
    return Tokens(rows, ids, sizes)


def read_manifest(folder: Path) -> NamesManifest:
    """The manifest of *folder*, its types checked. Raises ArtefactError."""
    path = folder / MANIFEST
    manifest = read_toml(path, NamesManifest)
    if manifest.labels != TYPES:
        raise ArtefactError(
            f"{path}: labels are {list(manifest.labels)}, this code knows {list(TYPES)}; {REMEDY}"
        )
    if {len(manifest.calibration), len(manifest.thresholds)} != {len(TYPES)}:
        raise ArtefactError(
            f"{path}: {len(manifest.calibration)} calibrations and {len(manifest.thresholds)}"
            f" thresholds, expected {len(TYPES)} each; {REMEDY}"
        )
    return manifest


def read_tables(path: Path, manifest: NamesManifest) -> tuple[Lexicon, Weights]:
    """The arrays at *path*, checked. Raises ArtefactError."""
    arrays = read_arrays(
        path,
        manifest.sha256,
        MANIFEST,
        {
            "table": (np.int8, (1 << manifest.bits, WEIGHTS)),
            "follow": (np.int32, (LABELS, LABELS)),
            "prints": (np.uint32, (None,)),
            "entries": (np.uint16, (None,)),
        },
    )
    prints, entries = arrays["prints"], arrays["entries"]
    if prints.size.bit_count() != 1 or entries.size != prints.size:
        raise ArtefactError(
            f"{path}: prints and entries have {prints.size} and {entries.size} places,"
            f" expected the same power of two; {REMEDY}"
        )
    if prints.all():  # a look-up ends at a free place
        raise ArtefactError(f"{path}: prints has no free place; {REMEDY}")
    return Lexicon(prints, entries), Weights(arrays["table"], arrays["follow"])
