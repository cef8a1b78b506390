"""What may stand in a line of HTTP."""

from __future__ import annotations

import pytest

from gateway.core.header_value import fits_header


@pytest.mark.parametrize(
    ("value", "fits"),
    [("", True), ("text/plain; a=b", True), ("a\r\nb", False), ("a\tb", False), ("é", False)],
)
def test_fits_header(value: str, fits: bool) -> None:
    """Printable ASCII and nothing else."""
    assert fits_header(value) is fits
