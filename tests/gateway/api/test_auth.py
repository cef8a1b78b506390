"""Keys open the door while they live, and whoever cannot tell says so instead of refusing."""

from __future__ import annotations

import hashlib
import math

import msgspec
import pytest

from gateway.api.auth import Keyring, check_route
from gateway.core.errors import Forbidden, Unauthenticated, Unavailable
from gateway.core.request import Principal
from gateway.state.facts import Facts, GatewayKey, KeyHash, Tenant
from tests.fakes.clock import ManualClock

SECRET, OLD = "sy_new", "sy_old"
GRACE_S = 60.0


def digest(secret):
    """A hash for tests."""
    return hashlib.sha256(secret.encode()).hexdigest()


KEY = GatewayKey(tenant="acme", project="shop", hashes=(KeyHash(digest(SECRET)),), prefix="sy_new")


def ring(key=KEY, tenant=None, clock=None, **options):
    """A keyring with one key of the facts, and one of the configuration."""
    tenants = {} if tenant is None else {"acme": tenant}
    facts = Facts(1, {"key": {"k1": key} if key else {}, "tenant": tenants})
    stated = [("stated", Principal(project="p", key_id="file"))]
    return Keyring(stated, facts, digest, clock or ManualClock(), **options)


def ask(keyring, secret, stale_s=0.0):
    """Who sends *secret*."""
    return keyring.bearer({"authorization": f"Bearer {secret}"}, stale_s, GRACE_S)


def test_a_key_stands_for_its_tenant_and_project():
    """The principal has all three names; a key of the file belongs to the default tenant."""
    assert ask(ring(), SECRET).principal == Principal("shop", "k1", "acme")
    assert ask(ring(), "stated").principal == Principal("p", "file", "default")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"revoked_s": 1.0}, "revoked"), ({"expires_s": 1_700_000_000.0}, "expired")],
)
def test_a_key_that_is_over_is_refused(changes, words):
    """Revoked at once, expired on the second."""
    with pytest.raises(Unauthenticated, match=words):
        ask(ring(msgspec.structs.replace(KEY, **changes)), SECRET)


def test_after_a_rotation_both_secrets_work_for_a_while():
    """The older one until its overlap ends."""
    clock = ManualClock()
    hashes = (KeyHash(digest(SECRET)), KeyHash(digest(OLD), expires_s=clock.wall() + 10))
    keyring = ring(msgspec.structs.replace(KEY, hashes=hashes), clock=clock)
    assert ask(keyring, OLD).principal.key_id == "k1"
    clock.advance(10)

    with pytest.raises(Unauthenticated, match="expired"):
        ask(keyring, OLD)
    assert ask(keyring, SECRET).principal.key_id == "k1"


def test_a_disabled_tenant_is_forbidden():
    """All of its keys, until it is enabled again."""
    with pytest.raises(Forbidden, match="disabled"):
        ask(ring(tenant=Tenant(disabled=True)), SECRET)
    assert ask(ring(tenant=Tenant()), SECRET).key is not None


def test_with_old_facts_known_keys_work_and_unknown_ones_are_not_judged():
    """An infrastructure fault is a 503 and never a 401; known keys have a grace."""
    assert ask(ring(), SECRET, stale_s=GRACE_S).key is not None
    with pytest.raises(Unavailable):
        ask(ring(), "sy_made_a_moment_ago", stale_s=GRACE_S)
    with pytest.raises(Unavailable):
        ask(ring(), SECRET, stale_s=GRACE_S + 1)
    with pytest.raises(Unauthenticated):
        ask(ring(), "sk-of-somebody-else", stale_s=math.inf)
    assert ask(ring(), "stated", stale_s=math.inf).principal.key_id == "file"


def test_without_keys_everybody_may_unless_one_is_required():
    """The door is open only while nobody has ever made a key."""
    facts = Facts(1, {"key": {"k1": msgspec.structs.replace(KEY, revoked_s=1.0)}})
    assert Keyring([], Facts(), digest, ManualClock()).open
    assert not Keyring([], Facts(), digest, ManualClock(), required=True).open
    assert not Keyring([], facts, digest, ManualClock()).open


def test_a_key_may_be_held_to_routes():
    """Paths that begin otherwise are forbidden."""
    key = msgspec.structs.replace(KEY, allowed_routes=("/v1/embeddings", "/v1/models"))
    check_route(key, "/v1/embeddings")
    check_route(KEY, "/v1/scan")
    with pytest.raises(Forbidden, match="/v1/embeddings, /v1/models"):
        check_route(key, "/v1/chat/completions")
