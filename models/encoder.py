"""The second stage: a small transformer over the tokens of an excerpt."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Protocol

from models.artefact import FILES, REMEDY, ArtefactError, read_checked
from models.batching import BatchLimits, Cost
from models.encoder_manifest import ENCODER_MANIFEST, EncoderManifest, read_encoder_manifest
from models.opinion import Opinion, log_likelihoods, on_line
from models.scores import TASK_TYPES
from models.serving_manifest import (
    SERVING_MANIFEST,
    SelfTest,
    ServingManifest,
    read_serving_manifest,
)
from models.session import Outputs, Session, has_cuda
from models.tokenizer import Tokenizer

log = logging.getLogger("switchyard")

ENGLISH = "en"
# Integer kernels of other CPUs round in other places; a damaged graph is off by far more.
COMPLEXITY_OFF_MAX = 0.15
SELF_TEST_WRONG_MAX = 1  # of ten: a prompt may lie on the border of two task types
COST_TOKENS = 16  # the shortest and the longest row are timed
COST_RUNS = 3

# On a CPU a batch is no faster than its rows one by one (measured: 5 % at 16 tokens), every row
# waits for the longest, and the int8 scales of a row depend on its neighbours: the same prompt
# would get other scores under load. So a row goes alone. On a GPU a batch costs hardly more.
BATCH_ON_CPU = BatchLimits(rows=1, tokens=1)
BATCH_ON_GPU = BatchLimits(rows=64, tokens=4096)


class Runnable(Protocol):
    """What runs the graph; Session does."""

    @property
    def bucketed(self) -> bool: ...

    def run(self, rows: list[list[int]]) -> Outputs: ...


class Encoder:
    """Opinions on texts, calibrated. For one thread at a time; nothing here is shared."""

    def __init__(
        self,
        manifest: EncoderManifest,
        serving: ServingManifest,
        tokenizer: Tokenizer,
        session: Runnable,
    ) -> None:
        self.manifest = manifest
        self.serving = serving
        self._tokenizer = tokenizer
        self._session = session

    @classmethod
    def load(cls, folder: Path = FILES, threads: int = 1, *, gpu: bool = True) -> Encoder:
        """
        Read, check and try the artefact in *folder*, on the GPU where there is one and *gpu*.
        Raises ArtefactError.
        """
        manifest, serving = read_encoder_manifest(folder), read_serving_manifest(folder)
        words = read_checked(
            folder / manifest.tokenizer, manifest.tokenizer_sha256, ENCODER_MANIFEST
        )
        tokenizer = Tokenizer(
            words, manifest.tokens_max, manifest.first, manifest.last, manifest.mark
        )
        encoder = cls(
            manifest, serving, tokenizer, open_session(folder, manifest, serving, threads, gpu=gpu)
        )
        if serving.encoder != encoder.version:
            raise ArtefactError(
                f"{folder}: thresholds are for {serving.encoder}, the encoder is"
                f" {encoder.version}; {REMEDY}"
            )
        encoder.check()
        return encoder

    @property
    def version(self) -> str:
        """Name and version of the artefact, for records."""
        return f"{self.manifest.name}-{self.manifest.version}"

    @property
    def batches(self) -> BatchLimits:
        """What pays on the device."""
        return BATCH_ON_GPU if self._session.bucketed else BATCH_ON_CPU

    @property
    def tokens_max(self) -> int:
        """Read of one text."""
        return self.manifest.tokens_max

    @property
    def device(self) -> str:
        """Where it runs, and in which numbers."""
        return "cuda float16" if self._session.bucketed else "cpu int8"

    def describe(self) -> str:
        """Version and device, for the log at start."""
        return f"{self.version} on {self.device}, {self.tokens_max} tokens"

    def read(self, texts: list[str]) -> list[Opinion]:
        """What there is to say of each text."""
        tokens = self._tokenizer.read(texts)
        found = self._session.run([one.ids for one in tokens])
        return [self._opinion(found, at, truncated=one.truncated) for at, one in enumerate(tokens)]

    def _opinion(self, found: Outputs, at: int, *, truncated: bool) -> Opinion:
        manifest = self.manifest
        complexity, need = float(found.complexity[at]), float(found.strong_need[at])
        return Opinion(
            likelihoods=log_likelihoods(found.task[at].tolist(), manifest.temperature),
            complexity=on_line(complexity, manifest.complexity_from, manifest.complexity_to),
            english=manifest.languages[int(found.language[at].argmax())] == ENGLISH,
            strong_need=on_line(need, manifest.strong_need_from, manifest.strong_need_to),
            truncated=truncated,
            attacks=tuple(
                scale * logit + shift
                for logit, scale, shift in zip(
                    found.attacks[at].tolist(),
                    manifest.attack_scale,
                    manifest.attack_shift,
                    strict=True,
                )
            ),
        )

    def check(self) -> None:
        """Read the prompts of the self-test. Raises ArtefactError when they come out otherwise."""
        tests = self.serving.self_test
        found = [self.read([test.text])[0] for test in tests]
        wrong = [
            f"{test.text[:40]!r}: {TASK_TYPES[one.label]} {one.complexity:.2f},"
            f" expected {test.task_type} {test.complexity:.2f}"
            for test, one in zip(tests, found, strict=True)
            if not is_as_expected(test, one)
        ]
        if len(wrong) > SELF_TEST_WRONG_MAX:
            raise ArtefactError(f"the encoder fails its self-test: {'; '.join(wrong)}; {REMEDY}")

    def measure(self) -> Cost:
        """What a call and a token cost here, the best of a few runs; also warms every buffer."""
        short, long = min(COST_TOKENS, self.tokens_max // 2), self.tokens_max
        short_s, long_s = (
            min(self._time(tokens) for _ in range(COST_RUNS)) for tokens in (short, long)
        )
        token_s = max(long_s - short_s, 0.0) / (long - short)
        return Cost(call_s=max(short_s - token_s * short, 0.0), token_s=token_s)

    def _time(self, tokens: int) -> float:
        begun = time.perf_counter()
        self._session.run([[self.manifest.first] * tokens])
        return time.perf_counter() - begun


def open_session(
    folder: Path, manifest: EncoderManifest, serving: ServingManifest, threads: int, *, gpu: bool
) -> Session:
    """On the GPU where there is one and a graph for it, else on the CPU. Raises ArtefactError."""
    if gpu and serving.half and has_cuda():
        try:
            half = read_checked(folder / serving.half, serving.half_sha256, SERVING_MANIFEST)
            return Session(half, threads, cuda=True)
        except ArtefactError as error:
            log.warning("the encoder runs on the CPU: %s", error)
    return Session(
        read_checked(folder / manifest.weights, manifest.sha256, ENCODER_MANIFEST), threads
    )


def is_as_expected(test: SelfTest, found: Opinion) -> bool:
    """Whether *found* is what the artefact said elsewhere, but for rounding."""
    near = abs(found.complexity - test.complexity) <= COMPLEXITY_OFF_MAX
    return near and TASK_TYPES[found.label] == test.task_type
