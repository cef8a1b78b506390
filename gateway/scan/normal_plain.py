"""Make a text plain: its characters, then its letters, then its words."""

from __future__ import annotations

import numpy as np

from gateway.scan.normal_fold import plain_characters
from gateway.scan.normal_form import Form
from gateway.scan.normal_letters import without_gaps, without_leet
from gateway.scan.normal_traces import Traces, latin, traces_of


def plain_form(text: str, traces: Traces, offset: int = 0) -> Form | None:
    """
    *text* made plain, None where it is plain already.

    *traces* are those of *text*; *offset* is where it begins in the original.
    """
    folded = plain_characters(text)
    plain, at = folded or (text, None)
    signs = traces if folded is None else traces_of(latin(plain))
    if signs.leet:
        plain = without_leet(plain)
    joined = without_gaps(plain) if signs.spaced else None
    if joined is not None:
        plain, places = joined
        at = places if at is None else at[places]
    if plain == text:
        return None
    if at is None:
        at = np.arange(len(text) + 1, dtype=np.int32)
    return Form(plain, "normal", at + np.int32(offset), offset, offset + len(text))
