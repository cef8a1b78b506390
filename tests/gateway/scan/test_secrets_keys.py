"""Keys, tokens and private keys: real shapes are found, templates and words are not."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.scan.secrets_keys import is_random, is_template
from tests.gateway.scan.recognised import findings_in, found_in

RANDOM = "q7Zx2LmN9vBt4RkW8sYd3HfJ6gPc5TaE"


@pytest.mark.parametrize(
    "key",
    [
        f"sk-proj-{RANDOM}",
        f"sk-ant-api03-{RANDOM}",
        f"AIza{RANDOM}abc",
        f"ghp_{RANDOM}abcd",
        f"glpat-{RANDOM[:20]}",
        f"hf_{RANDOM}",
        f"npm_{RANDOM}abcd",
        f"pypi-AgEIcHlwaS5vcmc{RANDOM}",
        f"xoxb-190271156768-{RANDOM}",
        f"rk_live_{RANDOM}",
        f"SG.{RANDOM[:22]}.{RANDOM}",
        "AKIAIOSFODNN7EXAMPLE",
        "AC" + "0a1b2c3d" * 4,
        "shpat_" + "0a1b2c3d" * 4,
        "dop_v1_" + "0a1b2c3d" * 8,
        f"1800994848:AA{RANDOM}a",
    ],
)
def test_providers_keys_are_known_by_their_shape(key):
    """Wherever they stand, with no word beside them."""
    assert found_in(f'x = f("{key}"), y') == [("API_KEY", key)]


@pytest.mark.parametrize(
    "label", ["api_key = '{}'", '"client_secret": "{}"', "Authorization: Bearer {}", "token is {}"]
)
def test_a_random_value_needs_a_word_beside_it(label):
    """The word makes it a key; alone it may be a hash."""
    assert found_in(label.format(RANDOM)) == [("API_KEY", RANDOM)]
    assert found_in(f"checksum {RANDOM} of it") == []


@pytest.mark.parametrize(
    "text",
    [
        "api_key = os.environ['OPENAI_API_KEY']",
        'api_key="YOUR_API_KEY_HERE_1234567"',
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "secret_key = settings.SECRET_KEY_BASE64_V2",
        "token: ${{ secrets.GITHUB_TOKEN_2024 }}",
        "the token was twelve-thousand-words long",
        "License key placeholder XXXXX-XXXXX-XXXXX",
    ],
)
def test_templates_and_code_that_reads_a_key_are_none(text):
    """Nothing to hide there."""
    assert found_in(text) == []


def token(header: object) -> str:
    """A web token with this header."""
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{head}.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def test_a_web_token_names_its_algorithm():
    """Other JSON in base64 is none."""
    assert found_in(f"auth={token({'alg': 'HS256'})}") == [("JWT", token({"alg": "HS256"}))]
    assert found_in(f"data {token({'cursor': 'abc'})} end") == []


@pytest.mark.parametrize("newline", ["\n", "\\n", "\r\n"])
def test_a_private_key_reaches_from_dashes_to_dashes(newline):
    """In a file, in JSON, with either line end."""
    begin, end = "-----BEGIN EC PRIVATE KEY-----", "-----END EC PRIVATE KEY-----"
    block = newline.join((begin, RANDOM, RANDOM, end))

    assert found_in(f'key: "{block}" ok') == [("PRIVATE_KEY", block)]


def test_a_private_key_that_is_cut_off_is_found_and_a_mere_heading_is_not():
    """Half a key is still a secret; the name of the format is none."""
    cut = f"-----BEGIN PRIVATE KEY-----\n{RANDOM}\n{RANDOM}"

    assert found_in(f"{cut}\n") == [("PRIVATE_KEY", cut)]
    assert found_in("-----BEGIN PRIVATE KEY----- is the header of a PKCS8 file") == []
    assert found_in(f"-----BEGIN CERTIFICATE-----\n{RANDOM}\n-----END CERTIFICATE-----") == []


def test_random_values_mix_letters_and_digits():
    """Paths, identifiers and words do not pass."""
    assert is_random(RANDOM)
    assert is_random("550e8400-e29b-41d4-a716-446655440000")
    assert not is_random("settings.api_key_v2")
    assert not is_random("src/app/keys/v2/token.py")
    assert is_template("sk-your-key-here")


@given(st.text("-BEGINRSAPUTVK eyJ.0aZ=\n", max_size=300))
def test_any_text_of_such_signs_is_read_to_its_end(text):
    """No error, whatever is missing."""
    whole = f"-----BEGIN PRIVATE KEY-----{text}"

    assert all(0 <= one.start < one.end <= len(whole) for one in findings_in(whole))
