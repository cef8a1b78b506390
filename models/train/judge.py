"""
Weigh guard and encoder against each other, and set the thresholds of the scan.

``python -m models.train.judge --data DATA`` reads both artefacts and writes ``judge.toml`` beside
them. Weights and thresholds are fitted to rows that neither has learnt from: the dev split of the
security pack, documents composed of it, and the dev prompts of the task pack, whose share that is
called an attack is the false-positive rate that a sensitivity stands for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.artefact import FILES
from models.encoder import Encoder
from models.guard import Guard
from models.judge import JUDGE, SENSITIVITIES, Judge, Weights
from models.scores import ATTACKS
from models.train.attacks import dev_attacks

Floats = NDArray[np.float64]

# Of ordinary prompts, with any kind of attack.
FALSE_POSITIVES = {"low": 0.002, "medium": 0.007, "high": 0.03}
# Of texts that no human wrote fewer are attacks, and more look like orders: documents tell people
# what to do, and system prompts tell models.
DOCUMENT_FALSE_POSITIVES = {"low": 0.01, "medium": 0.03, "high": 0.06}
UNSAFE = (0, 1, 2, 4)  # of ATTACKS; harmful is for content policies
HARMFUL, INDIRECT = ATTACKS.index("harmful"), ATTACKS.index("indirect")
ORDINARY = "task"
NEVER = 2.0
SYSTEM_MARGIN = 2.0  # a system prompt must look like an attack by so much more, in logits
STEPS = 60  # of the search for a threshold


class Rows(msgspec.Struct):
    """Texts that nothing has learnt from; *guard* and *encoder* are logits, [rows, ATTACKS]."""

    sources: NDArray[np.str_]
    targets: Floats
    guard: Floats
    encoder: Floats


def rows_of(data: Path, guard: Guard, encoder: Encoder) -> Rows:
    """What both models say of the rows kept for this."""
    rows = dev_attacks(data)
    texts = [text for text, _, _ in rows]
    return Rows(
        sources=np.array([source for _, source, _ in rows]),
        targets=np.array([targets for _, _, targets in rows], dtype=np.float64),
        guard=np.array([guard.logits(text) for text in texts]),
        encoder=np.array([encoder.read([text])[0].attacks for text in texts]),
    )


def weights_of(rows: Rows) -> dict[str, Weights]:
    """Of each kind, by logistic regression; none below 0, where the other alone decides."""
    fitted: dict[str, Weights] = {}
    for at, kind in enumerate(ATTACKS):
        known = ~np.isnan(rows.targets[:, at])
        both = np.stack([rows.guard[known, at], rows.encoder[known, at]], axis=1)
        model = LogisticRegression(C=10.0).fit(both, rows.targets[known, at])
        one, other = model.coef_[0].clip(0.0).tolist()
        fitted[kind] = Weights(
            guard=round(one, 4),
            encoder=round(other, 4),
            shift=round(float(model.intercept_[0]), 4),
            alone=1.0,
            alone_shift=0.0,
        )
    return fitted


def mixed(rows: Rows, weights: dict[str, Weights]) -> Floats:
    """Logits of both together."""
    columns = [
        one.guard * rows.guard[:, at] + one.encoder * rows.encoder[:, at] + one.shift
        for at, one in enumerate(weights.values())
    ]
    return np.stack(columns, axis=1)


def thresholds(innocent: Floats, wanted: float) -> list[float]:
    """
    Logits of each kind such that a share *wanted* of the *innocent* rows is above any that counts:
    the same share of each kind, found by halving.
    """
    low, high = 0.0, wanted
    for _ in range(STEPS):
        each = (low + high) / 2.0
        limits = np.quantile(innocent, 1.0 - each, axis=0)
        share = float((innocent[:, UNSAFE] > limits[list(UNSAFE)]).any(axis=1).mean())
        low, high = (each, high) if share < wanted else (low, each)
    return [float(limit) for limit in np.quantile(innocent, 1.0 - low, axis=0)]


def probabilities(logits: list[float]) -> tuple[float, ...]:
    """Rounded up, so that a tie is no attack."""
    return tuple(float(np.ceil(1e5 / (1.0 + np.exp(-x))) / 1e5) for x in logits)


def judge_of(rows: Rows, guard: Guard, encoder: Encoder) -> Judge:
    """Weights, thresholds and what they do."""
    weights = weights_of(rows)
    logits = mixed(rows, weights)
    ordinary = logits[rows.sources == ORDINARY]
    clean = (rows.sources == "security-document") & (np.nan_to_num(rows.targets) == 0.0).all(axis=1)
    ask = {name: thresholds(ordinary, share) for name, share in FALSE_POSITIVES.items()}
    weights = with_alone(weights, ask, rows.guard[rows.sources == ORDINARY])
    document = {
        name: thresholds(np.concatenate([logits[clean], ordinary]), share)
        for name, share in DOCUMENT_FALSE_POSITIVES.items()
    }
    only = [kind == INDIRECT for kind in range(len(ATTACKS))]
    system = {
        name: [x + SYSTEM_MARGIN if keep else np.inf for x, keep in zip(limits, only, strict=True)]
        for name, limits in document.items()
    }
    return Judge(
        guard=guard.version,
        encoder=encoder.version,
        weights=weights,
        ask={name: probabilities(limits) for name, limits in ask.items()},
        document={name: probabilities(limits) for name, limits in document.items()},
        system={
            name: tuple(
                p if keep else NEVER for p, keep in zip(probabilities(x), only, strict=True)
            )
            for name, x in system.items()
        },
        measured=measured(rows, logits, ask),
    )


def with_alone(
    weights: dict[str, Weights], ask: dict[str, list[float]], guard: Floats
) -> dict[str, Weights]:
    """
    *weights* with a line for the guard alone, so that it meets the thresholds *ask* of both at its
    own thresholds of the same false positives, for low and high sensitivity exactly.
    """
    low, high = (thresholds(guard, FALSE_POSITIVES[name]) for name in ("low", "high"))
    found = {}
    for at, (kind, one) in enumerate(weights.items()):
        both_low, both_high = ask["low"][at], ask["high"][at]
        slope = (both_low - both_high) / (low[at] - high[at])
        found[kind] = msgspec.structs.replace(
            one, alone=round(slope, 4), alone_shift=round(both_high - slope * high[at], 4)
        )
    return found


def measured(rows: Rows, logits: Floats, ask: dict[str, list[float]]) -> dict[str, float]:
    """Recall of each kind and false positives, by sensitivity, one window of each text."""
    found: dict[str, float] = {}
    for name in SENSITIVITIES:
        caught = (logits[:, UNSAFE] > np.array(ask[name])[list(UNSAFE)]).any(axis=1)
        for at, kind in enumerate(ATTACKS):
            if at != HARMFUL:
                is_one = (rows.targets[:, at] == 1.0) & (rows.sources != "security-document")
                found[f"{name}_recall_{kind}"] = float(caught[is_one].mean())
        hidden = (rows.targets[:, INDIRECT] == 1.0) & (rows.sources == "security-document")
        found[f"{name}_recall_in_documents"] = float(caught[hidden].mean())
        benign = (rows.targets == 0.0).all(axis=1) & (rows.sources != ORDINARY)
        found[f"{name}_false_positives_hard"] = float(caught[benign].mean())
        found[f"{name}_false_positives"] = float(caught[rows.sources == ORDINARY].mean())
    return found


def toml_of(judge: Judge) -> str:
    """As TOML."""
    lines = ["# Written by models/train/judge.py; the members: models/judge.py"]
    lines += [f'guard = "{judge.guard}"', f'encoder = "{judge.encoder}"']
    for kind, one in judge.weights.items():
        lines += ["", f"[weights.{kind}]"]
        lines += [f"{name} = {value}" for name, value in msgspec.to_builtins(one).items()]
    for name in ("ask", "document", "system"):
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {list(row)}" for key, row in getattr(judge, name).items()]
    lines += ["", "[measured] # dev rows of known sources, a window of each"]
    lines += [f"{name} = {value:.4f}" for name, value in judge.measured.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the artefact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=Path, default=FILES)
    options = parser.parse_args()
    guard, encoder = Guard.load(options.files), Encoder.load(options.files)
    judge = judge_of(rows_of(options.data, guard, encoder), guard, encoder)
    (options.files / JUDGE).write_text(toml_of(judge), encoding="utf-8")
    for name, value in judge.measured.items():
        print(f"{name}: {value:.3f}")


if __name__ == "__main__":
    main()
