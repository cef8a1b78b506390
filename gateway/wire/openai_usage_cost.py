"""
What a provider of the OpenAI family says, beside its token counts, that the answer cost.

Each is known by its shape, for a bare number could be of any currency:

- OpenRouter: ``cost``, in credits of 1 USD, with ``cost_details`` or ``is_byok``. With a provider
  key of the account's own, ``cost`` is only the fee, and what that provider charges stands in
  ``cost_details``; without one that repeats ``cost``.
- xAI: ``cost_in_usd_ticks``, ten billion of them to the dollar, after all discounts.
- Perplexity: ``cost`` as an object with its ``total_cost`` in USD.
"""

from __future__ import annotations

import msgspec

from gateway.wire.decode import UNREADABLE

COST = b'"cost'
PICO_USD_PER_USD = 10**12
PICO_USD_PER_TICK = 100
USD_MAX = 10_000  # a dearer answer is somebody's mistake
Number = int | float | None


class Total(msgspec.Struct):
    """Perplexity's costs by kind, and their sum."""

    total_cost: Number = None


class Details(msgspec.Struct):
    """OpenRouter's share of the provider behind it."""

    upstream_inference_cost: Number = None


class Charge(msgspec.Struct):
    """The members of a usage object that are money."""

    cost: int | float | Total | None = None
    cost_details: Details | None = None
    is_byok: bool | None = None
    cost_in_usd_ticks: Number = None


CHARGE = msgspec.json.Decoder(Charge)


def reported_pico_usd(raw: msgspec.Raw) -> int:
    """
    Pico-USD that the usage object *raw* says; 0 where it says nothing, or nothing that makes
    sense. A cost of zero is nothing too: some write it who do not know their prices.
    """
    if COST not in bytes(raw):
        return 0
    try:
        charge = CHARGE.decode(raw)
    except UNREADABLE:
        return 0
    if charge.cost_in_usd_ticks is not None:
        return _bounded(charge.cost_in_usd_ticks * PICO_USD_PER_TICK)
    if isinstance(charge.cost, Total):
        return _bounded((charge.cost.total_cost or 0) * PICO_USD_PER_USD)
    if charge.cost_details is None and charge.is_byok is None:
        return 0
    upstream = charge.cost_details.upstream_inference_cost if charge.cost_details else None
    beside = upstream if charge.is_byok and upstream is not None and upstream > 0 else 0
    return _bounded(((charge.cost or 0) + beside) * PICO_USD_PER_USD)


def _bounded(pico_usd: float) -> int:
    return round(pico_usd) if 0 < pico_usd <= USD_MAX * PICO_USD_PER_USD else 0
