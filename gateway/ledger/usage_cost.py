"""What an answer cost: reported usage at the price of the deployment that gave it."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Usage
from gateway.core.fleet import Price
from gateway.core.money import PICO_USD_PER_NANO_USD


class CostParts(msgspec.Struct, frozen=True):
    """
    Pico-USD of each kind of token and of the request itself, so that the parts sum exactly.
    Reasoning is in *output*.
    """

    input: int  # neither read from a cache nor written to one
    cache_read: int
    cache_write: int
    output: int
    request: int  # besides its tokens

    @property
    def nano_usd(self) -> int:
        """The whole, rounded to nearest, halves up: once, not part by part."""
        whole = self.input + self.cache_read + self.cache_write + self.output + self.request
        return (whole + PICO_USD_PER_NANO_USD // 2) // PICO_USD_PER_NANO_USD


def cost_parts(usage: Usage, price: Price) -> CostParts:
    """
    Price every token of *usage* once, and the request.

    Parts of the input that sum to more than the input are believed, and the rest is none. Above
    the step of *price* its long prices hold for the whole request.
    """
    cached = usage.tokens_cache_read + usage.tokens_cache_write
    fresh = max(usage.tokens_in - cached, 0)
    if 0 < price.long_context_tokens < usage.tokens_in:
        per_fresh, per_output = price.long_input, price.long_output
        per_read, per_write = price.long_cache_read, price.long_cache_write
    else:
        per_fresh, per_output = price.input, price.output
        per_read, per_write = price.cache_read, price.cache_write
    return CostParts(
        input=fresh * per_fresh,
        cache_read=usage.tokens_cache_read * per_read,
        cache_write=usage.tokens_cache_write * per_write,
        output=usage.tokens_out * per_output,
        request=price.request_nano_usd * PICO_USD_PER_NANO_USD,
    )


def cost_nano_usd(usage: Usage, price: Price) -> int:
    """Cost of *usage* at *price*, rounded to nearest."""
    return cost_parts(usage, price).nano_usd
