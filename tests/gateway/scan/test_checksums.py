"""Check digits: published examples pass, one changed digit fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.scan.checksums import entropy, is_card, passes_luhn, passes_mod97


@given(digits=st.text("0123456789", min_size=1, max_size=18))
def test_exactly_one_digit_completes_a_luhn_number(digits):
    """The ten possible last digits give ten different remainders."""
    assert sum(passes_luhn(digits + last) for last in "0123456789") == 1


@given(
    digits=st.text("0123456789", min_size=2, max_size=19).filter(passes_luhn),
    data=st.data(),
)
def test_luhn_sees_any_single_changed_digit(digits, data):
    """That is what the sum is for."""
    at = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([sign for sign in "0123456789" if sign != digits[at]]))

    assert not passes_luhn(digits[:at] + other + digits[at + 1 :])


@pytest.mark.parametrize(
    ("digits", "card"),
    [
        ("4242424242424242", True),  # Visa
        ("5555555555554444", True),  # Mastercard
        ("2223003122003222", True),  # its second range
        ("378282246310005", True),  # American Express
        ("6011111111111117", True),  # Discover
        ("3530111333300000", True),  # JCB
        ("30569309025904", True),  # Diners Club
        ("4242424242424241", False),  # wrong check digit
        ("9829488029203220", False),  # nobody's prefix
        ("0000000000000000", False),
        ("42424242424", False),  # too short
    ],
)
def test_a_card_has_an_issuers_prefix_its_length_and_a_check_digit(digits, card):
    """The networks' own test numbers."""
    assert is_card(digits) is card


@pytest.mark.parametrize(
    "compact", ["GB82WEST12345698765432", "DE89370400440532013000", "NO9386011117947"]
)
def test_ibans_of_the_registry_pass_and_fail_with_a_digit_changed(compact):
    """ISO 7064 finds every single substitution."""
    assert passes_mod97(compact)
    assert not passes_mod97(compact[:-1] + str((int(compact[-1]) + 1) % 10))


def test_entropy_is_bits_per_character():
    """Nothing for one sign repeated, two bits for four signs as often, nothing for no text."""
    assert entropy("") == 0
    assert entropy("aaaa") == 0
    assert entropy("abcd") == pytest.approx(2.0)
