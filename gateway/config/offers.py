"""
Which provider serves which model of the catalogue, under which name, and until when.

Shutdown dates are those that the providers announced, as of November 2026. A real deployment is
gone from that day on; the simulated provider serves every model for ever.
"""

from __future__ import annotations

import msgspec


class Offer(msgspec.Struct, frozen=True):
    """
    *upstream* is the provider's name of the model, "" for our own. *until* is the ISO date from
    which the provider refuses it. *listed* is (provider, model) in genai-prices where these differ
    from the provider's own price list and *upstream*. *usd_per_mtok* is (input, output) where the
    list knows no price, seen on *priced* at *source*. *context_tokens* is the provider's own limit
    where it is lower than the model's.
    """

    upstream: str = ""
    until: str = ""
    listed: tuple[str, str] | None = None
    usd_per_mtok: tuple[float, float] | None = None
    priced: str = ""
    source: str = ""
    context_tokens: int | None = None


def _own(**until: str) -> dict[str, Offer]:
    return {name: Offer(until=date) for name, date in until.items()}


def _named(upstream: dict[str, str]) -> dict[str, Offer]:
    return {model: Offer(name) for model, name in upstream.items()}


def _routed(by: str, model: str, context_tokens: int | None = None) -> Offer:
    """Hugging Face's router, bound to one inference provider: each has its own price."""
    listed = (f"huggingface_{by}", model)
    return Offer(f"{model}:{by}", listed=listed, context_tokens=context_tokens)


def _anyscale(upstream: str, usd_per_mtok: float) -> Offer:
    return Offer(
        upstream,
        until="2024-08-01",
        usd_per_mtok=(usd_per_mtok, usd_per_mtok),
        priced="2024-07-01",
        source="docs.anyscale.com",
    )


OCTOBER, DECEMBER, JANUARY = "2026-10-23", "2026-12-11", "2027-01-14"  # of OpenAI's shutdowns

