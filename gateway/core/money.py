"""
Money as integers.

Amounts are nano-dollars (1e-9 USD): a small request costs less than ten micro-dollars. Prices are
pico-dollars per token, because one nano-dollar per token is already 1 USD per million tokens.
"""

from __future__ import annotations

from decimal import Decimal

NANO_USD_PER_USD = 1_000_000_000
PICO_USD_PER_NANO_USD = 1_000


def pico_usd_per_tok(usd_per_mtok: Decimal | float) -> int:
    """Price in pico-dollars per token of a price in USD per million tokens, rounded to nearest."""
    return round(Decimal(str(usd_per_mtok)) * 1_000_000)


def nano_usd(usd: Decimal | float) -> int:
    """Amount in nano-dollars, rounded to nearest."""
    return round(Decimal(str(usd)) * NANO_USD_PER_USD)


def usd_text(amount_nano_usd: int) -> str:
    """Amount as plain decimal USD without an exponent, e.g. ``0.000012``; ``0`` for nothing."""
    usd, rest = divmod(abs(amount_nano_usd), NANO_USD_PER_USD)
    whole = f"-{usd}" if amount_nano_usd < 0 else str(usd)
    return f"{whole}.{rest:09d}".rstrip("0") if rest else whole
