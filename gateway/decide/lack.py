"""Why a deployment may not serve a request: bits, and the sentence of each."""

from __future__ import annotations

import enum

from gateway.core.fleet import Capability
from kernels import limits


class Lack(enum.IntFlag):
    """
    What stands against a deployment. The first seven are the missing ``Capability`` itself, the
    next four are set by ``kernels.limits``.
    """

    NONE = 0
    TOOLS = Capability.TOOLS
    VISION = Capability.VISION
    JSON = Capability.JSON
    STREAM = Capability.STREAM
    CHAT = Capability.CHAT
    EMBEDDINGS = Capability.EMBEDDINGS
    COMPLETIONS = Capability.COMPLETIONS
    CONTEXT = limits.CONTEXT
    OUTPUT = limits.OUTPUT
    COST = limits.COST
    QUALITY = limits.QUALITY
    DIALECT = 1 << 11
    FAMILY = 1 << 12
    PROVIDER = 1 << 13
    DENIED = 1 << 14
    NOT_ALLOWED = 1 << 15
    REGION = 1 << 16
    UNAVAILABLE = 1 << 17
    KEYLESS = 1 << 18
    NOT_GRANTED = 1 << 19


# In the order in which they are told; the braces are filled by ``eligible.sentences``.
LACK_TEXT: dict[Lack, str] = {
    Lack.DENIED: "is denied by the policy",
    Lack.NOT_ALLOWED: "is not among the models that the policy allows",
    Lack.NOT_GRANTED: "is not among the models that the key may use",
    Lack.REGION: "is not in an allowed region",
    Lack.KEYLESS: "is at a provider that the tenant has no key of",
    Lack.PROVIDER: "is not at the provider that was asked for",
    Lack.CHAT: "serves no chat",
    Lack.EMBEDDINGS: "serves no embeddings",
    Lack.COMPLETIONS: "serves no legacy completions",
    Lack.DIALECT: "speaks a dialect that this endpoint is not translated to",
    Lack.FAMILY: "cannot read the signed reasoning in the history",
    Lack.TOOLS: "cannot call tools",
    Lack.VISION: "cannot read images",
    Lack.JSON: "has no JSON mode",
    Lack.STREAM: "does not stream",
    Lack.CONTEXT: "holds {context_tokens} tokens, fewer than the {tokens_total} of this request",
    Lack.OUTPUT: "answers with {tokens_out_max} tokens at most, fewer than the {tokens_wanted}"
    " asked for",
    Lack.COST: "may cost {cost_usd} USD, more than the limit of {cost_usd_max}",
    Lack.QUALITY: "promises {quality:.2f}, less than the minimum of {quality_min:.2f}",
    Lack.UNAVAILABLE: "is unavailable right now",
}

ANY = (1 << 63) - 1  # every bit
AVAILABLE_OR_NOT = ANY & ~int(Lack.UNAVAILABLE)  # the last resort: better tried than refused
# Estimates and catalogue entries, which may be wrong: they never stand between a client and the
# model it named. Its provider knows better, and answers with its own error.
SOFT = int(Lack.TOOLS | Lack.VISION | Lack.JSON | Lack.STREAM | Lack.CONTEXT | Lack.OUTPUT)
SOFT_AS_ASKED = SOFT | int(Lack.QUALITY)  # where routing is off, nothing better is looked for
