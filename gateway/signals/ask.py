"""
Find what a human asks inside one message.

Harnesses wrap, prepend and append: reminders, environment, open files, retrieved passages. None of
it may decide how a request is routed, or an agent's whole session is routed by its boilerplate.
The rules are shapes of text, in order: an element that holds the ask, elements beside it, a short
ask beside a pasted text. When a rule is in doubt, nothing is cut: a longer ask costs little, a
lost one everything. All work is bounded by VIEW_CHARS, whatever the size of the message.
"""

from __future__ import annotations

import re

VIEW_CHARS = 8_000  # read from each end of a message; asks are at an end, dumps in the middle
ELEMENTS_MAX = 100  # looked at in one message; a view of text holds fewer in practice
FENCE_CHARS_MAX = 400  # of a fenced block stay: enough to see code, too little to bury the ask
ASK_BLOCK_CHARS_MAX = 700  # a pasted text beside it is cut only from an ask that is shorter
HEADING_CHARS_MAX = 60  # "Opinion excerpts retrieved:"
PASTE_CHARS_MIN = 160  # a shorter text cannot bury an ask, and may well be part of it
READ_CHARS = 2_000  # of a pasted text, to see what it is
QUESTION_MARKS = ("?", "？", "؟")

# Elements in which IDE agents and prompt templates hand over the words of the human.
_ASK_TAGS = (
    "task|user_query|user_message|user_input|user_request|user_question|query|question|human"
    "|user|ask|request|prompt|feedback|answer|instruction|instructions"
)
_ASK_ELEMENT = re.compile(rf"(?:^|\n|>)[ \t]*<({_ASK_TAGS})>", re.IGNORECASE)
# Any other element that opens a line is set aside, except markup of running text.
_ELEMENT = re.compile(r"(?:^|(?<=[\n>]))[ \t]*<([\w:.-]{1,60})(?:\s[^<>\n]{0,300})?>")
_INLINE = frozenset(
    {"a", "b", "i", "u", "em", "strong", "span", "code", "br", "sub", "sup", "small"}
)
_FENCE = re.compile(r"^[ ]{0,3}(```|~~~)", re.MULTILINE)
_BLANK = re.compile(r"\n[ \t]*\n\s*")
_LABEL = re.compile(
    r"(?:user(?: message| query| question)?|question|query|task|instruction|request|ask|q"
    r"|frage|pregunta|domanda|pergunta|vraag|вопрос|问题|質問|질문) ?[:：]\s*",
    re.IGNORECASE,
)

# A first block that announces passages is a heading, not an ask.
_HEADING = re.compile(
    r"\b(?:sources?|passages?|contexts?|evidence|documents?|excerpts?|extracts?|results?|facts|notes"
    r"|rules|chunks?|snippets?|retrieved|search|extraits|documentos|fragment\w*|quellen|auszüge)\b",
    re.IGNORECASE,
)
# An ask that points at what follows it, in the languages of the prompts seen most.
_POINTS_DOWN = re.compile(
    r"\b(?:below|following|onderstaand\w*|folgend\w*|unten|suivante?s?|ci-dessous|siguientes?|abajo"
    r"|seguintes?|abaixo|seguent[ei]|ниже|следующ\w+|poniższ\w+|aşağıdaki)\b|以下|下面|次の|아래|다음",
    re.IGNORECASE,
)
# What such an ask announces is part of the ask.
_SPECIFIES = re.compile(
    r"\b(?:requirements?|conditions?|constraints?|rules|steps|features?|scenarios?|criteria|points"
    r"|questions|anforderungen|regeln|exigences|requisitos|requisiti|требования)\b|要求|条件|步骤|要件",
    re.IGNORECASE,
)
# A line that opens like this is quoted, labelled, dated or machine-made. A plain list is not:
# more often than not it is a list of what the human wants.
_PASTED = re.compile(
    r"""\s*(?:
      [\[({<>|"'“”„«‘「『§¶#—–]                # brackets, quotes, rules
    | --
    | \d{1,4}[:/-]\d                          # times and dates
    | [A-Z]{1,4}\d{0,3}[.):\]]                # P1. R2) A:
    | [A-Z]{1,3}\d{0,3}\ \(                   # S1 (district trial
    | [^\W\d_][\w.'’ -]{0,30}[:：](?!//)       # speaker or field name
    | (?:[A-Z][\w-]+|[A-Z]+)\ \d+\b           # CARD 12, Statement 1
    )""",
    re.VERBOSE,
)
_LISTED = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)、])\s")
_CODE_LINE = re.compile(
    r"^(?:\t| {4}).*\S|[;{}]$|^(?:def|import|from|class|function|#include)\b", re.MULTILINE
)


