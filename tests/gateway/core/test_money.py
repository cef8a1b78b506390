"""Money as text."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.money import usd_text


@pytest.mark.parametrize(
    ("amount_nano_usd", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (12_000, "0.000012"),
        (-450_000_000, "-0.45"),
        (10_000_000_000, "10"),
        (1_500_000_000, "1.5"),
    ],
)
def test_usd_text(amount_nano_usd, text):
    """Plain decimals, without an exponent and without zeros at the end."""
    assert usd_text(amount_nano_usd) == text


@given(st.integers(-(10**18), 10**18))
def test_usd_text_loses_nothing(amount_nano_usd):
    """Every amount can be read back."""
    assert Decimal(usd_text(amount_nano_usd)) * 10**9 == amount_nano_usd
