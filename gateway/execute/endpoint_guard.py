"""
Endpoints that tenants name: what they may be, and which addresses they may lead to.

Whoever names a URL that we call can make us knock at doors that only we can reach: the metadata
service of the cloud, the database, the neighbours in the cluster. So a URL is judged when it is
written down, and the address is judged again when it is dialled, because a name may lead elsewhere
by then (DNS rebinding). A redirect is never followed, so it cannot lead on from there.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import SplitResult, urlsplit

from gateway.core.header_value import fits_header

URL_CHARS_MAX: Final = 1024
RESOLVERS: Final = 4  # threads: a tenant's slow name server delays tenants' endpoints only

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not public, or not a place of its own: IANA's registries of special-purpose addresses, and one
# public address behind which Azure keeps the metadata of a machine (168.63.129.16).
CLOSED_V4: Final = tuple(map(ipaddress.IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",
    "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
    "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
    "240.0.0.0/4",
)))  # fmt: skip
# All that is public today lies in here; mapped, local, private and multicast addresses do not.
PUBLIC_V6: Final = ipaddress.IPv6Network("2000::/3")
CLOSED_V6: Final = tuple(map(ipaddress.IPv6Network, (
    "2001::/23",  # protocols, Teredo among them: an IPv4 address in disguise
    "2001:db8::/32", "3fff::/20",  # documentation
    "2002::/16",  # 6to4: another disguise
)))  # fmt: skip
NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # how a network without IPv4 reaches it

LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")  # an address to inet_aton, as the last label
# Names that only mean something inside: RFC 6761, 6762, 8375, and what clouds and clusters use.
INSIDE: Final = ("localhost", "local", "internal", "intranet", "lan", "corp", "home.arpa")


class EndpointRefused(ValueError):
    """A tenant may not name this endpoint. The message is for whoever wrote the URL."""


def check_url(url: str, allowed_hosts: Collection[str]) -> None:
    """
    Judge *url* as it is written down; nothing is resolved. A host among *allowed_hosts*
    (``host`` or ``host:port``, in lower case; an IPv6 address in brackets) may be anything, and
    be asked without TLS.

    Raises:
        EndpointRefused: no plain https URL of a host that is not ours.
    """
    if len(url) > URL_CHARS_MAX or not fits_header(url) or set(url) & set(' \\"<>^`{|}'):
        raise EndpointRefused("The URL is too long, or holds a character that is not of a URL.")
    parts = split(url)
    host = parts.hostname or ""
    literal = literal_of(host)
    if allowed(parts, allowed_hosts):
        return
    if parts.scheme != "https":
        raise EndpointRefused("The URL must begin with https://.")
    if literal is not None:
        if not is_public(literal):
            raise EndpointRefused("The address is not a public one.")
    elif "." not in host or any(host == end or host.endswith(f".{end}") for end in INSIDE):
        raise EndpointRefused("The host is a name of an inner network.")


def split(url: str) -> SplitResult:
    """
    The parts of *url*, of which there is only one way to read them.

    Raises:
        EndpointRefused: there are several, or parts that an endpoint has not.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EndpointRefused("The host or the port of the URL cannot be read.") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise EndpointRefused("The URL must be https://, a host, and a path if need be.")
    if ("[" in parts.netloc) != (":" in parts.hostname):
        raise EndpointRefused("Only an IPv6 address stands in brackets.")
    if "@" in parts.netloc:
        raise EndpointRefused("The URL must not hold a user name or a password.")
    if "?" in url or "#" in url:
        raise EndpointRefused("The URL must not have a query or a fragment.")
    return parts


def literal_of(host: str) -> Address | None:
    """
    The address that *host* is, None for a name.

    Raises:
        EndpointRefused: no name of DNS, or an address in a form that only some understand:
            decimal, octal, hexadecimal, shortened, with a zone, with a dot behind it.
    """
    if ":" in host:
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            raise EndpointRefused("The IPv6 address cannot be read.") from None
        if address.scope_id is not None:
            raise EndpointRefused("The IPv6 address must not name a zone.")
        return address
    labels = host.split(".")
    if NUMBER.fullmatch(labels[-1]):
        try:
            return ipaddress.IPv4Address(host)
        except ValueError:
            raise EndpointRefused("An IPv4 address is four decimal numbers.") from None
    if len(host) > 253 or not all(map(LABEL.fullmatch, labels)):
        raise EndpointRefused("The host is not a name of DNS, without a dot at its end.")
    return None


def allowed(parts: SplitResult, allowed_hosts: Collection[str]) -> bool:
    """Whether the operator lets tenants ask this very host, or this port of it."""
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return name in allowed_hosts or f"{name}:{port}" in allowed_hosts


def is_public(address: Address) -> bool:
    """Whether *address* is a machine of its own on the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in CLOSED_V4)
    if address in NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in PUBLIC_V6 and not any(address in network for network in CLOSED_V6)


def look_up(host: str, port: int) -> list[str]:
    """The addresses of *host*, in the order to try. Blocks. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class EndpointGuard:
    """
    Stands between a pool and the network: says what may be dialled for a URL of a tenant. The
    caller dials the very addresses that it returns, so nobody asks DNS a second time.

    Its look-ups run in threads of its own; ``close`` it at the end.
    """

    def __init__(
        self,
        allowed_hosts: Collection[str] = (),
        look_up: Callable[[str, int], list[str]] = look_up,
    ) -> None:
        self.allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._look_up = look_up
        self._threads = ThreadPoolExecutor(RESOLVERS, "endpoint-names")

    async def addresses(self, url: str) -> list[str]:
        """
        The addresses behind *url*, in the order to try. One that is not public refuses all: a name
        that leads inside as well as outside was made for us.

        Raises:
            EndpointRefused: the URL or one of its addresses is not for tenants.
            OSError: the name leads nowhere.
        """
        check_url(url, self.allowed_hosts)
        parts = split(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._look_up, host, port)
        if not allowed(parts, self.allowed_hosts):
            for text in found:
                if "%" in text or not is_public(ipaddress.ip_address(text)):
                    raise EndpointRefused("The host leads to an address that is not a public one.")
        return found

    def close(self) -> None:
        """Look nothing up any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
