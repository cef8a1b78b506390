"""What recorded outcomes say of a prompt: how much a strong model gains over a weak one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from models.train.data import read_lines

ROUTING = "routing/train.jsonl.gz"
DEV_GROUPS = 10  # one group of ten is kept for the evaluation
BROKEN_SHARE = 0.3  # a model below this share of the best one failed on the format of the answer
THIRD = 3  # the strong and the weak are the upper and the lower third of the models
FULL_GAP = 0.15  # between strong and weak; a source with less says less, and weighs less


class Outcome(msgspec.Struct, frozen=True):
    """
    A prompt, and what models made of it.

    *gain*: what the strong models get right beyond the weak, -1 to 1. *failing*: the share of all
    models that fail, 0 to 1.
    """

    text: str
    source: str
    gain: float
    weak: float
    strong: float
    failing: float
    weight: float
    dev: bool


def read_outcomes(folder: Path) -> list[Outcome]:
    """All prompts of the routing pack that are not marked as contaminated."""
    families: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in read_lines(folder / ROUTING):
        if not row.get("contaminated"):
            families[family_of(row)].append(row)
    return [outcome for name in sorted(families) for outcome in outcomes_of(families[name])]


def family_of(row: dict[str, Any]) -> str:
    """Prompts answered by the same models under the same scoring."""
    if row["source"] == "llmrouter_ulab":
        return f"{row['source']}/{row['subset']}"
    return str(row["source"])


def outcomes_of(rows: list[dict[str, Any]]) -> Iterable[Outcome]:
    """The outcomes of one family, measured by its own strong and weak models."""
    weak, strong = sides(rows)
    gap = mean_of(rows, strong) - mean_of(rows, weak)
    sound = weak + strong
    for row in rows:
        right = {model: result["correct"] for model, result in row["results"].items()}
        if not all(model in right for model in sound):
            continue
        low = sum(right[model] for model in weak) / len(weak)
        high = sum(right[model] for model in strong) / len(strong)
        yield Outcome(
            text=row["prompt"],
            source=row["source"],
            gain=high - low,
            weak=low,
            strong=high,
            failing=1.0 - sum(right.values()) / len(right),
            weight=min(1.0, max(0.1, gap / FULL_GAP)),
            dev=hash_of(row["group"]) % DEV_GROUPS == 0,
        )


def sides(rows: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The weak and the strong models, by what they get right in all of *rows*."""
    models = sorted(rows[0]["results"])
    means = {model: mean_of(rows, [model]) for model in models}
    best = max(means.values())
    sound = sorted((m for m in models if means[m] >= BROKEN_SHARE * best), key=means.__getitem__)
    count = max(1, len(sound) // THIRD)
    return sound[:count], sound[-count:]


def mean_of(rows: list[dict[str, Any]], models: list[str]) -> float:
    """How much of *rows* the *models* get right."""
    results = [
        row["results"][model]["correct"]
        for row in rows
        for model in models
        if model in row["results"]
    ]
    return sum(results) / max(1, len(results))


def hash_of(group: object) -> int:
    """A number that is the same in every run."""
    value = 2_166_136_261
    for byte in str(group).encode():
        value = (value ^ byte) * 16_777_619 % 2**32
    return value >> 8
