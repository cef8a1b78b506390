"""The bits of what a deployment lacks."""

from __future__ import annotations

from gateway.core.fleet import Capability
from gateway.decide.lack import ANY, LACK_TEXT, SOFT, Lack


def test_missing_capabilities_keep_their_bits():
    """A capability that is not there is marked as itself, so the kernel needs no table."""
    for capability in Capability:
        assert Lack[capability.name] == int(capability)


def test_every_lack_has_a_sentence():
    """Nothing is ever lost without words for it."""
    assert set(LACK_TEXT) == set(Lack)


def test_no_operator_limit_is_soft():
    """What the operator forbids stands between a client and its own model; estimates do not."""
    hard = Lack.DENIED | Lack.NOT_ALLOWED | Lack.REGION | Lack.COST | Lack.PROVIDER | Lack.DIALECT

    assert SOFT & int(hard) == 0
    assert ANY & SOFT == SOFT
