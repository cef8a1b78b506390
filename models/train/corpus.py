"""All that the encoder learns from, each row with the targets that its source can give."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from models.scores import TASK_TYPES
from models.train.attacks import NO_ATTACK
from models.train.data import read_lines, read_phrases, read_rows, words_of
from models.train.routing import Outcome, read_outcomes

CONVERSATIONS = "authored-conversations"
ABSOLUTE = "guide"  # complexities on the scale of the labelling guide; others only rank
PUBLIC_WEIGHT = 0.3  # of a look-alike label beside one given by the guide
FOREIGN_WEIGHT = 0.6  # of the same where hardly any other prompts are
PUBLIC_MAX = {"dolly-15k": 2_500, "p3-t0": 300, "gpteacher-toolformer": 10, "numersense": 10}
PUBLIC_MAX_ELSE = 250
GRADED_MAX = 250  # rows of a graded source
OUTCOMES_MAX = 900  # rows of a routing source
PASSAGE_CHARS_MIN = 160
LANGS_MIN = 60  # rows of a language that is worth an output


class Sample(msgspec.Struct, frozen=True):
    """
    One text and its targets; None where nobody knows.

    *scale* names the rows among which complexities compare. *gain* and *failing* are those of
    models.train.routing. *attacks* is 0 or 1 for each of heads.ATTACKS, None where unknown; ()
    where nothing is known.
    """

    text: str
    lang: str
    group: str
    task: int | None = None
    task_weight: float = 0.0
    complexity: float | None = None
    scale: str = ""
    gain: float | None = None
    failing: float | None = None
    gain_weight: float = 0.0
    attacks: tuple[float | None, ...] = ()


def guided(folder: Path, without: frozenset[str]) -> list[Sample]:
    """The prompts labelled by the guide, and the phrases; no row of the groups *without*."""
    return [
        Sample(
            text=row.text,
            lang=row.lang,
            group=row.group,
            task=row.label,
            task_weight=row.weight,
            complexity=row.complexity,
            scale=ABSOLUTE,
            attacks=NO_ATTACK if row.group.startswith("authored") else (),
        )
        for row in [*read_rows(folder, "train"), *read_phrases()]
        if row.group not in without
    ]


def public(folder: Path, banned: set[str], draw: Random) -> list[Sample]:
    """Prompts of public sources with the sources' own labels, few of each source."""
    kept: dict[str, list[Sample]] = defaultdict(list)
    for row in shuffled(read_lines(folder / "task/train.jsonl.gz"), draw):
        source = row["source"]
        english = row["lang"] == "en"
        room = PUBLIC_MAX.get(source, PUBLIC_MAX_ELSE) if english else PUBLIC_MAX_ELSE * 4
        key = source if english else f"{source}/foreign"
        if len(kept[key]) < room and key_of(row["text"]) not in banned:
            weight = PUBLIC_WEIGHT if english else FOREIGN_WEIGHT
            kept[key].append(
                Sample(
                    text=row["text"],
                    lang=row["lang"],
                    group=f"public-{source}",
                    task=TASK_TYPES.index(row["task_type"]),
                    task_weight=weight,
                )
            )
    return [sample for source in sorted(kept) for sample in kept[source]]


def graded(folder: Path, banned: set[str], draw: Random) -> list[Sample]:
    """Prompts whose complexities compare within their source."""
    kept: dict[str, list[Sample]] = defaultdict(list)
    for row in shuffled(read_lines(folder / "complexity/train.jsonl.gz"), draw):
        source = row["source"]
        if len(kept[source]) < GRADED_MAX and key_of(row["text"]) not in banned:
            kept[source].append(
                Sample(
                    text=row["text"],
                    lang="",
                    group=f"graded-{source}",
                    complexity=row["complexity"],
                    scale=source,
                )
            )
    return [sample for source in sorted(kept) for sample in kept[source]]


