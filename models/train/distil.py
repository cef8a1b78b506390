"""
The second half of the training of the encoder: the small student.

``python -m models.train.distil --data DATA --work var/train`` reads ``teacher-done.pt`` and leaves
``student-done.pt``. The student starts as some layers of the teacher, and learns what the teacher
says of public and unlabelled prompts beside the labels of the guide.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.train import corpus, teach
from models.train.batches import Reader, epoch
from models.train.corpus import Sample
from models.train.heads import HEADS, keep_layers
from models.train.loop import Course, train
from models.train.losses import is_asked, targets_of
from models.train.predict import load_model

LAYERS = (0, 2, 3, 5)  # of the teacher's six
UNLABELLED_MAX = 1_500
OUTCOMES_MAX = 300  # of a routing source
COPIES = 1  # of an English prompt labelled by the guide; the teacher knows them well
FOREIGN_COPIES = 6  # of one in another language
PHRASE_COPIES = 4
CONVERSATION_COPIES = 6  # there are few, and none is changed
PUBLIC_HARD = 0.4  # what is left of a public label's weight beside the teacher's opinion
SOFT_BATCH_TOKENS = 4_096
RATE = 1.5e-4
RATE_WORDS = 2e-4
STEPS_MAX = 1_500  # of about 2,500 tokens; one epoch has fewer
RATE_HEADS = 3e-4


@dataclass(frozen=True)
class Wanted:
    """How the student is made."""

    data: Path
    work: Path
    name: str
    teacher: str
    layers: tuple[int, ...]
    copies: int
    without: frozenset[str]
    steps: int
    seed: int


def samples_of(data: Path, without: frozenset[str]) -> list[Sample]:
    """The rows of the teacher, public labels believed less, and rows without any label."""
    labelled = [
        msgspec.structs.replace(sample, task_weight=PUBLIC_HARD * sample.task_weight)
        if sample.group.startswith("public-") and sample.lang == "en"
        else sample
        for sample in teach.samples_of(data, without, OUTCOMES_MAX)
    ]
    texts = corpus.unlabelled(data, corpus.dev_keys(data), Random(teach.SEED))  # noqa: S311
    more = [Sample(text=text, lang="", group="unlabelled") for text in texts[:UNLABELLED_MAX]]
    return labelled + more


def copies_of(sample: Sample, copies: int) -> int:
    """How often a sample is seen."""
    if sample.group == "phrases":
        return PHRASE_COPIES
    if sample.group == corpus.CONVERSATIONS:
        return CONVERSATION_COPIES
    if sample.scale == corpus.ABSOLUTE and sample.lang != "en":
        return FOREIGN_COPIES
    return teach.copies_of(sample, copies)


def opinions(
    teacher: Path, samples: list[Sample], reader: Reader, cache: Path
) -> dict[str, Tensor]:
    """What the teacher says of the texts it is asked about, as they are; kept in *cache*."""
    if cache.exists():
        found: dict[str, Tensor] = torch.load(cache)
        return found
    from models.train.batches import by_length

    model = load_model(teacher).to(torch.bfloat16).eval()
    asked = [at for at, sample in enumerate(samples) if is_asked(sample)]
    encoded = reader([samples[at].text for at in asked])
    columns: dict[str, Tensor] = {}
    for batch in by_length(encoded, asked, SOFT_BATCH_TOKENS):
        with torch.no_grad():
            pooled, said = model(batch.ids, batch.mask)
        for name, value in {**said, "pooled": pooled}.items():
            if name not in columns:
                columns[name] = torch.zeros(len(samples), value.shape[1])
            columns[name][batch.rows] = value.float()
    torch.save(columns, cache)
    print(f"{len(asked)} opinions", flush=True)
    return columns


def distil(wanted: Wanted) -> None:
    """Make the student."""
    tokenizer = Tokenizer.from_file(str(wanted.work / "tokenizer.json"))
    names: list[str] = json.loads((wanted.work / "languages.json").read_text())
    samples = samples_of(wanted.data, wanted.without)
    reader, change = Reader(tokenizer), teach.augmenter(wanted.data)
    teacher = wanted.work / f"{wanted.teacher}-done.pt"
    soft = opinions(teacher, samples, reader, wanted.work / f"{wanted.teacher}-says.pt")
    copies = [copies_of(sample, wanted.copies) for sample in samples]
    course = Course(
        name=wanted.name,
        batches=lambda at: epoch(samples, copies, reader, change, wanted.seed + at),
        epochs=1,
        rate=RATE,
        rate_words=RATE_WORDS,
        rate_heads=RATE_HEADS,
        word_factors=teach.word_factors(tokenizer),
        steps_max=wanted.steps,
    )
    student = keep_layers(load_model(teacher), wanted.layers, {**HEADS, "language": len(names)})
    languages = teach.language_numbers(samples, names)
    train(student, targets_of(samples, languages, soft), course, wanted.work)


def main() -> None:
    """Train a student of a teacher."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--name", default="student")
    parser.add_argument("--teacher", default="teacher")
    parser.add_argument("--layers", default=",".join(map(str, LAYERS)))
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--without", default="", help="groups left out, with commas between")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=STEPS_MAX)
    parser.add_argument("--seed", type=int, default=2 * teach.SEED)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    distil(
        Wanted(
            data=options.data,
            work=options.work,
            name=options.name,
            teacher=options.teacher,
            layers=tuple(int(at) for at in options.layers.split(",")),
            copies=options.copies,
            without=frozenset(filter(None, options.without.split(","))),
            steps=options.steps,
            seed=options.seed,
        )
    )


if __name__ == "__main__":
    main()
