"""Which judgements count; the same as ``Store.sum_feedback`` leaves out, said to who judges."""

from __future__ import annotations

from gateway.config.learn_schema import LearnSettings
from gateway.decide.ask import UNCLASSIFIED
from gateway.record.record import Record


def why_uncounted(record: Record, settings: LearnSettings) -> str:
    """Why a judgement of the answer to *record* moves no request, "" when it does."""
    if not settings.enabled:
        return "Learning is off here."
    if settings.projects and record.principal.project not in settings.projects:
        return "Judgements of this project are kept, but do not count here."
    if not record.model:
        return "No model has answered that request."
    if record.scores.stage in UNCLASSIFIED:
        return (
            "That request was not classified, as where its client named the model and no routing "
            "was asked for, so nobody knows at what kind of work the model did well or poorly."
        )
    return ""
