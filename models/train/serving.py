"""
Choose when the first stage's answer will do, and write down what the self-test expects.

``python -m models.train.serving --data DATA`` reads both stages in ``models/files`` and writes
``serving.toml`` beside them. It fits the first stage once more on the training prompts alone: the
shipped one has learnt from the held-out prompts too, and would be surer of them than of others.
"""

from __future__ import annotations

import argparse
import time
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.cascade import Thresholds, is_settled
from models.encoder import Encoder
from models.encoder_manifest import read_checked, read_encoder_manifest
from models.linear import FirstStage
from models.manifest import FILES
from models.scores import TASK_TYPES, Scores
from models.serving_manifest import SERVING_MANIFEST, SelfTest, ServingManifest
from models.session import Session
from models.tokenizer import Tokenizer
from models.train.data import Row, read_phrases, read_rows
from models.train.evaluate import Predictions, measure
from models.train.first_stage import train

BUDGET_MS = 1.5  # what a prompt may cost on average
CONFIDENT_FROM = (0.6, 0.7, 0.75, 0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.96, 0.98, 1.01)
TIER_MARGINS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2)
ALWAYS = Thresholds(confident_from=1.01, tier_margin=0.0)

SELF_TEST = (
    "hi there, how are you today?",
    "In which year did the Berlin Wall fall?",
    "What are the pros and cons of renting instead of buying a flat?",
    "Summarize the following report in three sentences: The harbour moved 4 % more containers.",
    "Write a Python function that merges overlapping intervals, with tests for the edge cases",
    "Translate into French: Where is the station?",
    "Give me ten names for a bakery run by two sisters",
    "Extract all dates and amounts from this invoice as JSON: 3 March, 40 euros; 9 May, 12 euros",
    "Design a payment ledger over three regions that stays consistent through partitions, keeps p99"
    " below 50 ms and survives replay; prove that no transfer is applied twice.",
    "写一个关于雨的短故事",
)


class Held(msgspec.Struct, frozen=True):
    """A held-out prompt, what both stages say of it, and the milliseconds each took."""

    row: Row
    first: Scores
    second: Scores
    first_ms: float
    second_ms: float


def unchecked_encoder(folder: Path, first_stage: str) -> Encoder:
    """The encoder in *folder*, whose ``serving.toml`` is yet to be written."""
    manifest = read_encoder_manifest(folder)
    words = read_checked(folder / manifest.tokenizer, manifest.tokenizer_sha256)
    tokenizer = Tokenizer(words, manifest.tokens_max, manifest.first, manifest.last, manifest.mark)
    graph = read_checked(folder / manifest.weights, manifest.sha256)
    name = f"{manifest.name}-{manifest.version}"
    serving = ServingManifest(first_stage, name, ALWAYS, self_test=(), measured={})
    return Encoder(manifest, serving, tokenizer, Session(graph))


def held_out(rows: list[Row], first_stage: FirstStage, encoder: Encoder) -> list[Held]:
    """What both stages say of *rows*, timed on the CPU of this thread."""
    found = []
    for row in rows:
        begun = time.thread_time()
        first = first_stage.score(row.text)
        middle = time.thread_time()
        second = encoder.score([row.text])[0]
        ended = time.thread_time()
        found.append(Held(row, first, second, 1e3 * (middle - begun), 1e3 * (ended - middle)))
    return found


def measured(held: list[Held], thresholds: Thresholds) -> dict[str, float]:
    """The cascade under *thresholds*."""
    settled = np.array([is_settled(one.first, thresholds) for one in held])
    answers = [one.first if done else one.second for one, done in zip(held, settled, strict=True)]
    scores = predictions([one.row for one in held], answers)
    found = measure(scores)
    cost = [
        one.first_ms + (not done) * one.second_ms for one, done in zip(held, settled, strict=True)
    ]
    return {
        "rows": found["rows"],
        "first_stage_share": float(settled.mean()),
        "mean_ms": float(np.mean(cost)),
        "accuracy": found["accuracy"],
        "tier_accuracy": found["tier_accuracy"],
        "complexity_rank_length_fixed": found["complexity_rank_length_fixed"],
    }


def predictions(rows: list[Row], answers: list[Scores]) -> Predictions:
    """*answers* as the evaluation reads them."""

    def column(name: str) -> NDArray[np.float64]:
        return np.array([getattr(scores, name) for scores in answers], dtype=np.float64)

    labels = np.array([TASK_TYPES.index(scores.task_type) for scores in answers])
    return Predictions(rows, labels, column("confidence"), column("complexity"))


def choose(held: list[Held], budget_ms: float) -> tuple[Thresholds, dict[str, float]]:
    """The thresholds that label best for the money; the table of all is printed."""
    best, most = ALWAYS, -1.0
    for confident_from, tier_margin in product(CONFIDENT_FROM, TIER_MARGINS):
        thresholds = Thresholds(confident_from, tier_margin)
        found = measured(held, thresholds)
        print(f"{confident_from:.2f} {tier_margin:.2f}", *(f"{x:.3f}" for x in found.values()))
        value = found["accuracy"] + found["tier_accuracy"]
        if found["mean_ms"] <= budget_ms and value > most:
            best, most = thresholds, value
    return best, measured(held, best)


def toml_of(manifest: ServingManifest) -> str:
    """As TOML: strings and numbers are written there as in JSON."""

    def text(value: object) -> str:
        return msgspec.json.encode(value).decode()

    lines = [
        "# Written by models/train/serving.py; the members: models/serving_manifest.py",
        *(f"{name} = {text(getattr(manifest, name))}" for name in ("first_stage", "encoder")),
        *(f"{name} = {text(getattr(manifest, name))}" for name in ("half", "half_sha256")),
    ]
    for title, part in (("thresholds", manifest.thresholds), ("measured", manifest.measured)):
        lines += ["", f"[{title}]"]
        lines += [f"{name} = {value:.4f}" for name, value in msgspec.to_builtins(part).items()]
    for test in manifest.self_test:
        lines += ["", "[[self_test]]"]
        lines += [f"{name} = {text(value)}" for name, value in msgspec.to_builtins(test).items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=Path, default=FILES)
    parser.add_argument("--budget-ms", type=float, default=BUDGET_MS)
    parser.add_argument("--half", type=Path, help="the graph in float16, beside the others")
    options = parser.parse_args()
    shipped = FirstStage.load(options.files)
    encoder = unchecked_encoder(options.files, shipped.version)
    honest, _ = train([*read_rows(options.data, "train"), *read_phrases()])
    rows = [
        row for row in read_rows(options.data, "dev") if row.scored and row.complexity is not None
    ]
    thresholds, found = choose(held_out(rows, honest, encoder), options.budget_ms)
    tests = []
    for prompt in SELF_TEST:
        scores = encoder.score([prompt])[0]
        tests.append(SelfTest(prompt, scores.task_type, round(scores.complexity, 3)))
    manifest = msgspec.structs.replace(
        encoder.serving, thresholds=thresholds, self_test=tuple(tests), measured=found
    )
    (options.files / SERVING_MANIFEST).write_text(toml_of(manifest), encoding="utf-8")
    print(f"{options.files / SERVING_MANIFEST}: {thresholds}, {found}")


if __name__ == "__main__":
    main()
