"""
Measure the two stages and the cascade as shipped on the dev splits, beside the targets.

``python -m models.train.evaluate_cascade --data DATA`` takes two minutes and 3 GB: the first stage
is fitted once more on the training prompts alone, because the shipped one has learnt from the dev
splits too. What it says with whole authors and sources left out is printed as well.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from models.artefact import FILES
from models.encoder import Encoder
from models.opinion import Blend
from models.train.corpus import CONVERSATIONS, language_of
from models.train.data import Row, read_phrases, read_rows
from models.train.evaluate import Predictions, measure, report, slices
from models.train.evaluate_encoder import robust, sinking, tables
from models.train.first_stage import train
from models.train.serving import ALWAYS, PLAIN, Held, answers_of, held_out, predictions

LANGUAGES = 12  # the largest besides English


def cases(held: list[Held], encoder: Encoder) -> dict[str, Predictions]:
    """What each stage says alone, and what the cascade makes of both."""
    serving = encoder.serving
    return {
        "first stage": predictions(held, [h.scores for h in held]),
        "encoder": predictions(held, answers_of(held, ALWAYS, PLAIN)),
        "cascade": cascade(held, encoder),
        "both, always": predictions(held, answers_of(held, ALWAYS, serving.blend)),
    }


def cascade(held: list[Held], encoder: Encoder) -> Predictions:
    """The answers under the shipped thresholds."""
    blend: Blend = encoder.serving.blend
    return predictions(held, answers_of(held, encoder.serving.thresholds, blend))


def targets(found: Predictions) -> str:
    """A Markdown table of what is wanted of the cascade, and what it reaches."""
    parts = dict(slices(found))
    written, real = parts["written, English"], parts["real, English"]
    other = found.only(np.array([row.lang != "en" for row in found.rows]))
    talks = found.only(np.array([row.group == CONVERSATIONS for row in found.rows]))
    worst, share = hardest_language(other)
    lines = [
        ("task accuracy, written English", written.right.mean(), "≥ .90"),
        ("task accuracy, real English", real.right.mean(), "≥ .80"),
        ("task accuracy, conversations", talks.right.mean(), "≥ .82"),
        ("task accuracy, other languages", other.right.mean(), "≥ .68"),
        (f"the worst of {LANGUAGES} languages, {worst}", share, "≥ .60"),
        ("complexity, length held fixed, written English", fixed(written), "≥ .72"),
        ("complexity, length held fixed, real English", fixed(real), "≥ .45"),
        ("high called low", sinking(found)[0], "≤ .02"),
    ]
    table = ["| | dev | target |", "|---|---|---|"]
    return "\n".join(table + [f"| {name} | {x:.3f} | {wanted} |" for name, x, wanted in lines])


def fixed(found: Predictions) -> float:
    """The rank correlation of the complexity with the length held fixed."""
    return measure(found)["complexity_rank_length_fixed"]


def hardest_language(found: Predictions) -> tuple[str, float]:
    """The worst of the LANGUAGES with most rows, and its accuracy."""
    tags = np.array([language_of(row.lang) for row in found.rows])
    names, counts = np.unique(tags, return_counts=True)
    largest = names[np.argsort(-counts, kind="stable")][:LANGUAGES]
    shares = {str(name): float(found.right[tags == name].mean()) for name in largest}
    worst = min(shares, key=shares.__getitem__)
    return worst, shares[worst]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--files", type=Path, default=FILES)
    options = parser.parse_args()
    encoder = Encoder.load(options.files, gpu=False)
    honest, left_out = train([*read_rows(options.data, "train"), *read_phrases()])
    print(f"\n## first stage, authors and sources left out whole\n\n{report(left_out)}")
    judged = [row for row in read_rows(options.data, "dev") if row.scored]

    def held(rows: list[Row]) -> list[Held]:
        return held_out(rows, honest, encoder)

    found = cases(held([row for row in judged if row.complexity is not None]), encoder)
    for name, one in found.items():
        print(f"\n## {name}\n\n{tables(one)}")
    print("\n## cascade, dressed differently (nothing cut away)\n")
    print(robust(judged, lambda rows: cascade(held(rows), encoder), options.data))
    print(f"\n## cascade, targets\n\n{targets(found['cascade'])}")


if __name__ == "__main__":
    main()
