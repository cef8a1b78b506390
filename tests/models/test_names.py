"""The shipped tagger of names, on texts that nobody would argue about."""

from __future__ import annotations

import hashlib
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels.tagger_path import LABELS, WEIGHTS
from models.artefact import ArtefactError
from models.names import CHARS_MAX, FILES, MANIFEST, TYPES, Names, read_manifest

NAMES = Names.load()
ROOM = NAMES.lexicon.prints.size

OBVIOUS = [
    ("My name is Robert Wilson and I live in Chicago.", {"Robert Wilson", "Chicago"}),
    ("Dear Mr Thompson, thank you for your letter.", {"Thompson"}),
    ("Please send it to 12 Oak Street, Denver, CO 80202.", {"12 Oak Street, Denver, CO 80202"}),
    ("Ich heiße Klaus Schneider und wohne in Hamburg.", {"Klaus Schneider", "Hamburg"}),
    ("Je m'appelle Camille Moreau et j'habite à Lyon.", {"Camille Moreau", "Lyon"}),
    ("Paciente Lucía Romero, nacida en Sevilla", {"Lucía Romero", "Sevilla"}),
    ("我叫王建国，住在上海。", {"王建国", "上海"}),
    ("Меня зовут Сергей Морозов, я живу в городе Казань.", {"Сергей Морозов", "Казань"}),
]


@pytest.mark.parametrize(("text", "expected"), OBVIOUS)
def test_obvious_names_are_found(text, expected):
    """Plain sentences give up their names, whole and nothing else, in several scripts."""
    assert {text[start:end] for start, end, _, _ in NAMES.spans(text)} == expected


def test_types_are_told_apart():
    """A person, a place, an organisation and an address in one text are what they are."""
    text = "Anna Miller works at Stonebridge Consulting Ltd in Boston, home: 7 Elm Road, Leeds."
    found = {text[start:end]: kind for start, end, kind, _ in NAMES.spans(text)}

    assert found == {
        "Anna Miller": "PERSON",
        "Stonebridge Consulting Ltd": "ORGANIZATION",
        "Boston": "LOCATION",
        "7 Elm Road, Leeds": "ADDRESS",
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "Write a Python function that returns the sum of two numbers.",
        "How do I install Docker on Ubuntu 22.04?",
        "def area(w, h):\n    return w * h",
        "Explain the difference between a list and a tuple.",
        "Erkläre den Unterschied zwischen Liste und Tupel.",
        "请总结这篇文章的主要内容。",
        "SELECT name, city FROM customers WHERE id = 4;",
    ],
)
def test_ordinary_prompts_hold_no_names(text):
    """Software, brands and plain asks are nobody's personal data."""
    assert NAMES.spans(text) == []


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=1_500))
def test_any_text_is_read(text):
    """No text raises; spans are sorted, apart, inside of the text and of a known type."""
    spans = NAMES.spans(text)

    edges = [edge for start, end, _, _ in spans for edge in (start, end)]
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)
    assert all(start < end for start, end, _, _ in spans)
    assert all(kind in TYPES and 0 < probability <= 1 for _, _, kind, probability in spans)
    assert NAMES.spans(text) == spans


@pytest.mark.parametrize(
    "text",
    [
        "\ud800\udfff",
        "\x00" * 9_000,
        "A" * 100_000,
        "Anna Miller, " * 9_000,
        "名" * 50_000,
        "🙂" * 99,
    ],
)
def test_strange_texts_are_read(text):
    """Lone surrogates, control characters and long texts end where the bound says."""
    assert all(end <= CHARS_MAX for _, end, _, _ in NAMES.spans(text))


def test_a_long_text_is_read_up_to_the_bound():
    """A name far behind is found, one beyond CHARS_MAX is not."""
    name = "My name is Robert Wilson and I live in Chicago. "
    filler = "the weather is fine today. " * ((CHARS_MAX - 200) // 27)

    assert len(NAMES.spans(filler + name)) == 2
    assert NAMES.spans(filler + filler[:300] + name) == []


def changed(folder, old: str, new: str):
    """A copy of the shipped artefact whose manifest says *new* instead of *old*."""
    folder.mkdir()
    shutil.copy(FILES / NAMES.manifest.weights, folder)
    text = (FILES / MANIFEST).read_text(encoding="utf-8")
    assert old in text
    (folder / MANIFEST).write_text(text.replace(old, new), encoding="utf-8")
    return folder


def repacked(folder, **arrays):
    """A copy with other arrays, and a manifest that vouches for them."""
    changed(folder, NAMES.manifest.sha256, "")
    np.savez(folder / NAMES.manifest.weights, **arrays)
    sha256 = hashlib.sha256((folder / NAMES.manifest.weights).read_bytes()).hexdigest()
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    (folder / MANIFEST).write_text(text.replace('sha256 = ""', f'sha256 = "{sha256}"', 1), "utf-8")
    return folder


GOOD = {
    "table": NAMES.weights.table,
    "follow": NAMES.weights.follow,
    "prints": NAMES.lexicon.prints,
    "entries": NAMES.lexicon.entries,
}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"table": GOOD["table"]}, "follow is not a file in the archive"),
        (
            {**GOOD, "table": np.zeros((4, 8), np.int8)},
            rf"table is int8\[4, 8\], expected int8\[{1 << NAMES.manifest.bits}, {WEIGHTS}\]",
        ),
        (
            {**GOOD, "follow": np.zeros((LABELS, LABELS), np.float32)},
            rf"follow is float32\[9, 9\], expected int32\[{LABELS}, {LABELS}\]",
        ),
        (
            {**GOOD, "prints": np.zeros(24, np.uint32), "entries": np.zeros(24, np.uint16)},
            "prints and entries have 24 and 24 places, expected the same power of two",
        ),
        ({**GOOD, "prints": np.ones(ROOM, np.uint32)}, "prints has no free place"),
    ],
)
def test_arrays_of_another_shape_are_refused(tmp_path, arrays, message):
    """Arrays that the sum vouches for but this code cannot use are refused too."""
    with pytest.raises(ArtefactError, match=message):
        Names.load(repacked(tmp_path / "files", **arrays))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"PERSON"', '"HUMAN"', "labels are .*HUMAN"),
        ("bits = ", "bats = ", "bats"),
        (NAMES.manifest.sha256, "0" * 64, "sha256 is"),
        ('weights = "names.npz"', 'weights = "none.npz"', "No such file"),
        ("thresholds = [", "thresholds = [0.5,", "4 calibrations and 5 thresholds"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path, old, new, message):
    """What the manifest says is checked before the weights are believed."""
    with pytest.raises(ArtefactError, match=message):
        Names.load(changed(tmp_path / "files", old, new))


def test_a_missing_artefact_is_refused(tmp_path):
    """The error says which file is missing."""
    with pytest.raises(ArtefactError, match=r"names\.toml"):
        Names.load(tmp_path)


def test_the_artefact_is_small_and_named_for_its_weights():
    """At most 3 MB; the version begins the sum of the weights."""
    manifest = read_manifest(FILES)

    assert (FILES / manifest.weights).stat().st_size <= 3_000_000
    assert NAMES.version == f"names-{manifest.sha256[:8]}"
