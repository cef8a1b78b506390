"""Tokens of a text, what is known of them, and the best labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import tagger
from kernels.tagger_features import FEATURES_MAX, read_features
from kernels.tagger_path import LABELS, NEVER, TYPES, WEIGHTS, label_tokens, read_spans
from tests import reference_tagger

ALPHABET = "abAB09éÉжЖ要約をカ한 \t\n.,-'@/_:"
texts = st.text(ALPHABET, max_size=120)
NOTHING = (np.zeros(2, np.uint32), np.zeros(2, np.uint16))


def points_of(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def tokens_of(text: str, lexicon=NOTHING, room: int | None = None) -> np.ndarray:
    points = points_of(text)
    rows = np.zeros((points.size if room is None else room, tagger.COLUMNS), dtype=np.int64)
    with np.errstate(over="ignore"):  # hashes wrap; uncompiled, numpy would warn of it
        count = tagger.split_tokens(points, rows)
        tagger.look_up_all(rows, count, *lexicon)
        tagger.find_runs(rows, count, points)
    return rows[:count]


@settings(deadline=None, max_examples=150)
@given(texts)
def test_tokens_agree_with_the_reference(text):
    """Kernel and twin cut at the same places, and see the same gaps, in every script."""
    rows = tokens_of(text)

    spans = [tuple(row) for row in rows[:, [tagger.START, tagger.END]].tolist()]
    assert spans == reference_tagger.tokens(text)
    assert rows[:, tagger.GAP].tolist() == reference_tagger.gaps(text)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=150), st.integers(0, 40))
def test_any_text_is_cut(text, room):
    """Tokens are in order, inside of the text and no more than there is room for."""
    rows = tokens_of(text, room=room)

    assert len(rows) <= room
    edges = rows[:, [tagger.START, tagger.END]].ravel().tolist()
    assert edges == sorted(edges)
    assert all(0 <= edge <= len(text) for edge in edges)


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("name", tagger.LOWER),
        ("Name", tagger.CAPITALISED),
        ("NAME", tagger.UPPER),
        ("N", tagger.LETTER),
        ("McName", tagger.MIXED),
        ("اسم", tagger.UNCASED),
        ("名", tagger.SCRIPT_SHAPES),
        ("12345", tagger.NUMBER_SHAPES + 4),
        ("123456789", tagger.NUMBER_SHAPES + 5),
        ("!", 0),
    ],
)
def test_shapes(word, shape):
    """A token has one shape, by its capitals, its script or its length."""
    assert tokens_of(word)[0, tagger.SHAPE] == shape


def test_hashes_know_no_capitals_and_no_digits():
    """The same word in capitals, and another number as long, are the same to the weights."""
    rows = tokens_of("Éva éva ÉVA 17 42 171")
    hashes = rows[:, tagger.HASH].tolist()

    assert len(set(hashes[:3])) == 1
    assert hashes[3] == hashes[4] != hashes[5]


def test_pieces_are_marked():
    """Every token of an address of mail or web carries its signs, its neighbours do not."""
    rows = tokens_of("to ann@x.org, http://x/y now")
    marks = dict(zip(rows[:, tagger.START].tolist(), rows[:, tagger.CHUNK].tolist(), strict=True))

    assert marks[0] == marks[25] == 0
    assert marks[3] == marks[7] == tagger.HAS_AT
    assert marks[21] & tagger.HAS_SLASH


def lexicon_of(entries: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """A table of entries, filled as training does."""
    prints, bits = np.zeros(64, np.uint32), np.zeros(64, np.uint16)
    for entry, value in entries.items():
        key = 0
        for hashed in tokens_of(entry)[:, tagger.HASH].tolist():
            key = (key * int(tagger.STEP) + (hashed & (1 << 64) - 1)) & (1 << 64) - 1
        mixed = (key ^ key >> 32) * int(tagger.SPREAD) & (1 << 64) - 1
        mixed ^= mixed >> 29
        slot = (mixed >> 34) % 64
        while prints[slot]:
            slot = (slot + 1) % 64
        prints[slot], bits[slot] = mixed & 0xFFFFFFFF | 1, value
    return prints, bits


def test_entries_are_found():
    """Words, pairs of capitalised words and runs of characters are looked up."""
    lexicon = lexicon_of(
        {"anna": tagger.GIVEN, "New York": tagger.PLACE, "東京": tagger.PLACE, "st": tagger.STREET}
    )
    found = tokens_of("Anna New York 東京 other", lexicon)[:, tagger.ENTRY].tolist()

    inside = tagger.PLACE | tagger.INSIDE
    assert found == [tagger.GIVEN, tagger.PLACE, inside, tagger.PLACE, inside, 0]


def test_runs_and_streets():
    """Capitalised words of one line are one run; street words are seen from four tokens off."""
    lexicon = lexicon_of({"st": tagger.STREET, "van": tagger.PARTICLE})
    rows = tokens_of("we saw Jan van Dam-Bos at\nOak St", lexicon)

    assert rows[2:6, tagger.FIRST].tolist() == [2, 2, 2, 2]
    assert rows[2:7, tagger.LAST].tolist() == [6] * 5
    assert rows[8:, tagger.LAST].tolist() == [9, 9]
    assert rows[5:, tagger.STREET_NEAR].tolist() == [5, 4, 3, 2, 1]


@settings(deadline=None, max_examples=60)
@given(texts, st.integers(6, 20))
def test_features_lie_in_the_table(text, bits):
    """Every token has features, no more than there is room for, the same ones each time."""
    rows, points = tokens_of(text), points_of(text)
    ids = np.full((len(rows), FEATURES_MAX), -1, dtype=np.int32)
    sizes = np.zeros(len(rows), dtype=np.int32)
    with np.errstate(over="ignore"):
        read_features(points, rows, len(rows), bits, ids, sizes)

    for row, size in zip(ids, sizes, strict=True):
        assert 0 < size < FEATURES_MAX
        assert ((row[:size] >= 0) & (row[:size] < 1 << bits)).all()
        assert (row[size:] == -1).all()


def follow_of(values: list[int]) -> np.ndarray:
    follow = np.array(values, dtype=np.int32).reshape(LABELS, LABELS)
    for kind in range(TYPES):
        goes_on = 1 + TYPES + kind
        allowed = follow[[1 + kind, goes_on], goes_on].copy()
        follow[:, goes_on] = NEVER
        follow[[1 + kind, goes_on], goes_on] = allowed
    return follow


def rows_of(weights: list[list[int]]) -> np.ndarray:
    return np.array(weights, dtype=np.int8).view(np.uint64).ravel()


small = st.integers(-20, 20)
features = st.lists(st.integers(0, 3), min_size=1, max_size=FEATURES_MAX)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.lists(st.integers(-128, 127), min_size=WEIGHTS, max_size=WEIGHTS),
        min_size=4,
        max_size=4,
    ),
    st.lists(features, min_size=1, max_size=4),
)
def test_a_token_says_what_its_features_do(weights, tokens):
    """The score of each label is the sum of its weights, however large they are."""
    count = len(tokens)
    ids = np.zeros((count, FEATURES_MAX), dtype=np.int32)
    for row, token in zip(ids, tokens, strict=True):
        row[: len(token)] = token
    sizes = np.array([len(token) for token in tokens], dtype=np.int32)
    scores, labels = np.empty((count, LABELS), np.int32), np.empty(count, np.uint8)
    label_tokens(*(ids, sizes, count, rows_of(weights), follow_of([0] * LABELS**2), scores, labels))

    for said, token in zip(scores.tolist(), tokens, strict=True):
        assert said == [0, *(sum(weights[k][w] for k in token) for w in range(WEIGHTS))]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(small, min_size=WEIGHTS, max_size=WEIGHTS), min_size=1, max_size=4),
    st.lists(small, min_size=LABELS**2, max_size=LABELS**2),
)
def test_best_path_agrees_with_the_reference(weights, values):
    """No other path has a better sum, and its names are the twin's, each with its margin."""
    count = len(weights)
    table, follow = rows_of(weights), follow_of(values)
    ids = np.zeros((count, FEATURES_MAX), dtype=np.int32)
    ids[:, 0] = np.arange(count)
    scores = np.empty((count, LABELS), dtype=np.int32)
    labels = np.empty(count, dtype=np.uint8)
    label_tokens(ids, np.ones(count, np.int32), count, table, follow, scores, labels)
    spans = np.empty((count, 4), dtype=np.int64)
    found = spans[: read_spans(scores, follow, labels, count, spans)].tolist()

    said, after = scores.tolist(), follow.tolist()
    path = labels.tolist()
    assert reference_tagger.path_score(path, said, after) == reference_tagger.best_score(
        said, after
    )
    assert [tuple(span[:3]) for span in found] == reference_tagger.names(path)
    for first, end, _, margin in found:
        without = [*path[:first], *[0] * (end - first), *path[end:]]
        worse = reference_tagger.path_score(without, said, after)
        assert margin == reference_tagger.path_score(path, said, after) - worse >= 0


def test_no_tokens_have_no_names():
    """An empty text is no error."""
    none = np.empty((0, FEATURES_MAX), dtype=np.int32)
    scores, labels = np.empty((0, LABELS), np.int32), np.empty(0, np.uint8)
    table, follow = rows_of([[0] * WEIGHTS]), follow_of([0] * LABELS**2)
    label_tokens(none, np.empty(0, np.int32), 0, table, follow, scores, labels)

    assert read_spans(scores, follow, labels, 0, np.empty((0, 4), np.int64)) == 0
