"""
Train the tagger of names and write its artefact.

    python -m models.train.names --data DIR [--out DIR]

DIR holds pii/, task/ and authored/, see data.py. The run is deterministic and takes about two
minutes on one core. It measures on sources that it has not learnt from: on dev after learning
from the authored texts alone, and on each fifth of the authored texts after learning from the
rest and dev. Those five calibrate the model of everything, which is written.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import time
from pathlib import Path

import msgspec
import numpy as np

from models.artefact import FILES
from models.names import MANIFEST, TYPES, Lexicon, Names, NamesManifest
from models.train import names_data as data
from models.train import names_evaluate as evaluate
from models.train.names_calibrate import best_threshold, logistic
from models.train.names_fit import WEIGHTS_FILE, fit, unlabelled
from models.train.names_lexicon import build
from models.train.names_phrases import Labelled, phrases

FOLDS = 5
PHRASE_COPIES, DEV_COPIES, AUTHORED_COPIES = 10, 1, 7
DEV_WEIGHT, AUTHORED_WEIGHT = 0.6, 1.0
WRITTEN_TEXTS, PROMPT_TEXTS, TEXT_CHARS = 3_500, 2_500, 600


def say(text: str) -> None:
    """Progress, with the seconds since the start of the process."""
    print(f"[{time.process_time():6.1f} s] {text}", flush=True)


def found_by(model: Names, texts: list[Labelled]) -> list[tuple[Labelled, list[evaluate.Span]]]:
    """What the finished model says, through the code that the gateway runs."""
    return [(one, [span[:3] for span in model.spans(one.text)]) for one in texts]


def materials(folder: Path) -> tuple[list[Labelled], list[Labelled]]:
    """The labelled texts of dev, and those written for this project."""
    dev, authored = (data.read(folder / name) for name in (data.DEV, data.AUTHORED))
    return dev, authored


def assembled(
    dev: list[Labelled], authored: list[Labelled], open_texts: list[Labelled]
) -> list[Labelled]:
    """All that one fit learns from: sentences and texts, as they are and varied."""
    written = phrases(PHRASE_COPIES)
    names = data.pools([*written, *dev, *authored])
    others = data.pools([*written, *authored])  # without the partial addresses of dev
    return [
        *data.varied(written, names, 1, 1.0, "phrases"),
        *data.varied(dev, names, DEV_COPIES, DEV_WEIGHT, "dev"),
        *data.varied(authored, others, AUTHORED_COPIES, AUTHORED_WEIGHT, "authored"),
        *open_texts,
    ]


def open_prompts(folder: Path, lexicon: Lexicon, dev: list[Labelled]) -> list[Labelled]:
    """Ordinary prompts, with what a first tagger and the lexicon cannot tell left open."""
    first = fit(assembled(dev, [], []), lexicon)
    chance = random.Random(9)  # noqa: S311 - no secret
    written = data.read_texts(folder, [data.WRITTEN])
    written = chance.sample(written, min(WRITTEN_TEXTS, len(written)))
    other = data.read_texts(folder, [data.PROMPTS])
    other = chance.sample(other, min(PROMPT_TEXTS, len(other)))
    return [
        *unlabelled(first, [text[:TEXT_CHARS] for text in written], written=True),
        *unlabelled(first, [text[:TEXT_CHARS] for text in other], written=False),
    ]


def calibrated(model: Names, left_out: list[tuple[Names, list[Labelled]]]) -> Names:
    """*model* with the calibration that fits what others say of texts they have not seen."""
    lines, thresholds = [], []
    for kind, name in enumerate(TYPES):
        margins, right, there = [], [], 0
        for other, texts in left_out:
            for one in texts:
                there += sum(span[2] == name for span in one.spans)
                for start, end, found, margin in other.candidates(one.text):
                    if found == kind:
                        margins.append(margin)
                        right.append((start, end, name) in one.spans)
        line = logistic(np.array(margins), np.array(right))
        likely = 1.0 / (1.0 + np.exp(-(np.array(margins) * line[0] + line[1])))
        lines.append(line)
        thresholds.append(best_threshold(likely, np.array(right), there))
    manifest = msgspec.structs.replace(
        model.manifest, calibration=tuple(lines), thresholds=tuple(thresholds)
    )
    return Names(manifest, model.lexicon, model.weights)


def like(model: Names, other: Names) -> Names:
    """*other* with the calibration and the thresholds of *model*."""
    manifest = msgspec.structs.replace(model.manifest, scale=other.manifest.scale)
    return Names(manifest, other.lexicon, other.weights)


def write(model: Names, measured: dict[str, float], sha256: str, folder: Path) -> NamesManifest:
    """Write weights and manifest; the same model gives the same bytes."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        table=model.weights.table,
        follow=model.weights.follow,
        prints=model.lexicon.prints,
        entries=model.lexicon.entries,
    )
    total = hashlib.sha256(content.getvalue()).hexdigest()
    manifest = msgspec.structs.replace(
        model.manifest, version=total[:8], sha256=total, measured=measured, data_sha256=sha256
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS_FILE).write_bytes(content.getvalue())
    (folder / MANIFEST).write_text(toml_of(manifest), encoding="utf-8")
    say(f"{folder / WEIGHTS_FILE}: {len(content.getvalue()) / 1e6:.1f} MB, {manifest.version}")
    return manifest


def toml_of(manifest: NamesManifest) -> str:
    """A manifest as TOML. Its values are strings, numbers and lists of them, as in JSON."""
    members = msgspec.to_builtins(manifest)
    measured = members.pop("measured")
    lines = ["# Written by models/train/names.py; what the members mean: models/names.py"]
    lines += [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in members.items()]
    lines += ["", "[measured] # fifths of the authored texts, and dev, each left out"]
    lines += [f"{name} = {value:.4f}" for name, value in measured.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the tagger of names.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data packs")
    parser.add_argument("--out", type=Path, default=FILES, help="folder of the artefact")
    options = parser.parse_args()
    folder = options.data
    lexicon = build(data.read_texts(folder, [data.PROMPTS, data.WRITTEN]))
    dev, authored = materials(folder)
    unseen = open_prompts(folder, lexicon, dev)
    say("1 of 7: dev left out")
    on_dev = fit(assembled([], authored, unseen), lexicon)
    left_out = []
    for fold in range(FOLDS):
        say(f"{fold + 2} of 7: a fifth of the authored texts left out")
        rest = [one for i, one in enumerate(authored) if i % FOLDS != fold]
        model = fit(assembled(dev, rest, unseen), lexicon)
        left_out.append((model, authored[fold::FOLDS]))
    say("7 of 7: all")
    texts = assembled(dev, authored, unseen)
    model = calibrated(fit(texts, lexicon), left_out)
    pairs = [pair for other, rest in left_out for pair in found_by(like(model, other), rest)]
    measured = {}
    for title, found in (("authored", pairs), ("dev", found_by(like(model, on_dev), dev))):
        counts = evaluate.count(found)
        print(f"\n## {title}, left out\n\n{evaluate.report(counts)}\n")
        for kind, one in counts.items():
            measured[f"{title}_{kind.lower()}_f1"] = one.f1()
            measured[f"{title}_{kind.lower()}_overlap_f1"] = one.overlap_f1()
    write(model, measured, data.data_sha256(texts), options.out)


if __name__ == "__main__":
    main()
