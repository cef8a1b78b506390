"""Training in bfloat16 with float32 masters, from checkpoint to checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.train.batches import Batch
from models.train.heads import Classifier
from models.train.losses import Targets, loss_of

WARM_SHARE = 0.06  # of the steps, until the rate is reached
WEIGHT_DECAY = 0.01
NORM_MAX = 1.0
WORDS = "encoder.words.weight"
SAVE_EVERY = 100  # steps
SAY_EVERY = 25


@dataclass(frozen=True)
class Course:
    """One training run: its batches in order, and how fast it learns."""

    name: str
    batches: Callable[[int], list[Batch]]  # of one epoch
    epochs: int
    rate: float
    rate_words: float
    rate_heads: float
    word_factors: Tensor  # [vocabulary], how much faster than that each piece learns
    steps_max: int  # ends there though batches are left; the rates are laid out for it


def train(model: Classifier, targets: Targets, course: Course, folder: Path) -> Classifier:
    """
    Train *model* in place, and return it in float32.

    Goes on from ``folder/NAME.pt`` where one is; leaves ``folder/NAME-done.pt``.
    """
    done, partial = folder / f"{course.name}-done.pt", folder / f"{course.name}.pt"
    if done.exists():
        model.load_state_dict(torch.load(done))
        return model
    torch.manual_seed(len(course.name))
    masters = {name: p.detach().clone().float() for name, p in model.named_parameters()}
    for p in masters.values():
        p.requires_grad_()
    optimizer = torch.optim.AdamW(
        groups_of(masters, course), betas=(0.9, 0.98), eps=1e-7, fused=True
    )
    step, epoch = 0, 0
    if partial.exists():
        saved = torch.load(partial)
        step, epoch = saved["step"], saved["epoch"]
        for name, p in masters.items():
            p.data.copy_(saved["masters"][name])
        optimizer.load_state_dict(saved["optimizer"])
        for group in optimizer.param_groups:
            group["fused"] = True
    batches = course.batches(epoch)
    per_epoch = len(batches)
    total = min(course.steps_max, per_epoch * course.epochs)
    model.to(torch.bfloat16).train()
    pull(model, masters)
    started, first, mean = time.monotonic(), step, 0.0
    while step < total:
        if step // per_epoch != epoch:
            epoch = step // per_epoch
            batches = course.batches(epoch)
        batch = batches[min(step - epoch * per_epoch, len(batches) - 1)]
        loss = one_step(
            model,
            masters,
            optimizer,
            batch,
            targets,
            factor=rate_at(step, total),
            word_factors=course.word_factors,
        )
        mean = loss if step == first else 0.98 * mean + 0.02 * loss
        step += 1
        if step % SAY_EVERY == 0:
            left = (time.monotonic() - started) / (step - first) * (total - step)
            print(f"{course.name} {step}/{total} loss {mean:.4f} left {left:.0f} s", flush=True)
        if step % SAVE_EVERY == 0:
            save(partial, masters, optimizer, step, epoch)
    model.float()
    pull(model, masters)
    torch.save(model.state_dict(), done)
    partial.unlink(missing_ok=True)
    return model


def one_step(
    model: Classifier,
    masters: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    targets: Targets,
    *,
    factor: float,
    word_factors: Tensor,
) -> float:
    """One step of the optimizer; its loss."""
    model.zero_grad(set_to_none=True)
    pooled, said = model(batch.ids, batch.mask)
    loss = loss_of(pooled, said, batch.rows, targets)
    loss.backward()
    for name, p in model.named_parameters():
        masters[name].grad = None if p.grad is None else p.grad.float()
    torch.nn.utils.clip_grad_norm_(masters.values(), NORM_MAX)
    for group in optimizer.param_groups:
        group["lr"] = group["rate"] * factor
    words = masters[WORDS].detach()
    before = words.clone()
    optimizer.step()
    words.sub_(before).mul_(word_factors[:, None]).add_(before)
    pull(model, masters)
    return float(loss.detach())


def pull(model: Classifier, masters: dict[str, Tensor]) -> None:
    """The masters' values into the model, in the model's precision."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(masters[name])


def groups_of(masters: dict[str, Tensor], course: Course) -> list[dict[str, object]]:
    """Parameters by how fast they learn; only matrices decay."""
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, p in masters.items():
        rate = course.rate
        if name.startswith("heads."):
            rate = course.rate_heads
        elif name.startswith("encoder.words"):
            rate = course.rate_words
        decay = WEIGHT_DECAY if p.ndim > 1 and "encoder.words" not in name else 0.0
        groups.setdefault((rate, decay), []).append(p)
    return [
        {"params": params, "lr": rate, "rate": rate, "weight_decay": decay}
        for (rate, decay), params in groups.items()
    ]


def rate_at(step: int, total: int) -> float:
    """The share of the full rate: up a line, then down a cosine."""
    warm = max(1.0, WARM_SHARE * total)
    if step < warm:
        return (step + 1) / warm
    return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (step - warm) / (total - warm)))


def save(
    path: Path,
    masters: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    step: int,
    epoch: int,
) -> None:
    """A checkpoint, whole or not at all."""
    part = path.with_suffix(".part")
    state = {"masters": masters, "optimizer": optimizer.state_dict(), "step": step, "epoch": epoch}
    torch.save(state, part)
    part.replace(path)
