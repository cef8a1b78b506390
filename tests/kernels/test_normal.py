"""Tests of kernels/normal.py."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernels import normal as kernel
from tests import reference_normal

latin = st.text(
    st.sampled_from("aZ5$+ .-|x%&\\#{\n\xb7\xe9") | st.characters(max_codepoint=255), max_size=40
)


def raw(text: str) -> np.ndarray:
    """*text* as the kernels take it."""
    return np.frombuffer(text.encode("latin-1"), dtype=np.uint8)


@given(
    latin, st.sampled_from(sorted(reference_normal.CLASSES)), st.integers(1, 12), st.integers(0, 40)
)
def test_runs_are_those_of_the_twin(text: str, bit: int, least: int, begin: int) -> None:
    """A run is found exactly where the naive twin finds one."""
    found = kernel.next_run(raw(text), np.uint8(bit), least, begin)
    assert found == reference_normal.next_run(text, bit, least, begin)


@given(latin)
def test_signs_are_those_of_the_twin(text: str) -> None:
    """Signs between letters are counted as by the naive twin."""
    counts = np.empty(kernel.SIGNS, dtype=np.int64)
    kernel.count_signs(raw(text), counts)
    assert counts.tolist() == reference_normal.count_signs(text)


@given(st.text(st.sampled_from("abz AZ.") | st.characters(max_codepoint=255), max_size=16))
def test_gains_are_those_of_the_twin(text: str) -> None:
    """Kadane's gain is the best of all stretches, and that of the one between its bounds."""
    table = np.random.default_rng(3).integers(-300, 200, (kernel.READINGS, 1024), dtype=np.int16)
    best = np.empty((kernel.READINGS, 3), dtype=np.int64)
    kernel.best_readings(raw(text), table, best)
    for k in range(kernel.READINGS):
        gain, start, end = best[k].tolist()
        assert gain == reference_normal.best_reading(text, table[k].tolist())
        assert 0 <= start <= end <= len(text)
        assert gain == reference_normal.gain_of(text, table[k].tolist(), start, end)


def test_a_run_reaches_over_the_steps() -> None:
    """A run that begins between two looks is found with exactly the least length."""
    for shift in range(9):
        long, short = raw("." * shift + "a" * 5), raw("." * shift + "a" * 4 + ".")
        assert kernel.next_run(long, np.uint8(kernel.BASE64), 5, 0) == shift
        assert kernel.next_run(short, np.uint8(kernel.BASE64), 5, 0) == -1


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="only compiled code has a signature")
def test_arrays_of_another_type_are_refused() -> None:
    """A text of 32-bit characters is a TypeError, not another compilation."""
    with pytest.raises(TypeError):
        kernel.count_signs(np.zeros(3, dtype=np.uint32), np.empty(4, dtype=np.int64))
