"""What the heads are taught, over one batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.scores import TASK_TYPES
from models.train.corpus import ABSOLUTE, Sample, is_foreign
from models.train.heads import ATTACKS

SMOOTHING = 0.05  # labels are doubtful in one row of ten
LEVEL = 4.0  # weight of the squared error of the complexity
ORDER = 0.5  # of the order of complexities within a source
GAIN = 1.0
FAILING = 1.0
LANGUAGE = 0.05
ATTACK = 1.0
APART = 0.04  # complexities closer than this have no order
SHARPNESS = 6.0  # of the order: complexities one sixth apart should differ clearly
SOFT = 1.0  # weight of the teacher's opinion
HARD_BESIDE_SOFT = 0.5  # of the label, where there is a teacher
ALIKE = 1.0  # of the pooled vector's likeness to the teacher's
UNKNOWN = (None,) * len(ATTACKS)


@dataclass(frozen=True)
class Targets:
    """The targets of all samples as tensors; NaN or weight 0 where a sample has none."""

    task: Tensor
    task_weight: Tensor
    complexity: Tensor
    scale: Tensor  # number of the scale, 0 for that of the guide, -1 for none
    gain: Tensor
    failing: Tensor
    gain_weight: Tensor
    language: Tensor  # -1 where unknown
    attacks: Tensor  # [rows, kinds], 0 or 1, NaN where unknown
    soft: dict[str, Tensor]  # what a teacher says, empty without one
    trusted: Tensor  # 1 where the teacher is to be believed, else 0


def targets_of(
    samples: list[Sample], languages: list[int], soft: dict[str, Tensor] | None = None
) -> Targets:
    """The targets of *samples* in their order."""
    scales = {ABSOLUTE: 0}
    nan = float("nan")
    task = torch.zeros(len(samples), len(TASK_TYPES))
    for at, sample in enumerate(samples):
        if sample.task is not None:
            task[at] = SMOOTHING / len(TASK_TYPES)
            task[at, sample.task] += 1.0 - SMOOTHING

    def column(values: list[float | None]) -> Tensor:
        return torch.tensor([nan if value is None else value for value in values])

    return Targets(
        task=task,
        task_weight=torch.tensor([sample.task_weight for sample in samples]),
        complexity=column([sample.complexity for sample in samples]),
        scale=torch.tensor(
            [
                -1 if sample.complexity is None else scales.setdefault(sample.scale, len(scales))
                for sample in samples
            ]
        ),
        gain=column([sample.gain for sample in samples]),
        failing=column([sample.failing for sample in samples]),
        gain_weight=torch.tensor([sample.gain_weight for sample in samples]),
        language=torch.tensor(languages),
        attacks=torch.tensor(
            [
                [nan if known is None else known for known in sample.attacks or UNKNOWN]
                for sample in samples
            ]
        ),
        soft=soft or {},
        trusted=torch.tensor([float(is_asked(sample)) for sample in samples]),
    )


def is_asked(sample: Sample) -> bool:
    """
    Whether the teacher's opinion counts beside the label.

    It does where the label follows another guide or there is none; and in English, for in other
    languages the teacher is still learning itself.
    """
    foreign = sample.lang not in ("", "en") or is_foreign(sample.text)
    return sample.group.startswith(("public-", "unlabelled")) and not foreign


def loss_of(pooled: Tensor, said: dict[str, Tensor], rows: list[int], targets: Targets) -> Tensor:
    """The loss of what the heads *said* of the *rows*; a mean over the rows that have a target."""
    at = torch.tensor(rows)
    hard = 1.0 - (1.0 - HARD_BESIDE_SOFT) * targets.trusted[at] * bool(targets.soft)
    size = len(rows)
    logits = said["task"].float()
    each = -(targets.task[at] * functional.log_softmax(logits, -1)).sum(-1)
    loss = (hard * each * targets.task_weight[at]).sum() / size
    score = torch.sigmoid(said["complexity"].float().squeeze(-1))
    loss = loss + level_loss(score, targets.complexity[at], targets.scale[at], hard)
    loss = loss + ORDER * order_loss(score, targets.complexity[at], targets.scale[at])
    loss = loss + outcome_loss(said, targets, at)
    loss = loss + attack_loss(said["attacks"].float(), targets.attacks[at])
    if "language" in said:
        loss = (
            loss
            + LANGUAGE
            * functional.cross_entropy(
                said["language"].float(), targets.language[at], ignore_index=-1, reduction="sum"
            )
            / size
        )
    if targets.soft:
        loss = loss + SOFT * soft_loss(pooled, said, targets, at)
    return loss


def level_loss(score: Tensor, wanted: Tensor, scale: Tensor, weight: Tensor) -> Tensor:
    """Squared error on the scale of the guide."""
    off = (score - wanted.nan_to_num()) ** 2
    return LEVEL * (torch.where(scale == 0, off, 0.0) * weight).sum() / len(score)


def order_loss(score: Tensor, wanted: Tensor, scale: Tensor) -> Tensor:
    """
    Wrong order of two rows of one scale.

    A batch holds texts of like length, so that length is no help in it.
    """
    wanted = wanted.nan_to_num()
    apart = wanted[:, None] - wanted[None, :]
    pairs = (scale[:, None] == scale[None, :]) & (scale[:, None] >= 0) & (apart > APART)
    if not pairs.any():
        return score.sum() * 0.0
    wrong = functional.softplus(-SHARPNESS * (score[:, None] - score[None, :]))
    weight = torch.where(pairs, apart.clamp(max=0.3), 0.0)
    share = (scale >= 0).float().mean()
    return share * (wrong * weight).sum() / weight.sum()


def outcome_loss(said: dict[str, Tensor], targets: Targets, at: Tensor) -> Tensor:
    """How far the gain of a strong model, and the share that fails, are guessed wrong."""
    weight = targets.gain_weight[at]
    gain = functional.binary_cross_entropy_with_logits(
        said["strong_need"].float().squeeze(-1),
        (1.0 + targets.gain[at].nan_to_num()) / 2.0,
        reduction="none",
    )
    failing = functional.binary_cross_entropy_with_logits(
        said["failing"].float().squeeze(-1), targets.failing[at].nan_to_num(), reduction="none"
    )
    return ((GAIN * gain + FAILING * failing) * weight).sum() / len(at)


def attack_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """How far each kind of attack is guessed wrong, where it is known."""
    known = ~wanted.isnan()
    each = functional.binary_cross_entropy_with_logits(
        logits, wanted.nan_to_num(), reduction="none"
    )
    return ATTACK * torch.where(known, each, 0.0).sum() / len(logits)


def soft_loss(pooled: Tensor, said: dict[str, Tensor], targets: Targets, at: Tensor) -> Tensor:
    """How far the student is from what the teacher says of the same text, unchanged."""
    soft, trusted = targets.soft, targets.trusted[at]
    task = functional.kl_div(
        functional.log_softmax(said["task"].float(), -1),
        functional.softmax(soft["task"][at].float(), -1),
        reduction="none",
    ).sum(-1)
    level = torch.sigmoid(said["complexity"].float()) - torch.sigmoid(soft["complexity"][at])
    gain = said["strong_need"].float() - soft["strong_need"][at]
    alike = 1.0 - functional.cosine_similarity(pooled.float(), soft["pooled"][at].float(), dim=-1)
    attacks = functional.binary_cross_entropy_with_logits(
        said["attacks"].float(), torch.sigmoid(soft["attacks"][at].float()), reduction="none"
    ).sum(-1)
    each = task + LEVEL * level.squeeze(-1) ** 2 + 0.5 * gain.squeeze(-1) ** 2 + ALIKE * alike
    each = each + ATTACK * attacks
    return (each * trusted).mean()
