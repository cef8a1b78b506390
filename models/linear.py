"""The first stage of the classifier: hashed words and one table of weights."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kernels.linear import HEADS_MAX, add_rows
from models.artefact import FILES, read_arrays
from models.features import read_features
from models.manifest import MANIFEST, Manifest, read_manifest
from models.opinion import Opinion, log_likelihoods, on_line
from models.scores import TASK_TYPES, UNSCORED, Scores, tier_of

STAGE = "first-stage"
COMPLEXITY = len(TASK_TYPES)  # the head behind those of the task types
HEADS = COMPLEXITY + 1


class FirstStage:
    """
    Task type and complexity of any text, without a queue, a thread or a wait.

    Deterministic: the same text and artefact give the same bits on every machine that rounds as
    IEEE 754 says.
    """

    def __init__(
        self,
        manifest: Manifest,
        table: NDArray[np.int8],
        scale: NDArray[np.float64],
        bias: NDArray[np.float64],
    ) -> None:
        self.manifest = manifest
        self.table = table  # int8[2**bits, HEADS_MAX]
        self.scale = scale  # float64[HEADS]: one step of the table
        self.bias = bias

    @classmethod
    def load(cls, folder: Path = FILES) -> FirstStage:
        """Read and check the artefact in *folder*. Raises ArtefactError."""
        manifest = read_manifest(folder)
        arrays = read_arrays(
            folder / manifest.weights,
            manifest.sha256,
            MANIFEST,
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

    def score(self, text: str) -> Scores:
        """Calibrated scores of an excerpt; UNSCORED when there is nothing to read in it."""
        raw = self.raw_scores(text)
        return UNSCORED if raw is None else self.scores_of(raw)

    def scores_of(self, raw: NDArray[np.float64]) -> Scores:
        """The calibrated scores that *raw* ones come to."""
        best, confidence = self.most_likely(raw[:COMPLEXITY].tolist())
        complexity = self._complexity(raw)
        return Scores(
            task_type=TASK_TYPES[best],
            confidence=confidence,
            complexity=complexity,
            tier=tier_of(complexity),
            stage=STAGE,
            uncertain=confidence < self.manifest.uncertain_below,
        )

    def raw_scores(self, text: str) -> NDArray[np.float64] | None:
        """float64[HEADS]: uncalibrated scores, None for a text without features."""
        sums = np.zeros(HEADS, dtype=np.float64)
        found = False
        for features in read_features(text, self.manifest.bits):
            add_rows(self.table, features.ids, features.weight, sums)
            found = True
        return sums * self.scale + self.bias if found else None

    def opinion_of(self, raw: NDArray[np.float64]) -> Opinion:
        """The same, for the encoder to be weighed against."""
        likelihoods = log_likelihoods(raw[:COMPLEXITY].tolist(), self.manifest.temperature)
        return Opinion(likelihoods, self._complexity(raw))

    def _complexity(self, raw: NDArray[np.float64]) -> float:
        manifest = self.manifest
        return on_line(float(raw[COMPLEXITY]), manifest.complexity_from, manifest.complexity_to)

    def most_likely(self, raw: list[float]) -> tuple[int, float]:
        """Index of the best label and its probability. The first of equals wins."""
        top = max(raw)
        total = math.fsum(math.exp((score - top) / self.manifest.temperature) for score in raw)
        return raw.index(top), 1.0 / total
