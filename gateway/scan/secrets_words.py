"""Passwords, user names and connection strings: values that their label gives away."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateway.scan.personal_context import Hit, is_cut
from gateway.scan.personal_network import TRAILING, url_with_credentials

_LINK = (
    r"(?:is|was|are|be|should be|must be|to|ist|lautet|war|est|était|es|era|è|era|é|jest|to|olan"
    r"|laut ticket|set to|reads|means|equals|value|=|は|是|为|это|:)"
)
_FOR = (
    r"(?:\s(?:of|for|van|für|voor|de|del|di|do|da|pour|para|per|dla|von|на|для)\s[\w.@\\-]{2,40})?"
)
# Group 1 to 3: a value in quotes; 4: a bare one. Between label and value: the end of the key's
# quotes, for whom it is, and a sign or a verb.
_SIGN = r"[\"'`\])]{0,2}\s{0,3}(?:=>|:=|[:=：])\s{0,3}"
_QUOTED = r"[\"“„«]([^\"“”\n]{3,128})[\"”»]|'([^'\n]{3,128})'|`([^`\n]{3,128})`"
_BARE = r"([^\s\"'`<>,，。、「」()\[\]{}]{3,128})"
_ASSIGNED = re.compile(rf"{_SIGN}(?:{_QUOTED}|{_BARE})", re.IGNORECASE)
_SPOKEN = re.compile(
    rf"{_FOR}(?:\s?\(.{{1,20}}\))?\s{{0,3}}(?:{_LINK}\s{{0,3}}){{0,2}}(?:{_QUOTED}|{_BARE})",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"""(?:none|null|nil|true|false|undefined|string|str|text|password|passwd|passwort|pass|secret
    |username|user|your\w*|required|optional|hidden|empty|unknown|type|name|value|input|field|hash
    |reset|policy|manager|protected|incorrect|invalid|wrong|change\w*|example|redacted|xxx+|\*+|\.+|_+
    |[<\[{$%].*|.*\$\{.*|.*\{\{.*|(?:os|process|env|config|settings|self|this|request|req|data|form)
    [.\[].*|.*(?:getenv|environ|input\(|getpass|\(\)).*|.*\w\(.*
    |(?:sha|md|aes|utf|base|oauth|argon|pbkdf|bcrypt|scrypt|iso|win|v|ipv|mp|tls)[-_]?\d[-_.\w]*
    |https?://.*|\d{1,3}|\d+[-+]?(?:chars?|characters?|days?|bit)|[\w.-]+@[\w.-]+\.\w{2,}
    |[A-Za-z]+-\d|\d{4}-\d\d-\d\d|(?:min|max)-?\w*|~?/[\w./~-]*|[A-Z]:\\.*)""",
    re.IGNORECASE | re.VERBOSE,
)
_WORD_OR_NAME = re.compile(r"[^\W\d]+(?:[-'’./_:][^\W\d]+)*[:;.,!?]*")
_PIN = re.compile(r"\d{4,8}")
_HANDLE = r"[A-Za-z][\w$-]*(?:[.\\][\w$-]+)*"
_USER_ASSIGNED = re.compile(
    rf"{_SIGN}(?:[\"']({_HANDLE})[\"']|({_HANDLE})(?![\w(\[@]|\.\w))", re.IGNORECASE
)
_USER_SPOKEN = re.compile(
    rf"\s{{1,2}}(?:{_LINK}\s{{1,2}})?[\"'`]?({_HANDLE})(?![\w(\[@]|\.\w)", re.IGNORECASE
)
_NOBODY = frozenset(
    [
        "root",
        "admin",
        "administrator",
        "user",
        "username",
        "users",
        "none",
        "null",
        "nil",
        "true",
        "false",
        "string",
        "guest",
        "default",
        "system",
        "test",
        "name",
        "id",
        "anonymous",
        "nobody",
        "undefined",
        "postgres",
        "sa",
        "assistant",
        "required",
        "unknown",
        "i",
        "you",
        "we",
        "me",
        "my",
        "login",
        "password",
        "agent",
        "nan",
        "na",
        "text",
        "varchar",
        "int",
        "integer",
        "str",
    ]
)
_HANDLE_SIGNS = re.compile(r"\w[\d_.\\]|\d")
_FIELD = re.compile(
    r"\.(?:id|uid|name|username|user|email|login|length|value|get)$|^ipv?\d$", re.IGNORECASE
)
_IN_LOG = re.compile(rf"(?:user |for |für |para |pour |voor |per )({_HANDLE})\s", re.IGNORECASE)
_OPTION = re.compile(
    r"\s(?:-[pPwa] ?|--?(?:password|passwd|pass|passphrase)[ =])['\"]?", re.IGNORECASE
)
_TOOL = re.compile(r"(?:docker|podman|registry|npm|az|gh|heroku|vault|oc|aws|ssh) $")
_PAIR = r"[A-Za-z][\w ]{1,30}\s?=[^;\"'\n<>]{0,300}"
_PAIRS = re.compile(rf"{_PAIR}(?:;\s?{_PAIR}){{1,20}};?")
_PAIR_PASSWORD = re.compile(
    r"(?:password|pwd|accountkey|sharedaccesskey|sharedaccesssignature|secret)\s?=\s?([^;]+)",
    re.IGNORECASE,
)
_SCHEMES = re.compile(
    r"(?:jdbc|postgres|postgresql|mysql|mariadb|mongodb|redis|rediss|valkey|amqp|amqps|mssql"
    r"|sqlserver|oracle|clickhouse|cassandra|couchbase|couchdb|neo4j|bolt|snowflake|redshift|nats"
    r"|kafka|cockroachdb|db2|influxdb|elasticsearch|memcached|odbc|ldaps?|trino|presto|vertica)\b",
    re.IGNORECASE,
)


def password(text: str, _start: int, end: int) -> Iterable[Hit]:
    """
    The value behind a word for a password: assigned, or spoken of and too odd for a word.
    Placeholders, types, code that reads one and sentences about passwords are none.
    """
    if is_cut(text, end):
        return
    found = _ASSIGNED.match(text, end)
    assigned = found is not None
    found = found or _SPOKEN.match(text, end)
    if found is None or found.lastindex is None:
        return
    left, right = found.span(found.lastindex)
    quoted = found.lastindex < 4
    if not quoted:
        while right > left and text[right - 1] in ".,;:?)":
            right -= 1
    value = text[left:right]
    if left == end and (
        value.startswith(("-", "@")) or not value.isascii()
    ):  # pass-through, :pass@host, 密码学
        return
    tight = assigned and text[found.start() : left].strip("\"'") in ("=", ":")
    if is_password(value, quoted=quoted, assigned=assigned, tight=tight):
        yield Hit(left, right, 0.9)


def is_password(value: str, *, quoted: bool, assigned: bool, tight: bool) -> bool:
    """
    Whether *value* is a password: *quoted*, *assigned* by a sign, *tight* when without spaces.
    """
    if len(value) < 4 or _NO_SECRET.fullmatch(value) is not None:
        return False
    if " " in value or "\\n" in value:
        return quoted and assigned and is_odd(value) and value.count(" ") < 3
    if _PIN.fullmatch(value) is not None:
        return True
    if quoted:
        return assigned or is_odd(value)
    if tight:
        return _WORD_OR_NAME.fullmatch(value) is None or ("_" not in value and "." not in value)
    return is_odd(value)


def is_odd(value: str) -> bool:
    """Whether *value* mixes letters with digits or signs as no word does."""
    return any(sign.isalpha() for sign in value) and _WORD_OR_NAME.fullmatch(value) is None


def command_password(text: str, start: int, end: int) -> Iterable[Hit]:
    """The password that a command line ends in: ``-p VALUE``, ``--password=VALUE``."""
    options = list(_OPTION.finditer(text, start, end))
    left = options[-1].end() if options else end
    value = text[left:end].rstrip("'\";,.")
    if is_password(value, quoted=False, assigned=True, tight=False):
        yield Hit(left, left + len(value), 0.9)


def password_owner(text: str, start: int, end: int) -> Iterable[Hit]:
    """The user whose password is told: ``password for NAME is``."""
    yield from last_word(text, start, end - len(text[start:end].rsplit(maxsplit=1)[-1]) - 1)


def basic_password(text: str, start: int, end: int) -> Iterable[Hit]:
    """The password of ``curl -u USER:PASSWORD``."""
    left = text.find(":", max(start, text.rfind(" ", start, end)), end) + 1
    value = text[left:end].rstrip("'\";,.")
    if left and is_password(value, quoted=False, assigned=True, tight=True):
        yield Hit(left, left + len(value), 0.9)


def username(text: str, start: int, end: int) -> Iterable[Hit]:
    """The name behind a word for a user: assigned, or spoken of and no word of the language."""
    if is_cut(text, end) or _TOOL.search(text, max(0, start - 12), start) is not None:
        return
    found = _USER_ASSIGNED.match(text, end)
    assigned = found is not None
    if found is not None:
        group = found.lastindex or 1
        name = found[group]
        sign = text[end : found.start(group)]
        sure = group == 1 or sign.strip() == sign
    else:
        found, group, sure = _USER_SPOKEN.match(text, end), 1, False
        if found is None:
            return
        name = found[1]
    if name.lower() in _NOBODY or len(name) < 3 or _FIELD.search(name) is not None:
        return
    if assigned and "-" in name[1:-1]:
        sure = True
    if sure or _HANDLE_SIGNS.search(name.rstrip("-.")) is not None:
        yield Hit(found.start(group), found.start(group) + len(name.rstrip("-.")), 0.8)


def logged_name(text: str, start: int, end: int) -> Iterable[Hit]:
    """The user in a line of a log: ``for invalid user NAME from 10.0.0.1``."""
    found = None
    for found in _IN_LOG.finditer(text, start, end):
        if found[1].lower() in ("user", "invalid"):
            continue
        if found[1].lower() not in _NOBODY:
            yield Hit(*found.span(1))
        return


def last_word(text: str, start: int, end: int) -> Iterable[Hit]:
    """The name that a match ends in."""
    left = end
    while left > start and (text[left - 1].isalnum() or text[left - 1] in "_.-$"):
        left -= 1
    name = text[left:end].rstrip(".-")
    if name.lower() not in _NOBODY and len(name) > 2:
        yield Hit(left, left + len(name), 0.9)


def directory_name(text: str, start: int, end: int) -> Iterable[Hit]:
    """The name in a directory's distinguished name: ``cn=NAME,ou=…``."""
    yield from last_word(text, start, text.index(",", start, end))


def sudo_name(text: str, start: int, end: int) -> Iterable[Hit]:
    """The user who runs a command, in sudo's log."""
    left = start + len(text[start:end].partition(":")[0]) + 1
    yield from last_word(text, left, left + len(text[left:end].rstrip(" :")))


def connection_url(text: str, start: int, end: int) -> Iterable[Hit]:
    """A database's or a broker's URL with a password in it."""
    if _SCHEMES.match(text, start) is not None:
        yield from url_with_credentials(text, start, end)


def plain_url(text: str, start: int, end: int) -> Iterable[Hit]:
    """A URL with a password in it that is no database's."""
    if _SCHEMES.match(text, start) is None:
        yield from url_with_credentials(text, start, end)


def connection_pairs(text: str, start: int, _end: int) -> Iterable[Hit]:
    """``Server=…;Password=…;`` with a password that is no placeholder."""
    found = _PAIRS.match(text, start)
    if found is None:
        return
    secret = _PAIR_PASSWORD.search(found[0])
    if secret is None or _NO_SECRET.fullmatch(secret[1].strip()) is not None:
        return
    end = found.end()
    final = text.rfind("=", start, end)
    space = text.find(" ", final, end)
    if space > 0 and not found[0].endswith(";"):
        end = space
    while text[end - 1] in TRAILING.replace(";", "").replace(")", ""):
        end -= 1
    yield Hit(start, end)


def whole(text: str, start: int, end: int) -> Iterable[Hit]:
    """The match as it is."""
    if text[start:end]:
        yield Hit(start, end)
