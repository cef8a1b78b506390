"""The small copy of the data packs."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.train.sample import copy, spread


@given(st.integers(0, 300), st.integers(1, 50))
def test_spread(count, most):
    """At most so many lines stay, in order, from the first on, with even gaps."""
    lines = [b"%d" % i for i in range(count)]
    kept = [int(line) for line in spread(lines, most)]
    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    if kept:
        gaps = {after - before for before, after in zip(kept, [*kept[1:], count], strict=True)}
        assert kept[0] == 0
        assert max(gaps) - min(gaps) <= 1


def test_copy(tmp_path):
    """Each file of each pack is there with fewer rows, byte for byte those of the original."""
    rows = [f'{{"text": "é {i}\u2028"}}\n'.encode() for i in range(10)]
    for name in ("task/train.jsonl.gz", "pii/dev.jsonl.gz"):
        (tmp_path / "data" / name).parent.mkdir(parents=True)
        (tmp_path / "data" / name).write_bytes(gzip.compress(b"".join(rows)))
    assert copy(tmp_path / "data", tmp_path / "small", 4) == 8
    assert {str(path.relative_to(tmp_path / "small")) for path in tmp_path.glob("small/*/*")} == {
        "task/train.jsonl.gz",
        "pii/dev.jsonl.gz",
    }
    kept = gzip.decompress((tmp_path / "small/task/train.jsonl.gz").read_bytes())
    assert kept == b"".join(rows[i] for i in (0, 2, 5, 7))


def test_copy_of_nothing(tmp_path):
    """A wrong folder is an error that says what to do."""
    with pytest.raises(SystemExit, match="DATA="):
        copy(tmp_path, tmp_path / "small", 4)
