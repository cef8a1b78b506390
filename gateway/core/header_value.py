"""What may stand in a line of HTTP."""

from __future__ import annotations


def fits_header(value: str) -> bool:
    """Whether *value* is printable ASCII, so it neither ends its line nor needs an encoding."""
    return value.isascii() and value.isprintable()
