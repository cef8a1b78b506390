"""The Beta distribution against closed forms and the binomial sums that it equals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.learn.beta import Beta

PARAMETER = st.floats(0.05, 500.0)
SHARE = st.floats(0.0, 1.0)


def binomial_cdf(a: int, b: int, x: float) -> float:
    """P(share <= x) for whole parameters: at least *a* of a + b - 1 draws succeed."""
    n = a + b - 1
    return math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))


@given(st.integers(1, 40), st.integers(1, 40), SHARE)
def test_equals_the_binomial_sum(a, b, x):
    """For whole parameters the distribution is a sum that anybody can add up."""
    assert Beta(a, b).cdf(x) == pytest.approx(binomial_cdf(a, b, x), abs=1e-11)


@given(PARAMETER, PARAMETER, st.floats(0.001, 0.999))
def test_mirrors(a, b, x):
    """Successes seen as failures: the same distribution from the other end."""
    assert Beta(a, b).cdf(x) == pytest.approx(1.0 - Beta(b, a).cdf(1.0 - x), abs=1e-9)


@given(PARAMETER, PARAMETER, SHARE, SHARE)
def test_grows(a, b, x, y):
    """A distribution function never falls."""
    low, high = sorted((x, y))
    assert Beta(a, b).cdf(low) <= Beta(a, b).cdf(high) + 1e-12


@given(st.floats(0.3, 500.0), st.floats(0.3, 500.0), st.floats(0.01, 0.99))
def test_quantile_undoes_the_distribution(a, b, p):
    """The share below which a probability lies has that probability below it."""
    assert Beta(a, b).cdf(Beta(a, b).quantile(p)) == pytest.approx(p, abs=1e-6)


@given(st.floats(1.0, 500.0), st.floats(1.0, 500.0))
def test_interval_holds_its_mass(a, b):
    """Nine tenths lie between the bounds, a twentieth on either side, and the mean inside."""
    known = Beta(a, b)
    low, high = known.interval(0.9)

    assert known.cdf(low) == pytest.approx(0.05, abs=1e-9)
    assert known.cdf(high) == pytest.approx(0.95, abs=1e-9)
    assert low < known.mean < high


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [
        (1, 1, 0.05, 0.95),  # uniform
        (2, 1, math.sqrt(0.05), math.sqrt(0.95)),  # x squared
        (1, 3, 1 - 0.95 ** (1 / 3), 1 - 0.05 ** (1 / 3)),
        (0.5, 0.5, math.sin(0.025 * math.pi) ** 2, math.sin(0.475 * math.pi) ** 2),  # arc sine
    ],
)
def test_closed_forms(a, b, low, high):
    """Where the quantile has a formula."""
    assert Beta(a, b).interval() == pytest.approx((low, high), abs=1e-11)


def test_many_samples():
    """A million judgements still converge, to the normal approximation."""
    known = Beta(700_000, 300_000)
    deviation = math.sqrt(0.7 * 0.3 / 1e6)

    assert known.interval() == pytest.approx(
        (0.7 - 1.6449 * deviation, 0.7 + 1.6449 * deviation), abs=1e-6
    )


@pytest.mark.parametrize(("x", "p"), [(-0.1, 0.0), (0.0, 0.0), (1.0, 1.0), (2.0, 1.0)])
def test_outside(x, p):
    """All of the probability lies between 0 and 1."""
    assert Beta(3, 2).cdf(x) == p
