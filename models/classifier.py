"""The door of the classifiers: text in, scores out, never an error."""

from __future__ import annotations

import logging
from pathlib import Path

from models.linear import FirstStage
from models.manifest import FILES, ArtefactError
from models.scores import UNSCORED, Scores

log = logging.getLogger("switchyard")

NO_MODEL = "none"


class Classifier:
    """
    Scores excerpts with what models there are.

    Without a first stage, or for an empty text, the scores are UNSCORED: routing goes on, and
    policies that need a score see that there is none.
    """

    def __init__(self, first_stage: FirstStage | None) -> None:
        self._first_stage = first_stage

    @property
    def version(self) -> str:
        """Of the models that score, for records; "none" without any."""
        return NO_MODEL if self._first_stage is None else self._first_stage.version

    async def submit(self, text: str) -> Scores:
        """
        The scores of an excerpt. Never raises.

        The first stage runs here and not in a thread: it takes less time than a hand-over.
        """
        if self._first_stage is None or not text:
            return UNSCORED
        return self._first_stage.score(text)

    def describe(self) -> str:
        """One line for the log at start."""
        if self._first_stage is None:
            return "no classifier: every prompt counts as unscored"
        manifest = self._first_stage.manifest
        return (
            f"first stage {self.version}: {len(manifest.labels)} task types,"
            f" uncertain below {manifest.uncertain_below:.2f}"
        )


def load_classifier(folder: Path = FILES) -> Classifier:
    """
    The classifier of the artefacts in *folder*. One that cannot be used is logged as an error, and
    the gateway goes on without: a request keeps the client's own model.
    """
    try:
        return Classifier(FirstStage.load(folder))
    except ArtefactError as error:
        log.error("no classifier: %s", error)  # noqa: TRY400 - the message says it all
        return Classifier(None)
