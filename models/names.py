"""Names of people, places and organisations, and addresses: a small tagger of hashed features."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.tagger import COLUMNS, END, START, find_runs, look_up_all, split_tokens
from kernels.tagger_features import FEATURES_MAX, read_features
from kernels.tagger_path import LABELS, WEIGHTS, label_tokens, read_spans
from models.manifest import FILES, REMEDY, ArtefactError

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
        self.version = f"{manifest.name}-{manifest.version}"

    @classmethod
    def load(cls, folder: Path = FILES) -> Names:
        """Read and check the artefact in *folder*. Raises ArtefactError."""
        manifest = read_manifest(folder)
        path = folder / manifest.weights
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ArtefactError(f"{path}: {error.strerror or error}; {REMEDY}") from error
        found = hashlib.sha256(content).hexdigest()
        if found != manifest.sha256:
            raise ArtefactError(
                f"{path}: sha256 is {found}, {MANIFEST} says {manifest.sha256}; {REMEDY}"
            )
        lexicon, weights = read_arrays(path, content, manifest.bits)
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
        table, follow = self.weights.table, self.weights.follow
        label_tokens(tokens.ids, tokens.sizes, count, table, follow, scores, labels)
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
    try:
        manifest = msgspec.toml.decode(path.read_bytes(), type=NamesManifest)
    except OSError as error:
        raise ArtefactError(f"{path}: {error.strerror or error}; {REMEDY}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{path}: {error}; {REMEDY}") from error
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


def read_arrays(path: Path, content: bytes, bits: int) -> tuple[Lexicon, Weights]:
    """The arrays in *content*, their shapes and types checked. Raises ArtefactError."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            table, follow = arrays["table"], arrays["follow"]
            prints, entries = arrays["prints"], arrays["entries"]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise ArtefactError(f"{path}: {error}; {REMEDY}") from error
    for name, array, dtype, shape in (
        ("table", table, np.int8, (1 << bits, WEIGHTS)),
        ("follow", follow, np.int32, (LABELS, LABELS)),
        ("prints", prints, np.uint32, (1 << (prints.size.bit_length() - 1),)),
        ("entries", entries, np.uint16, prints.shape),
    ):
        if array.shape != shape or array.dtype != dtype:
            raise ArtefactError(
                f"{path}: {name} is {array.dtype}{list(array.shape)},"
                f" expected {np.dtype(dtype)}{list(shape)}; {REMEDY}"
            )
    if prints.all():  # a look-up ends at a free place
        raise ArtefactError(f"{path}: prints has no free place; {REMEDY}")
    return Lexicon(prints, entries), Weights(table, follow)
