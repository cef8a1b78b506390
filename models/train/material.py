"""
Train the model that tells pasted material from what is asked, and write its artefact.

    python -m models.train.material --data DIR [--out DIR]

DIR holds authored/, task/ and security/. The run is deterministic and takes about half a minute on
one core and 1 GB of memory. It fits once on all training blocks, which is shipped, and once without
each of FOLDS: what those fits say of the blocks that they lack is the number to believe.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import msgspec
import numpy as np
from numpy.typing import NDArray

from kernels.descent import descend
from models.artefact import FILES
from models.material import MATERIAL_MANIFEST, Material, MaterialManifest, block_features
from models.train.guard_fit import CONSTANT, COST, EPOCHS_MAX, MOVED_MIN, Design
from models.train.material_rows import Block, read_blocks

BITS = 18
SEED = 7
NAME = "material"
WEIGHTS = "material.npz"
STEPS = 127  # of an int8, to each side
CLIPPED = 1e-4  # the share of weights beyond the steps
# Chosen by reading what the fits without FOLDS, and then the dev split, have on the wrong side.
MATERIAL_FROM, ASK_BELOW = 0.3, -0.2
GAP, MATERIAL_BESIDE, ASK_BESIDE = 0.7, 0.15, 0.0
# Authors and sources that are left out one at a time, for the measurement.
FOLDS = (
    *("authored-business", "authored-expert", "authored-extremes", "authored-multilingual"),
    *("authored-multilingual-2", "authored-pipelines", "authored-sectors", "authored-technical"),
    *("real-arena", "real-dolly", "real-wildguard", "public-dolly-15k"),
)


def say(text: str) -> None:
    """Progress, with the seconds since the start of the process."""
    print(f"[{time.process_time():6.1f} s] {text}", flush=True)


def design(texts: Sequence[str], bits: int) -> Design:
    """The features of *texts* as the model reads them, the constant last."""
    ids, values, ends = [], [], [0]
    for text in texts:
        size = 1
        for group, weight in block_features(text, bits):
            ids.append(group.copy())  # a view would keep its whole buffer
            values.append(np.full(group.size, weight * group.size**-0.5, np.float32))
            size += group.size
        ids.append(np.array([1 << bits], np.int32))
        values.append(np.array([CONSTANT], np.float32))
        ends.append(ends[-1] + size)
    return Design(np.array(ends), np.concatenate(ids), np.concatenate(values), 1 << bits)


def fit(matrix: Design, blocks: Sequence[Block], chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """float32[buckets + 1]: the weights learnt from the *chosen* blocks."""
    signs = np.array([[1 if block.material else -1] for block in blocks], np.float32)
    costs = np.array([[COST * block.weight] for block in blocks], np.float32)
    weights = np.zeros((matrix.buckets + 1, 1), np.float32)
    duals = np.zeros_like(costs)
    random = np.random.default_rng(SEED)
    for _ in range(EPOCHS_MAX):
        order = random.permutation(chosen)
        moved = descend(order, matrix.ends, matrix.ids, matrix.values, signs, costs, duals, weights)
        if moved < MOVED_MIN:
            break
    return weights[:, 0]


def scores(matrix: Design, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32[blocks]: what *weights* say of every block."""
    return np.add.reduceat(matrix.values * weights[matrix.ids], matrix.ends[:-1])


def measure(matrix: Design, blocks: Sequence[Block]) -> dict[str, float]:
    """Of blocks whose author or source was left out: which share is on which side; also printed."""
    groups = np.array([block.group for block in blocks])
    material = np.array([block.material for block in blocks])
    left_out = np.full(len(blocks), np.nan)
    for fold in FOLDS:
        inside = groups == fold
        if inside.any():
            found = scores(matrix, fit(matrix, blocks, np.flatnonzero(~inside)))
            left_out[inside] = found[inside]
    known = ~np.isnan(left_out)
    asked, pasted = left_out[known & ~material], left_out[known & material]
    measured = {
        "asked_taken_for_material": float(np.mean(asked >= MATERIAL_FROM)),
        "asked_found": float(np.mean(asked <= ASK_BELOW)),
        "material_found": float(np.mean(pasted >= MATERIAL_FROM)),
        "material_taken_for_asked": float(np.mean(pasted <= ASK_BELOW)),
    }
    for name, value in measured.items():
        say(f"{name} {value:.3f}")
    return measured


def quantised(manifest: MaterialManifest, weights: NDArray[np.float32]) -> Material:
    """The model of *weights*, the constant's last."""
    words = weights[:-1, None]
    step = float(np.quantile(np.abs(words), 1 - CLIPPED)) / STEPS
    table = np.rint(np.clip(words / step, -STEPS, STEPS)).astype(np.int8)
    return Material(manifest, table, step, float(weights[-1]) * CONSTANT)


def train(folder: Path) -> Material:
    """Fit and measure; prints what is found."""
    blocks = read_blocks(folder, Random(SEED))  # noqa: S311 - a draw, no secret
    matrix = design([block.text for block in blocks], BITS)
    say(f"{len(blocks)} blocks, {sum(block.material for block in blocks)} of them material")
    manifest = MaterialManifest(
        name=NAME,
        version="",
        weights=WEIGHTS,
        sha256="",
        bits=BITS,
        material_from=MATERIAL_FROM,
        ask_below=ASK_BELOW,
        gap=GAP,
        material_beside=MATERIAL_BESIDE,
        ask_beside=ASK_BESIDE,
        data_sha256=hashlib.sha256(msgspec.json.encode(blocks)).hexdigest(),
        measured=measure(matrix, blocks),
    )
    return quantised(manifest, fit(matrix, blocks, np.arange(len(blocks))))


def write(model: Material, folder: Path) -> MaterialManifest:
    """Write weights and manifest; the same model gives the same bytes."""
    content = io.BytesIO()
    line = np.array([model.scale, model.bias])
    np.savez_compressed(content, table=model.table, line=line)
    sha256 = hashlib.sha256(content.getvalue()).hexdigest()
    manifest = msgspec.structs.replace(model.manifest, version=sha256[:8], sha256=sha256)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(content.getvalue())
    (folder / MATERIAL_MANIFEST).write_text(toml_of(manifest), encoding="utf-8")
    say(f"{folder / WEIGHTS}: {len(content.getvalue()) / 1e3:.0f} kB, version {manifest.version}")
    return manifest


def toml_of(manifest: MaterialManifest) -> str:
    """A manifest as TOML. Its values are strings and numbers, as in JSON."""
    members = msgspec.to_builtins(manifest)
    measured = members.pop("measured")
    lines = ["# Written by models/train/material.py; what the members mean: models/material.py"]
    lines += [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in members.items()]
    lines += ["", "[measured]  # on authors and sources that were left out"]
    lines += [f"{name} = {value:.5f}" for name, value in measured.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the model of pasted material.")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds authored/")
    parser.add_argument("--out", type=Path, default=FILES, help="folder of the artefact")
    options = parser.parse_args()
    write(train(options.data), options.out)


if __name__ == "__main__":
    main()
