"""
The encoder in thirty lines, as the gateway must run it: the reference for the runtime's tests.

``python -m models.train.infer_reference models/files "Write a haiku about rain"``
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from models.artefact import read_checked
from models.encoder_manifest import ENCODER_MANIFEST, read_encoder_manifest
from models.truncate import truncate


def answer(folder: Path, text: str) -> dict[str, object]:
    """What the artefact in *folder* says of *text*, an excerpt as models.excerpt joins it."""
    manifest = read_encoder_manifest(folder)
    graph = read_checked(folder / manifest.weights, manifest.sha256, ENCODER_MANIFEST)
    words = read_checked(folder / manifest.tokenizer, manifest.tokenizer_sha256, ENCODER_MANIFEST)
    tokenizer = Tokenizer.from_str(words.decode())
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    ids = [manifest.first, *truncate(ids, manifest.tokens_max - 2, manifest.mark), manifest.last]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    feed = {
        "input_ids": np.array([ids], dtype=np.int64),
        "attention_mask": np.ones((1, len(ids)), dtype=np.int64),
    }
    names = ["task", "complexity", "strong_need", "language", "embedding"]
    task, complexity, need, language, _ = session.run(names, feed)
    logits = task[0].astype(np.float64) / manifest.temperature
    likely = np.exp(logits - logits.max())
    likely /= likely.sum()
    confidence = float(likely.max())
    return {
        "task_type": manifest.labels[int(likely.argmax())],
        "confidence": confidence,
        "uncertain": confidence < manifest.uncertain_below,
        "complexity": interpolated(complexity[0], manifest.complexity_from, manifest.complexity_to),
        "strong_need": interpolated(need[0], manifest.strong_need_from, manifest.strong_need_to),
        "language": manifest.languages[int(language[0].argmax())],
    }


def interpolated(raw: float, line_from: tuple[float, ...], line_to: tuple[float, ...]) -> float:
    """*raw* on the line through the knots."""
    return float(np.interp(raw, line_from, line_to))


if __name__ == "__main__":
    print(answer(Path(sys.argv[1]), sys.argv[2]))
