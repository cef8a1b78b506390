"""
The models we know: what each can do and how able it is.

The class is our ranking to start from, after the makers' own tiers (luna, terra, sol; haiku,
sonnet, opus; flash-lite, flash, pro; small, medium, large), and no measurement. A dated name is an
alias only where the short name means that very snapshot. Limits are the makers'; where one
publishes no limit of the answer, it is the context.
"""

from __future__ import annotations

import msgspec

from gateway.core.fleet import Capability, ModelClass
from gateway.core.request import Kind

EFFICIENT, BALANCED, PREMIUM = ModelClass.EFFICIENT, ModelClass.BALANCED, ModelClass.PREMIUM
CAN = {"t": Capability.TOOLS, "v": Capability.VISION, "j": Capability.JSON}
OF_KIND = {
    Kind.CHAT: Capability.CHAT | Capability.STREAM,
    Kind.COMPLETION: Capability.COMPLETIONS | Capability.STREAM,
    Kind.EMBEDDING: Capability.EMBEDDINGS,
}
# Reasoning models refuse every way to shape the sampling, and know only the newer token limit.
REASONING = (
    "max_tokens", "temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs",
    "top_logprobs", "logit_bias", "stop",
)  # fmt: skip
NEWER_LIMIT = ("max_tokens",)  # of those that reason only when asked to, GPT-5.1 to 5.4
SAMPLING = ("temperature", "top_p", "top_k")  # 400 since Claude Opus 4.7
UNSTRUCTURED = ("output_config.format", "output_config.effort")  # Claude before 4.5 has neither
NO_EFFORT = ("output_config.effort",)
GROK = ("presence_penalty", "frequency_penalty", "stop")


class KnownModel(msgspec.Struct, frozen=True):
    """A model as its maker describes it. *omit*: body members it rejects wherever it runs."""

    name: str
    model_class: ModelClass
    family: str
    kind: Kind
    capabilities: Capability
    context_tokens: int
    output_tokens_max: int  # 0: it writes none
    aliases: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()


# Who made a model, where that is not the name of a provider: google/gemini-2.0-flash.
MAKERS = {
    "gemini": "google",
    "llama": "meta-llama",
    "mistral": "mistralai",
    "ministral": "mistralai",
    "mixtral": "mistralai",
    "codestral": "mistralai",
    "grok": "x-ai",
}

# The provider that made a family. Others serve the same model to whom it is down for: a client that
# names a model means its maker's, and its data should not go elsewhere by chance.
HOMES = {
    "openai": "openai",
    "text-embedding-3-small": "openai",
    "text-embedding-3-large": "openai",
    "claude": "anthropic",
    "gemini": "gemini",
    "mixtral": "mistral",
    "deepseek": "deepseek",
    "command": "cohere",
    "grok": "xai",
}


def capabilities(kind: Kind, letters: str) -> Capability:
    """The bits of a *kind* of model and of the *letters* t (tools), v (vision), j (JSON)."""
    found = OF_KIND[kind]
    for letter in letters:
        found |= CAN[letter]
    return found


def _chat(
    name: str, rank: ModelClass, letters: str, context: int, output: int,
    *aliases: str, family: str, omit: tuple[str, ...] = (), kind: Kind = Kind.CHAT,
) -> KnownModel:  # fmt: skip
    can = capabilities(kind, letters)
    if family in MAKERS:
        aliases += tuple(f"{MAKERS[family]}/{one}" for one in (name, *aliases))
    return KnownModel(name, rank, family, kind, can, context, output, aliases, omit)


def _gpt(name: str, rank: ModelClass, context: int, output: int, *aliases: str) -> KnownModel:
    return _chat(name, rank, "tvj", context, output, *aliases, family="openai")


def _thinking_gpt(
    name: str, rank: ModelClass, context: int, output: int, *aliases: str,
    letters: str = "tvj", omit: tuple[str, ...] = REASONING,
) -> KnownModel:  # fmt: skip
    return _chat(name, rank, letters, context, output, *aliases, family="openai", omit=omit)


def _claude(
    name: str, rank: ModelClass, context: int, output: int, *aliases: str,
    letters: str = "tvj", omit: tuple[str, ...] = SAMPLING,
) -> KnownModel:  # fmt: skip
    return _chat(name, rank, letters, context, output, *aliases, family="claude", omit=omit)


