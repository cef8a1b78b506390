"""
Train the first stage and write its artefact.

    python -m models.train.first_stage --data DIR [--out DIR]

DIR holds the labelled prompts in authored/, see data.py. The run is deterministic and takes about
two minutes on one core and 3 GB of memory. It fits twice: on train, measured on dev; and
on both, which is written. The numbers to believe are those with whole authors and sources left
out: they are printed for both fits, and calibrate both.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.linear import HEADS_MAX
from models.artefact import FILES
from models.linear import HEADS, FirstStage
from models.manifest import MANIFEST, Manifest
from models.scores import TASK_TYPES
from models.train import calibrate, evaluate, ridge
from models.train.data import Row, data_sha256, read_phrases, read_rows

BITS = 19
PENALTY = 1.0
NAME = "first-stage"
WEIGHTS = "first_stage.npz"
STEPS = 127  # of an int8, to each side


def say(text: str) -> None:
    """Progress, with the seconds since the start of the process."""
    print(f"[{time.process_time():6.1f} s] {text}", flush=True)


def train(rows: list[Row]) -> tuple[FirstStage, evaluate.Predictions]:
    """A first stage fitted on *rows*, and what it says of them with their groups left out."""
    labels = np.array([row.label for row in rows])
    features = ridge.design(rows, BITS)
    products = ridge.kernel_matrix(features)
    say(f"{len(rows)} rows, {features.nnz / len(rows):.0f} features each")
    targets = np.eye(len(TASK_TYPES), dtype=np.float32)[labels] - np.float32(1 / len(TASK_TYPES))
    tasks = ridge.fit(features, products, targets, rows, PENALTY)
    say("task types fitted")
    judged = np.flatnonzero([row.complexity is not None for row in rows])
    judged_rows = [rows[i] for i in judged]
    given = np.array([row.complexity for row in judged_rows], dtype=np.float32)
    middle = given.mean()
    complexity = ridge.fit(
        features[judged],
        products[np.ix_(judged, judged)],
        (given - middle)[:, np.newaxis],
        judged_rows,
        PENALTY,
    )
    say("complexity fitted")
    raw_complexity = np.zeros(len(rows))
    raw_complexity[judged] = complexity.left_out[:, 0] + middle
    scored = np.array([row.scored for row in rows])
    found, manifest = calibrated(rows, scored, tasks.left_out, raw_complexity)
    return (
        quantised(
            manifest,
            np.hstack([tasks.weights, complexity.weights]),
            np.concatenate([tasks.intercept, complexity.intercept + middle]),
        ),
        found,
    )


def calibrated(
    rows: list[Row],
    scored: NDArray[np.bool_],
    task_scores: NDArray[np.float32],
    raw_complexity: NDArray[np.float64],
) -> tuple[evaluate.Predictions, Manifest]:
    """Calibration from the left-out scores, and the left-out predictions under it."""
    kept = [row for row, keep in zip(rows, scored, strict=True) if keep]
    labels = np.array([row.label for row in kept])
    scores = task_scores[scored].astype(np.float64)
    temperature = calibrate.best_temperature(scores, labels)
    likely = calibrate.probabilities(scores, temperature)
    confidence, found = likely.max(axis=1), likely.argmax(axis=1)
    given = np.array([row.complexity for row in kept], dtype=np.float64)
    line_from, line_to = calibrate.complexity_line(raw_complexity[scored], given)
    manifest = Manifest(
        name=NAME,
        version="",
        weights=WEIGHTS,
        sha256="",
        labels=TASK_TYPES,
        bits=BITS,
        temperature=round(temperature, 6),
        uncertain_below=round(calibrate.uncertain_below(confidence, found == labels), 4),
        complexity_from=tuple(line_from),
        complexity_to=tuple(line_to),
        data_sha256=data_sha256(rows),
        measured={},
    )
    complexity = np.interp(raw_complexity[scored], line_from, line_to)
    return evaluate.Predictions(kept, found, confidence, complexity), manifest


def quantised(
    manifest: Manifest, weights: NDArray[np.float32], intercept: NDArray[np.float32]
) -> FirstStage:
    """The model with every column of *weights* in steps of its largest."""
    table = np.zeros((weights.shape[0], HEADS_MAX), dtype=np.int8)
    scale = np.abs(weights).max(axis=0).astype(np.float64) / STEPS
    table[:, :HEADS] = np.rint(weights / scale).astype(np.int8)
    return FirstStage(manifest, table, scale, intercept.astype(np.float64))


def predictions(model: FirstStage, rows: list[Row]) -> evaluate.Predictions:
    """What the finished model says, through the code that the gateway runs."""
    rows = [row for row in rows if row.scored]
    scores = [model.score(row.text) for row in rows]
    return evaluate.Predictions(
        rows=rows,
        labels=np.array([TASK_TYPES.index(score.task_type) for score in scores]),
        confidence=np.array([score.confidence for score in scores]),
        complexity=np.array([score.complexity for score in scores]),
    )


def write(model: FirstStage, measured: dict[str, float], folder: Path) -> Manifest:
    """Write weights and manifest; the same model gives the same bytes."""
    content = io.BytesIO()
    np.savez_compressed(content, table=model.table, scale=model.scale, bias=model.bias)
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    manifest = msgspec.structs.replace(
        model.manifest, version=sha256[:8], sha256=sha256, measured=measured
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content.getvalue())
    (folder / MANIFEST).write_text(toml_of(manifest), encoding="utf-8")
    say(f"{folder / WEIGHTS}: {len(content.getvalue()) / 1e6:.1f} MB, version {manifest.version}")
    return manifest


def toml_of(manifest: Manifest) -> str:
    """A manifest as TOML. Its values are strings, numbers and lists of them, as in JSON."""
    members = msgspec.to_builtins(manifest)
    measured = members.pop("measured")
    lines = ["# Written by models/train/first_stage.py; what the members mean: models/manifest.py"]
    lines += [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in members.items()]
    lines += ["", "[measured] # whole authors and sources left out"]
    lines += [f"{name} = {value:.4f}" for name, value in measured.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the first stage.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds authored/")
    parser.add_argument("--out", type=Path, default=FILES, help="folder of the artefact")
    options = parser.parse_args()
    train_rows, dev_rows = read_rows(options.data, "train"), read_rows(options.data, "dev")
    phrases = read_phrases()
    say("1 of 2: fit on train")
    model, left_out = train([*train_rows, *phrases])
    print(f"\n## train, groups left out\n\n{evaluate.report(left_out)}\n")
    print(f"\n## dev\n\n{evaluate.report(predictions(model, dev_rows))}\n")
    say("2 of 2: fit on train and dev")
    model, left_out = train([*train_rows, *dev_rows, *phrases])
    print(f"\n## train and dev, groups left out\n\n{evaluate.report(left_out)}\n")
    write(model, evaluate.measure(left_out), options.out)


if __name__ == "__main__":
    main()
