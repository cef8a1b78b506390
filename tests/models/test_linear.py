"""The shipped first stage, on prompts that nobody would argue about."""

from __future__ import annotations

import hashlib
import shutil

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artefact import FILES, ArtefactError
from models.excerpt import join_excerpt
from models.linear import FirstStage
from models.manifest import MANIFEST, read_manifest
from models.scores import TASK_TYPES, TIERS, UNSCORED, tier_of

FIRST_STAGE = FirstStage.load()


@pytest.fixture
def first_stage():
    return FIRST_STAGE


OBVIOUS = [
    ("hi there, how are you today?", "Chatbot"),
    ("What is the capital of Australia?", "Closed QA"),
    ("In which year did the Berlin Wall fall?", "Closed QA"),
    ("Explain how photosynthesis works and why it matters", "Open QA"),
    ("What are the pros and cons of renting instead of buying a flat?", "Open QA"),
    ("Summarize the following article in three sentences:", "Summarization"),
    ("Write a short story about a lighthouse keeper who finds a letter", "Text Generation"),
    ("Write a Python function that reverses a linked list", "Code Generation"),
    ("Why does this SQL query return duplicates? SELECT a.id FROM a JOIN b", "Code Generation"),
    ("Is this review positive or negative? 'The soup was cold.'", "Classification"),
    ("Translate into French: Where is the station?", "Rewrite"),
    ("Make this email more polite: send me the file now", "Rewrite"),
    ("Give me ten name ideas for a bakery", "Brainstorming"),
    ("Extract all dates and names from the text below as JSON", "Extraction"),
    ("Solve for x: 3x + 7 = 22", "Other"),
    ("Fasse den folgenden Text in zwei Sätzen zusammen", "Summarization"),
    ("写一个函数，计算斐波那契数列", "Code Generation"),
]


@pytest.mark.parametrize(("text", "task_type"), OBVIOUS)
def test_obvious_prompts(first_stage, text, task_type):
    """Plain prompts of every type are told apart, in English and elsewhere, and with certainty."""
    scores = first_stage.score(text)

    assert (scores.task_type, scores.uncertain) == (task_type, False)


def test_obvious_prompts_name_all_types():
    """The table above leaves no task type out."""
    assert {task_type for _, task_type in OBVIOUS} == set(TASK_TYPES)


HARDER = (
    "thanks!",
    "Write a short email that moves our meeting to Tuesday",
    "Compare optimistic and pessimistic locking for a booking service, with the trade-offs of each",
    "Design a multi-region payment ledger that stays consistent through partitions, keeps p99 below"
    " 50 ms and survives replay; prove that no transfer is applied twice and derive its limits.",
)


def test_harder_prompts_score_higher(first_stage):
    """From thanks to a proof complexity only grows, from the low tier to the high one."""
    scores = [first_stage.score(text) for text in HARDER]

    assert [s.complexity for s in scores] == sorted(s.complexity for s in scores)
    assert (scores[0].tier, scores[1].tier, scores[3].tier) == ("low", "low", "high")


def test_repeating_a_text_does_not_make_it_harder(first_stage):
    """Length alone is no complexity: the same words twice are the same tier."""
    text = "Give me a recipe for pancakes. "

    assert first_stage.score(text * 20).tier == first_stage.score(text).tier == "low"


def test_turns_before_change_the_answer(first_stage):
    """A short answer is read in the light of the question before it."""
    alone = first_stage.score("now in Rust")
    after = first_stage.score(
        join_excerpt("now in Rust", [("user", "write a function that sorts a list in python")])
    )

    assert alone != after
    assert after.task_type == "Code Generation"


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=2_000))
def test_any_text_is_scored(text):
    """No text raises, and every number is in its range."""
    scores = FIRST_STAGE.score(text)

    assert scores.task_type in TASK_TYPES
    assert 0 <= scores.confidence <= 1
    assert 0 <= scores.complexity <= 1
    assert scores.tier == tier_of(scores.complexity) in TIERS
    assert FIRST_STAGE.score(text) == scores


@pytest.mark.parametrize(
    "text",
    ["\ud800\udfff", "\x00\x01\x02" * 500, "A" * 1_000_000, "é" * 100_000, "\x1e", "🙂" * 999],
)
def test_strange_texts_are_scored(first_stage, text):
    """Lone surrogates, control characters and megabytes are texts like others."""
    assert first_stage.score(text).tier in TIERS


@pytest.mark.parametrize("text", ["", " ", "\t \u3000", "\x1e"])
def test_nothing_to_read_is_unscored(first_stage, text):
    """A text without a word is no guess of the model."""
    assert first_stage.score(text) == UNSCORED


def test_two_loads_agree(first_stage):
    """The scores are a function of text and artefact."""
    texts = [text for text, _ in OBVIOUS]

    assert [first_stage.score(t) for t in texts] == [FirstStage.load().score(t) for t in texts]


def repacked(folder, **arrays):
    """A copy of the shipped artefact with other arrays, and a manifest that vouches for them."""
    shutil.copytree(FILES, folder)
    manifest = read_manifest(folder)
    np.savez(folder / manifest.weights, **arrays)
    sha256 = hashlib.sha256((folder / manifest.weights).read_bytes()).hexdigest()
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    (folder / MANIFEST).write_text(text.replace(manifest.sha256, sha256), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"table": np.zeros((4, 16), np.int8)}, "scale is not a file in the archive"),
        (
            {"table": np.zeros((4, 16), np.int8), "scale": np.ones(16), "bias": np.ones(16)},
            r"table is int8\[4, 16\], expected int8\[524288, 16\]",
        ),
    ],
)
def test_weights_of_another_shape_are_refused(tmp_path, arrays, message):
    """Weights that the sum vouches for but this code cannot use are refused too."""
    with pytest.raises(ArtefactError, match=message):
        FirstStage.load(repacked(tmp_path / "files", **arrays))


def test_version_names_the_weights(first_stage):
    """A record of the version finds the artefact: it begins the sum of the weights."""
    manifest = msgspec.structs.asdict(first_stage.manifest)

    assert first_stage.version == f"first-stage-{manifest['sha256'][:8]}"
