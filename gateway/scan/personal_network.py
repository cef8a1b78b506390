"""E-mail, IP and MAC addresses and URLs, told from versions, times and code."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from gateway.scan.personal_context import FAR, Hit, Words, around, before

_FILES = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py", "md"))
_VERSIONS = Words(
    "version versions vers ver v firmware micrologiciel release releases build builds changelog"
    " driver sdk update upgrade upgraded downgrade downgraded patch patches fixed reverted section"
    " sections chapter clause kapitel abschnitt revision versión versão versione wersj* sürüm*"
    " версия kernel chrome oid asn assembly package nuget dll exe",
    "§ バージョン 版本 버전",
)
_HOSTS = Words(
    "ip ips ipv ipaddress host hosts hostname server servers address addresses addr ping subnet"
    " gateway from peer client remote dns dhcp ssh route router traceroute firewall src dst nas"
    " inet source proxy banned blocked login log logs lease adresse adressen dirección endereço"
    " indirizzo adres* сервер*",
    "アドレス 地址 주소 ログ",
)
_PLAIN = frozenset(("0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "1.2.3.4"))  # noqa: S104
_PLACEHOLDER = re.compile(
    r"[<\[{$%*]|\b(?:user(?:name)?|login|name)?:(?:pass(?:word|wd)?|pwd|secret|xxx+|\*+|\.+)@"
    r"|your[_-]?pass|redacted",
    re.IGNORECASE,
)
TRAILING = ".,;:!?)]}'\"»”’*"


def email(text: str, start: int, end: int) -> Iterable[Hit]:
    """An address that is no file name, no address of a repository, no part of a URL."""
    while start < end and text[start] in ".-'+%":
        start += 1
    local, _, domain = text[start:end].rpartition("@")
    if not local or local == "git" or domain.rpartition(".")[2].lower() in _FILES:
        return
    lead = before(text, start, 3)
    if lead.endswith("//") or (
        lead.endswith(":") and "://" in before(text, start, FAR).split()[-1]
    ):
        return
    yield Hit(start, end)


def ipv4(text: str, start: int, end: int) -> Iterable[Hit]:
    """Four numbers below 256 that are neither a version nor a chapter."""
    quad = text[start:end]
    parts = quad.split(".")
    if quad in _PLAIN or any(int(part) > 255 or (part[0] == "0" < part[1:]) for part in parts):
        return
    lead, tail = text[max(0, start - 2) : start], text[end : end + 2]
    if (lead[-1:].isalnum() and lead[-1:].isascii()) or lead[-1:] in ("_", ".") or lead[1:] == "-":
        return
    if (tail[:1] in (".", "-") and tail[1:].isalnum()) or (
        tail[:1].isascii() and tail[:1].isalpha()
    ):
        return
    if parts[0] == "255" or (parts[0] == "0" and parts[1] == "0"):  # a netmask
        return
    near = around(text, start, end, FAR)
    if _VERSIONS.among(near) and not _is_host(text, start, end):
        return
    yield Hit(start, end, 1.0 if _HOSTS.among(near) else 0.8)


def _is_host(text: str, start: int, end: int) -> bool:
    """Whether the words close to a quad speak of hosts, and not of a version closer by."""
    if re.match(r":\d{2,5}\b|/\d\d?\b", text[end : end + 6]) is not None:
        return True
    near = before(text, start, 40)
    return _HOSTS.last(near) > _VERSIONS.last(near)


def ipv6(text: str, start: int, end: int) -> Iterable[Hit]:
    """An IPv6 address; ``std::byte`` and times of day are none."""
    while end - start > 2 and text[end - 1] == ":" and text[end - 2] != ":":
        end -= 1
    address = text[start:end]
    sides = text[max(0, start - 1) : start] + text[end : end + 1]
    if address in _PLAIN or any(
        sign.isascii() and (sign.isalnum() or sign == "_") for sign in sides
    ):
        return
    groups = [group for group in address.split(":") if group]
    if len(groups) < 2 or not any(sign.isdigit() for sign in address):
        return
    if len(groups) == 2 and len(groups[0]) < 3:  # a::1 is code more often than an address
        return
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return
    yield Hit(start, end)


def mac(text: str, start: int, end: int) -> Iterable[Hit]:
    """Six bytes with one kind of separator, not a part of a longer fingerprint."""
    lead, tail = text[max(0, start - 1) : start], text[end : end + 2]
    if lead in (":", "-") and text[max(0, start - 2) : start - 1].isalnum():
        return
    if tail[:1] in (":", "-") and tail[1:].isalnum():
        return
    if len(set(text[start:end]) & set(":-")) < 2 and len(set(text[start:end].lower())) > 2:
        yield Hit(start, end)


def url(text: str, start: int, end: int) -> Iterable[Hit]:
    """A URL without the punctuation of the sentence around it."""
    yield Hit(start, trimmed(text, start, end))


def url_with_credentials(text: str, start: int, end: int) -> Iterable[Hit]:
    """A URL whose password is no placeholder."""
    end = trimmed(text, start, end)
    authority = text[start:end].partition("://")[2]
    if "@" in authority and _PLACEHOLDER.search(authority.rpartition("@")[0] + "@") is None:
        yield Hit(start, end)


def trimmed(text: str, start: int, end: int) -> int:
    """The end of a URL without the punctuation of the sentence around it."""
    while end > start and text[end - 1] in TRAILING:
        end -= 1
    return end
