"""What a token costs: the price list of genai-prices, or what the configuration says."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterable, Iterator
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

from gateway.config.offers import Offer
from gateway.config.schema import PriceSettings
from gateway.core.fleet import CONFIGURED, Price
from gateway.core.money import nano_usd, pico_usd_per_tok

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

REQUESTS_PER_PRICE = 1000  # prices of requests and of searches are listed in USD per thousand


class PriceList:
    """
    genai-prices as of one day, offline. Importing its data takes a quarter of a second, so that
    happens once, and only when a list is made.

    *date* is the last day on which a price in it began: the list was made no earlier.
    """

    def __init__(self, on: datetime.date) -> None:
        self._providers = _providers()
        self._on = on
        self.source = f"genai-prices {version('genai-prices')}"
        self.date = max(filter(self._past, _starts(self._providers.values())), default=on)

    def price(self, provider: str, model: str, *, writes: bool = True) -> Price | None:
        """
        The price of *model* at *provider*, None when the list has none. *writes* is False for
        embeddings, which have no price of the output. Nothing else is free.
        """
        listed = self._find(provider, model)
        if listed is None:
            return None
        prices, since = self._current(listed)
        if prices.input_mtok is None or (writes and prices.output_mtok is None):
            return None
        return _price(prices, date=(since or self.date).isoformat(), source=self.source)

    def context_tokens(self, provider: str, model: str) -> int | None:
        """The context window of *model* at *provider*, None when the list does not tell."""
        listed = self._find(provider, model)
        return None if listed is None else listed.context_window

    def _find(self, provider: str, model: str) -> ModelInfo | None:
        everyone = list(self._providers.values())
        known = self._providers.get(provider)
        return None if known is None else known.find_model(model, all_providers=everyone)

    def _past(self, start: datetime.date) -> bool:
        return start <= self._on

    def _current(self, model: ModelInfo) -> tuple[ModelPrice, datetime.date | None]:
        """
        The prices that hold, and since when, if the list says so. A price that changes with the
        hour counts at its dearest: an estimate must not be beaten by the time of day.
        """
        if not isinstance(model.prices, list):
            return model.prices, None
        dated, hourly = model.prices[0].prices, []
        since: datetime.date | None = None
        for entry in model.prices:
            start = getattr(entry.constraint, "start_date", None)
            if start is not None and self._past(start):
                dated, since = entry.prices, start
            elif start is None and entry.constraint is not None:
                hourly.append(entry.prices)
        return max([dated, *hourly], key=_dearness), since


def configured_price(settings: PriceSettings) -> Price:
    """The price that the configuration states."""
    long_input = settings.input if settings.long_input is None else settings.long_input
    long_output = settings.output if settings.long_output is None else settings.long_output
    long = settings.long_context_tokens > 0
    return Price(
        input=pico_usd_per_tok(settings.input),
        output=pico_usd_per_tok(settings.output),
        cache_read=_or(settings.cache_read, settings.input),
        cache_write=_or(settings.cache_write, settings.input),
        long_context_tokens=settings.long_context_tokens,
        long_input=pico_usd_per_tok(long_input) if long else 0,
        long_output=pico_usd_per_tok(long_output) if long else 0,
        long_cache_read=_or(settings.long_cache_read, long_input) if long else 0,
        long_cache_write=_or(settings.long_cache_write, long_input) if long else 0,
        request_nano_usd=nano_usd(settings.request_usd),
        audio_in=_or(settings.audio_in, 0),
        audio_out=_or(settings.audio_out, 0),
        cache_write_1h=_or(settings.cache_write_1h, 0),
        long_cache_write_1h=_or(settings.long_cache_write_1h, 0) if long else 0,
        web_search_nano_usd=nano_usd(settings.web_search_usd),
        date=settings.date,
        source=CONFIGURED,
    )


def offered_price(
    offer: Offer, model: str, listed_by: str | None, prices: PriceList, *, writes: bool
) -> Price | None:
    """The price of *model* as *offer* has it, by a provider listed as *listed_by*."""
    if offer.usd_per_mtok is not None:
        usd_in, usd_out = offer.usd_per_mtok
        stated = configured_price(PriceSettings(input=usd_in, output=usd_out, date=offer.priced))
        return msgspec.structs.replace(stated, source=offer.source)
    if offer.listed is not None:
        return prices.price(*offer.listed, writes=writes)
    if listed_by is None:
        return None
    return prices.price(listed_by, offer.upstream or model, writes=writes)


@functools.cache
def price_list(on: datetime.date) -> PriceList:
    """The list as of *on*."""
    return PriceList(on)


@functools.cache
def _providers() -> dict[str, Provider]:
    from genai_prices.data import providers

    return {provider.id: provider for provider in providers}


def _starts(providers: Iterable[Provider]) -> Iterator[datetime.date]:
    for provider in providers:
        for model in provider.models:
            for entry in model.prices if isinstance(model.prices, list) else ():
                if (start := getattr(entry.constraint, "start_date", None)) is not None:
                    yield start


def _price(prices: ModelPrice, *, date: str, source: str) -> Price:
    usd_in, usd_out = prices.input_mtok, prices.output_mtok
    read = usd_in if prices.cache_read_mtok is None else prices.cache_read_mtok
    write = usd_in if prices.cache_write_mtok is None else prices.cache_write_mtok
    hour = prices.cache_write_1h_mtok
    step = _step(usd_in) or _step(usd_out)
    requests = _base(prices.requests_kcount)
    return Price(
        input=pico_usd_per_tok(_base(usd_in)),
        output=pico_usd_per_tok(_base(usd_out)),
        cache_read=pico_usd_per_tok(_base(read)),
        cache_write=pico_usd_per_tok(_base(write)),
        long_context_tokens=step,
        long_input=pico_usd_per_tok(_above(usd_in)) if step else 0,
        long_output=pico_usd_per_tok(_above(usd_out)) if step else 0,
        long_cache_read=pico_usd_per_tok(_above(read)) if step else 0,
        long_cache_write=pico_usd_per_tok(_above(write)) if step else 0,
        request_nano_usd=nano_usd(requests / REQUESTS_PER_PRICE),
        audio_in=pico_usd_per_tok(_base(prices.input_audio_mtok)),
        audio_out=pico_usd_per_tok(_base(prices.output_audio_mtok)),
        cache_write_1h=pico_usd_per_tok(_base(hour)),
        long_cache_write_1h=pico_usd_per_tok(_above(hour)) if step else 0,
        web_search_nano_usd=nano_usd(_base(prices.web_searches_kcount) / REQUESTS_PER_PRICE),
        date=date,
        source=source,
    )


def _base(listed: Decimal | TieredPrices | None) -> Decimal:
    """Below the first step. None is no price of its own: the output of an embedding."""
    if listed is None:
        return Decimal(0)
    return listed if isinstance(listed, Decimal) else listed.base


def _above(listed: Decimal | TieredPrices | None) -> Decimal:
    """Above the last step: where a list has several, we count on the dearest."""
    if listed is None or isinstance(listed, Decimal) or not listed.tiers:
        return _base(listed)
    return listed.tiers[-1].price


def _step(listed: Decimal | TieredPrices | None) -> int:
    """Tokens above which a dearer price holds, 0 when there is no such step."""
    tiers = [] if listed is None or isinstance(listed, Decimal) else listed.tiers
    return tiers[0].start if tiers else 0


def _dearness(prices: ModelPrice) -> tuple[Decimal, Decimal]:
    return _base(prices.output_mtok), _base(prices.input_mtok)


def _or(usd_per_mtok: float | None, otherwise: float) -> int:
    return pico_usd_per_tok(otherwise if usd_per_mtok is None else usd_per_mtok)
