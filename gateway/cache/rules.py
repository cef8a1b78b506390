"""Who is answered from the cache, and what must never be kept. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from gateway.config.cache_schema import CacheSettings
from gateway.core.chat import Chat, Finish, ToolResult
from gateway.core.families import LOCKLLM
from gateway.core.outcome import Ending, Outcome
from gateway.core.request import Controls, Kind, Request

TEMPERATURE: Final = 1.0  # what OpenAI and Anthropic take where a request names none

# Members beside ``tools`` that let a model act or search.
ACTING: Final = ("functions", "web_search_options", "mcp_servers", "container")

# Why an answer does not come from the cache. Clients and operators read these words.
OFF: Final = "off"
TOOLS: Final = "tools"
TEMPERATURE_ABOVE: Final = "temperature"
CHOICES: Final = "several-choices"
AGENT: Final = "agent-continuation"
PERSONAL: Final = "personal-data"
UNSCANNED: Final = "unscanned"  # nobody can say whether there is personal data
RESTORED: Final = "restored-values"
AMBIGUOUS: Final = "ambiguous-body"


class Wish(msgspec.Struct, frozen=True):
    """
    What a client gets of the cache. *told*: the reply says whether it was used. *ttl_s*: nothing
    older is given, and the answer is kept so long; 0: neither read nor written.
    """

    told: bool
    ttl_s: int


def wish_of(controls: Controls, settings: CacheSettings) -> Wish:
    """What *controls* ask for, else the operator's default, within the operator's limits."""
    said, ttl_s = controls.cache, controls.cache_ttl_s
    asked = said is True or (said is None and ttl_s is not None and ttl_s > 0)
    if said is None and ttl_s is None:
        asked = LOCKLLM in controls.families  # its protocol: on unless a client says no
    refused = said is False or ttl_s == 0
    used = settings.enabled and not refused and (asked or settings.default == "always")
    if not used:
        return Wish(told=asked and not refused, ttl_s=0)
    return Wish(told=True, ttl_s=min(ttl_s or settings.ttl_s, settings.ttl_s_max))


def barred(request: Request, settings: CacheSettings) -> str:
    """Why no answer to *request* is kept or given again; "" when one may be."""
    chat = request.chat
    if not settings.tools and offers_tools(chat):
        return TOOLS
    if continues(chat):
        return AGENT
    if chat.n > 1:
        return CHOICES
    if request.kind is not Kind.EMBEDDING:
        temperature = TEMPERATURE if chat.temperature is None else chat.temperature
        if temperature > settings.temperature_max:
            return TEMPERATURE_ABOVE
    return ""


def offers_tools(chat: Chat) -> bool:
    """Whether the model may call something, also what only its own dialect knows."""
    if chat.tools:
        return True
    extra = chat.extra
    return any(name in extra for name in ACTING) or any(name.startswith("tools") for name in extra)


def continues(chat: Chat) -> bool:
    """Whether *chat* is a later step of an agent: it ends with what a tool answered."""
    return bool(chat.turns) and any(type(part) is ToolResult for part in chat.turns[-1].parts)


def worth_keeping(outcome: Outcome, request: Request, settings: CacheSettings) -> bool:
    """Whether the answer that ended in *outcome* may be given again: whole, and to its end."""
    if outcome.ending is not Ending.COMPLETE or outcome.status != 200 or outcome.usage is None:
        return False
    if request.kind is Kind.EMBEDDING:
        return True
    called = settings.tools and outcome.finish is Finish.TOOL_CALLS
    return called or outcome.finish is Finish.STOP
