"""The settings of learning: how soon judgements of answers are believed, and how long."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from gateway.config.section import Positive, Section


class LearnSettings(Section, frozen=True):
    """
    How feedback changes what a model is believed to be worth on a task. What
    ``recording.keep_days`` has deleted no longer counts, whatever the half-life.
    """

    enabled: bool = True  # off: promises stay those of the class, and your overrides
    half_life_days: Positive = 30.0  # vendors change models under one name every few months
    samples_min: Annotated[float, Meta(ge=1.0)] = 20.0  # judgements of today; fewer change nothing
    prior_samples: Positive = 5.0  # how many judgements the promise of the class weighs as much as
    refresh_s: Positive = 60.0  # how often judgements are summed up
    # Whose judgements count, empty: everybody's. All projects are routed by them, so name those
    # you trust where strangers have keys.
    projects: tuple[str, ...] = ()
