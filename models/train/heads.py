"""Several answers of one pass: linear layers over the pooled vector."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from models.scores import ATTACKS, TASK_TYPES
from models.train.encoder import Encoder, Layer, Shape, pool

# Name and width of each head, in the order of the outputs. "failing" helps the training only.
HEADS = {
    "task": len(TASK_TYPES),
    "complexity": 1,
    "strong_need": 1,
    "failing": 1,
    "attacks": len(ATTACKS),
}
FORKED = "attacks"  # the head that may have a last layer of its own


class Classifier(nn.Module):
    """
    An encoder and its heads. A new head is one more entry of *heads*. *fork*: the last layer once
    more, whose states the head FORKED reads; see ``models.train.fork``.
    """

    def __init__(
        self, shape: Shape, heads: dict[str, int], dropout: float = 0.1, *, forked: bool = False
    ) -> None:
        super().__init__()
        self.encoder = Encoder(shape, dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(shape.width, n) for name, n in heads.items()})
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)
        self.fork = Layer(shape, dropout) if forked else None

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The pooled vector, and what each head says of it, before any sigmoid or softmax."""
        before, hidden = self.encoder(ids, mask)
        pooled = pool(hidden, mask)
        said = {name: head(pooled) for name, head in self.heads.items()}
        if self.fork is not None:
            said[FORKED] = self.forked(self.fork, before, mask)
        return pooled, said

    def forked(self, fork: Layer, before: Tensor, mask: Tensor) -> Tensor:
        """What the head FORKED says by *fork*, of the states *before* the last layer."""
        hidden = fork(before, self.encoder.visible(mask, before.dtype))
        said: Tensor = self.heads[FORKED](pool(hidden, mask))
        return said


def load_base(model: Classifier, weights: Path, words: Tensor | None = None) -> None:
    """The weights of a MiniLM in safetensors, its first layers; *words* in place of its own."""
    base = read_safetensors(weights)
    encoder = model.encoder
    with torch.no_grad():
        encoder.words.weight.copy_(
            base["embeddings.word_embeddings.weight"] if words is None else words
        )
        # Texts come alone, so the embedding of the first segment is part of each position's.
        encoder.positions.weight.copy_(
            base["embeddings.position_embeddings.weight"]
            + base["embeddings.token_type_embeddings.weight"][0]
        )
        copy(encoder.norm, base, "embeddings.LayerNorm")
        for i, layer in enumerate(encoder.layers):
            prefix = f"encoder.layer.{i}"
            for kind in ("weight", "bias"):
                parts = [
                    base[f"{prefix}.attention.self.{name}.{kind}"]
                    for name in ("query", "key", "value")
                ]
                getattr(layer.qkv, kind).copy_(torch.cat(parts))
            copy(layer.mix, base, f"{prefix}.attention.output.dense")
            copy(layer.mix_norm, base, f"{prefix}.attention.output.LayerNorm")
            copy(layer.up, base, f"{prefix}.intermediate.dense")
            copy(layer.down, base, f"{prefix}.output.dense")
            copy(layer.down_norm, base, f"{prefix}.output.LayerNorm")


def copy(module: nn.Module, base: dict[str, Tensor], name: str) -> None:
    """Weight and bias of *name* into *module*."""
    for kind in ("weight", "bias"):
        getattr(module, kind).copy_(base[f"{name}.{kind}"])


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file in safetensors format."""
    from safetensors.torch import load_file

    return load_file(str(path))


def keep_layers(big: Classifier, layers: tuple[int, ...], heads: dict[str, int]) -> Classifier:
    """A smaller classifier that starts as the named layers and the heads of *big*."""
    shape = big.encoder.shape
    small = Classifier(
        Shape(
            vocabulary=shape.vocabulary,
            layers=len(layers),
            width=shape.width,
            inner=shape.inner,
            attention_heads=shape.attention_heads,
        ),
        heads,
        0.0,  # the opinions of the teacher keep a student from learning by heart
    )
    state = {k: v for k, v in big.state_dict().items() if ".layers." not in k}
    for to, at in enumerate(layers):
        prefix = f"encoder.layers.{at}."
        for key, value in big.state_dict().items():
            if key.startswith(prefix):
                state[f"encoder.layers.{to}.{key.removeprefix(prefix)}"] = value
    small.load_state_dict(state)
    return small
