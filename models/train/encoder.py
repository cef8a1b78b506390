"""The encoder: a small BERT with as many layers as one asks for, and one vector per text."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

POSITIONS = 512
EPSILON = 1e-12


@dataclass(frozen=True)
class Shape:
    """The measures of an encoder; those of all-MiniLM-L6-v2 unless told otherwise."""

    vocabulary: int = 30_522
    layers: int = 6
    width: int = 384
    inner: int = 1_536
    attention_heads: int = 12


class Layer(nn.Module):
    """Self-attention and a feed-forward step, each with its residual and norm after it."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.attention_heads = shape.attention_heads
        self.dropout = dropout
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.mix = nn.Linear(shape.width, shape.width)
        self.mix_norm = nn.LayerNorm(shape.width, eps=EPSILON)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.down_norm = nn.LayerNorm(shape.width, eps=EPSILON)

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        rows, tokens, width = x.shape
        split = (rows, tokens, 3, self.attention_heads, width // self.attention_heads)
        flat = (3, rows * self.attention_heads, tokens, split[-1])
        q, k, v = self.qkv(x).view(split).permute(2, 0, 3, 1, 4).reshape(flat).unbind(0)
        # For short rows on a CPU four times as fast as the fused attention and its gradient.
        likeness = torch.baddbmm(visible, q, k.transpose(1, 2), alpha=split[-1] ** -0.5)
        mixed = torch.bmm(likeness.softmax(-1), v)
        mixed = mixed.view(rows, self.attention_heads, tokens, split[-1]).transpose(1, 2)
        mixed = self.mix(mixed.reshape(rows, tokens, width))
        x = self.mix_norm(x + functional.dropout(mixed, self.dropout, self.training))
        inner = self.down(functional.gelu(self.up(x)))
        return self.down_norm(x + functional.dropout(inner, self.dropout, self.training))


class Encoder(nn.Module):
    """Token ids to hidden states; `pool` makes one vector of them."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(POSITIONS, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=EPSILON)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """
        Hidden states (rows, tokens, width) of *ids* before the last layer, and behind it; *mask* is
        1 on tokens, 0 on padding.
        """
        places = torch.arange(ids.shape[1], device=ids.device)
        x = self.norm(self.words(ids) + self.positions(places))
        before = x = functional.dropout(x, self.dropout, self.training)
        visible = self.visible(mask, x.dtype)
        for layer in self.layers:
            before, x = x, layer(x, visible)
        return before, x

    def visible(self, mask: Tensor, dtype: torch.dtype) -> Tensor:
        """What a layer adds to the likeness of two tokens: much less than nothing for padding."""
        hidden = ((1.0 - mask.to(dtype)) * -1e4)[:, None, :]
        return hidden.repeat_interleave(self.shape.attention_heads, dim=0)


def pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean over the tokens of each row."""
    weight = mask.to(hidden.dtype)[:, :, None]
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1.0)
