"""How fast models of a name answer: assumed magnitudes to make a demonstration plausible."""

from __future__ import annotations

import re

import msgspec


class Pace(msgspec.Struct, frozen=True):
    """Seconds to the first token, and tokens per second from there."""

    ttft_s: float
    tokens_per_s: float

    @property
    def pause_s(self) -> float:
        """Between two tokens."""
        return 1 / self.tokens_per_s


# Hosts whose hardware decides, whatever the model.
PROVIDERS = {
    "groq": Pace(0.15, 450.0),
    "cerebras": Pace(0.15, 1500.0),
    "sambanova": Pace(0.20, 400.0),
}
# The first pattern found in the name of the model holds; the smaller of a family stand first.
MODELS: tuple[tuple[re.Pattern[str], Pace], ...] = tuple(
    (re.compile(pattern), Pace(ttft_s, tokens_per_s))
    for pattern, ttft_s, tokens_per_s in (
        (r"embed", 0.10, 1000.0),
        (r"nano|lite|8b|instant", 0.30, 150.0),
        (r"(?<!ge)mini|small|luna|haiku|flash|3\.5-turbo", 0.40, 110.0),
        (r"reasoner|deep-?think|^o\d", 2.50, 60.0),
        (r"opus", 1.20, 45.0),
        (r"sonnet|medium|terra|gpt-4o|gpt-4\.1|70b|chat", 0.70, 75.0),
        (r"gpt-4", 0.90, 25.0),
        (r"gpt-[5-9]|sol|pro|large|grok", 1.00, 60.0),
    )
)
ANY = Pace(0.60, 60.0)


def pace_of(provider: str, model: str) -> Pace:
    """How fast *model* answers at *provider*."""
    if provider in PROVIDERS:
        return PROVIDERS[provider]
    name = model.lower()
    return next((pace for pattern, pace in MODELS if pattern.search(name)), ANY)
