"""What a classifier says of texts: the trained one, or its exported graph."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.train.batches import Reader, by_length, padded
from models.train.heads import Classifier

Floats = NDArray[np.float32]
BATCH_TOKENS = 4_096


@dataclass(frozen=True)
class Said:
    """
    Outputs, a row for each text, in order.

    *task*, *language* and *attacks* are logits; *complexity* and *strong_need* lie between 0 and 1,
    not yet calibrated.
    """

    task: Floats
    complexity: Floats
    strong_need: Floats
    language: Floats
    attacks: Floats  # logits
    pooled: Floats  # of the exported graph the normed one


class Predictor(Protocol):
    """Anything that scores texts."""

    def __call__(self, texts: list[str]) -> Said: ...


@dataclass(frozen=True)
class TorchPredictor:
    """A classifier in PyTorch, in bfloat16 when *fast*."""

    model: Classifier
    reader: Reader
    fast: bool = False

    def __call__(self, texts: list[str]) -> Said:
        model = self.model.to(torch.bfloat16 if self.fast else torch.float32).eval()
        encoded = self.reader(texts)
        found: dict[str, Floats] = {}
        for batch in by_length(encoded, list(range(len(texts))), BATCH_TOKENS):
            with torch.no_grad():
                pooled, said = model(batch.ids, batch.mask)
            for name, value in {**said, "pooled": pooled}.items():
                column = value.float().numpy()
                if name not in found:
                    found[name] = np.zeros((len(texts), column.shape[1]), dtype=np.float32)
                found[name][batch.rows] = column
        return Said(
            task=found["task"],
            complexity=sigmoid(found["complexity"][:, 0]),
            strong_need=sigmoid(found["strong_need"][:, 0]),
            language=found["language"],
            attacks=found["attacks"],
            pooled=found["pooled"],
        )


@dataclass(frozen=True)
class GraphPredictor:
    """An exported graph, one text at a time, as under light load in the gateway."""

    session: onnxruntime.InferenceSession
    reader: Reader

    def __call__(self, texts: list[str]) -> Said:
        names = [output.name for output in self.session.get_outputs()]
        columns: dict[str, list[Floats]] = {name: [] for name in names}
        for row in self.reader(texts):
            ids, mask = padded([row])
            feed = {"input_ids": ids.numpy(), "attention_mask": mask.numpy()}
            for name, value in zip(names, self.session.run(names, feed), strict=True):
                columns[name].append(value)
        found = {name: np.concatenate(parts) for name, parts in columns.items()}
        return Said(
            task=found["task"],
            complexity=found["complexity"],
            strong_need=found["strong_need"],
            language=found["language"],
            attacks=found["attacks"],
            pooled=found["embedding"],
        )


def sigmoid(x: Floats) -> Floats:
    """The logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-x)), dtype=np.float32)


def load_graph(path: Path, tokenizer: Tokenizer, threads: int = 1) -> GraphPredictor:
    """The graph in *path*, on *threads* of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return GraphPredictor(session, Reader(tokenizer))


def load_trained(path: Path, tokenizer: Tokenizer, *, fast: bool = False) -> TorchPredictor:
    """The classifier whose weights are in *path*, its shape read off them."""
    return TorchPredictor(load_model(path), Reader(tokenizer), fast)


def load_model(path: Path) -> Classifier:
    """The classifier whose weights are in *path*."""
    from models.train.encoder import Shape

    state = torch.load(path)
    layers = {key.split(".")[2] for key in state if key.startswith("encoder.layers.")}
    heads = {
        key.split(".")[1]: len(value)
        for key, value in state.items()
        if key.startswith("heads.") and key.endswith(".bias")
    }
    shape = Shape(vocabulary=len(state["encoder.words.weight"]), layers=len(layers))
    model = Classifier(shape, heads, forked=any(key.startswith("fork.") for key in state))
    model.load_state_dict(state)
    return model.eval()