def _gemini(name: str, rank: ModelClass, output: int, *aliases: str) -> KnownModel:
    return _chat(name, rank, "tvj", 1_048_576, output, *aliases, family="gemini")


def _open(
    name: str, rank: ModelClass, letters: str, context: int, output: int, *aliases: str
) -> KnownModel:
    return _chat(name, rank, letters, context, output, *aliases, family=name.split("-")[0])


def _embedding(name: str, rank: ModelClass, context: int, *aliases: str) -> KnownModel:
    return _chat(name, rank, "", context, 0, *aliases, family=name, kind=Kind.EMBEDDING)


M = 1_050_000
MODELS: tuple[KnownModel, ...] = (
    _chat("gpt-4", PREMIUM, "t", 8_192, 8_192, "gpt-4-0613", family="openai"),
    _gpt("gpt-4-turbo", PREMIUM, 128_000, 4_096, "gpt-4-turbo-2024-04-09"),
    _gpt("gpt-4o", BALANCED, 128_000, 16_384, "gpt-4o-2024-08-06"),
    _gpt("gpt-4o-mini", EFFICIENT, 128_000, 16_384, "gpt-4o-mini-2024-07-18"),
    _gpt("gpt-4.1", BALANCED, 1_047_576, 32_768, "gpt-4.1-2025-04-14"),
    _gpt("gpt-4.1-mini", EFFICIENT, 1_047_576, 32_768, "gpt-4.1-mini-2025-04-14"),
    _gpt("gpt-4.1-nano", EFFICIENT, 1_047_576, 32_768, "gpt-4.1-nano-2025-04-14"),
    _chat(
        "gpt-3.5-turbo", EFFICIENT, "tj", 16_385, 4_096, "gpt-3.5-turbo-0125", family="openai"
    ),
    _thinking_gpt("o1", PREMIUM, 200_000, 100_000, "o1-2024-12-17"),
    _thinking_gpt("o3", PREMIUM, 200_000, 100_000, "o3-2025-04-16"),
    _thinking_gpt("o3-mini", BALANCED, 200_000, 100_000, "o3-mini-2025-01-31", letters="tj"),
    _thinking_gpt("o4-mini", BALANCED, 200_000, 100_000, "o4-mini-2025-04-16"),
    _thinking_gpt("gpt-5", PREMIUM, 400_000, 128_000, "gpt-5-2025-08-07"),
    _thinking_gpt("gpt-5-mini", BALANCED, 400_000, 128_000, "gpt-5-mini-2025-08-07"),
    _thinking_gpt("gpt-5-nano", EFFICIENT, 400_000, 128_000, "gpt-5-nano-2025-08-07"),
    _thinking_gpt("gpt-5.1", PREMIUM, 400_000, 128_000, "gpt-5.1-2025-11-13", omit=NEWER_LIMIT),
    _thinking_gpt("gpt-5.2", PREMIUM, 400_000, 128_000, "gpt-5.2-2025-12-11", omit=NEWER_LIMIT),
    _thinking_gpt("gpt-5.4", PREMIUM, M, 128_000, omit=NEWER_LIMIT),
    _thinking_gpt("gpt-5.4-mini", BALANCED, 400_000, 128_000, omit=NEWER_LIMIT),
    _thinking_gpt("gpt-5.4-nano", EFFICIENT, 400_000, 128_000, omit=NEWER_LIMIT),
    _thinking_gpt("gpt-5.5", PREMIUM, 1_000_000, 128_000, "gpt-5.5-2026-04-23"),
    _thinking_gpt("gpt-5.6-sol", PREMIUM, M, 128_000, "gpt-5.6"),
    _thinking_gpt("gpt-5.6-terra", BALANCED, M, 128_000),
    _thinking_gpt("gpt-5.6-luna", EFFICIENT, M, 128_000),
    _thinking_gpt("gpt-6.1-sol", PREMIUM, M, 128_000),
    _thinking_gpt("gpt-6-sol", PREMIUM, M, 128_000),
    _thinking_gpt("gpt-6-astra", PREMIUM, M, 128_000),
    _thinking_gpt("gpt-6.1-terra", BALANCED, M, 128_000),
    _thinking_gpt("gpt-6-luna", EFFICIENT, M, 128_000),
    _claude(
        "claude-3-haiku-20240307", EFFICIENT, 200_000, 4_096, "claude-3-haiku", letters="tv",
        omit=UNSTRUCTURED,
    ),
    _claude(
        "claude-3-opus-20240229", PREMIUM, 200_000, 4_096, "claude-3-opus",
        "claude-3-opus-latest", letters="tv", omit=UNSTRUCTURED,
    ),
    _claude(
        "claude-3-5-haiku-20241022", EFFICIENT, 200_000, 8_192, "claude-3-5-haiku",
        "claude-3-5-haiku-latest", "claude-3.5-haiku", letters="tv", omit=UNSTRUCTURED,
    ),
    _claude(
        "claude-3-5-sonnet-20241022", BALANCED, 200_000, 8_192, "claude-3-5-sonnet",
        "claude-3-5-sonnet-latest", "claude-3.5-sonnet", letters="tv", omit=UNSTRUCTURED,
    ),
    _claude(
        "claude-3-7-sonnet-20250219", BALANCED, 200_000, 64_000, "claude-3-7-sonnet",
        "claude-3-7-sonnet-latest", "claude-3.7-sonnet", letters="tv", omit=UNSTRUCTURED,
    ),
    _claude(
        "claude-sonnet-4-20250514", BALANCED, 200_000, 64_000, "claude-sonnet-4",
        "claude-sonnet-4-0", "claude-4-sonnet", letters="tv", omit=UNSTRUCTURED,
    ),
    _claude(
        "claude-opus-4-20250514", PREMIUM, 200_000, 32_000, "claude-opus-4", "claude-opus-4-0",
        "claude-4-opus", letters="tv", omit=UNSTRUCTURED,
    ),
    _claude(
        "claude-opus-4-1-20250805", PREMIUM, 200_000, 32_000, "claude-opus-4-1",
        "claude-opus-4.1", omit=NO_EFFORT,
    ),
    _claude(
        "claude-sonnet-4-5-20250929", BALANCED, 200_000, 64_000, "claude-sonnet-4-5",
        "claude-sonnet-4.5", omit=NO_EFFORT,
    ),
    _claude(
        "claude-haiku-4-5-20251001", EFFICIENT, 200_000, 64_000, "claude-haiku-4-5",
        "claude-haiku-4.5", omit=NO_EFFORT,
    ),
    _claude(
        "claude-opus-4-5-20251101", PREMIUM, 200_000, 64_000, "claude-opus-4-5",
        "claude-opus-4.5", omit=(),
    ),
    _claude("claude-sonnet-4-6", BALANCED, 1_000_000, 64_000, "claude-sonnet-4.6", omit=()),
    _claude("claude-opus-4-6", PREMIUM, 1_000_000, 128_000, "claude-opus-4.6", omit=()),
    _claude("claude-opus-4-7", PREMIUM, 1_000_000, 128_000, "claude-opus-4.7"),
    _claude("claude-opus-4-8", PREMIUM, 1_000_000, 128_000, "claude-opus-4.8"),
    _claude("claude-sonnet-5", BALANCED, 1_000_000, 128_000),
    _claude("claude-opus-5", PREMIUM, 1_000_000, 128_000),
    _claude("claude-haiku-5-5", EFFICIENT, 1_000_000, 128_000, "claude-haiku-5.5"),
    _claude("claude-sonnet-5-5", BALANCED, 1_000_000, 128_000, "claude-sonnet-5.5"),
    _claude("claude-opus-5-5", PREMIUM, 1_000_000, 128_000, "claude-opus-5.5"),
    _claude("claude-fable-5-2", PREMIUM, 1_000_000, 128_000, "claude-fable-5.2"),
    _gemini("gemini-1.5-flash", EFFICIENT, 8_192),
    _gemini("gemini-1.5-pro", BALANCED, 8_192),
    _gemini("gemini-2.0-flash-lite", EFFICIENT, 8_192, "gemini-2.0-flash-lite-001"),
    _gemini("gemini-2.0-flash", EFFICIENT, 8_192, "gemini-2.0-flash-001"),
    _gemini("gemini-2.5-flash-lite", EFFICIENT, 65_536),
    _gemini("gemini-2.5-flash", BALANCED, 65_536),
    _gemini("gemini-2.5-pro", PREMIUM, 65_536),
    _gemini("gemini-3.5-flash-lite", EFFICIENT, 65_536),
    _gemini("gemini-3.5-flash", BALANCED, 65_536),
    _gemini("gemini-3.8-flash", BALANCED, 65_536),
    _gemini("gemini-4-argon", PREMIUM, 1_048_576),
    _open("llama-3-8b", EFFICIENT, "j", 8_192, 8_192, "llama3-8b", "llama-3-8b-instruct"),
    _open("llama-3-70b", BALANCED, "j", 8_192, 8_192, "llama3-70b", "llama-3-70b-instruct"),
    _open(
        "llama-3.1-8b-instant", EFFICIENT, "tj", 131_072, 8_192, "llama-3.1-8b",
        "llama-3.1-8b-instruct",
    ),
    _open(
        "llama-3.1-70b-versatile", BALANCED, "tj", 131_072, 8_192, "llama-3.1-70b",
        "llama-3.1-70b-instruct",
    ),
    _open(
        "llama-3.3-70b-versatile", BALANCED, "tj", 131_072, 32_768, "llama-3.3-70b",
        "llama-3.3-70b-instruct",
    ),
    _open("gpt-oss-20b", EFFICIENT, "tj", 131_072, 32_768),
    _open("gpt-oss-120b", BALANCED, "tj", 131_072, 32_768),
    _open("mixtral-8x7b", EFFICIENT, "j", 32_768, 8_192, "open-mixtral-8x7b"),
    _open("mixtral-8x22b", BALANCED, "tj", 65_536, 8_192, "open-mixtral-8x22b"),
    _open("ministral-8b", EFFICIENT, "tvj", 262_144, 32_768, "ministral-8b-latest"),
    _open("mistral-small", EFFICIENT, "tvj", 131_072, 32_768, "mistral-small-latest"),
    _open("mistral-medium", BALANCED, "tvj", 262_144, 131_072, "mistral-medium-latest"),
    _open("mistral-large", PREMIUM, "tj", 131_072, 32_768, "mistral-large-latest"),
    _open("mistral-large-4", PREMIUM, "tvj", 1_048_576, 131_072, "mistral-large-4-0"),
    _open("codestral", BALANCED, "tj", 256_000, 32_768, "codestral-latest"),
    _open("deepseek-chat", BALANCED, "tj", 64_000, 8_192),
    _open("deepseek-reasoner", PREMIUM, "tj", 64_000, 64_000),
    _open("deepseek-v4-flash", BALANCED, "tj", 1_000_000, 384_000),
    _open("deepseek-v4-pro", PREMIUM, "tj", 1_000_000, 384_000),
    _open("command-r", EFFICIENT, "tj", 128_000, 4_096, "command-r-08-2024"),
    _open("command-r-plus", BALANCED, "tj", 128_000, 4_096, "command-r-plus-08-2024"),
    _open("command-a", BALANCED, "tj", 256_000, 8_192, "command-a-03-2025"),
    _chat("grok-3-mini", EFFICIENT, "tj", 131_072, 131_072, family="grok", omit=GROK),
    _open("grok-3", PREMIUM, "tj", 131_072, 131_072),
    _chat("grok-4", PREMIUM, "tvj", 256_000, 256_000, "grok-4-0709", family="grok", omit=GROK),
    _chat("grok-4.3", BALANCED, "tvj", 1_000_000, 131_072, family="grok", omit=GROK),
    _chat("grok-4.7", PREMIUM, "tvj", 500_000, 500_000, family="grok", omit=GROK),
    _open("sonar", EFFICIENT, "", 128_000, 8_192),
    _open("sonar-pro", BALANCED, "", 200_000, 8_192),
    _open("sonar-reasoning-pro", PREMIUM, "", 128_000, 8_192),
    _chat(
        "gpt-3.5-turbo-instruct", EFFICIENT, "", 4_096, 4_096, family="openai",
        kind=Kind.COMPLETION,
    ),
    _embedding("text-embedding-3-small", EFFICIENT, 8_192),
    _embedding("text-embedding-3-large", BALANCED, 8_192),
    _embedding("text-embedding-ada-002", EFFICIENT, 8_192),
    _embedding("mistral-embed", EFFICIENT, 8_192),
    _embedding("embed-v4.0", BALANCED, 128_000),
    _embedding("gemini-embedding-001", EFFICIENT, 2_048),
)  # fmt: skip
CATALOGUE: dict[str, KnownModel] = {model.name: model for model in MODELS}
