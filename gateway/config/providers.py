"""
The providers we know: where they listen, what they speak, and which members they refuse.

Base URLs and refusals are from the providers' own documentation and error messages, as of November
2026; an operator overrides each in the configuration.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Family = Literal["openai", "anthropic"]


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """
    A provider that needs no more than a key.

    *base_url* is None where the provider's own dialect is not spoken yet, so that it is simulated
    only. *keys* are environment variables that hold its key, in the order they are believed.
    *price_list* is its name in genai-prices. *region* is where the provider itself promises to
    keep the data, "" where it promises nothing.
    """

    name: str
    base_url: str | None
    keys: tuple[str, ...] = ()
    family: Family = "openai"
    omit: tuple[str, ...] = ()
    price_list: str | None = None
    region: str = ""


# Mistral refuses every member that it does not know (422 extra_forbidden).
MISTRAL_OMIT = (
    "stream_options", "max_completion_tokens", "store", "seed", "user", "logprobs", "top_logprobs",
    "logit_bias", "service_tier", "modalities", "prompt_cache_key", "safety_identifier",
)  # fmt: skip
# Cohere's compatibility API names these as not supported, and refuses stream_options.
COHERE_OMIT = (
    "stream_options", "store", "metadata", "logit_bias", "top_logprobs", "n", "modalities",
    "prediction", "service_tier", "parallel_tool_calls", "user",
)  # fmt: skip
GROQ_OMIT = ("logprobs", "top_logprobs", "logit_bias")  # 400 when supplied
GEMINI_OMIT = ("frequency_penalty", "presence_penalty", "seed", "store")  # 400 unknown name

PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider(
            name="openai",
            base_url="https://api.openai.com/v1",
            keys=("OPENAI_API_KEY",),
            price_list="openai",
        ),
        Provider(
            name="anthropic",
            base_url="https://api.anthropic.com",
            keys=("ANTHROPIC_API_KEY",),
            family="anthropic",
            price_list="anthropic",
        ),
        Provider(
            name="gemini",
            base_url="https://generativelanguage.googleapis.com/v1beta/openai",
            keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            omit=GEMINI_OMIT,
            price_list="google",
        ),
        Provider(
            name="cohere",
            base_url="https://api.cohere.ai/compatibility/v1",
            keys=("COHERE_API_KEY", "CO_API_KEY"),
            omit=COHERE_OMIT,
            price_list="cohere",
        ),
        Provider(
            name="openrouter",
            base_url="https://openrouter.ai/api/v1",
            keys=("OPENROUTER_API_KEY",),
            price_list="openrouter",
        ),
        Provider(
            name="perplexity",
            base_url="https://api.perplexity.ai",  # no version here
            keys=("PERPLEXITY_API_KEY", "PPLX_API_KEY"),
            price_list="perplexity",
        ),
        Provider(
            name="mistral",
            base_url="https://api.mistral.ai/v1",
            keys=("MISTRAL_API_KEY",),
            omit=MISTRAL_OMIT,
            price_list="mistral",
            region="eu",
        ),
        Provider(
            name="groq",
            base_url="https://api.groq.com/openai/v1",
            keys=("GROQ_API_KEY",),
            omit=GROQ_OMIT,
            price_list="groq",
        ),
        Provider(
            name="deepseek",
            base_url="https://api.deepseek.com/v1",
            keys=("DEEPSEEK_API_KEY",),
            price_list="deepseek",
            region="cn",
        ),
        Provider(
            name="together",
            base_url="https://api.together.xyz/v1",
            keys=("TOGETHER_API_KEY",),
            price_list="together",
        ),
        Provider(
            name="xai",
            base_url="https://api.x.ai/v1",
            keys=("XAI_API_KEY",),
            price_list="x-ai",
        ),
        Provider(
            name="fireworks",
            base_url="https://api.fireworks.ai/inference/v1",
            keys=("FIREWORKS_API_KEY",),
            price_list="fireworks",
        ),
        Provider(
            name="anyscale",
            base_url="https://api.endpoints.anyscale.com/v1",  # shared access ended in August 2024
            keys=("ANYSCALE_API_KEY",),
        ),
        Provider(
            name="huggingface",
            base_url="https://router.huggingface.co/v1",
            keys=("HF_TOKEN", "HUGGINGFACE_API_KEY"),
        ),
        Provider(name="azure", base_url=None, price_list="azure"),
        Provider(name="bedrock", base_url=None, price_list="aws"),
        Provider(name="vertex-ai", base_url=None, price_list="google"),
    )
}
