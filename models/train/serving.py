"""
Choose how the two stages play together, and write down what the self-test expects.

``python -m models.train.serving --data DATA`` reads both stages in ``models/files`` and writes
``serving.toml`` beside them: what the first stage weighs beside the encoder, and when its answer
will do without. It fits the first stage once more on the training prompts alone: the shipped one
has learnt from the held-out prompts too, and would be surer of them than of others. What a prompt
costs is measured on public ones, which neither stage has seen.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from random import Random

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models.artefact import FILES, read_checked
from models.cascade import Thresholds, is_settled
from models.encoder import Encoder
from models.encoder_manifest import ENCODER_MANIFEST, read_encoder_manifest
from models.linear import FirstStage
from models.opinion import Blend, Opinion, blended, mixed
from models.scores import TASK_TYPES, Scores
from models.serving_manifest import SERVING_MANIFEST, SelfTest, ServingManifest
from models.session import Session
from models.tokenizer import Tokenizer
from models.train.calibrate import best_temperature, complexity_line, probabilities, uncertain_below
from models.train.data import Row, read_lines, read_phrases, read_rows
from models.train.evaluate import Predictions, measure, rank_correlation, slices
from models.train.first_stage import train

BUDGET_MS = 1.5  # what a prompt may cost on average
CONFIDENT_FROM = (0.0, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98, 1.01)
TIER_MARGINS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2)
ALWAYS = Thresholds(confident_from=1.01, tier_margin=0.0)
MIX, SEED = 600, 20  # public prompts that are timed
SHARES = tuple(k / 20 for k in range(17))
# The held-out prompts are by known authors, to whom the first stage is nearer than to strangers;
# so the least share of it is taken that is nearly as good as the best.
NEARLY = 0.004
PLAIN = Blend(
    task_english=0.0,
    task_other=0.0,
    complexity=0.0,
    temperature=1.0,
    uncertain_below=0.5,
    complexity_from=(0.0, 1.0),
    complexity_to=(0.0, 1.0),
)

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
    """A held-out prompt, and what both stages say of it."""

    row: Row
    scores: Scores  # of the first stage
    first: Opinion
    second: Opinion


class Priced(msgspec.Struct, frozen=True):
    """What the first stage says of a public prompt, and the milliseconds that each stage took."""

    scores: Scores
    first_ms: float
    second_ms: float


def unchecked_encoder(folder: Path, first_stage: str) -> Encoder:
    """The encoder in *folder*, whose ``serving.toml`` is yet to be written."""
    manifest = read_encoder_manifest(folder)
    words = read_checked(folder / manifest.tokenizer, manifest.tokenizer_sha256, ENCODER_MANIFEST)
    tokenizer = Tokenizer(words, manifest.tokens_max, manifest.first, manifest.last, manifest.mark)
    graph = read_checked(folder / manifest.weights, manifest.sha256, ENCODER_MANIFEST)
    name = f"{manifest.name}-{manifest.version}"
    serving = ServingManifest(first_stage, name, ALWAYS, PLAIN, self_test=(), measured={})
    return Encoder(manifest, serving, tokenizer, Session(graph))


def held_out(rows: list[Row], first_stage: FirstStage, encoder: Encoder) -> list[Held]:
    """What both stages say of *rows*."""
    found = []
    for row in rows:
        raw = first_stage.raw_scores(row.text)
        if raw is not None:
            (second,) = encoder.read([row.text])
            first = first_stage.opinion_of(raw)
            found.append(Held(row, first_stage.scores_of(raw), first, second))
    return found


def priced(path: Path, first_stage: FirstStage, encoder: Encoder) -> list[Priced]:
    """A sample of the prompts in *path*, timed on the CPU of this thread."""
    texts = [entry["text"] for entry in read_lines(path)]
    found = []
    draw = Random(SEED)  # noqa: S311 - a sample, no secret
    for text in draw.sample(texts, min(MIX, len(texts))):
        begun = time.thread_time()
        scores = first_stage.score(text)
        middle = time.thread_time()
        encoder.read([text])
        ended = time.thread_time()
        found.append(Priced(scores, 1e3 * (middle - begun), 1e3 * (ended - middle)))
    return found


def least(value: Callable[[float], float]) -> float:
    """The least of SHARES whose value is NEARLY the best."""
    values = {share: value(share) for share in SHARES}
    best = max(values.values())
    return next(share for share in SHARES if values[share] >= best - NEARLY)


def choose_blend(held: list[Held]) -> Blend:
    """What the first stage weighs, and the calibration of both together."""

    def accuracy(chosen: list[Held], **shares: float) -> float:
        blend = replace(PLAIN, **shares)
        return float(
            np.mean([np.argmax(mixed(h.first, h.second, blend)[0]) == h.row.label for h in chosen])
        )

    judged = np.array([h.row.complexity for h in held], dtype=np.float64)
    length = np.log([len(h.row.text) + 1.0 for h in held])
    of_first = np.array([h.first.complexity for h in held])
    of_second = np.array([h.second.complexity for h in held])
    english = [h for h in held if h.second.english]
    other = [h for h in held if not h.second.english]
    blend = replace(
        PLAIN,
        task_english=least(lambda share: accuracy(english, task_english=share)),
        task_other=least(lambda share: accuracy(other, task_other=share)),
        complexity=least(
            lambda share: rank_correlation(
                judged, share * of_first + (1.0 - share) * of_second, length
            )
        ),
    )
    mix = [mixed(h.first, h.second, blend) for h in held]
    likelihoods, raw = np.array([one for one, _ in mix]), np.array([one for _, one in mix])
    labels = np.array([h.row.label for h in held])
    temperature = best_temperature(likelihoods, labels)
    likely = probabilities(likelihoods, temperature)
    line_from, line_to = complexity_line(raw, judged)
    below = uncertain_below(likely.max(axis=1), likely.argmax(axis=1) == labels)
    return replace(
        blend,
        temperature=round(temperature, 4),
        uncertain_below=round(below, 4),
        complexity_from=tuple(line_from),
        complexity_to=tuple(line_to),
    )


def answers_of(held: list[Held], thresholds: Thresholds, blend: Blend) -> list[Scores]:
    """What the cascade says."""
    return [
        h.scores if is_settled(h.scores, thresholds) else blended(h.first, h.second, blend)
        for h in held
    ]


def measured(
    held: list[Held], mix: list[Priced], thresholds: Thresholds, blend: Blend
) -> dict[str, float]:
    """The cascade under *thresholds*; share and cost are those of the *mix*."""
    settled = [is_settled(one.scores, thresholds) for one in mix]
    found = measure(predictions(held, answers_of(held, thresholds, blend)))
    cost = [p.first_ms + (not done) * p.second_ms for p, done in zip(mix, settled, strict=True)]
    return {
        "rows": found["rows"],
        "first_stage_share": float(np.mean(settled)),
        "mean_ms": float(np.mean(cost)),
        "accuracy": found["accuracy"],
        "tier_accuracy": found["tier_accuracy"],
        "complexity_rank_length_fixed": found["complexity_rank_length_fixed"],
    }


def predictions(held: list[Held], answers: list[Scores]) -> Predictions:
    """*answers* as the evaluation reads them."""

    def column(name: str) -> NDArray[np.float64]:
        return np.array([getattr(scores, name) for scores in answers], dtype=np.float64)

    labels = np.array([TASK_TYPES.index(scores.task_type) for scores in answers])
    rows = [h.row for h in held]
    return Predictions(rows, labels, column("confidence"), column("complexity"))


def choose_thresholds(
    held: list[Held], mix: list[Priced], blend: Blend, budget_ms: float
) -> Thresholds:
    """Those that label best for the money; the best for each price are printed."""
    table = []
    for confident_from, tier_margin in product(CONFIDENT_FROM, TIER_MARGINS):
        thresholds = Thresholds(confident_from, tier_margin)
        found = measured(held, mix, thresholds, blend)
        table.append(
            (found["mean_ms"], found["accuracy"] + found["tier_accuracy"], thresholds, found)
        )
    best, most = Thresholds(0.0, 0.0), -1.0
    print("confident_from tier_margin | first stage's share, mean ms, accuracy, tiers, complexity")
    for mean_ms, value, thresholds, found in sorted(table, key=lambda row: row[0]):
        if value <= most:
            continue
        most = value
        if mean_ms <= budget_ms:
            best = thresholds
        numbers = [f"{x:.3f}" for name, x in found.items() if name != "rows"]
        print(f"{thresholds.confident_from:.2f} {thresholds.tier_margin:.2f} |", *numbers)
    return best


def report(held: list[Held], thresholds: Thresholds, blend: Blend) -> None:
    """Task accuracy by kind of prompt: each stage, both, and the cascade."""
    cases = {
        "first stage": [h.scores for h in held],
        "encoder": answers_of(held, ALWAYS, PLAIN),
        "both": answers_of(held, ALWAYS, blend),
        "cascade": answers_of(held, thresholds, blend),
    }
    for name, answers in cases.items():
        parts = [
            f"{kind} {part.right.mean():.3f} ({len(part.rows)})"
            for kind, part in slices(predictions(held, answers))
        ]
        print(f"{name}: {', '.join(parts)}")


def toml_of(manifest: ServingManifest) -> str:
    """As TOML: strings, numbers and lists are written there as in JSON."""

    def lines_of(members: dict[str, object]) -> list[str]:
        return [
            f"{name} = {msgspec.json.encode(value).decode()}" for name, value in members.items()
        ]

    members = msgspec.to_builtins(manifest)
    tests = members.pop("self_test")
    tables = {name: members.pop(name) for name in ("thresholds", "blend", "measured")}
    tables["measured"] = {name: round(value, 4) for name, value in tables["measured"].items()}
    lines = ["# Written by models/train/serving.py; the members: models/serving_manifest.py"]
    lines += lines_of(members)
    for name, table in tables.items():
        lines += ["", f"[{name}]", *lines_of(table)]
    for test in tests:
        lines += ["", "[[self_test]]", *lines_of(test)]
    return "\n".join(lines) + "\n"


def self_test(encoder: Encoder) -> tuple[SelfTest, ...]:
    """What *encoder* says of the prompts of the self-test."""
    found = [encoder.read([prompt])[0] for prompt in SELF_TEST]
    return tuple(
        SelfTest(prompt, TASK_TYPES[said.label], round(said.complexity, 3))
        for prompt, said in zip(SELF_TEST, found, strict=True)
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=Path, default=FILES)
    parser.add_argument("--budget-ms", type=float, default=BUDGET_MS)
    parser.add_argument("--half", help="name of the graph in float16 among the files, for GPUs")
    options = parser.parse_args()
    shipped = FirstStage.load(options.files)
    encoder = unchecked_encoder(options.files, shipped.version)
    mix = priced(options.data / "task/dev.jsonl.gz", shipped, encoder)
    honest, _ = train([*read_rows(options.data, "train"), *read_phrases()])
    rows = [row for row in read_rows(options.data, "dev") if row.scored]
    held = held_out([row for row in rows if row.complexity is not None], honest, encoder)
    blend = choose_blend(held)
    thresholds = choose_thresholds(held, mix, blend, options.budget_ms)
    report(held, thresholds, blend)
    half = ""
    if options.half:
        half = hashlib.sha256((options.files / options.half).read_bytes()).hexdigest()
    manifest = replace(
        encoder.serving,
        thresholds=thresholds,
        blend=blend,
        self_test=self_test(encoder),
        measured=measured(held, mix, thresholds, blend),
        half=options.half or "",
        half_sha256=half,
    )
    (options.files / SERVING_MANIFEST).write_text(toml_of(manifest), encoding="utf-8")
    print(f"{options.files / SERVING_MANIFEST}: {thresholds}, {manifest.measured}")


if __name__ == "__main__":
    main()
