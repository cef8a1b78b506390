"""Sealing secrets, and everything that must not open them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.vault import Vault, VaultError, id_of

ONE, TWO = bytes(range(32)), bytes(range(32, 64))
SECRET = "sk-proj-0123456789abcdef"
CONTEXT = ("acme", "openai", "pk_1")

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, st.lists(texts, max_size=4).map(tuple))
def test_vault_opens_what_it_seals(plaintext: str, context: tuple[str, ...]) -> None:
    """Whatever the secret and the context."""
    vault = Vault(ONE)

    assert vault.open(vault.seal(plaintext, context), context) == plaintext


def test_vault_shows_nothing() -> None:
    """Neither the sealed text, nor the secret that comes out, nor the vault itself."""
    vault = Vault(ONE)
    sealed = vault.seal(SECRET, CONTEXT)

    assert SECRET not in sealed
    assert sealed.startswith(f"v1.{id_of(ONE)}.")
    assert repr(vault.open(sealed, CONTEXT)) == "Secret(...)"
    assert repr(vault) == f"<Vault {id_of(ONE)}>"


def test_vault_seals_anew_each_time() -> None:
    """Equal secrets do not look alike: data key and nonces are random."""
    vault = Vault(ONE)

    first, second = (vault.seal(SECRET, CONTEXT).split(".") for _ in range(2))

    assert first[2] != second[2]
    assert first[3] != second[3]


def test_vault_notices_every_changed_character() -> None:
    """Also in bits that base64 has to spare, and in the id of the master key."""
    vault = Vault(ONE, (TWO,))
    sealed = vault.seal(SECRET, CONTEXT)

    for at, was in enumerate(sealed):
        for put in {"A", "B", "0", ".", "\u00e4", chr(ord(was) ^ 1)} - {was}:
            with pytest.raises(VaultError) as raised:
                vault.open(sealed[:at] + put + sealed[at + 1 :], CONTEXT)
            assert SECRET not in str(raised.value)


@given(st.integers(0, 200), st.integers(0, 200))
def test_vault_notices_what_is_cut_out(start: int, length: int) -> None:
    """No part of a sealed secret is one."""
    vault = Vault(ONE)
    sealed = vault.seal(SECRET, CONTEXT)
    cut = sealed[:start] + sealed[start + length :]

    if cut != sealed:
        with pytest.raises(VaultError):
            vault.open(cut, CONTEXT)


@pytest.mark.parametrize("text", ["", "v1", "v1.a.b.c", "v2.a.b.c", "....", "\0", SECRET])
def test_vault_of_what_is_not_sealed(text: str) -> None:
    """An error of ours, which does not repeat what was there."""
    with pytest.raises(VaultError) as raised:
        Vault(ONE).open(text, CONTEXT)

    assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    "context",
    [
        ("other", "openai", "pk_1"),
        ("acme", "anthropic", "pk_1"),
        ("acme", "openai", "pk_2"),
        ("acme", "openaipk_1"),
        ("acme", "openai", "pk_1", ""),
        (),
    ],
)
def test_vault_binds_a_secret_to_its_place(context: tuple[str, ...]) -> None:
    """Copied to another tenant, provider or row it does not open, nor is it wrapped again."""
    vault, after = Vault(ONE), Vault(TWO, (ONE,))
    sealed = vault.seal(SECRET, CONTEXT)

    for attempt in (vault.open, after.rewrap):
        with pytest.raises(VaultError, match="damaged, or belongs somewhere else"):
            attempt(sealed, context)


def test_vault_does_not_mix_envelopes() -> None:
    """The data key of one secret opens no other, though both are of the same place."""
    vault = Vault(ONE)
    first, second = (vault.seal(text, CONTEXT).split(".") for text in ("a", "b"))

    with pytest.raises(VaultError):
        vault.open(".".join([*first[:3], second[3]]), CONTEXT)


def test_vault_without_the_master_key() -> None:
    """The message names both keys by their ids."""
    sealed = Vault(ONE).seal(SECRET, CONTEXT)

    with pytest.raises(VaultError, match=f"{id_of(ONE)}, which is not here.*{id_of(TWO)}"):
        Vault(TWO).open(sealed, CONTEXT)


def test_vault_rotates_the_master_key() -> None:
    """The data key is wrapped again, the secret stays as it is, and the old key can go."""
    sealed = Vault(ONE).seal(SECRET, CONTEXT)
    both = Vault(TWO, (ONE,))

    assert both.open(sealed, CONTEXT) == SECRET
    assert not both.is_current(sealed)
    again = both.rewrap(sealed, CONTEXT)

    assert both.is_current(again)
    assert again.split(".")[3] == sealed.split(".")[3]
    assert both.rewrap(again, CONTEXT) == again
    assert Vault(TWO).open(again, CONTEXT) == SECRET
    with pytest.raises(VaultError):
        Vault(ONE).open(again, CONTEXT)


def test_vault_derives() -> None:
    """One value for each purpose and master key, none of them the key itself."""
    vault = Vault(TWO, (ONE, TWO))

    assert vault.derive("a") == Vault(TWO).derive("a")
    assert len({ONE, TWO, vault.derive("a"), vault.derive("b"), Vault(ONE).derive("a")}) == 5
    assert len(vault.derive("a")) == 32


@pytest.mark.parametrize("master", [b"", ONE[:31], ONE + b"x"])
def test_vault_wants_whole_keys(master: bytes) -> None:
    """A key of another length is refused at once, among the old ones too."""
    for make in (lambda: Vault(master), lambda: Vault(ONE, (master,))):
        with pytest.raises(VaultError, match="32 bytes"):
            make()
