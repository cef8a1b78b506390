"""Labelled prompts, as the first stage learns from them."""

from __future__ import annotations

import gzip

import msgspec
import pytest

from models.excerpt import ASK_MARK
from models.scores import TASK_TYPES
from models.train.data import (
    COPY_WEIGHT,
    ask_before_paste,
    data_sha256,
    excerpt_of,
    group_of,
    read_phrases,
    read_rows,
)


@pytest.mark.parametrize(
    ("source", "group"),
    [
        ("authored-business", "authored-business"),
        ("authored-multilingual-2", "authored-multilingual-2"),
        ("authored-conversations-2", "authored-conversations"),
        ("annotated-dolly-15k", "real-dolly"),
        ("annotated-mgsm", "real-gsm8k"),
        ("annotated-gsm8k-multimodel", "real-gsm8k"),
    ],
)
def test_group_of(source, group):
    """An author is a group; relatives of one public source are left out together."""
    assert group_of(source) == group


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("Summarize:\n\n" + "x" * 200, "Summarize:"),
        ("Summarize:\n\nshort", ""),
        ("y" * 800 + "\n\n" + "x" * 900, ""),
        ("y" * 300 + "\n\n" + "x" * 200, ""),
        ("no blocks", ""),
    ],
)
def test_ask_before_paste(text, ask):
    """Only a short block before a longer text stands alone."""
    assert ask_before_paste(text) == ask


def test_excerpt_of_a_conversation():
    """The system prompt and the last two turns with words before the ask; no words of tools."""
    entry = {
        "ask": "the second",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "old"},
            {"role": "user", "content": [{"type": "text", "text": "ideas?"}]},
            {"role": "assistant", "content": "a or b"},
            {"role": "tool", "content": "{}"},
            {"role": "assistant", "content": None},
            {"role": "user", "content": "hm, the second, please"},
            {"role": "tool", "content": "the second"},
        ],
    }

    before = "system: be brief\nuser: ideas?\nassistant: a or b\n"
    assert excerpt_of(entry) == f"{before}{ASK_MARK}the second"


def test_read_rows_adds_copies_that_are_not_scored(tmp_path):
    """A prompt with material comes twice: whole, and as the gateway may see it."""
    entry = {
        "text": "Shorten this:\n\n" + "word " * 50,
        "task_type": "Rewrite",
        "complexity": 0.2,
        "lang": "en",
        "source": "authored-short",
    }
    (tmp_path / "authored").mkdir()
    for name, entries in (("train", [entry]), ("conversations-train", [])):
        lines = b"".join(msgspec.json.encode(e) + b"\n" for e in entries)
        (tmp_path / "authored" / f"{name}.jsonl.gz").write_bytes(gzip.compress(lines))

    whole, copy = read_rows(tmp_path, "train")

    assert (whole.text, whole.weight, whole.scored) == (entry["text"], 1.0, True)
    assert (copy.text, copy.weight, copy.scored) == ("Shorten this:", COPY_WEIGHT, False)
    assert (copy.label, copy.group) == (whole.label, whole.group)
    assert data_sha256([whole]) != data_sha256([whole, copy])


def test_phrases_name_every_type_in_every_language():
    """No language lacks a type, or its speakers would be told the others."""
    phrases = read_phrases()
    languages = {row.lang for row in phrases}

    pairs = {(row.lang, row.label) for row in phrases}

    assert pairs == {(lang, label) for lang in languages for label in range(len(TASK_TYPES))}
    assert not any(row.scored for row in phrases)
