"""
Export, calibrate and write the artefact of the encoder.

``python -m models.train.finish --data DATA --work var/train`` reads ``forked-done.pt`` and writes
``encoder.onnx``, ``encoder-tokenizer.json`` and ``encoder.toml`` to ``models/files``.
``--strangers NAME --groups A,B`` fits the confidence on rows of authors and sources that the
model NAME has not seen: it is then the one to expect of strangers. ``--keep-confidence``
takes that of the encoder that is replaced, for one that was trained on from it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from tokenizers import Tokenizer

from models.artefact import FILES
from models.encoder_manifest import ENCODER_MANIFEST, EncoderManifest, read_encoder_manifest
from models.excerpt import ASK_MARK
from models.scores import ATTACKS, TASK_TYPES
from models.train import distil, evaluate
from models.train.attacks import dev_attacks
from models.train.batches import TOKENS_MAX
from models.train.encoder_calibration import Calibration, attacks_of, calibration_of
from models.train.evaluate_encoder import predictions_of, rows_of
from models.train.export import export
from models.train.outcomes import apgr
from models.train.predict import GraphPredictor, load_graph, load_model, load_trained
from models.train.routing import read_outcomes

NAME = "encoder"
WEIGHTS = "encoder.onnx"
TOKENIZER = "encoder-tokenizer.json"
KNOTS = np.linspace(0.0, 1.0, 9)
MEASURED = ("rows", "accuracy", "macro_f1", "calibration_error", "complexity_rank_length_fixed")


def need_line(
    raw: NDArray[np.float64], gain: NDArray[np.float64]
) -> tuple[list[float], list[float]]:
    """Knots that turn the raw need into the gain to expect of a strong model, never falling."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, gain)
    at = np.unique(np.quantile(raw, KNOTS))
    smooth = np.maximum.accumulate(fitted.predict(at) + 1e-4 * np.arange(at.size))
    return [round(float(x), 5) for x in at], [round(float(x), 5) for x in smooth.clip(0.0, 1.0)]


def toml_of(manifest: EncoderManifest) -> str:
    """A manifest as TOML. Its values are strings, numbers and lists of them, as in JSON."""
    members = msgspec.to_builtins(manifest)
    measured = members.pop("measured")
    lines = ["# Written by models/train/finish.py; the members: models/encoder_manifest.py"]
    lines += [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in members.items()]
    lines += ["", "[measured] # dev: prompts unseen, authors known"]
    lines += [f"{name} = {value:.4f}" for name, value in measured.items()]
    return "\n".join(lines) + "\n"


def finish(
    work: Path, data: Path, out: Path, name: str, how: Calibration | EncoderManifest | None
) -> EncoderManifest:
    """Write the artefact; *how* takes the place of the calibration on dev, but for complexity."""
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    out.mkdir(parents=True, exist_ok=True)
    export(load_model(work / f"{name}-done.pt"), work / "encoder-fp32.onnx", out / WEIGHTS)
    (out / TOKENIZER).write_text(tokenizer.to_str())
    predict = load_graph(out / WEIGHTS, tokenizer)
    rows = rows_of(data, frozenset())
    said = predict([row.text for row in rows])
    fitted = calibration_of(rows, said)
    if how is not None:
        fitted = msgspec.structs.replace(
            fitted, temperature=how.temperature, uncertain_below=how.uncertain_below
        )
    measures = evaluate.measure(predictions_of(rows, said, fitted))
    need_from, need_to, recovered = need_of(predict, data)
    attacks = attacks_of(*attack_rows(predict, data))
    sums = [hashlib.sha256((out / name).read_bytes()).hexdigest() for name in (WEIGHTS, TOKENIZER)]
    ids = [tokenizer.token_to_id(piece) for piece in ("[CLS]", "[SEP]", ASK_MARK)]
    samples = distil.samples_of(data, frozenset())
    manifest = EncoderManifest(
        name=NAME,
        version=sums[0][:8],
        weights=WEIGHTS,
        sha256=sums[0],
        tokenizer=TOKENIZER,
        tokenizer_sha256=sums[1],
        labels=TASK_TYPES,
        languages=tuple(json.loads((work / "languages.json").read_text())),
        tokens_max=TOKENS_MAX,
        first=ids[0],
        last=ids[1],
        mark=ids[2],
        temperature=round(fitted.temperature, 6),
        uncertain_below=round(fitted.uncertain_below, 4),
        complexity_from=tuple(fitted.complexity_from),
        complexity_to=tuple(fitted.complexity_to),
        strong_need_from=tuple(need_from),
        strong_need_to=tuple(need_to),
        attacks=ATTACKS,
        attack_scale=tuple(round(x, 5) for x in attacks.scale),
        attack_shift=tuple(round(x, 5) for x in attacks.shift),
        data_sha256=hashlib.sha256(msgspec.json.encode(samples)).hexdigest(),
        measured={**{name: measures[name] for name in MEASURED}, "apgr": recovered},
    )
    (out / ENCODER_MANIFEST).write_text(toml_of(manifest), encoding="utf-8")
    return manifest


def need_of(predict: GraphPredictor, data: Path) -> tuple[list[float], list[float], float]:
    """The line of the need for a strong model, and the APGR, on outcomes kept for this."""
    outcomes = [outcome for outcome in read_outcomes(data) if outcome.dev]
    raw = predict([outcome.text for outcome in outcomes]).strong_need.astype(np.float64)
    weak = np.array([outcome.weak for outcome in outcomes])
    strong = np.array([outcome.strong for outcome in outcomes])
    line_from, line_to = need_line(raw, strong - weak)
    return line_from, line_to, apgr(raw, weak, strong)


def attack_rows(
    predict: GraphPredictor, data: Path
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logits and targets of the attacks, on texts kept for this and on composed documents."""
    rows = dev_attacks(data)
    logits = predict([text for text, _, _ in rows]).attacks.astype(np.float64)
    return logits, np.array([target for _, _, target in rows], dtype=np.float64)


def main() -> None:
    """Write the artefact."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--out", type=Path, default=FILES)
    parser.add_argument("--name", default="forked")
    parser.add_argument("--strangers", default="")
    parser.add_argument("--groups", default="")
    parser.add_argument("--keep-confidence", action="store_true")
    options = parser.parse_args()
    how: Calibration | EncoderManifest | None = None
    if options.keep_confidence:
        how = read_encoder_manifest(options.out)
    elif options.strangers:
        tokenizer = Tokenizer.from_file(str(options.work / "tokenizer.json"))
        predict = load_trained(options.work / f"{options.strangers}-done.pt", tokenizer)
        rows = rows_of(options.data, frozenset(options.groups.split(",")))
        how = calibration_of(rows, predict([row.text for row in rows]))
    manifest = finish(options.work, options.data, options.out, options.name, how)
    size = (options.out / WEIGHTS).stat().st_size / 1e6
    print(f"{options.out / WEIGHTS}: {size:.1f} MB, version {manifest.version}")


if __name__ == "__main__":
    main()
