"""One master key for one database, and a change of it that no key notices."""

from __future__ import annotations

import pytest

from gateway.state.database import open_engine
from gateway.state.fact_store import FactStore, Write
from gateway.state.facts import Facts, ProviderKeyFact, Webhook
from gateway.state.key_secrets import provider_key_context, webhook_context
from gateway.state.master_key import MasterKeyError
from gateway.state.sealing import pepper_of, settle_master
from gateway.state.vault import Vault, VaultError
from tests.fakes.clock import ManualClock

OLD, NEW, OTHER = (bytes([n]) * 32 for n in range(3))


@pytest.fixture
def store():
    """An empty database."""
    engine = open_engine("sqlite://")
    yield FactStore(engine, ManualClock())
    engine.dispose()


def facts(store):
    """All there are."""
    return Facts().after(store.since(0))


def test_the_first_process_makes_the_pepper_and_others_find_it(store):
    """A second start changes nothing."""
    settle_master(store, Vault(OLD))
    pepper, version = pepper_of(facts(store), Vault(OLD)), store.version()
    settle_master(store, Vault(OLD))

    assert len(pepper) == 32
    assert (pepper_of(facts(store), Vault(OLD)), store.version()) == (pepper, version)


def test_another_master_key_is_refused(store):
    """Before anything is written with it; the message says what to do."""
    settle_master(store, Vault(OLD))
    version = store.version()
    with pytest.raises(MasterKeyError, match="old_master_keys"):
        settle_master(store, Vault(OTHER))

    assert store.version() == version


def test_a_new_master_key_seals_everything_again(store):
    """Afterwards the old one opens nothing and is not needed; keys are hashed as before."""
    old = Vault(OLD)
    settle_master(store, old)
    pepper = pepper_of(facts(store), old)
    secret = old.seal("sk-1", provider_key_context("p1", "acme", "openai"))
    signing = old.seal("whsec", webhook_context("w1"))
    writes = [
        Write(
            "provider_key", "p1", ProviderKeyFact(tenant="acme", provider="openai", sealed=secret)
        ),
        Write("webhook", "w1", Webhook(url="https://x.example", sealed=signing)),
    ]
    store.write(writes, actor="test", action="put")
    settle_master(store, Vault(NEW, (OLD,)))
    new, after = Vault(NEW), facts(store)
    sealed = after.of("provider_key")["p1"].sealed

    assert pepper_of(after, new) == pepper
    assert new.open(sealed, provider_key_context("p1", "acme", "openai")) == "sk-1"
    assert new.open(after.of("webhook")["w1"].sealed, webhook_context("w1")) == "whsec"
    with pytest.raises(VaultError):
        old.open(sealed, provider_key_context("p1", "acme", "openai"))
    settle_master(store, new)
    assert store.history()[0].action == "master_key.rotate"
