"""
What each family of clients may say, as data: header or body member -> one control.

A family is the vocabulary of one product: ours (``X-Switchyard-*`` and the body member
``switchyard``), LockLLM, Prism and NeuralRouting. RBAOS has no headers, only body hints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from gateway.api.control_values import (
    Read,
    Value,
    either,
    number,
    one_of,
    pairs,
    seconds,
    switch,
    text,
    words,
)
from gateway.api.vocabulary import task_label
from gateway.config.cache_schema import DAY_S
from gateway.core.families import LOCKLLM, NEURALROUTING, PRISM, SWITCHYARD
from gateway.core.request import RouteAction

PREFIXES = {"x-switchyard-": SWITCHYARD, "x-lockllm-": LOCKLLM, "x-prism-": PRISM}
OWN_MEMBER = "switchyard"  # for SDKs that reach the body (extra_body) but not the headers

ACTIONS = {action.value: action for action in RouteAction}
LOCKLLM_ACTIONS = {name: ACTIONS[name] for name in ("disabled", "auto", "custom")}
PRISM_MODES = ("eco", "balanced", "sport")
NEURALROUTING_MODES = ("auto", "cost", "speed", "quality")

BLOCK_OR_WARN = either("block", "allow_with_warning")

# What is scanned for, and what then happens: the same words in our family and in LockLLM's.
SCAN_TABLE: dict[str, tuple[str, Read]] = {
    "Scan-Mode": ("scan_mode", either("normal", "policy_only", "combined")),
    "Scan-Action": ("scan_action", BLOCK_OR_WARN),
    "Policy-Action": ("policy_action", BLOCK_OR_WARN),
    "Abuse-Action": ("abuse_action", BLOCK_OR_WARN),
    "PII-Action": ("personal_action", either("strip", "block", "allow_with_warning")),
    "Sensitivity": ("sensitivity", either("low", "medium", "high")),
    "Chunk": ("chunk", switch),
    "Compression": ("compression", either("toon", "compact", "combined")),
    "Compression-Rate": ("compression_rate", number(0.3, 0.7)),
}
CACHE_TTL = seconds(DAY_S)


class Setting(msgspec.Struct, frozen=True):
    """
    One way to say one control. *name* is how errors and warnings call it, *field* that of
    ``core.request.Controls``.
    """

    name: str
    family: str  # "" where no product owns it
    field: str
    read: Read


def task_hint(value: Value) -> str:
    """A task type or a free label."""
    return task_label(text(value))


def own_table(modes: Mapping[str, str]) -> dict[str, tuple[str, Read]]:
    """Our controls by the end of their header's name; *modes* as ``vocabulary.mode_names``."""
    return {
        "Route-Action": ("action", one_of(ACTIONS)),
        "Mode": ("mode", one_of(modes)),
        "Prefer-Model": ("prefer_model", text),
        "Task": ("task_hint", task_hint),
        "Max-Cost-USD": ("cost_usd_max", number(0, math.inf)),
        "Min-Quality": ("quality_min", number(0, 1)),
        "Region": ("regions", words),
        "Regions": ("regions", words),
        "Metadata": ("metadata", pairs),
        "Session-Id": ("session_id", text),
        "Cache": ("cache", switch),
        "Cache-TTL": ("cache_ttl_s", CACHE_TTL),
        **SCAN_TABLE,
    }


def header_settings(modes: Mapping[str, str]) -> dict[str, Setting]:
    """Every header that says something, by its name in lower case."""
    prism_modes = {name: modes[name] for name in PRISM_MODES}
    settings = [
        Setting(f"X-Switchyard-{name}", SWITCHYARD, field, read)
        for name, (field, read) in own_table(modes).items()
    ]
    settings += [
        Setting("X-LockLLM-Route-Action", LOCKLLM, "action", one_of(LOCKLLM_ACTIONS)),
        Setting("X-LockLLM-Cache-Response", LOCKLLM, "cache", switch),
        Setting("X-LockLLM-Cache-TTL", LOCKLLM, "cache_ttl_s", CACHE_TTL),
        Setting("X-Prism-Mode", PRISM, "mode", one_of(prism_modes)),
        Setting("X-Prism-Model-Prefer", PRISM, "prefer_model", text),
        Setting("X-Session-Id", "", "session_id", text),
        Setting("X-Conversation-Id", "", "session_id", text),
        Setting("X-Claude-Code-Session-Id", "", "session_id", text),
    ]
    settings += [
        Setting(f"X-LockLLM-{name}", LOCKLLM, field, read)
        for name, (field, read) in SCAN_TABLE.items()
    ]
    return {setting.name.lower(): setting for setting in settings}


def own_settings(modes: Mapping[str, str]) -> dict[str, Setting]:
    """The members of the body member ``switchyard``: our headers in snake case."""
    return {
        key: Setting(f"{OWN_MEMBER}.{key}", SWITCHYARD, field, read)
        for name, (field, read) in own_table(modes).items()
        for key in (name.lower().replace("-", "_"),)
    }


# RBAOS's; accepted of everyone, because no dialect has members of these names.
HINT_SETTINGS: dict[str, Setting] = {
    name: Setting(name, "", "task_hint", task_hint) for name in ("x-task-type", "taskLabel")
}


DISPATCH_MEMBERS = ("routing_mode", "session_id")


def dispatch_settings(modes: Mapping[str, str]) -> dict[str, Setting]:
    """Body members of NeuralRouting's ``/v1/dispatch``; elsewhere they are not ours."""
    read_mode = one_of({name: modes[name] for name in NEURALROUTING_MODES})
    mode, session = DISPATCH_MEMBERS
    return {
        mode: Setting(mode, NEURALROUTING, "mode", read_mode),
        session: Setting(session, NEURALROUTING, "session_id", text),
    }
