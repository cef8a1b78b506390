"""Which URLs tenants may name, and which addresses they may lead to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.execute.endpoint_guard import (
    EndpointGuard,
    EndpointRefused,
    check_url,
    is_public,
    literal_of,
    look_up,
)

ALLOWED = ("ollama", "10.0.0.5", "llm.corp:8443", "[::1]:8000", "127.0.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com/v1",
        "https://API.Example.COM:8443/v1/",
        "https://my-resource.openai.azure.com/openai/v1",
        "https://xn--bcher-kva.example/v1",
        "https://8.8.8.8/v1",
        "https://[2606:4700::1111]/v1",
        "https://1.example.com",
        "http://ollama:11434/v1",
        "https://ollama",
        "http://10.0.0.5/v1",
        "https://llm.corp:8443/v1",
        "http://[::1]:8000/v1",
    ],
)
def test_check_url_lets_through(url: str) -> None:
    """Plain https to a public host, and whatever the operator allows."""
    check_url(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        # schemes and forms
        "",
        "api.example.com",
        "http://api.example.com/v1",
        "ftp://api.example.com",
        "file:///etc/passwd",
        "simulated://openai",
        "unix:///var/run/docker.sock",
        "https:///v1",
        "https:api.example.com",
        "https://user:pass@api.example.com",
        "https://api.example.com@10.0.0.1",
        "https://@api.example.com",
        "https://api.example.com?x=1",
        "https://api.example.com/v1?",
        "https://api.example.com/v1#",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://api.example.com:x",
        "https://api.example.com\\@10.0.0.1",
        "https://api.exa mple.com",
        "https://api.example.com/\r\nx: y",
        "https://ex\tample.com",
        "https://\u00e4.example",
        "https://api.example.com\u3002evil",
        "https://" + "a" * 2000 + ".com",
        # names
        "https://localhost",
        "https://a.localhost",
        "https://db",
        "https://metadata.google.internal",
        "https://printer.local",
        "https://svc.corp",
        "https://api.example.com.",
        "https://localhost.",
        "https://api..example.com",
        "https://.example.com",
        "https://-a.example.com",
        "https://%6c%6f%63alhost",
        "https://llm.corp:8444",
        # addresses
        "https://10.0.0.1",
        "https://10.0.0.5.",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0x7f.0.0.1",
        "https://0177.0.0.1",
        "https://127.0.0.01",
        "https://0",
        "https://169.254.169.254",
        "https://169.254.169.254.",
        "https://100.100.100.200",
        "https://168.63.129.16",
        "https://256.1.1.1",
        "https://1.2.3.4.5",
        "https://[::1]",
        "https://[::]",
        "https://[::ffff:8.8.8.8]",
        "https://[::ffff:127.0.0.1]",
        "https://[::127.0.0.1]",
        "https://[fe80::1%25eth0]",
        "https://[fe80::1]",
        "https://[fd00:ec2::254]",
        "https://[2002:7f00:1::]",
        "https://[64:ff9b::7f00:1]",
        "https://[64:ff9b:1::808:808]",
        "https://[2001:0:1::1]",
        "https://[v1.x]",
        "https://[::1",
    ],
)
def test_check_url_refuses(url: str) -> None:
    """Everything that can be read in two ways, or leads inside."""
    with pytest.raises(EndpointRefused):
        check_url(url, ALLOWED[:-1])


@pytest.mark.parametrize("url", ["http://user@ollama", "http://ollama?x", "ftp://ollama"])
def test_check_url_of_an_allowed_host(url: str) -> None:
    """What is allowed is a host, not any way of writing it."""
    with pytest.raises(EndpointRefused):
        check_url(url, ALLOWED)


@given(st.text(max_size=40))
def test_check_url_of_anything(text: str) -> None:
    """It is let through or refused, and never an accident."""
    for url in (text, f"https://{text}", f"https://[{text}]/"):
        try:
            check_url(url, ALLOWED)
        except EndpointRefused:
            continue


@given(st.ip_addresses())
def test_is_public_is_no_looser_than_the_standard_library(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """What Python knows to be special is not public for us."""
    if is_public(address) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(st.ip_addresses(v=4))
def test_is_public_sees_through_disguises(address: ipaddress.IPv4Address) -> None:
    """An IPv4 address inside an IPv6 one never leads where it could not lead itself."""
    number = int(address)
    for disguise in (
        number,  # compatible
        0xFFFF << 32 | number,  # mapped
        0xFFFF << 48 | number,  # translated
        0x2002 << 112 | number << 80,  # 6to4
        0x2001 << 112 | number ^ 0xFFFF_FFFF,  # Teredo
        0x0064_FF9B_0001 << 80 | number,  # local NAT64
    ):
        assert not is_public(ipaddress.IPv6Address(disguise))
    assert is_public(ipaddress.IPv6Address(0x0064_FF9B << 96 | number)) == is_public(address)


@given(st.ip_addresses())
def test_literal_of_an_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """An address in its one proper form is read as itself."""
    assert literal_of(str(address)) == address


def test_look_up_finds_each_address_once() -> None:
    """As the system resolves names, without a request to anybody here."""
    assert look_up("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["2606:4700::1111", "fd00::1"],
    ],
)
async def test_guard_judges_every_address(found: list[str]) -> None:
    """One that is not public refuses all; the message does not say which, or where."""
    guard = EndpointGuard(look_up=lambda host, port: found)
    try:
        with pytest.raises(EndpointRefused, match="leads to an address") as raised:
            await guard.addresses("https://api.example.com/v1")
    finally:
        guard.close()

    assert not any(address in str(raised.value) for address in found)


async def test_guard_lets_through() -> None:
    """Public addresses as they were found, and any address of a host that the operator allows."""
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["10.0.0.9"] if host == "llm.corp" else ["8.8.8.8", "2606:4700::1111"]

    guard = EndpointGuard(("LLM.corp",), resolve)
    try:
        assert await guard.addresses("https://api.example.com") == ["8.8.8.8", "2606:4700::1111"]
        assert await guard.addresses("http://llm.corp/v1") == ["10.0.0.9"]
        assert asked == [("api.example.com", 443), ("llm.corp", 80)]
        with pytest.raises(EndpointRefused):
            await guard.addresses("http://other.corp/v1")
    finally:
        guard.close()
