"""
Train the guard, the first stage of the scan for attacks, and write its artefact.

    python -m models.train.guard --data DIR [--out DIR]

DIR holds security/, task/, routing/ and authored/. The run is deterministic and takes about two
minutes on one core and 3 GB of memory. It fits once on all training rows, which is shipped, and
once without each of FOLDS: what those fits say of the rows that they lack calibrates the logits
and sets the thresholds, and is the number to believe.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
from pathlib import Path
from random import Random

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.linear import HEADS_MAX
from models.artefact import FILES
from models.guard import HEADS, Guard
from models.guard_manifest import GUARD_MANIFEST, GuardManifest
from models.scores import ATTACKS
from models.train import guard_fit, guard_measure
from models.train.guard_rows import Row, read_training

BITS = 18
SEED = 20
NAME = "guard"
WEIGHTS = "guard.npz"
STEPS = 127  # of an int8, to each side
CLIPPED = 1e-5  # the share of weights beyond the steps: a few outliers would make all steps coarse
# Sources, by how their names begin, that are left out together: relatives, or too small alone.
FOLDS = (
    ("neuralchemy",),
    ("cyberseceval",),
    ("tensor-trust", "gpteacher"),
    ("injecagent", "awesome"),
    ("in-the-wild", "xquad"),
    ("prompt-extraction", "deepset", "pif", "fastly", "garak", "self-", "p3"),
    ("wildguard",),
    ("advbench", "catqa", "dangerousqa", "gptfuzz", "harm", "strongreject"),
    ("authored",),
    ("task-dolly", "task-arena", "task-nq-open", "ask-annotated"),  # real ordinary prompts
)


def say(text: str) -> None:
    """Progress, with the seconds since the start of the process."""
    print(f"[{time.process_time():6.1f} s] {text}", flush=True)


def rows_sha256(rows: list[Row]) -> str:
    """Names a set of rows: any change of any of them changes it."""
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()


def quantised(
    manifest: GuardManifest,
    weights: NDArray[np.float32],
    scale: NDArray[np.float64],
    shift: NDArray[np.float64],
) -> Guard:
    """The guard of *weights*, whose raw scores times *scale* plus *shift* are logits."""
    words, constant = weights[:-1], weights[-1].astype(np.float64)
    step = np.quantile(np.abs(words), 1 - CLIPPED, axis=0).astype(np.float64) / STEPS
    table = np.zeros((words.shape[0], HEADS_MAX), dtype=np.int8)
    table[:, :HEADS] = np.rint(np.clip(words / step, -STEPS, STEPS)).astype(np.int8)
    bias = constant * guard_fit.CONSTANT * scale + shift
    return Guard(manifest, table, step * scale, bias)


def train(folder: Path) -> Guard:
    """Fit, measure, calibrate; prints what is found."""
    rows = read_training(folder, Random(SEED))  # noqa: S311 - a draw, no secret
    matrix = guard_fit.design([row.text for row in rows], BITS)
    signs, costs = guard_fit.signs_and_costs(rows)
    judged, dev = guard_measure.read_judged(folder, BITS, Random(SEED + 1))  # noqa: S311 - likewise
    say(f"{len(rows)} rows to learn from, {len(judged.rows)} to measure on")
    weights = guard_fit.fit(matrix, signs, costs, np.arange(len(rows)), SEED)
    shipped = judged.scores(weights)
    left_out = shipped.copy()
    for fold in FOLDS:
        kept = np.flatnonzero([not row.source.startswith(fold) for row in rows])
        without = judged.of_sources(fold)
        left_out[without] = judged.scores(guard_fit.fit(matrix, signs, costs, kept, SEED))[without]
        say(f"without {', '.join(fold)}")
    print(f"\n## Sources left out\n\n{guard_measure.by_source(judged, left_out)}\n")
    scale, shift = guard_measure.calibration(judged, left_out)
    left_out, shipped = left_out * scale + shift, shipped * scale + shift
    clear, sure = guard_measure.clear_and_sure(judged, left_out)
    measured = guard_measure.measure(judged, left_out, shipped, dev)
    everything = np.ones_like(dev)
    for name, scores, some in (("left_out", left_out, everything), ("dev", shipped, dev)):
        found = guard_measure.measure_cascade(judged, scores, clear, sure, some)
        measured |= {f"{name}_{key}": value for key, value in found.items()}
    manifest = GuardManifest(
        name=NAME,
        version="",
        weights=WEIGHTS,
        sha256="",
        attacks=ATTACKS,
        bits=BITS,
        clear_below=probabilities(clear),
        sure_above=probabilities(sure),
        data_sha256=rows_sha256(rows),
        measured=measured,
    )
    return quantised(manifest, weights, scale, shift)


def probabilities(logits: NDArray[np.float64]) -> tuple[float, ...]:
    """Their probabilities, as they are written."""
    return tuple(round(guard_measure.probability(logit), 6) for logit in logits)


def write(guard: Guard, folder: Path) -> GuardManifest:
    """Write weights and manifest; the same guard gives the same bytes."""
    content = io.BytesIO()
    np.savez_compressed(content, table=guard.table, scale=guard.scale, bias=guard.bias)
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    manifest = msgspec.structs.replace(guard.manifest, version=sha256[:8], sha256=sha256)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content.getvalue())
    (folder / GUARD_MANIFEST).write_text(toml_of(manifest), encoding="utf-8")
    say(f"{folder / WEIGHTS}: {len(content.getvalue()) / 1e6:.1f} MB, version {manifest.version}")
    return manifest


def toml_of(manifest: GuardManifest) -> str:
    """A manifest as TOML. Its values are strings, numbers and lists of them, as in JSON."""
    members = msgspec.to_builtins(manifest)
    measured = members.pop("measured")
    lines = ["# Written by models/train/guard.py; what the members mean: models/guard_manifest.py"]
    lines += [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in members.items()]
    lines += ["", "[measured]  # see models/train/guard_measure.py"]
    lines += [f'"{name}" = {value:.5f}' for name, value in measured.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the guard.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds security/")
    parser.add_argument("--out", type=Path, default=FILES, help="folder of the artefact")
    options = parser.parse_args()
    write(train(options.data), options.out)


if __name__ == "__main__":
    main()