OFFERS: dict[str, dict[str, Offer]] = {
    "openai": {
        **dict.fromkeys(
            ("gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "gpt-4.1-nano", "o1", "o3-mini", "o4-mini"),
            Offer(until=OCTOBER),
        ),
        **dict.fromkeys(("gpt-5", "gpt-5-mini", "gpt-5-nano", "o3"), Offer(until=DECEMBER)),
        **dict.fromkeys(("gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini"), Offer(until=JANUARY)),
        "gpt-5.1": Offer(until="2027-04-01"),
        **dict.fromkeys(
            (
                "gpt-5.2", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "gpt-5.5", "gpt-5.6-sol",
                "gpt-5.6-terra", "gpt-5.6-luna", "gpt-6.1-sol", "gpt-6-sol", "gpt-6-astra",
                "gpt-6.1-terra", "gpt-6-luna", "text-embedding-3-small",
                "text-embedding-3-large", "text-embedding-ada-002",
            ),
            Offer(),
        ),
        "gpt-3.5-turbo-instruct": Offer(until="2026-09-28"),
    },
    "anthropic": {
        "claude-3-haiku-20240307": Offer(until="2026-04-20"),
        "claude-3-opus-20240229": Offer(until="2026-01-05"),
        "claude-3-5-haiku-20241022": Offer(until="2026-02-19"),
        "claude-3-5-sonnet-20241022": Offer(until="2025-10-28"),
        "claude-3-7-sonnet-20250219": Offer(until="2026-02-19"),
        "claude-sonnet-4-20250514": Offer(until="2026-06-15"),
        "claude-opus-4-20250514": Offer(until="2026-06-15"),
        "claude-opus-4-1-20250805": Offer(until="2026-08-05"),
        "claude-sonnet-4-5-20250929": Offer(until="2026-11-30"),
        **dict.fromkeys(
            (
                "claude-haiku-4-5-20251001", "claude-opus-4-5-20251101", "claude-sonnet-4-6",
                "claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8", "claude-sonnet-5",
                "claude-opus-5", "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5",
                "claude-fable-5-2",
            ),
            Offer(),
        ),
    },
    "gemini": {
        "gemini-1.5-flash": Offer(until="2025-09-24"),
        "gemini-1.5-pro": Offer(until="2025-09-24"),
        "gemini-2.0-flash-lite": Offer(until="2026-06-01"),
        "gemini-2.0-flash": Offer(until="2026-06-01"),
        "gemini-2.5-flash": Offer(until="2026-12-01"),
        "gemini-2.5-pro": Offer(until="2026-12-01"),
        **dict.fromkeys(
            (
                "gemini-2.5-flash-lite", "gemini-3.5-flash-lite", "gemini-3.5-flash",
                "gemini-3.8-flash", "gemini-4-argon", "gemini-embedding-001",
            ),
            Offer(),
        ),
    },
    "cohere": _named(
        {
            "command-r": "command-r-08-2024",
            "command-r-plus": "command-r-plus-08-2024",
            "command-a": "command-a-03-2025",
            "embed-v4.0": "embed-v4.0",
        }
    ),
    "openrouter": {
        "gpt-4": Offer("openai/gpt-4", until=OCTOBER),
        "gpt-4o": Offer("openai/gpt-4o", until=JANUARY),
        "gpt-4o-mini": Offer("openai/gpt-4o-mini", until=JANUARY),
        "gpt-5-mini": Offer("openai/gpt-5-mini", until=DECEMBER),
        "claude-3-5-haiku-20241022": Offer("anthropic/claude-3.5-haiku", until="2026-02-19"),
        "claude-sonnet-4-20250514": Offer("anthropic/claude-sonnet-4", until="2026-06-15"),
        "gemini-2.0-flash": Offer("google/gemini-2.0-flash-001", until="2026-06-01"),
        **_named(
            {
                "gpt-6.1-sol": "openai/gpt-6.1-sol",
                "gpt-6.1-terra": "openai/gpt-6.1-terra",
                "gpt-6-luna": "openai/gpt-6-luna",
                "claude-haiku-5-5": "anthropic/claude-haiku-5.5",
                "claude-sonnet-5-5": "anthropic/claude-sonnet-5.5",
                "claude-opus-5-5": "anthropic/claude-opus-5.5",
                "gemini-3.8-flash": "google/gemini-3.8-flash",
                "llama-3-8b": "meta-llama/llama-3-8b-instruct",
                "llama-3.1-8b-instant": "meta-llama/llama-3.1-8b-instruct",
                "llama-3.1-70b-versatile": "meta-llama/llama-3.1-70b-instruct",
                "llama-3.3-70b-versatile": "meta-llama/llama-3.3-70b-instruct",
                "mixtral-8x22b": "mistralai/mixtral-8x22b-instruct",
                "deepseek-v4-flash": "deepseek/deepseek-v4-flash",
                "deepseek-v4-pro": "deepseek/deepseek-v4-pro",
                "grok-4.7": "x-ai/grok-4.7",
                "command-a": "cohere/command-a",
            }
        ),
    },
    "perplexity": _own(**{"sonar": "", "sonar-pro": "", "sonar-reasoning-pro": ""}),
    "mistral": {
        "mixtral-8x7b": Offer("open-mixtral-8x7b", until="2025-03-30"),
        "mixtral-8x22b": Offer("open-mixtral-8x22b", until="2025-03-30"),
        **_named(
            {
                "ministral-8b": "ministral-8b-latest",
                "mistral-small": "mistral-small-latest",
                "mistral-medium": "mistral-medium-latest",
                "mistral-large": "mistral-large-latest",
                "mistral-large-4": "mistral-large-4",
                "codestral": "codestral-latest",
                "mistral-embed": "mistral-embed",
            }
        ),
    },
    "groq": {
        "llama-3-8b": Offer("llama3-8b-8192", until="2025-08-30"),
        "llama-3-70b": Offer("llama3-70b-8192", until="2025-08-30"),
        "llama-3.1-8b-instant": Offer(until="2026-08-16"),
        "llama-3.1-70b-versatile": Offer(until="2025-01-24"),
        "llama-3.3-70b-versatile": Offer(until="2026-08-16"),
        "mixtral-8x7b": Offer("mixtral-8x7b-32768", until="2025-03-20"),
        "gpt-oss-20b": Offer("openai/gpt-oss-20b"),
        "gpt-oss-120b": Offer("openai/gpt-oss-120b"),
    },
    "deepseek": _own(
        **{
            "deepseek-chat": "2026-07-24",
            "deepseek-reasoner": "2026-07-24",
            "deepseek-v4-flash": "",
            "deepseek-v4-pro": "",
        }
    ),
    "together": _named(
        {
            "llama-3-8b": "meta-llama/Meta-Llama-3-8B-Instruct-Lite",
            "llama-3.1-8b-instant": "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo",
            "llama-3.1-70b-versatile": "meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo",
            "llama-3.3-70b-versatile": "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "mixtral-8x7b": "mistralai/Mixtral-8x7B-Instruct-v0.1",
            "gpt-oss-120b": "openai/gpt-oss-120b",
        }
    ),
    "xai": _own(
        **{
            "grok-3-mini": "",
            "grok-3": "2026-05-15",
            "grok-4": "2026-05-15",
            "grok-4.3": "",
            "grok-4.7": "",
        }
    ),
    "fireworks": _named(
        {
            "llama-3.1-8b-instant": "accounts/fireworks/models/llama-v3p1-8b-instruct",
            "gpt-oss-20b": "accounts/fireworks/models/gpt-oss-20b",
            "gpt-oss-120b": "accounts/fireworks/models/gpt-oss-120b",
            "deepseek-v4-flash": "accounts/fireworks/models/deepseek-v4-flash",
            "deepseek-v4-pro": "accounts/fireworks/models/deepseek-v4-pro",
        }
    ),
    "anyscale": {
        "llama-3-8b": _anyscale("meta-llama/Meta-Llama-3-8B-Instruct", 0.15),
        "llama-3-70b": _anyscale("meta-llama/Meta-Llama-3-70B-Instruct", 1.0),
        "mixtral-8x7b": _anyscale("mistralai/Mixtral-8x7B-Instruct-v0.1", 0.15),
        "mixtral-8x22b": _anyscale("mistralai/Mixtral-8x22B-Instruct-v0.1", 0.9),
    },
    "huggingface": {
        "llama-3.3-70b-versatile": _routed("together", "meta-llama/Llama-3.3-70B-Instruct"),
        "llama-3.1-8b-instant": _routed("novita", "meta-llama/Llama-3.1-8B-Instruct", 16_384),
        "gpt-oss-20b": _routed("groq", "openai/gpt-oss-20b"),
        "gpt-oss-120b": _routed("groq", "openai/gpt-oss-120b"),
    },
    "azure": _own(
        **{
            "gpt-4": "", "gpt-4-turbo": "", "gpt-4o": "", "gpt-4o-mini": "", "gpt-4.1": "",
            "gpt-4.1-mini": "", "gpt-5-mini": "", "gpt-6-luna": "", "gpt-6.1-sol": "",
            "text-embedding-3-small": "", "text-embedding-3-large": "",
        }
    ),
    "bedrock": _named(
        {
            "claude-3-5-haiku-20241022": "us.anthropic.claude-3-5-haiku-20241022-v1:0",
            "claude-sonnet-4-20250514": "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "claude-haiku-4-5-20251001": "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "claude-sonnet-5-5": "us.anthropic.claude-sonnet-5-5",
            "claude-opus-5-5": "us.anthropic.claude-opus-5-5",
            "llama-3-8b": "meta.llama3-8b-instruct-v1:0",
            "llama-3.1-8b-instant": "meta.llama3-1-8b-instruct-v1:0",
            "llama-3.3-70b-versatile": "meta.llama3-3-70b-instruct-v1:0",
            "mixtral-8x7b": "mistral.mixtral-8x7b-instruct-v0:1",
            "gpt-oss-120b": "openai.gpt-oss-120b-1:0",
        }
    ),
    "vertex-ai": _named(
        {
            "gemini-2.0-flash": "gemini-2.0-flash",
            "gemini-2.5-flash": "gemini-2.5-flash",
            "gemini-2.5-pro": "gemini-2.5-pro",
            "gemini-3.8-flash": "gemini-3.8-flash",
            "gemini-4-argon": "gemini-4-argon",
            "claude-sonnet-4-20250514": "claude-sonnet-4@20250514",
            "claude-sonnet-5-5": "claude-sonnet-5-5",
            "claude-opus-5-5": "claude-opus-5-5",
        }
    ),
}  # fmt: skip