def harness_removed(message: str) -> str:
    """
    The message without elements that a harness put there; "" when nothing else is in it.

    The content of an ask element (``<task>``, ``<user_query>``) wins over everything around it.
    """
    wrapped = _ASK_ELEMENT.search(message)
    if wrapped is not None:
        inside = message[wrapped.end() :]
        end = inside.find(f"</{wrapped[1]}>")
        return (inside if end < 0 else inside[:end]).strip()
    kept, start, position = [], 0, 0
    for _ in range(ELEMENTS_MAX):
        opened = _ELEMENT.search(message, position)
        if opened is None:
            break
        position = opened.end()
        closing = f"</{opened[1]}>"
        # <doc 1> ... </doc>: the attribute stays outside the name, so the name alone closes
        end = -1 if opened[1].lower() in _INLINE else message.find(closing, position)
        if end >= 0:
            kept.append(message[start : opened.start()])
            start = position = end + len(closing)
    kept.append(message[start:])
    return "".join(kept).strip()


def fences_shortened(message: str) -> str:
    """The message with every fenced block cut to its first FENCE_CHARS_MAX characters."""
    marks = [found.start() for found in _FENCE.finditer(message)]
    if not marks:
        return message
    marks.append(len(message))
    pieces, start = [], 0
    for opened, closed in zip(marks[::2], marks[1::2], strict=False):
        pieces.append(message[start:opened])
        pieces.append(message[opened : min(closed, opened + FENCE_CHARS_MAX)])
        if closed - opened > FENCE_CHARS_MAX:
            pieces.append("\n")
        start = closed
    pieces.append(message[start:])
    return "".join(pieces)


def looks_pasted(text: str) -> bool:
    """Whether at least half of the lines, and the first, open like quoted or machine-made text."""
    lines = [line for line in text[:READ_CHARS].split("\n") if line.strip()]
    hits = [_PASTED.match(line) is not None for line in lines]
    return bool(hits) and hits[0] and 2 * sum(hits) >= len(hits)


def beside_paste(message: str) -> str:
    """
    The ask when *message* is a short ask before, behind or around a pasted text, else *message*.

    Only what would bury the ask is cut: PASTE_CHARS_MIN of text or more, and never code or lists,
    which specify as often as they are material.
    """
    blocks, joint = _BLANK.split(message), "\n\n"
    if len(blocks) == 1:
        blocks, joint = message.split("\n"), "\n"
    if len(blocks) == 1:
        return message
    first, last = blocks[0].strip(), blocks[-1].strip()
    rest, before = joint.join(blocks[1:]), joint.join(blocks[:-1])
    if is_ask(first) and len(rest) >= PASTE_CHARS_MIN and is_material(first, rest):
        asked_again = len(blocks) > 2 and is_ask(last) and last.endswith(QUESTION_MARKS)
        return f"{first}\n\n{last}" if asked_again else first
    if is_ask(last) and len(before) >= PASTE_CHARS_MIN and looks_pasted(before):
        return last
    return message


def is_material(ask: str, rest: str) -> bool:
    """Whether *rest* is a pasted text that *ask*, the block before it, is about."""
    if _LISTED.match(rest) or len(_CODE_LINE.findall(rest, 0, READ_CHARS)) > 1:
        return False
    if looks_pasted(rest):
        return True
    if _SPECIFIES.search(ask) is not None:
        return False
    if ask.endswith((":", "：")):
        return len(ask) > HEADING_CHARS_MAX or _HEADING.search(ask) is None
    return len(rest) > len(ask) and _POINTS_DOWN.search(ask) is not None


def is_ask(block: str) -> bool:
    """Whether a block can be the whole ask: short, and neither quoted nor machine-made."""
    if not block or len(block) > ASK_BLOCK_CHARS_MAX or block[-1] in ";{}>])":
        return False
    return _PASTED.match(_LABEL.sub("", block, 1)) is None


def find_ask(message: str) -> str:
    """
    The words of the human in *message*; "" when a harness wrote all of it.

    Of a message longer than twice VIEW_CHARS only both ends are read, joined by a blank line.
    """
    if len(message) > 2 * VIEW_CHARS:
        message = f"{message[:VIEW_CHARS]}\n\n{message[-VIEW_CHARS:]}"
    ask = beside_paste(fences_shortened(harness_removed(message)))
    label = _LABEL.match(ask)
    return ask[label.end() :] if label is not None else ask
