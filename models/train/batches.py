"""Texts to batches of token ids, of like lengths and bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.excerpt import ASK_MARK
from models.train.augment import Augmenter
from models.train.corpus import Sample
from models.truncate import truncate

TOKENS_MAX = 128  # of a text, the two ends included
BATCH_TOKENS = 2_560  # padding included
CHUNK = 2_000  # rows among which lengths are sorted


@dataclass(frozen=True)
class Reader:
    """Text to token ids, as the gateway reads it."""

    tokenizer: Tokenizer
    limit: int = TOKENS_MAX

    def __call__(self, texts: list[str]) -> list[list[int]]:
        first, last, mark = (
            self.tokenizer.token_to_id(piece) for piece in ("[CLS]", "[SEP]", ASK_MARK)
        )
        encoded = self.tokenizer.encode_batch(texts, add_special_tokens=False)
        return [[first, *truncate(one.ids, self.limit - 2, mark), last] for one in encoded]


def padded(rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    """The ids of *rows* as one rectangle, and its mask."""
    width = max(map(len, rows))
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    mask = torch.zeros(len(rows), width, dtype=torch.long)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = 1
    return ids, mask


@dataclass(frozen=True)
class Batch:
    """Token ids, and which rows of the corpus they are."""

    ids: Tensor
    mask: Tensor
    rows: list[int]


def by_length(
    encoded: list[list[int]], order: list[int], size: int = BATCH_TOKENS
) -> Iterator[Batch]:
    """The rows of *encoded*, numbered by *order*, in batches of at most *size* padded tokens."""
    ranked = sorted(range(len(encoded)), key=lambda at: len(encoded[at]))
    batch: list[int] = []
    for at in ranked:
        if batch and (len(batch) + 1) * len(encoded[at]) > size:
            yield Batch(*padded([encoded[i] for i in batch]), [order[i] for i in batch])
            batch = []
        batch.append(at)
    if batch:
        yield Batch(*padded([encoded[i] for i in batch]), [order[i] for i in batch])


def epoch(
    samples: list[Sample], copies: list[int], reader: Reader, change: Augmenter, seed: int
) -> list[Batch]:
    """All samples, each *copies* times and changed anew, in shuffled batches of like lengths."""
    draw = Random(seed)  # noqa: S311
    order = [at for at, count in enumerate(copies) for _ in range(count)]
    draw.shuffle(order)
    batches: list[Batch] = []
    for start in range(0, len(order), CHUNK):
        part = order[start : start + CHUNK]
        texts = [
            samples[at].text  # where an order stands, tells whether it is an attack
            if samples[at].group.startswith("security-")
            else change(samples[at].text, draw, english=samples[at].lang == "en")
            for at in part
        ]
        made = list(by_length(reader(texts), part))
        draw.shuffle(made)
        batches += made
    return batches
