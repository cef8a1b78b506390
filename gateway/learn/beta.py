"""
The Beta distribution: what is known of a share after some successes and failures.

Its distribution function is the regularised incomplete beta function, computed by the continued
fraction of DLMF 8.17.22 (https://dlmf.nist.gov/8.17.E22) with Lentz's method.
"""

from __future__ import annotations

import math

import msgspec

TINY = 1e-300  # stands for 0 where Lentz's method would divide by it
EXACT = 1e-15  # relative, of the continued fraction
TERMS_MAX = 1000  # it needs about the square root of the larger parameter: a million samples
HALVINGS = 60  # of the interval from 0 to 1: below the spacing of floats


class Beta(msgspec.Struct, frozen=True):
    """*a* and *b* above 0: successes and failures, those believed beforehand included."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        """The expected share, 0 to 1."""
        return self.a / (self.a + self.b)

    def cdf(self, x: float) -> float:
        """The probability, 0 to 1, that the share is at most *x*."""
        if x <= 0.0:
            return 0.0
        if x >= 1.0:
            return 1.0
        if x > (self.a + 1.0) / (self.a + self.b + 2.0):  # the fraction converges fast below only
            return 1.0 - _front(self.b, self.a, 1.0 - x) * _fraction(self.b, self.a, 1.0 - x)
        return _front(self.a, self.b, x) * _fraction(self.a, self.b, x)

    def quantile(self, p: float) -> float:
        """The share, 0 to 1, that the real one is at most with probability *p*; by bisection."""
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2.0
            if self.cdf(middle) < p:
                low = middle
            else:
                high = middle
        return (low + high) / 2.0

    def interval(self, mass: float = 0.9) -> tuple[float, float]:
        """Bounds with *mass* between them, and the same probability below as above."""
        tail = (1.0 - mass) / 2.0
        return self.quantile(tail), self.quantile(1.0 - tail)


def _front(a: float, b: float, x: float) -> float:
    """x^a (1-x)^b / (a B(a, b))."""
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta) / a


def _fraction(a: float, b: float, x: float) -> float:
    """1/(1+ d1/(1+ d2/(1+ ...))) for x < (a+1)/(a+b+2)."""
    value, numerator, denominator = 1.0, 1.0, 0.0
    for term in range(TERMS_MAX):
        m = term // 2
        if term == 0:
            d = 1.0
        elif term % 2 == 0:
            d = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        else:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        denominator = 1.0 / _not_zero(1.0 + d * denominator)
        numerator = _not_zero(1.0 + d / numerator)
        value *= numerator * denominator
        if abs(numerator * denominator - 1.0) < EXACT:
            break
    return value - 1.0


def _not_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
