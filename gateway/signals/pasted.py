"""
Find a short ask beside the text that was pasted, retrieved or quoted for it.

When a rule is in doubt nothing is cut: a longer ask costs little, a lost one everything. So code
and lists stay, which specify as often as they are material.
"""

from __future__ import annotations

import re

ASK_BLOCK_CHARS_MAX = 700  # a pasted text beside it is cut only from an ask that is shorter
HEADING_CHARS_MAX = 60  # "Opinion excerpts retrieved:"
PASTE_CHARS_MIN = 160  # a shorter text cannot bury an ask, and may well be part of it
PASTE_BYTES_MIN = 240  # the same for scripts that say more in fewer characters
READ_CHARS = 2_000  # of a pasted text, to see what it is
LAST_CHARS_MAX = 300  # "Here is my data: ... Write a summary of it."; a longer block is data too
WORDS_MIN = 3  # fewer are a title or an option, unless a sign says that something is asked
SLOT_CHARS = 40  # at the end of a template: "\nHelpful answer:"
QUESTION_MARKS = ("?", "？", "؟")
COLONS = (":", "：")
ASKING = (*QUESTION_MARKS, *COLONS, "!", ".")
OPENING_QUOTES = "\"'“„«「『‘"
CLOSING_QUOTES = ('"', "'", "”", "“", "»", "」", "』", "’")

