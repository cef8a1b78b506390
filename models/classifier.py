"""The door of the classifiers: text in, scores out, never an error, never a long wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from pathlib import Path

from msgspec.structs import replace

from models.artefact import FILES, ArtefactError
from models.asking import Asking, Door
from models.batching import QueueLimits
from models.cascade import is_settled
from models.encoder import Encoder
from models.linear import FirstStage
from models.memory import Memory, key_of
from models.opinion import Opinion, blended
from models.options import DEFAULTS, Options
from models.scores import UNSCORED, Scores
from models.serving_manifest import ServingManifest
from models.shared_worker import SharedWorker
from models.worker import Load, Worker

log = logging.getLogger("switchyard")

NO_MODEL = "none"
LATE = "deadline"
REMEMBERED = "memory"

Attacks = tuple[float, ...]


class SecondStage:
    """An encoder behind its door, when it is worth asking, and what its word weighs."""

    def __init__(self, door: Door, serving: ServingManifest, deadline_s: float | None) -> None:
        self.asking = Asking(door, deadline_s)
        self.version = serving.encoder
        self.thresholds = serving.thresholds
        self.blend = serving.blend


class Classifier:
    """
    Scores excerpts by a cascade: what was answered before, else the first stage, else, where its
    doubt could change what is decided, the encoder, both weighed; and the first stage again where
    the encoder is late, busy or broken.

    Without a first stage, or for an empty text, the scores are UNSCORED: routing goes on, and
    policies that need a score see that there is none. *problem* says what is missing that should
    be there, "" when nothing is.
    """

    def __init__(
        self,
        first_stage: FirstStage | None,
        second_stage: SecondStage | None = None,
        options: Options = DEFAULTS,
        problem: str = "",
    ) -> None:
        self._first_stage = first_stage
        self._second_stage = second_stage
        half = options.memory_bytes_max // 2
        self._memory: Memory[Scores] = Memory(half)
        self._attacks: Memory[Attacks] = Memory(half)
        self._problem = problem

    @property
    def version(self) -> str:
        """Of the models that score, for records; "none" without any."""
        if self._first_stage is None:
            return NO_MODEL
        if self._second_stage is None:
            return self._first_stage.version
        return f"{self._first_stage.version}+{self._second_stage.version}"

    @property
    def problem(self) -> str:
        """Why scores are worse than they should be, "" when they are not."""
        if self._second_stage is not None and self._second_stage.asking.door.is_failing:
            return "the encoder fails"
        return self._problem

    @property
    def load(self) -> Load:
        """How busy the encoder is."""
        if self._second_stage is None:
            return Load()
        return self._second_stage.asking.door.load

    def submit(self, text: str) -> Awaitable[Scores]:
        """
        The scores of an excerpt, to be awaited on this event loop. Never raises, and takes about
        as long as the deadline at most. Work begins at once, not with the await.

        The first stage runs here and not in a thread: it takes less time than a hand-over.
        """
        answer: asyncio.Future[Scores] = asyncio.get_running_loop().create_future()
        if self._first_stage is None or not text:
            answer.set_result(UNSCORED)
            return answer
        key = key_of(text)
        known = self._memory.get(key)
        if known is not None:
            answer.set_result(replace(known, stage=REMEMBERED))
            return answer
        raw = self._first_stage.raw_scores(text)
        if raw is None:
            answer.set_result(UNSCORED)
            return answer
        first, second = self._first_stage.scores_of(raw), self._second_stage
        if second is None or is_settled(first, second.thresholds):
            self._memory.put(key, first)
            answer.set_result(first)
            return answer
        opinion = self._first_stage.opinion_of(raw)

        def word(said: Opinion | None) -> Scores:
            if said is None:
                return first
            scores = blended(opinion, said, second.blend)
            if said.attacks is not None:
                self._attacks.put(key, said.attacks)
            self._memory.put(key, scores)  # also for a caller that has gone: it may ask again
            return scores

        late = replace(first, stage=LATE)
        refusal = second.asking.ask(text, answer, word, late)
        if refusal is not None:
            answer.set_result(replace(first, stage=str(refusal)))
        return answer

    def attacks(self, text: str) -> Awaitable[Attacks | None]:
        """
        The logit of each of ATTACKS for a text of about one window, by the encoder; None where
        there is none, or it is late, busy or broken. Never raises, like submit.
        """
        answer: asyncio.Future[Attacks | None] = asyncio.get_running_loop().create_future()
        second = self._second_stage
        if second is None or not text:
            answer.set_result(None)
            return answer
        key = key_of(text)
        known = self._attacks.get(key)
        if known is not None:
            answer.set_result(known)
            return answer

        def word(said: Opinion | None) -> Attacks | None:
            if said is None or said.attacks is None:
                return None
            self._attacks.put(key, said.attacks)
            return said.attacks

        if second.asking.ask(text, answer, word, None) is not None:
            answer.set_result(None)
        return answer

    def describe(self) -> str:
        """One line for the log at start."""
        if self._first_stage is None:
            return "no classifier: every prompt counts as unscored"
        manifest = self._first_stage.manifest
        first = f"first stage {self._first_stage.version}"
        if self._second_stage is not None:
            return f"{first}, then {self._second_stage.asking.door.describe()}"
        why = f" ({self._problem})" if self._problem else ""
        return (
            f"{first} alone{why}: {len(manifest.labels)} task types,"
            f" uncertain below {manifest.uncertain_below:.2f}"
        )

    def close(self) -> None:
        """Answer everybody who still waits, and end the threads."""
        if self._second_stage is not None:
            self._second_stage.asking.door.close()


def load_classifier(options: Options = DEFAULTS, folder: Path = FILES) -> Classifier:
    """
    The classifier of the artefacts in *folder*. One that cannot be used is logged as an error, and
    the gateway goes on without: with the first stage alone, or with no scores at all, when a
    request keeps the client's own model.
    """
    try:
        first_stage = FirstStage.load(folder)
    except ArtefactError as error:
        log.error("no classifier: %s", error)  # noqa: TRY400 - the message says it all
        return Classifier(None, problem="no classifier")
    if not options.enabled:
        return Classifier(first_stage, options=options)
    try:
        second_stage = load_second_stage(options, folder, first_stage.version)
    except ArtefactError as error:
        log.error("no encoder, the first stage answers alone: %s", error)  # noqa: TRY400
        return Classifier(first_stage, options=options, problem="no encoder")
    return Classifier(first_stage, second_stage, options)


def load_second_stage(options: Options, folder: Path, first_stage: str) -> SecondStage:
    """The encoder in *folder*, running. Raises ArtefactError."""
    encoder = Encoder.load(folder, options.threads, gpu=options.socket is None)
    if encoder.serving.first_stage != first_stage:
        raise ArtefactError(
            f"{folder}: thresholds are for {encoder.serving.first_stage}, the first stage is"
            f" {first_stage}; run python -m models.train.serving"
        )
    limits = QueueLimits(entries=options.queue_entries_max, bytes=options.queue_bytes_max)
    own = Worker(encoder, limits)
    door: Door = own
    if options.socket is not None:
        door = SharedWorker(options.socket, encoder.version, own, options.queue_entries_max)
    return SecondStage(door, encoder.serving, options.deadline_s)
