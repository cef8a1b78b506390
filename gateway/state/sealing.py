"""
What the master key of a database seals: provider keys, secrets of webhooks, and the pepper that
gateway keys are hashed with.

The first process to use a database makes the pepper. A new master key, with the one before among
the old ones, has everything sealed again at the next start; keys go on working, because the pepper
stays.
"""

from __future__ import annotations

import base64
import logging
import secrets

import msgspec

from gateway.core.errors import Conflict
from gateway.state.fact_store import FactStore, Write
from gateway.state.facts import Facts, FactValue, MasterKeyFact, ProviderKeyFact, Webhook
from gateway.state.key_secrets import provider_key_context, webhook_context
from gateway.state.master_key import MasterKeyError
from gateway.state.vault import Vault, VaultError

log = logging.getLogger("switchyard")

KIND = "master_key"
ID = "current"
ACTOR = "switchyard"
CONTEXT = ("pepper",)
PEPPER_BYTES = 32
ANOTHER = (
    "the secrets in the database belong to another master key: set state.master_key to the same "
    "one for every replica, or name that one in state.old_master_keys"
)


def pepper_of(facts: Facts, vault: Vault) -> bytes | None:
    """
    What keys are hashed with; None where no fact says so, as the database has not been read.

    Raises:
        MasterKeyError: the facts belong to another master key.
    """
    fact = facts.of(KIND).get(ID)
    if not isinstance(fact, MasterKeyFact):
        return None
    try:
        return base64.b64decode(vault.open(fact.pepper, CONTEXT))
    except VaultError:
        raise MasterKeyError(ANOTHER) from None


def settle_master(store: FactStore, vault: Vault) -> None:
    """
    Make the pepper of an empty database; seal everything again after a change of master key.

    Raises:
        MasterKeyError: the database belongs to another master key.
        Unavailable: it does not answer.
    """
    facts = Facts().after(store.since(0))
    pepper = pepper_of(facts, vault)
    if pepper is None:
        text = base64.b64encode(secrets.token_bytes(PEPPER_BYTES)).decode()
        made = MasterKeyFact(master_id=vault.master_id, pepper=vault.seal(text, CONTEXT))
        try:
            store.write([Write(KIND, ID, made, expected=0)], actor=ACTOR, action="master_key.make")
        except Conflict:  # another replica was first, with its own master key or the same
            pepper_of(Facts().after(store.since(0)), vault)
        return
    again = [write for write in sealed_again(facts, vault) if write.value is not None]
    if again:
        store.write(again, actor=ACTOR, action="master_key.rotate")
        log.warning("%d secrets were sealed again with the new master key", len(again))


def sealed_again(facts: Facts, vault: Vault) -> list[Write]:
    """What the newest master key has not sealed yet, as it seals it."""
    writes: list[Write] = []

    def look(kind: str, name: str, fact: FactValue, field: str, context: tuple[str, ...]) -> None:
        sealed = getattr(fact, field)
        if vault.is_current(sealed):
            return
        try:
            changes = {field: vault.rewrap(sealed, context)}
        except VaultError as error:
            log.error("%s %s cannot be sealed again: %s", kind, name, error)  # noqa: TRY400
            return
        if isinstance(fact, MasterKeyFact):
            changes["master_id"] = vault.master_id
        writes.append(Write(kind, name, msgspec.structs.replace(fact, **changes)))

    for name, fact in facts.of(KIND).items():
        look(KIND, name, fact, "pepper", CONTEXT)
    for name, fact in facts.of("provider_key").items():
        if isinstance(fact, ProviderKeyFact):
            context = provider_key_context(name, fact.tenant, fact.provider)
            look("provider_key", name, fact, "sealed", context)
    for name, fact in facts.of("webhook").items():
        if isinstance(fact, Webhook):
            look("webhook", name, fact, "sealed", webhook_context(name))
    return writes
