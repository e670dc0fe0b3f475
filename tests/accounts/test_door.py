"""The door: a ticket for who is banned from the site, which is no session and opens nothing else."""

import pytest

from lichen.accounts import BannedFromSite
from lichen.accounts.limits import TICKET_AGE_US
from lichen.accounts.totp import code_at
from lichen.kit import Conflict, Refused, TooMany, Unauthenticated
from tests.accounts.conftest import FROM, PASSWORD
from tests.accounts.test_doors import with_factor

pytestmark = pytest.mark.anyio

ADDRESS = FROM["address"]


@pytest.fixture
async def banned(accounts, admin, member, store):
    """Mira, banned from the site for a week."""
    mira = await member("mira")
    await _ban(accounts, admin, store, mira.id, banned=True)
    return mira


async def _ban(accounts, admin, store, person_id, *, banned):
    expires_us = store.clock() + 7 * 86_400_000_000 if banned else None
    await store.write(lambda unit: accounts.ban(
        unit, admin, person_id, banned=banned, reason="Loud.", expires_us=expires_us
    ))


async def ticket_of(accounts, **named) -> str:
    with pytest.raises(BannedFromSite) as caught:
        await accounts.log_in("mira", PASSWORD, **FROM, **named)
    return caught.value.ticket


async def test_the_right_password_of_who_is_banned_yields_a_ticket_and_no_session(
    accounts, banned, store, journal
):
    journal.events.clear()

    ticket = await ticket_of(accounts)
    asked = await accounts.ban_ticket(" MIRA ", PASSWORD, address=ADDRESS)

    for one in (ticket, asked):
        assert (await store.read(lambda unit, one=one: accounts.appellant(unit, one))).id \
            == banned.id
        assert await accounts.viewer(one) is None, "a ticket is no token of a session"
    assert journal.events == [], "no session has begun"
    assert len(await store.read(lambda unit: accounts.logins(unit, banned))) == 1


async def test_a_token_of_a_session_is_no_ticket(accounts, member, admin, store):
    login = await accounts.register("otto", PASSWORD, **FROM)
    otto = await accounts.viewer(login.token)
    await _ban(accounts, admin, store, otto.id, banned=True)

    for wrong in (login.token, "", "a.b.c", "x" * 2_000):
        with pytest.raises(Unauthenticated, match="invalid_ticket"):
            await store.read(lambda unit, wrong=wrong: accounts.appellant(unit, wrong))


async def test_a_ticket_ends_after_its_hour_with_the_ban_and_with_a_new_password(
    accounts, admin, banned, clock, store
):
    async def is_refused(ticket: str) -> None:
        with pytest.raises(Unauthenticated, match="invalid_ticket"):
            await store.read(lambda unit: accounts.appellant(unit, ticket))

    old = await ticket_of(accounts)
    clock.advance(seconds=TICKET_AGE_US / 1_000_000 + 2)
    await is_refused(old)
    before = await ticket_of(accounts)
    await _ban(accounts, admin, store, banned.id, banned=False)
    await is_refused(before)
    await _ban(accounts, admin, store, banned.id, banned=True)
    await accounts.set_password("mira", "another password")
    await is_refused(before)
    with pytest.raises(Conflict, match="not_banned"):
        await accounts.ban_ticket("root", PASSWORD, address=ADDRESS)


async def test_nobody_learns_at_the_door_whether_there_is_an_account(
    accounts, banned, store, monkeypatch
):
    """One hash is verified whatever was typed, and the refusals are the same."""
    verified = []
    verify = accounts._passwords.verify

    async def counted(known, password):
        verified.append(known is not None)
        return await verify(known, password)

    monkeypatch.setattr(accounts._passwords, "verify", counted)
    refusals = []
    for name in ("mira", "nobody", "no@where.example"):
        for ask in (accounts.ban_ticket(name, "wrong password", address=ADDRESS),
                    accounts.log_in(name, "wrong password", **FROM)):
            with pytest.raises(Refused) as caught:
                await ask
            refusals.append((caught.value.code, caught.value.text, caught.value.status))

    assert len(set(refusals)) == 1 and refusals[0][0] == "incorrect_login"
    assert verified == [True, True, False, False, False, False]


async def test_attempts_at_the_door_count_as_failed_logins_do(accounts, banned):
    for _ in range(100):
        try:
            await accounts.ban_ticket("mira", "wrong password", address=None)
        except Unauthenticated:
            continue
        except TooMany:
            break
    else:
        pytest.fail("a password can be guessed for ever")
    with pytest.raises(TooMany):
        await accounts.log_in("mira", "wrong password", address=None, agent=None)


async def test_who_has_a_second_factor_gives_its_code_first(accounts, admin, member, store, clock):
    mira = await member("mira")
    secret = await with_factor(accounts, store, mira, clock)
    await _ban(accounts, admin, store, mira.id, banned=True)
    clock.advance(seconds=30)
    code = code_at(secret, clock() // 30_000_000)

    assert await ticket_of(accounts) is None
    assert await ticket_of(accounts, code="000000") is None
    with pytest.raises(BannedFromSite):
        await accounts.ban_ticket("mira", PASSWORD, address=ADDRESS)
    ticket = await ticket_of(accounts, code=code)
    assert (await store.read(lambda unit: accounts.appellant(unit, ticket))).id == mira.id
