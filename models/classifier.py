"""The door of the classifiers: text in, scores out, never an error."""

from __future__ import annotations

from models.linear import FirstStage
from models.scores import UNSCORED, Scores

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
