"""How sure two models together are of an attack, and from where on that counts."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from models.artefact import FILES, REMEDY, ArtefactError, read_toml
from models.guard import Guard
from models.scores import ATTACKS

JUDGE = "judge.toml"
SENSITIVITIES = ("low", "medium", "high")
NEVER = (2.0,) * len(ATTACKS)
LOGIT_MAX = 30.0  # beyond it a double is 0 or 1


class Weights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    Of one kind of attack: ``guard * g + encoder * e + shift`` is the logit of its probability,
    where *g* and *e* are what the guard and the encoder say; without the encoder
    ``alone * g + alone_shift``, which calls as many ordinary prompts an attack as both together.
    """

    guard: float
    encoder: float
    shift: float
    alone: float
    alone_shift: float


class Judge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    ``judge.toml``: written by models/train/judge.py once guard and encoder are there, whose
    versions it names.

    *ask*, *document* and *system* hold, for each sensitivity, the probability of each of ATTACKS
    from which on a text of a human, of a tool, or a system prompt is unsafe; above 1: never.
    *measured* is what that did on held-out texts.
    """

    guard: str
    encoder: str
    weights: dict[str, Weights]
    ask: dict[str, tuple[float, ...]]
    document: dict[str, tuple[float, ...]]
    system: dict[str, tuple[float, ...]]
    measured: dict[str, float] = {}

    def limits(self, source: str, sensitivity: str) -> tuple[float, ...]:
        """From which probability on each kind counts in a text of this core.findings.Source."""
        table = {"ask": self.ask, "tool": self.document, "system": self.system}.get(source)
        return NEVER if table is None else table[sensitivity]

    def logits(
        self, guard: tuple[float, ...], encoder: tuple[float, ...] | None
    ) -> tuple[float, ...]:
        """What both say together; the guard alone where no encoder has read the text."""
        if encoder is None:
            return tuple(
                weights.alone * one + weights.alone_shift
                for weights, one in zip(self.weights.values(), guard, strict=True)
            )
        return tuple(
            weights.guard * one + weights.encoder * other + weights.shift
            for weights, one, other in zip(self.weights.values(), guard, encoder, strict=True)
        )


def is_doubtful(guard: Guard, logits: tuple[float, ...]) -> bool:
    """Whether an encoder should have a look: a kind is neither surely absent nor present."""
    return any(
        clear <= logit < sure for logit, (clear, sure) in zip(logits, guard.doubt, strict=True)
    )


def probability(logit: float) -> float:
    """The logistic function."""
    return 1.0 / (1.0 + math.exp(-max(-LOGIT_MAX, min(LOGIT_MAX, logit))))


def read_judge(folder: Path = FILES) -> Judge:
    """The manifest in *folder*. Raises ArtefactError."""
    path = folder / JUDGE
    judge = read_toml(path, Judge)
    tables = (judge.ask, judge.document, judge.system)
    complete = all(tuple(table) == SENSITIVITIES for table in tables) and all(
        len(row) == len(ATTACKS) for table in tables for row in table.values()
    )
    if tuple(judge.weights) != ATTACKS or not complete:
        raise ArtefactError(f"{path}: kinds or sensitivities are not those of this code; {REMEDY}")
    return judge