LABEL = re.compile(
    r"(?:user(?: message| query| question)?|question|query|task|instruction|request|ask|q|claim"
    r"|frage|pregunta|domanda|pergunta|vraag|pytanie|soru|вопрос|问题|質問|질문) ?[:：]\s*",
    re.IGNORECASE,
)
_ANSWER_SLOT = re.compile(
    r"\n\s*(?:(?:helpful|final|your|the) )?(?:answer|response|a|antwort|réponse|respuesta|risposta"
    r"|resposta|antwoord|odpowiedź|cevap|ответ|答案|回答|답변) ?[:：]\s*\Z",
    re.IGNORECASE,
)
# A first line that announces passages is a heading, not an ask: the noun is in its first words.
_MATERIAL = (
    r"sources?|passages?|contexts?|evidence|documents?|excerpts?|extracts?|results?|facts|notes"
    r"|rules|chunks?|snippets?|retrieved|search|extraits|documentos|fragment\w*|quellen|auszüge"
)
_HEADING = re.compile(
    rf"(?:#+ )?(?:[\w-]+ )?(?:{_MATERIAL})\b(?:[^\n]*[:：]|[\w ]*\b(?:retrieved|found))?\s*\Z"
    r"|\[[^\]\n]+\]\Z",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(rf"\b(?:{_MATERIAL})\b", re.IGNORECASE)
# An ask that points at what follows it, in the languages of the prompts seen most. Looked for in
# lower case behind a space, which costs a tenth of a regular expression.
_POINTERS = (
    *(" below", " following", " onderstaand", " folgend", " unten", " suivant", " ci-dessous"),
    *(" siguiente", " abajo", " seguinte", " abaixo", " seguent", " ниже", " следующ"),
    *(" poniżs", " aşağıdaki", "以下", "下面", "次の", "아래", "다음"),
    *("这篇", "这段", "这封", "这通", "這篇", "這段", "這封", "この文", "このメール", "この記事"),
    *("이 글", "이 메일", "이 기사", "이 문장"),
)
_DETERMINERS = (" this ", " these ", " dies", " ce", " est", " quest", " эт")
_POINTS_AT_TEXT = re.compile(
    r" th(?:is|ese)(?: [\w-]+)? (?:e-?mails?|mails?|messages?|texts?|articles?|passages?|letters?"
    r"|paragraphs?|minutes|receipts?|transcripts?|reports?|posts?|reviews?|essays?|pages?|calls?"
    r"|documents?|threads?|abstracts?|stor(?:y|ies)|newsletters?|invoices?|contracts?|clauses?)\b"
    r"| dies\w* (?:text|mail|e-mail|brief|artikel|bericht|protokoll)\b"
    r"| (?:cet?|cette) (?:texte|mail|article|lettre|rapport|courriel)\b"
    r"| (?:este|esta|questo|questa) (?:texto|correo|carta|artículo|artigo|testo|lettera|mail)\b"
    r"| эт\w+ (?:текст\w*|письм\w+|стать\w+|отчёт\w*)"
)
# What such an ask announces is part of the ask.
_SPECIFIERS = (
    *(
        " details",
        " instruction",
        " requirement",
        " condition",
        " constraint",
        " rules",
        " steps",
        " feature",
        " scenario",
    ),
    *(
        " criteria",
        " points",
        " question",
        " code",
        " task",
        " anforderung",
        " regeln",
        " exigence",
        " requisit",
    ),
    *(" требовани", "要求", "条件", "步骤", "要件"),
)
# A line that opens like this is quoted, labelled, dated or machine-made. A plain list is not:
# more often than not it is a list of what the human wants.
_PASTED = re.compile(
    r"""\s*(?!(?:question|problem|task|step|part|exercise|requirement)s?\b)(?:
      [\[({<>|"'“”„«‘「『§¶—–]                 # brackets, quotes, rules
    | \#(?!\#*\ )                            # but no Markdown heading
    | --
    | \d{1,4}[:/-]\d                          # times and dates
    | (?-i:[A-Z]{1,4})\d{0,3}[.):\]]          # P1. R2) A:
    | (?-i:[A-Z]{1,3})\d{0,3}\ \(             # S1 (district trial
    | [^\W\d_][\w.'’-]{0,30}(?:\ [\w.'’-]{1,30}){0,2}[:：](?!//)[ \t]*\S  # speaker or field name
    | (?-i:[A-Z][\w-]+|[A-Z]+)\ \d+\b        # CARD 12, Statement 1
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_LISTED = re.compile(r"\s*(?:[-*•]|\d{1,3}[.)、])\s")
BLANK = re.compile(r"\n[ \t]*\n\s*")
_QUOTED = re.compile(rf"[:：]\s*[{OPENING_QUOTES}]")
_CODE_STARTS = (
    *("\t", "    ", "def ", "import ", "from ", "class ", "function ", "#include"),
    *("SELECT ", "WITH ", "FROM ", "JOIN ", "LEFT JOIN ", "WHERE ", "INSERT ", "CREATE "),
)
_CODE_ENDS = (";", "{", "}")


def beside_paste(message: str) -> str:
    """
    The ask when *message* is a short ask before, behind or around a pasted text, else *message*.

    Only what would bury the ask is cut: PASTE_CHARS_MIN of text or more.
    """
    if message.endswith(COLONS):
        slot = _ANSWER_SLOT.search(message, max(0, len(message) - SLOT_CHARS))
        message = message if slot is None else message[: slot.start()]
        asked = message[message.rfind("\n") + 1 :]
        if slot is not None and LABEL.match(asked) is not None and is_ask(asked):
            return asked
    blocks, joint = BLANK.split(message), "\n\n"
    if len(blocks) == 1:
        blocks, joint = message.split("\n"), "\n"
    if len(blocks) == 1:
        return before_quote(message)
    first, last = blocks[0].strip(), blocks[-1].strip()
    rest, before = joint.join(blocks[1:]), joint.join(blocks[:-1])
    headed = is_heading(first.split("\n", 1)[0])
    if not headed and is_ask(first) and is_long(rest) and is_material(first, rest):
        return f"{first}\n\n{last}" if len(blocks) > 2 and asks_again(first, last) else first
    if is_ask(last) and is_long(before) and (headed or looks_pasted(before)):
        return last
    return message


def asks_again(first: str, last: str) -> bool:
    """Whether *last*, the block behind a pasted text, is part of the ask that *first* begins."""
    if not is_ask(last):
        return False
    announced = first.endswith(COLONS) and len(last) <= LAST_CHARS_MAX
    return announced or last.endswith(QUESTION_MARKS)


def before_quote(line: str) -> str:
    """The ask of ``ask: "long quotation"``, else *line*."""
    if not line.endswith(CLOSING_QUOTES):
        return line
    quoted = _QUOTED.search(line)
    if quoted is None or not is_long(line[quoted.end() :]) or not is_ask(line[: quoted.start()]):
        return line
    return line[: quoted.start()]


def is_long(text: str) -> bool:
    """Whether *text* could bury an ask."""
    return len(text) >= PASTE_CHARS_MIN or len(text.encode(errors="replace")) >= PASTE_BYTES_MIN


def is_heading(line: str) -> bool:
    """Whether *line* announces passages that follow it."""
    return len(line) <= HEADING_CHARS_MAX and _HEADING.match(line) is not None


def is_material(ask: str, rest: str) -> bool:
    """Whether *rest* is a pasted text that *ask*, the block before it, is about."""
    if _LISTED.match(rest) is not None:
        return False
    if rest[0] in OPENING_QUOTES and "\n" not in rest and not rest.endswith(CLOSING_QUOTES):
        return False  # the ask goes on behind the quotation
    if looks_pasted(rest):
        return not is_code(rest)
    if specifies(ask):
        return False
    words = lowered(ask)
    if ask.endswith(COLONS):
        announced = len(ask) > HEADING_CHARS_MAX or _ANNOUNCES.search(ask) is None
    else:
        announced = len(rest) > len(ask) and points_down(words)
    return announced and not is_code(rest)


def specifies(ask: str) -> bool:
    """Whether *ask* speaks of requirements and the like: what follows is then part of it."""
    words = lowered(ask)
    return any(word in words for word in _SPECIFIERS)


def lowered(ask: str) -> str:
    """The ask on one line, in lower case, behind a space."""
    return f" {ask.lower()}".replace("\n", " ")


def points_down(words: str) -> bool:
    """Whether an ask, in lower case behind a space, points at the text that follows it."""
    if any(word in words for word in _POINTERS):
        return True
    if not any(word in words for word in _DETERMINERS):
        return False
    return _POINTS_AT_TEXT.search(words) is not None


def looks_pasted(text: str) -> bool:
    """Whether at least half of the lines, and the first, open like quoted or machine-made text."""
    lines = [line for line in text[:READ_CHARS].split("\n") if line and not line.isspace()]
    if not lines or _PASTED.match(lines[0]) is None:
        return False
    return 2 * sum(_PASTED.match(line) is not None for line in lines) >= len(lines)


def is_code(text: str) -> bool:
    """Whether more than one of the first lines is code or an equation."""
    lines = text[:READ_CHARS].split("\n")
    return sum(is_code_line(line) for line in lines) > 1


def is_code_line(line: str) -> bool:
    """Whether *line* is code or an equation."""
    return line.startswith(_CODE_STARTS) or line.endswith(_CODE_ENDS) or " = " in line


def is_ask(block: str) -> bool:
    """Whether a block can be the whole ask: short, and neither quoted nor machine-made."""
    if not block or len(block) > ASK_BLOCK_CHARS_MAX or block[-1] in ";{}>])":
        return False
    if not block.endswith(ASKING) and block.isascii() and len(block.split()) < WORDS_MIN:
        return False
    label = LABEL.match(block)
    return _PASTED.match(block, 0 if label is None else label.end()) is None
