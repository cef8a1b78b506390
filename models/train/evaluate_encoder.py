"""
Measure an encoder on the dev splits, or on authors and sources that it has not seen.

``python -m models.train.evaluate_encoder --data DATA --graph models/files/encoder.onnx`` prints
Markdown tables, for each graph when there are several; ``--trained NAME`` measures
``var/train/NAME-done.pt`` in place of a graph, and ``--groups A,B`` the rows of these authors and
sources, of both splits.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.excerpt import ASK_MARK
from models.scores import TASK_TYPES, TIER_BOUNDS, tier_of
from models.train import corpus
from models.train.augment import OPENINGS, with_typos
from models.train.calibrate import probabilities
from models.train.data import Row, read_rows
from models.train.encoder_calibration import Calibration, calibration_of, line
from models.train.evaluate import (
    Predictions,
    confusion,
    macro_f1,
    rank_correlation,
    report,
    slices,
)
from models.train.outcomes import apgr, auroc, interval, resampled
from models.train.predict import Predictor, Said, load_graph, load_trained
from models.train.routing import read_outcomes

TOKENIZER = "encoder-tokenizer.json"
ROBUST_MAX = 400  # rows that are asked again in other clothes


def rows_of(data: Path, groups: frozenset[str]) -> list[Row]:
    """The dev rows, or all rows of *groups*."""
    rows = [row for row in read_rows(data, "dev") if row.scored]
    if groups:
        rows += [row for row in read_rows(data, "train") if row.scored]
        rows = [row for row in rows if row.group in groups]
    return rows


def predictions_of(rows: list[Row], said: Said, how: Calibration) -> Predictions:
    """Calibrated answers for *rows*."""
    likely = probabilities(said.task.astype(np.float64), how.temperature)
    return Predictions(
        rows=rows,
        labels=likely.argmax(axis=1),
        confidence=likely.max(axis=1),
        complexity=line(said.complexity, how.complexity_from, how.complexity_to),
    )


def conversations(found: Predictions) -> str:
    """Accuracy where turns precede the ask."""
    prior = np.array([row.group == "authored-conversations" for row in found.rows])
    turned = np.array([ASK_MARK in row.text for row in found.rows])
    lines = []
    for name, chosen in (("conversations", prior), ("with turns before the ask", turned)):
        right = found.right[chosen].astype(float)
        if right.size:
            low, high = interval(right)
            lines.append(f"{name}: {right.mean():.3f} [{low:.3f}, {high:.3f}] ({right.size} rows)")
    return "\n".join(lines)


def intervals(found: Predictions) -> str:
    """Bootstrap intervals of what counts most, and the worst mistake: high called low."""
    lines = []
    for name, part in slices(found):
        if not part.rows:
            continue
        right = part.right.astype(float)
        judged = np.array([row.complexity for row in part.rows], dtype=float)
        length = np.log([len(row.text) + 1.0 for row in part.rows])
        given = np.array([row.label for row in part.rows])
        spans = (
            ("accuracy", right.mean(), interval(right)),
            ("macro-F1", f1(part.labels, given), resampled(f1, part.labels, given)),
            (
                "complexity, length held fixed",
                rank_correlation(judged, part.complexity, length),
                resampled(rank_correlation, judged, part.complexity, length),
            ),
        )
        told = ", ".join(
            f"{what} {x:.3f} [{low:.3f}, {high:.3f}]" for what, x, (low, high) in spans
        )
        sunk, hard = sinking(part)
        lines.append(f"{name}: {told}, high called low {sunk:.3f} of {hard}")
    return "\n".join(lines)


def f1(found: NDArray[np.int64], given: NDArray[np.int64]) -> float:
    """Macro-F1 over the task types."""
    return macro_f1(found, given, len(TASK_TYPES))


def sinking(found: Predictions) -> tuple[float, int]:
    """The share of prompts judged high that are called low, and how many are judged high."""
    hard = np.array([row.complexity for row in found.rows], dtype=float) >= TIER_BOUNDS[1]
    sunk = float((found.complexity[hard] < TIER_BOUNDS[0]).mean()) if hard.any() else 0.0
    return sunk, int(hard.sum())


def robust(rows: list[Row], answer: Callable[[list[Row]], Predictions], data: Path) -> str:
    """
    The share of answers that stay the same when the prompt is dressed differently. The targets
    are .90 for another wording and .95 for a passage pasted after in place of before.
    """
    draw = Random(5)  # noqa: S311
    chosen = [row for row in rows if ASK_MARK not in row.text and len(row.text.split()) >= 4]
    draw.shuffle(chosen)
    chosen = chosen[:ROBUST_MAX]
    pasted = [draw.choice(corpus.passages(data))[:500] for _ in chosen]
    dressed = {
        "as it is": [row.text for row in chosen],
        "another opening": [draw.choice(OPENINGS) + row.text for row in chosen],
        "typos": [with_typos(row.text, draw) for row in chosen],
        "context before": [f"{p}\n\n{r.text}" for p, r in zip(pasted, chosen, strict=True)],
        "context after": [f"{r.text}\n\n{p}" for p, r in zip(pasted, chosen, strict=True)],
    }
    found = {
        name: answer([replace(row, text=text) for row, text in zip(chosen, texts, strict=True)])
        for name, texts in dressed.items()
    }
    plain = found["as it is"]
    tiers = {name: [tier_of(x) for x in one.complexity] for name, one in found.items()}
    lines = []
    for name, one in found.items():
        same = one.labels == plain.labels
        tier = np.array(tiers[name]) == tiers["as it is"]
        lines.append(
            f"{name}: same task type {same.mean():.3f}, same tier {tier.mean():.3f},"
            f" right {one.right.mean():.3f}"
        )
    both = found["context before"].labels == found["context after"].labels
    return "\n".join([*lines, f"context before against after: same task type {both.mean():.3f}"])


def routing(data: Path, predict: Predictor) -> str:
    """APGR and AUROC over the outcomes kept for the evaluation, pooled and by source."""
    outcomes = [outcome for outcome in read_outcomes(data) if outcome.dev]
    need = predict([outcome.text for outcome in outcomes]).strong_need.astype(float)
    weak = np.array([outcome.weak for outcome in outcomes])
    strong = np.array([outcome.strong for outcome in outcomes])
    sources = np.array([outcome.source for outcome in outcomes])
    length = np.log([len(outcome.text) + 1.0 for outcome in outcomes])
    lines = ["| source | rows | APGR | AUROC | APGR of length alone |", "|---|---|---|---|---|"]
    for name in ["all", *sorted(set(sources))]:
        at = np.ones(len(outcomes), dtype=bool) if name == "all" else sources == name
        if (strong[at] - weak[at]).sum() < 1.0:
            continue
        lines.append(
            f"| {name} | {at.sum()} | {apgr(need[at], weak[at], strong[at]):.3f}"
            f" | {auroc(need[at], strong[at] - weak[at] >= 0.5):.3f}"
            f" | {apgr(length[at], weak[at], strong[at]):.3f} |"
        )
    low, high = resampled(apgr, need, weak, strong)
    return "\n".join([*lines, f"\nAPGR of all: [{low:.3f}, {high:.3f}], target .62"])


def languages_table(found: Predictions) -> str:
    """Accuracy by language, the languages with eight rows or more."""
    tags = np.array([corpus.language_of(row.lang) for row in found.rows])
    names, counts = np.unique(tags, return_counts=True)
    shares = [
        f"{name} {found.right[tags == name].mean():.2f} ({count})"
        for name, count in sorted(zip(names, counts, strict=True), key=lambda pair: -pair[1])
        if count >= 8
    ]
    return "By language: " + ", ".join(shares)


def tables(found: Predictions) -> str:
    """All that is said of the task type and the complexity."""
    return "\n".join(
        [
            report(found),
            "",
            intervals(found),
            conversations(found),
            languages_table(found),
            "",
            confusion(found),
        ]
    )


def tokenizer_of(graph: Path | None, work: Path) -> Tokenizer:
    """The one beside a shipped *graph*, else the one of the training in *work*."""
    beside = graph.with_name(TOKENIZER) if graph else None
    return Tokenizer.from_file(
        str(beside if beside and beside.exists() else work / "tokenizer.json")
    )


def evaluate(data: Path, rows: list[Row], predict: Predictor, parts: list[str]) -> None:
    """Print the *parts* of the report on one encoder."""
    said = predict([row.text for row in rows])
    how = calibration_of(rows, said)
    if "tasks" in parts:
        print(tables(predictions_of(rows, said, how)))
    if "robust" in parts:

        def answer(dressed: list[Row]) -> Predictions:
            return predictions_of(dressed, predict([row.text for row in dressed]), how)

        print("", robust(rows, answer, data), sep="\n")
    if "routing" in parts:
        print("", routing(data, predict), sep="\n")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--graph", type=Path, nargs="*", default=[])
    parser.add_argument("--trained", default="student")
    parser.add_argument("--groups", default="")
    parser.add_argument("--parts", default="tasks,robust,routing")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    rows = rows_of(options.data, frozenset(filter(None, options.groups.split(","))))
    for graph in options.graph or [None]:
        tokenizer = tokenizer_of(graph, options.work)
        trained = options.work / f"{options.trained}-done.pt"
        predict: Predictor = (
            load_graph(graph, tokenizer, options.threads)
            if graph
            else load_trained(trained, tokenizer)
        )
        print(f"\n## {graph or trained}, alone\n")
        evaluate(options.data, rows, predict, options.parts.split(","))


if __name__ == "__main__":
    main()
