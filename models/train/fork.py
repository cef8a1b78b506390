"""
Train the last layer once more, for attacks alone.

    python -m models.train.fork --data DIR [--work var/train] [--name student]

Reads ``NAME-done.pt`` and leaves ``forked-done.pt``, whose head of attacks has a last layer of its
own: what the layers below it say stays as it is, and so does every other answer. It learns from the
rows of the guard, among them the templates, and from asks that stand in a document, which the words
alone do not tell; ten minutes on two cores.
"""

from __future__ import annotations

import argparse
import copy
import time
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from models.train.attacks import ORDER_CHARS_MAX, documents
from models.train.batches import Batch, Reader, by_length
from models.train.corpus import passages
from models.train.guard_fit import POSITIVE_FACTOR
from models.train.guard_rows import Row, read_training
from models.train.heads import FORKED, Classifier
from models.train.loop import NORM_MAX, WEIGHT_DECAY, rate_at
from models.train.predict import load_model
from models.train.teach import plain_asks

NAME = "forked"
SEED = 23
EPOCHS = 2
RATE = 2e-4
BATCH_TOKENS = 4_096
CHUNK = 4_000  # rows among which lengths are sorted
DOCUMENTS = 9_000  # a third as they are, a third with an order, a third with an ask
DROPOUT = 0.1
SAY_EVERY = 100


def fork_of(model: Classifier) -> Classifier:
    """*model* with a fork that starts as its last layer."""
    twin = Classifier(
        model.encoder.shape,
        {name: head.out_features for name, head in model.heads.items()},
        forked=True,
    )
    last = f"encoder.layers.{len(model.encoder.layers) - 1}."
    state = copy.deepcopy(model.state_dict())
    state |= {
        f"fork.{name.removeprefix(last)}": value.clone()
        for name, value in model.state_dict().items()
        if name.startswith(last)
    }
    twin.load_state_dict(state)
    return twin


def rows_of(data: Path) -> list[Row]:
    """The rows to learn from."""
    draw = Random(SEED)  # noqa: S311 - a draw, no secret
    rows = read_training(data, draw)
    orders = [
        row.text for row in rows if row.targets[0] == 1.0 and len(row.text) <= ORDER_CHARS_MAX
    ]
    asked = documents(passages(data), orders, plain_asks(data), draw, DOCUMENTS)
    return rows + [Row(text, source, "document", targets) for text, source, targets in asked]


def loss_of(said: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """
    Cross-entropy of logits [rows, kinds]; *targets* are 0, 1, or NaN where unknown, *weights* of
    rows.
    """
    known = ~targets.isnan()
    wanted = targets.nan_to_num()
    each = functional.binary_cross_entropy_with_logits(said, wanted, reduction="none")
    weight = weights[:, None] * known * (1.0 + (POSITIVE_FACTOR - 1.0) * wanted)
    return (each * weight).sum() / weight.sum().clamp(min=1e-6)


def epoch(encoded: list[list[int]], draw: Random) -> list[Batch]:
    """All rows in shuffled batches of like lengths."""
    order = list(range(len(encoded)))
    draw.shuffle(order)
    batches: list[Batch] = []
    for start in range(0, len(order), CHUNK):
        part = order[start : start + CHUNK]
        batches += by_length([encoded[at] for at in part], part, BATCH_TOKENS)
    draw.shuffle(batches)
    return batches


def train(model: Classifier, rows: list[Row], reader: Reader, epochs: int = EPOCHS) -> None:
    """Train the fork of *model* in place, and the head that reads it."""
    fork = model.fork
    if fork is None:
        raise ValueError("there is no fork in it")
    torch.manual_seed(SEED)
    draw = Random(SEED)  # noqa: S311 - a draw, no secret
    targets = torch.tensor(np.array([row.targets for row in rows], dtype=np.float32))
    weights = torch.tensor([row.weight for row in rows])
    encoded = reader([row.text for row in rows])
    below = copy.deepcopy(model.encoder).to(torch.bfloat16).eval()
    fork.dropout = DROPOUT
    fork.train()
    learning = [*fork.parameters(), *model.heads[FORKED].parameters()]
    optimizer = torch.optim.AdamW(learning, lr=RATE, weight_decay=WEIGHT_DECAY)
    batches = [batch for _ in range(epochs) for batch in epoch(encoded, draw)]
    begun = time.monotonic()
    for step, batch in enumerate(batches):
        with torch.no_grad():
            before, _ = below(batch.ids, batch.mask)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            said = model.forked(fork, before, batch.mask)
        loss = loss_of(said.float(), targets[batch.rows], weights[batch.rows])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, NORM_MAX)
        for group in optimizer.param_groups:
            group["lr"] = RATE * rate_at(step, len(batches))
        optimizer.step()
        if (step + 1) % SAY_EVERY == 0:
            left = (time.monotonic() - begun) / (step + 1) * (len(batches) - step - 1)
            told = f"{NAME} {step + 1}/{len(batches)} loss {loss.item():.4f} left {left:.0f} s"
            print(told, flush=True)
    model.eval()


def main() -> None:
    """Fork a trained classifier."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--name", default="student")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    done = options.work / f"{NAME}-done.pt"
    if done.exists():
        print(f"{done} is there")
        return
    reader = Reader(Tokenizer.from_file(str(options.work / "tokenizer.json")))
    model = fork_of(load_model(options.work / f"{options.name}-done.pt"))
    train(model, rows_of(options.data), reader, options.epochs)
    torch.save(model.state_dict(), done)


if __name__ == "__main__":
    main()
