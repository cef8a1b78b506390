"""What an answer cost: reported usage at the price of the deployment that gave it."""

from __future__ import annotations

import msgspec

from gateway.core.chat import Usage
from gateway.core.fleet import CONFIGURED, Price
from gateway.core.money import PICO_USD_PER_NANO_USD


class CostParts(msgspec.Struct, frozen=True):
    """
    Pico-USD of each kind of token, of the searches and of the request itself, so that the parts
    sum exactly. Reasoning is in *output*.
    """

    input: int  # neither read from a cache nor written to one, and no audio
    audio_in: int
    cache_read: int
    cache_write: int  # for minutes and for an hour
    output: int  # but audio
    audio_out: int
    searches: int
    request: int  # besides its tokens

    @property
    def nano_usd(self) -> int:
        """The whole, rounded to nearest, halves up: once, not part by part."""
        return _nano_usd(sum(msgspec.structs.astuple(self)))


def cost_parts(usage: Usage, price: Price) -> CostParts:
    """
    Price every token of *usage* once, every search, and the request.

    Parts of the input that sum to more than the input are believed, and the rest is none. Above
    the step of *price* its long prices hold for the whole request.
    """
    fresh = max(usage.tokens_in - usage.tokens_cache_read - usage.tokens_cache_write, 0)
    audio_in = min(usage.tokens_audio_in, fresh)
    audio_out = min(usage.tokens_audio_out, usage.tokens_out)
    hour = min(usage.tokens_cache_write_1h, usage.tokens_cache_write)
    if 0 < price.long_context_tokens < usage.tokens_in:
        per_fresh, per_output = price.long_input, price.long_output
        per_read, per_write = price.long_cache_read, price.long_cache_write
        per_hour = price.long_cache_write_1h or per_write
    else:
        per_fresh, per_output = price.input, price.output
        per_read, per_write = price.cache_read, price.cache_write
        per_hour = price.cache_write_1h or per_write
    return CostParts(
        input=(fresh - audio_in) * per_fresh,
        audio_in=audio_in * (price.audio_in or per_fresh),
        cache_read=usage.tokens_cache_read * per_read,
        cache_write=(usage.tokens_cache_write - hour) * per_write + hour * per_hour,
        output=(usage.tokens_out - audio_out) * per_output,
        audio_out=audio_out * (price.audio_out or per_output),
        searches=usage.web_searches * price.web_search_nano_usd * PICO_USD_PER_NANO_USD,
        request=price.request_nano_usd * PICO_USD_PER_NANO_USD,
    )


def cost_nano_usd(usage: Usage, price: Price) -> int:
    """Cost of *usage* at *price*, rounded to nearest: for comparisons too, with any price."""
    return cost_parts(usage, price).nano_usd


def billed_nano_usd(usage: Usage, price: Price) -> int:
    """
    Cost of *usage* where it was used, at *price*: what the provider says that it charges, where it
    does. A price that the operator states for the place comes first, it may be what he is paid.
    """
    if usage.reported_pico_usd and not usage.estimated and price.source != CONFIGURED:
        return _nano_usd(usage.reported_pico_usd)
    return cost_nano_usd(usage, price)


def _nano_usd(pico_usd: int) -> int:
    return (pico_usd + PICO_USD_PER_NANO_USD // 2) // PICO_USD_PER_NANO_USD
