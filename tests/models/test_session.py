"""The encoder's graph in onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest

from models import session
from models.artefact import ArtefactError
from models.session import Session, bucket, rectangle
from tests.models.artefacts import tiny_graph

ROWS = [[1, 2, 3], [4], [5, 6]]
SUMS = [6, 4, 11]


class Bucketed(Session):
    """Runs on the CPU as it would on a GPU."""

    bucketed = True


@pytest.mark.parametrize("kind", [Session, Bucketed])
def test_padding_changes_nothing(kind):
    """Rows of different lengths in one batch give what each gives alone, on both ways to run."""
    found = kind(tiny_graph()).run(ROWS)

    assert found.task.argmax(axis=1).tolist() == [n % 11 for n in SUMS]
    assert np.array_equal(found.language, found.task)
    assert found.complexity == pytest.approx([n / 100 for n in SUMS])
    assert found.strong_need == pytest.approx([n / 100 for n in SUMS])


def test_it_says_where_it_runs():
    """Without a GPU the CPU."""
    assert Session(tiny_graph()).provider == "CPUExecutionProvider"


def test_what_is_no_graph_is_refused():
    """With a sentence that says what to do."""
    with pytest.raises(ArtefactError, match=r"the encoder's graph cannot be loaded: .*; restore"):
        Session(b"nonsense")


def test_a_graph_without_our_outputs_is_refused():
    """A graph of something else is named by what it lacks."""
    graph = tiny_graph().replace(b"strong_need", b"weaker_need")

    with pytest.raises(ArtefactError, match=r"the encoder's graph lacks \['strong_need'\]"):
        Session(graph)


def test_without_onnxruntime_it_says_what_to_install(monkeypatch):
    """An installation without either extra has no encoder, and no GPU."""
    monkeypatch.setattr(session, "onnxruntime", None)

    assert not session.has_cuda()
    with pytest.raises(
        ArtefactError, match=r"onnxruntime is missing: pip install 'switchyard\[cpu"
    ):
        Session(tiny_graph())


@pytest.mark.parametrize(("size", "found"), [(1, 4), (4, 4), (5, 8), (9, 9)])
def test_buckets_round_up(size, found):
    """To the next one; above all of them the size stays."""
    assert bucket(size, (4, 8)) == found


def test_a_rectangle_shows_a_token_of_rows_that_are_none():
    """A mean over no tokens would be no number."""
    ids, mask = rectangle([[7, 8], [9]], 3, 3)

    assert np.array_equal(ids, [[7, 8, 0], [9, 0, 0], [0, 0, 0]])
    assert np.array_equal(mask, [[1, 1, 0], [1, 0, 0], [1, 0, 0]])
