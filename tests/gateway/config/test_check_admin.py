"""Checks of the dashboard's settings."""

from __future__ import annotations

import pytest

from gateway.config.check_admin import admin_problems
from gateway.config.decode import decode

ENVIRON = {"SECRET": "of-the-client"}
OIDC = {
    "issuer": "https://login.example.com/realms/ours",
    "client_id": "switchyard",
    "client_secret": "env:SECRET",
    "roles": {"ops": "operator"},
}


def found(**admin):
    """The problems of the section as (path, message)."""
    config = decode({"admin": admin})
    return [(one.path, one.message) for one in admin_problems(config.admin, ENVIRON)]


@pytest.mark.parametrize(
    "issuer",
    ["https://login.example.com/", "http://localhost:5556/dex", "http://keycloak:8080/realms/x"],
)
def test_single_sign_on_that_works(issuer):
    """Https anywhere, http in one's own network; a public client too."""
    assert found(public_url="https://llm.example.com", oidc={**OIDC, "issuer": issuer}) == []
    assert found(oidc={**OIDC, "client_secret": None}) == []
    assert found() == []


@pytest.mark.parametrize("url", ["llm.example.com", "https://llm.example.com/", "https://[x"])
def test_a_public_url_is_an_origin(url):
    """The path is ours to say."""
    assert found(public_url=url) == [
        (
            "$.admin.public_url",
            f"expected an origin such as https://llm.example.com, got '{url}'",
        )
    ]


@pytest.mark.parametrize(
    ("members", "member", "message"),
    [
        ({"issuer": "login.example.com"}, "issuer", "expected a URL such as https://"),
        ({"issuer": "https://login.example.com/?x"}, "issuer", "expected a URL such as https://"),
        ({"issuer": "https://[x"}, "issuer", "not a URL"),
        ({"issuer": "http://login.example.com"}, "issuer", "over http everybody on the way"),
        ({"client_secret": "literal"}, "client_secret", "a secret is written as env:NAME"),
        ({"client_secret": "env:NONE"}, "client_secret", "NONE is not set"),
        ({"scopes": ["email"]}, "scopes", "without openid"),
        ({"roles": {}}, "roles", "nobody could log in"),
    ],
)
def test_each_problem_of_single_sign_on_has_its_words(members, member, message):
    """One mistake, one problem, and no secret in it."""
    ((path, told),) = found(oidc={**OIDC, **members})

    assert path == f"$.admin.oidc.{member}"
    assert message in told
    assert "literal" not in told
