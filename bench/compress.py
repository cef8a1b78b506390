"""
What compression saves, what it costs in answers, and how long it takes.

``python -m bench.compress DATA``: DATA is the folder that holds ``task/train.jsonl.gz`` and
``task/dev.jsonl.gz``. ``compress_answers.jsonl`` beside this file names prompts of it, extraction
and questions about a text, with the spans that answer them, read off by hand; the weights of
compact were chosen on those of the train split.

A span counts as kept when it is still there word for word ("exact", less articles), or when all
its words with content are, in order ("words"). "mixed" puts three other passages around the text.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gateway.compress.compact import compact
from gateway.compress.compact_words import FUNCTION_WORDS
from gateway.compress.toon import to_toon
from gateway.signals.pasted import beside_paste
from gateway.signals.tokens import text_tokens

ANSWERS = Path(__file__).with_name("compress_answers.jsonl")
RATES = (0.3, 0.5, 0.7)
OTHERS = 3  # passages around a text in "mixed"
ROUNDS = 20
SPEED_CHARS = 8_000  # about 2,000 tokens of English

Row = tuple[str, list[str]]  # a prompt and the spans that answer it
Method = Callable[[str, float], str]


def rows_of(data: Path, split: str) -> list[Row]:
    """The prompts of *split* with their answers; those that the ask itself gives away left out."""
    with gzip.open(data / "task" / f"{split}.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = {row["id"]: row["text"] for row in map(json.loads, lines)}
    found = []
    for line in ANSWERS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["split"] != split:
            continue
        text = texts[row["id"]]
        missing = [answer for answer in row["answers"] if answer not in text]
        assert not missing, (row["id"], missing)
        ask = beside_paste(text)
        spans = [a for a in row["answers"] if len(ask) > len(text) / 2 or a not in ask]
        if spans:
            found.append((text, spans))
    return found


def mixed(rows: list[Row], seed: int = 7) -> list[Row]:
    """Each prompt with passages of others around its own, in any order."""
    chance = random.Random(seed)  # noqa: S311 - a shuffle, no secret
    passages = [max(re.split(r"\n\s*\n", text), key=len) for text, _ in rows]
    out = []
    for text, spans in rows:
        own = max(re.split(r"\n\s*\n", text), key=len)
        others = [p for p in chance.sample(passages, OTHERS + 1) if p != own][:OTHERS]
        others.insert(chance.randrange(OTHERS + 1), own)
        out.append((text.replace(own, "\n\n".join(others), 1), spans))
    return out


def head(text: str, rate: float) -> str:
    """The beginning of *text*, and its ask."""
    return text[: round(rate * len(text))]


def chance_sentences(text: str, rate: float) -> str:
    """Sentences of *text* by chance, up to *rate*."""
    sentences = re.findall(r"[^.!?。！？\n]+[.!?。！？\n]*\s*", text)
    order = list(range(len(sentences)))
    random.Random(len(text)).shuffle(order)  # noqa: S311 - a shuffle, no secret
    left, kept = rate * len(text), []
    for row in order:
        left -= len(sentences[row])
        if left < 0:
            break
        kept.append(row)
    return "".join(sentences[row] for row in sorted(kept))


def words_of(text: str) -> list[str]:
    """Words in lower case, less articles."""
    return [w for w in re.findall(r"\w+", text.lower()) if w not in ("a", "an", "the")]


def has_exact(text: str, span: str) -> bool:
    """Whether *span* is in *text*, articles and signs aside."""
    return " ".join(words_of(span)) in " ".join(words_of(text)) or span in text


def has_words(text: str, span: str) -> bool:
    """Whether the words of *span* that have content are in *text*, in order."""
    rest = iter(re.findall(r"\w+", text.lower()))
    wanted = [word for word in words_of(span) if word not in FUNCTION_WORDS]
    return span in text or all(word in rest for word in wanted)


def measure(rows: list[Row], method: Method, rate: float) -> tuple[float, float, float, float]:
    """Share of characters, of tokens, of spans kept exactly, and of spans whose words are kept."""
    short = [method(text, rate) for text, _ in rows]
    exact = [has_exact(s, a) for s, (_, spans) in zip(short, rows, strict=True) for a in spans]
    words = [has_words(s, a) for s, (_, spans) in zip(short, rows, strict=True) for a in spans]
    characters = sum(map(len, short)) / sum(len(text) for text, _ in rows)
    tokens = sum(map(text_tokens, short)) / sum(text_tokens(text) for text, _ in rows)
    return characters, tokens, sum(exact) / len(exact), sum(words) / len(words)


def report_answers(data: Path) -> None:
    """Print the share of spans that each method keeps."""
    methods: dict[str, Method] = {"compact": compact, "head": head, "chance": chance_sentences}
    print(f"{'split':12} {'spans':>5} {'method':8} rate  chars tokens  exact  words")
    for split in ("train", "dev"):
        rows = rows_of(data, split)
        for name, some in ((split, rows), (f"{split} mixed", mixed(rows))):
            spans = sum(len(spans) for _, spans in some)
            for label, method in methods.items():
                for rate in RATES:
                    shares = "  ".join(f"{share:5.2f}" for share in measure(some, method, rate))
                    print(f"{name:12} {spans:5} {label:8} {rate:.1f}  {shares}")


def milliseconds(call: Callable[[], object]) -> float:
    """The best time of ROUNDS calls."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times) * 1e3


def report_speed(data: Path) -> None:
    """Print what toon saves, and the time of both."""
    rows = [{"id": i, "name": f"user{i}", "ok": i % 2 == 0, "score": i / 8} for i in range(120)]
    table = json.dumps(rows)
    nested = json.dumps(
        {"items": [{"id": i, "tags": ["a", "b"], "at": {"x": i}} for i in range(80)]}
    )
    for name, text in (("toon, table", table), ("toon, nested", nested)):
        tokens = f"{text_tokens(text)} to {text_tokens(to_toon(text) or text)} tokens"
        print(f"{name:14} {tokens}, {milliseconds(partial(to_toon, text)):.2f} ms")
    prose = "\n\n".join(text for text, _ in rows_of(data, "train"))[:SPEED_CHARS]
    took = milliseconds(lambda: compact(prose, 0.5))
    print(f"{'compact':14} {text_tokens(prose)} tokens, {took:.2f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    folder = parser.parse_args().data
    report_answers(folder)
    report_speed(folder)
