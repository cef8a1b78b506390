"""
Measure an encoder on the dev splits, or on authors and sources that it has not seen.

``python -m models.train.evaluate_encoder --data DATA --graph models/files/encoder.onnx`` prints
Markdown tables; ``--trained NAME`` measures ``var/train/NAME-done.pt`` in place of a graph, and
``--groups A,B`` the rows of these authors and sources, of both splits.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer

from models.excerpt import ASK_MARK
from models.scores import TIER_BOUNDS, tier_of
from models.train import corpus
from models.train.augment import OPENINGS, with_typos
from models.train.calibrate import probabilities
from models.train.data import Row, read_rows
from models.train.encoder_calibration import Calibration, calibration_of, line
from models.train.evaluate import Predictions, report, slices
from models.train.outcomes import apgr, auroc, interval
from models.train.predict import Predictor, Said, load_graph, load_trained
from models.train.routing import read_outcomes

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
    """Bootstrap intervals of the accuracies, and the worst mistake: high called low."""
    lines = []
    for name, part in slices(found):
        if not part.rows:
            continue
        low, high = interval(part.right.astype(float))
        judged = np.array([row.complexity for row in part.rows], dtype=float)
        hard = judged >= TIER_BOUNDS[1]
        sunk = float((part.complexity[hard] < TIER_BOUNDS[0]).mean()) if hard.any() else 0.0
        lines.append(
            f"{name}: accuracy {part.right.mean():.3f} [{low:.3f}, {high:.3f}],"
            f" high called low {sunk:.3f} of {int(hard.sum())}"
        )
    return "\n".join(lines)


def robust(rows: list[Row], predict: Predictor, how: Calibration, data: Path) -> str:
    """The share of answers that stay the same when the prompt is dressed differently."""
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
    found = {name: predictions_of(chosen, predict(texts), how) for name, texts in dressed.items()}
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
    return "\n".join(lines)


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


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--graph", type=Path)
    parser.add_argument("--trained", default="student")
    parser.add_argument("--groups", default="")
    parser.add_argument("--parts", default="tasks,robust,routing")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    tokenizer = Tokenizer.from_file(str(options.work / "tokenizer.json"))
    predict: Predictor = (
        load_graph(options.graph, tokenizer, options.threads)
        if options.graph
        else load_trained(options.work / f"{options.trained}-done.pt", tokenizer)
    )
    rows = rows_of(options.data, frozenset(filter(None, options.groups.split(","))))
    said = predict([row.text for row in rows])
    how = calibration_of(rows, said)
    found = predictions_of(rows, said, how)
    parts = options.parts.split(",")
    if "tasks" in parts:
        print(
            report(found),
            "",
            intervals(found),
            conversations(found),
            languages_table(found),
            sep="\n",
        )
    if "robust" in parts:
        print("", robust(rows, predict, how, options.data), sep="\n")
    if "routing" in parts:
        print("", routing(options.data, predict), sep="\n")


if __name__ == "__main__":
    main()
