"""
Set prose aside that was pasted before, behind or around an ask.

Shapes (pasted.py) cannot tell a passage from a story that a human tells; a small model can, block
by block (models/material.py). It cuts only what it is sure of, and only beside a block that is
surely asked: in doubt nothing is cut.
"""

from __future__ import annotations

import functools
import logging
import math
import re

from gateway.signals.pasted import (
    ASKING,
    BLANK,
    WORDS_MIN,
    is_code,
    is_heading,
    is_long,
    specifies,
)
from models.artefact import ArtefactError
from models.material import Material

BLOCKS_MAX = 6  # scored in one message; those in the middle of more count as one
LINES_MAX = 3  # the same where no line is blank: lists and verses have many lines
ASK_CHARS_MAX = 2_000  # what an excerpt holds of an ask; more beside material is material too
_NUMBERED = re.compile(
    r"\W*(?:question|problem|task|step|part|exercise|requirement)s?\b", re.IGNORECASE
)

log = logging.getLogger("switchyard")


@functools.cache
def load_material() -> Material | None:
    """The model, loaded once; None, and one error in the log, when it cannot be used."""
    try:
        return Material.load()
    except ArtefactError as error:
        log.error("pasted prose is told by its shape alone: %s", error)  # noqa: TRY400
        return None


def beside_material(message: str) -> str:
    """*message* without blocks that are surely material, or as it is."""
    if not is_long(message):
        return message
    blocks, joint, most = BLANK.split(message.strip()), "\n\n", BLOCKS_MAX
    if len(blocks) == 1:
        blocks, joint, most = message.strip().split("\n"), "\n", LINES_MAX
    if len(blocks) == 1 or (model := load_material()) is None:
        return message
    pieces = grouped(blocks, joint, most)
    kept = asked(model, pieces)
    cut = [piece for piece, stays in zip(pieces, kept, strict=True) if not stays]
    if not cut or not is_long(joint.join(cut)):
        return message
    return joint.join(piece for piece, stays in zip(pieces, kept, strict=True) if stays)


def grouped(blocks: list[str], joint: str, most: int) -> list[str]:
    """At most *most* pieces: the blocks, those in the middle joined."""
    if len(blocks) <= most:
        return blocks
    first = (most - 1) // 2
    last = most - 1 - first
    middle = joint.join(blocks[first : len(blocks) - last])
    return [*blocks[:first], middle, *blocks[len(blocks) - last :]]


def asked(model: Material, pieces: list[str]) -> list[bool]:
    """Which pieces stay: all of them, unless one is surely asked."""
    scores = [model.score(piece) for piece in pieces]
    possible = (score for score, piece in zip(scores, pieces, strict=True) if may_ask(piece))
    limit = model.manifest.limit(min(possible, default=math.inf), max(scores))
    if limit is None:
        return [True] * len(pieces)
    pasted = [
        score >= limit and may_go(piece, before)
        for score, piece, before in zip(scores, pieces, ["", *pieces], strict=False)
    ]
    return [
        not (
            pasted[i]
            or (0 < i < len(pieces) - 1 and pasted[i - 1] and pasted[i + 1] and scores[i] > 0)
            or (i + 1 < len(pieces) and pasted[i + 1] and is_heading(pieces[i].strip()))
        )
        for i in range(len(pieces))
    ]


def may_ask(piece: str) -> bool:
    """Whether a piece can be what is asked: not code, and neither a title nor a book."""
    piece = piece.strip()
    if not piece or len(piece) > ASK_CHARS_MAX or is_code(piece):
        return False
    return piece.endswith(ASKING) or not piece.isascii() or len(piece.split()) >= WORDS_MIN


def may_go(piece: str, before: str) -> bool:
    """Whether a piece that looks pasted is no code, and not what the one *before* announces."""
    if _NUMBERED.match(piece) is not None or "```" in piece or is_code(piece):
        return False
    return not specifies(before)
