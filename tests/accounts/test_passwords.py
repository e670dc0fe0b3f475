"""Password hashes and tokens."""

import asyncio

import bcrypt
import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import passwords as module
from lichen.accounts.limits import HASHES_WAITING_MAX
from lichen.accounts.model import SessionId
from lichen.accounts.passwords import Passwords
from lichen.accounts.tokens import SECRET_BYTES, Claims, Tokens
from lichen.kit import TooMany

pytestmark = pytest.mark.anyio


@pytest.fixture
def passwords():
    made = Passwords(memory_kib=64)
    yield made
    made.close()


async def test_a_hash_fits_its_password_alone(passwords):
    kept = await passwords.hash("correct horse")

    assert kept.startswith("$argon2id$")
    assert await passwords.verify(kept, "correct horse")
    assert not await passwords.verify(kept, "correct house")
    assert not passwords.needs_new_hash(kept)


async def test_nobody_has_a_password(passwords):
    assert not await passwords.verify(None, "anything")


def test_an_unknown_name_costs_what_a_wrong_password_costs():
    """The hash that stands in for nobody has today's cost, else time would tell them apart."""
    house = Passwords()
    ours = extract_parameters(module._NOBODY)
    house.close()

    assert (ours.memory_cost, ours.time_cost, ours.parallelism) == (19 * 1024, 2, 1)
    assert not house.needs_new_hash(module._NOBODY)


@pytest.mark.parametrize("kept", ["garbage", "$2b$garbage", "$argon2id$garbage"])
async def test_a_damaged_hash_fits_nothing(passwords, kept):
    assert not await passwords.verify(kept, "anything")


async def test_a_long_password_fits_its_bcrypt_hash(passwords):
    """Lemmy's bcrypt reads 72 bytes and no more; Python's refuses to."""
    password = "ä" * 60
    kept = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(rounds=4)).decode()

    assert await passwords.verify(kept, password)
    assert passwords.needs_new_hash(kept)


async def test_too_many_at_once_are_sent_away(passwords):
    answers = await asyncio.gather(
        *(passwords.hash("correct horse") for _ in range(HASHES_WAITING_MAX + 3)),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, TooMany) for answer in answers) == 3
    assert await passwords.hash("and now it works again")


@given(account_id=st.integers(1, 2**63), session_id=st.text(min_size=1, max_size=20))
def test_a_token_says_what_it_was_signed_for(account_id, session_id):
    tokens = Tokens(b"s" * SECRET_BYTES, issuer="lichen.example")
    claims = Claims(account_id, SessionId(session_id))

    token = tokens.sign(claims, issued_us=0)

    assert tokens.verify(token) == claims


@given(st.data())
def test_a_changed_token_says_nothing(data):
    tokens = Tokens(b"s" * SECRET_BYTES, issuer="lichen.example")
    token = tokens.sign(Claims(1, SessionId("3kabcdefghijk")), issued_us=0)
    # The last character of base64 may hold bits that no byte has.
    at = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.characters(codec="ascii").filter(lambda one: one != token[at]))

    assert tokens.verify(token[:at] + other + token[at + 1:]) is None


def test_a_token_of_another_issuer_says_nothing():
    here = Tokens(b"s" * SECRET_BYTES, issuer="lichen.example")
    there = Tokens(b"s" * SECRET_BYTES, issuer="other.example")

    assert here.verify(there.sign(Claims(1, SessionId("x")), issued_us=0)) is None
