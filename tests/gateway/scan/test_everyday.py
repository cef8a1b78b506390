"""Everyday asks in the words of attacks pass the scan as it ships, with guard and encoder."""

from __future__ import annotations

import asyncio
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from gateway.config.scan_schema import ScanSettings
from gateway.core.chat import Chat, Role, Text, Turn
from gateway.core.request import Controls
from gateway.scan.scan import Caller, Scan
from gateway.scan.scanner import Scanner, load_engines
from models.classifier import load_classifier
from models.options import PATIENT

ASKS = tomllib.loads(Path(__file__).with_name("everyday.toml").read_text("utf-8"))
NAMED = ASKS["named"]["asks"]
OTHERS = [ask for name, table in ASKS.items() if name != "named" for ask in table["asks"]]
CALLER = Caller(key_id="", project="", tokens_in=10, tokens_out_max=None, now_s=0.0)
# Of OTHERS, at most so many may be called an attack.
SHARE_MAX = {"low": 0.01, "medium": 0.03, "high": 0.08}


@pytest.fixture(scope="module")
def attacked():
    """By sensitivity and ask, whether it is called an attack."""
    scanner = Scanner(load_engines(), ScanSettings(), {})
    assert not scanner.problem

    async def judged(ask, sensitivity):
        wishes = scanner.wishes(Controls(sensitivity=sensitivity), "")
        chat = Chat(model="auto", turns=(Turn(Role.USER, (Text(ask),)),))
        scan = Scan(scanner.parts, wishes, "")
        scan.begin(chat, classifier.attacks)
        return (await scan.verdict(CALLER)).attacked

    async def every():
        return {
            sensitivity: {ask: await judged(ask, sensitivity) for ask in (*NAMED, *OTHERS)}
            for sensitivity in SHARE_MAX
        }

    with closing(load_classifier(PATIENT)) as classifier:
        return asyncio.run(every())


@pytest.mark.parametrize("ask", NAMED)
def test_reported_misfires_pass(attacked, ask):
    """What operators have reported is no attack at the default sensitivity."""
    assert not attacked["medium"][ask]


@pytest.mark.parametrize("sensitivity", SHARE_MAX)
def test_few_everyday_asks_are_called_attacks(attacked, sensitivity):
    """The share that is allowed is small, and grows with the sensitivity."""
    wrong = [ask for ask in OTHERS if attacked[sensitivity][ask]]

    assert len(wrong) <= SHARE_MAX[sensitivity] * len(OTHERS), wrong