def routed(folder: Path, draw: Random, most: int = OUTCOMES_MAX) -> list[Sample]:
    """Prompts with recorded outcomes, at most *most* of a source."""
    kept: dict[str, list[Sample]] = defaultdict(list)
    for outcome in shuffled(read_outcomes(folder), draw):
        if not outcome.dev and len(kept[outcome.source]) < most:
            kept[outcome.source].append(sample_of(outcome))
    return [sample for source in sorted(kept) for sample in kept[source]]


def sample_of(outcome: Outcome) -> Sample:
    """The targets that an outcome gives."""
    return Sample(
        text=outcome.text,
        lang="",
        group=f"routing-{outcome.source}",
        gain=outcome.gain,
        failing=outcome.failing,
        gain_weight=outcome.weight,
    )


def unlabelled(folder: Path, banned: set[str], draw: Random) -> list[str]:
    """Benign prompts of the security pack: nothing but text."""
    rows = read_lines(folder / "security/train.jsonl.gz")
    texts = [row["text"] for row in rows if row["label"] == "benign"]
    draw.shuffle(texts)
    return [text for text in texts if key_of(text) not in banned]


def passages(folder: Path) -> list[str]:
    """Texts that people paste: what stands behind a blank line in public prompts."""
    found = [row["text"].partition("\n\n")[2] for row in read_lines(folder / "task/train.jsonl.gz")]
    return [passage for passage in found if len(passage) >= PASSAGE_CHARS_MIN]


def systems(folder: Path) -> list[str]:
    """System prompts of conversations; most of them say what is to be done with what comes."""
    found = [
        words_of(message["content"])
        for row in read_lines(folder / "authored/conversations-train.jsonl.gz")
        for message in row["messages"]
        if message["role"] == "system"
    ]
    return [words for words in found if words]


def dev_keys(folder: Path) -> set[str]:
    """The texts of the dev splits, which no training row may hold under another label."""
    keys = {key_of(row.text) for row in read_rows(folder, "dev")}
    for name in ("task", "complexity"):
        keys |= {key_of(row["text"]) for row in read_lines(folder / f"{name}/dev.jsonl.gz")}
    return keys


def key_of(text: str) -> str:
    """A text without what does not matter for telling whether it is the same."""
    return re.sub(r"\W+", " ", text.lower()).strip()[:400]


def languages(samples: Iterable[Sample]) -> list[str]:
    """The languages with enough rows for an output of their own, "" (another) first."""
    counts: dict[str, int] = defaultdict(int)
    for sample in samples:
        counts[language_of(sample.lang)] += 1
    return ["", *sorted(lang for lang, count in counts.items() if lang and count >= LANGS_MIN)]


def language_of(lang: str) -> str:
    """A tag without region, but traditional Chinese apart."""
    return {"zh-TW": "zh-Hant"}.get(lang, lang if lang == "zh-Hant" else lang.partition("-")[0])


def shuffled(rows: Iterable[Any], draw: Random) -> Iterator[Any]:
    """The rows in an order drawn from *draw*."""
    everything = list(rows)
    draw.shuffle(everything)
    return iter(everything)


def foreign_texts(folder: Path) -> list[str]:
    """Texts that are not English, those like the prompts to be judged several times."""
    ours = [row.text for row in read_rows(folder, "train") if row.lang != "en" and row.scored]
    texts = ours * 4 + [row.text for row in read_phrases()] * 3
    texts += [r["text"] for r in read_lines(folder / "task/train.jsonl.gz") if r["lang"] != "en"]
    names = ("routing/train", "security/train", "complexity/train")
    rows: Iterable[dict[str, Any]] = (
        row for name in names for row in read_lines(folder / f"{name}.jsonl.gz")
    )
    return texts + [text for row in rows if is_foreign(text := row.get("text") or row["prompt"])]


def is_foreign(text: str) -> bool:
    """Whether much of the text is in another script than Latin."""
    head = text[:400]
    return sum(char > "\u024f" for char in head) > 0.3 * len(head)
