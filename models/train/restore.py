"""
The shipped encoder as weights that training can go on from, where its checkpoint is gone.

``python -m models.train.restore --work var/train`` reads ``encoder.onnx``, its tokenizer and its
languages from ``models/files``, and leaves ``shipped-done.pt``, ``tokenizer.json`` and
``languages.json`` in the work folder. Then ``models.train.distil --teacher shipped --layers
0,1,2,3`` trains on from it, with what it says now as the opinions of the teacher.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from models.artefact import FILES
from models.encoder_manifest import read_encoder_manifest
from models.train.encoder import POSITIONS, Shape
from models.train.heads import HEADS, Classifier

WORDS, PLACES = "encoder.words.weight", "encoder.positions.weight"


def floats_of(graph: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of an exported graph by the names of ``export``, int8 turned into float32."""
    held = {w.name: numpy_helper.to_array(w) for w in onnx.load(str(graph)).graph.initializer}
    found = {}
    for name, value in held.items():
        stem, _, kind = name.rpartition("_")
        if kind == "quantized":
            zero = held[f"{stem}_zero_point"].astype(np.float32)
            found[stem] = (value.astype(np.float32) - zero) * held[f"{stem}_scale"]
        elif value.dtype == np.float32 and not name.endswith("_scale"):
            found[name] = value
    return found


def state_of(weights: dict[str, NDArray[np.float32]]) -> dict[str, torch.Tensor]:
    """The same as a classifier names them."""
    state = {}
    for name, value in weights.items():
        if name in ("words", "places"):
            state[WORDS if name == "words" else PLACES] = value
        elif name.startswith("head."):
            state[f"heads.{name.removeprefix('head.')}"] = turned(name, value)
        elif name.startswith("fork."):
            state[name] = turned(name, value)
        elif name.startswith("layer"):
            at, _, part = name.removeprefix("layer").partition(".")
            state[f"encoder.layers.{at}.{part}"] = turned(part, value)
        else:
            state[f"encoder.{name}"] = value
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}


def turned(name: str, value: NDArray[np.float32]) -> NDArray[np.float32]:
    """Matrices as a linear layer keeps them."""
    return value.T if name.endswith(".weight") and value.ndim == 2 else value


def restore(graph: Path, languages: int) -> Classifier:
    """The classifier in *graph*. The heads that it lacks, for training only, begin anew."""
    state = state_of(floats_of(graph))
    layers = {key.split(".")[2] for key in state if key.startswith("encoder.layers.")}
    shape = Shape(vocabulary=len(state[WORDS]), layers=len(layers))
    forked = any(key.startswith("fork.") for key in state)
    model = Classifier(shape, {**HEADS, "language": languages}, forked=forked)
    places = state[PLACES]  # those that a text can have
    state[PLACES] = torch.cat([places, torch.zeros(POSITIONS - len(places), places.shape[1])])
    missing, unknown = model.load_state_dict(state, strict=False)
    if unknown or any("failing" not in name for name in missing):
        raise SystemExit(f"{graph} is no graph of ours: lacks {missing}, has {unknown}")
    return model


def main() -> None:
    """Write the work folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=Path, default=FILES)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    options = parser.parse_args()
    manifest = read_encoder_manifest(options.files)
    options.work.mkdir(parents=True, exist_ok=True)
    model = restore(options.files / manifest.weights, len(manifest.languages))
    torch.save(model.state_dict(), options.work / "shipped-done.pt")
    (options.work / "tokenizer.json").write_bytes((options.files / manifest.tokenizer).read_bytes())
    (options.work / "languages.json").write_text(json.dumps(manifest.languages))


if __name__ == "__main__":
    main()
