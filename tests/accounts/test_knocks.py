"""Accounts elsewhere as rows keep them, on both engines; the ways in are in tests/federation."""

import pytest

from lichen.accounts import (
    Accounts,
    ActorDraft,
    ActorKind,
    SessionId,
    Wishes,
)
from lichen.accounts.limits import KNOCKS_PER_PERSON_MAX, MOVE_UNDO_US_MAX
from lichen.kit import Refused, TooMany
from lichen.store import Store
from tests.accounts.conftest import FROM, PASSWORD

pytestmark = pytest.mark.anyio

CODE = "ABCDE-23456"


@pytest.fixture
def stranger(accounts: Accounts, store: Store):
    """Return a function that makes a person of another server known."""

    async def meet(name: str = "anna"):
        ap_id = f"https://far.example/u/{name}"
        draft = ActorDraft(kind=ActorKind.PERSON, name=name, domain="far.example", ap_id=ap_id,
                           inbox=f"{ap_id}/inbox")
        return (await store.write(lambda unit: accounts.create_actors(unit, [draft])))[0]

    return meet


async def knocked(accounts: Accounts, store: Store, person, **named) -> str:
    return await store.write(lambda unit: accounts.begin_knock(
        unit, person, **{"method": "message", "secret": CODE, **named}
    ))


async def entered(accounts: Accounts, store: Store, person, name: str = "anna_here"):
    handle = await knocked(accounts, store, person)
    await accounts.prove(handle, CODE, method="message")
    login = await accounts.enter(handle, Wishes(name=name), **FROM)
    return await accounts.viewer(login.token)


async def test_a_code_of_ten_minutes_ago_counts_no_more(accounts, store, stranger, clock):
    handle = await knocked(accounts, store, await stranger())
    clock.advance(minutes=10, seconds=1)

    with pytest.raises(Refused) as refused:
        await accounts.prove(handle, CODE, method="message")

    assert "invalid_code" == refused.value.code


async def test_a_proof_of_ten_minutes_ago_opens_nothing(accounts, store, stranger, clock):
    handle = await knocked(accounts, store, await stranger())
    await accounts.prove(handle, CODE, method="message")
    clock.advance(minutes=10, seconds=1)

    with pytest.raises(Refused):
        await accounts.enter(handle, Wishes(name="too_late"), **FROM)


async def test_a_state_is_no_code_and_a_code_no_state(accounts, store, stranger):
    anna = await stranger()
    by_code = await knocked(accounts, store, anna)
    by_home = await knocked(accounts, store, anna, method="oauth", verifier="v")

    for handle, method in ((by_code, "oauth"), (by_home, "message")):
        with pytest.raises(Refused):
            await accounts.prove(handle, CODE, method=method)


async def test_what_was_not_proved_opens_nothing(accounts, store, stranger):
    handle = await knocked(accounts, store, await stranger())

    with pytest.raises(Refused):
        await accounts.enter(handle, Wishes(name="unproved"), **FROM)


async def test_tries_are_counted_by_person_until_an_hour_has_passed(
    accounts, store, stranger, clock
):
    anna = await stranger()
    for _ in range(KNOCKS_PER_PERSON_MAX):
        await knocked(accounts, store, anna)
    with pytest.raises(TooMany):
        await knocked(accounts, store, anna)
    clock.advance(hours=1, seconds=1)

    assert await knocked(accounts, store, anna)


async def test_a_second_factor_here_is_asked_whatever_the_home_says(
    accounts, store, stranger, monkeypatch
):
    anna = await stranger()
    viewer = await entered(accounts, store, anna)
    await store.write(lambda unit: accounts.begin_second_factor(unit, viewer))
    from lichen.accounts import door_rows

    secret = (await store.read(lambda unit: unit.fetch(
        door_rows.SECOND_FACTOR, account_id=viewer.account_id)))[0].secret
    await store.write(lambda unit: unit.stage(door_rows.KEEP_SECOND_FACTOR, {
        "account_id": viewer.account_id, "secret": secret, "enabled": True, "step_used": 0}))
    handle = await knocked(accounts, store, anna)
    known = await accounts.prove(handle, CODE, method="message")

    with pytest.raises(Refused) as refused:
        await accounts.enter(handle, Wishes(), **FROM)

    assert known.asks_code
    assert "missing_totp_token" == refused.value.code


async def test_removing_a_link_ends_what_came_by_it(accounts, store, stranger, member):
    anna = await stranger()
    mira = await member("mira")
    handle = await knocked(accounts, store, anna, viewer=mira)
    await accounts.prove(handle, CODE, method="message")
    await accounts.link_proved(mira, handle)
    through = await entered(accounts, store, anna)

    await store.write(lambda unit: accounts.unlink(unit, mira, anna.id))

    logins = await store.read(lambda unit: accounts.logins(unit, mira))
    assert "mira" == through.actor.name
    assert [SessionId(mira.session_id)] == [one.id for one in logins]
    assert {} == await store.read(lambda unit: accounts.aliases(unit, [mira.id]))


async def test_one_elsewhere_opens_one_account_here(accounts, store, stranger, member):
    anna = await stranger()
    await entered(accounts, store, anna)
    mira = await member("mira")
    handle = await knocked(accounts, store, anna, viewer=mira)
    await accounts.prove(handle, CODE, method="message")

    with pytest.raises(Refused) as refused:
        await accounts.link_proved(mira, handle)

    assert "already_linked" == refused.value.code


async def test_an_account_without_a_password_is_left_by_who_has_just_come_in(
    accounts, store, stranger, clock
):
    viewer = await entered(accounts, store, await stranger())
    clock.advance(minutes=11)
    with pytest.raises(Refused):
        await accounts.delete_account(viewer, "", delete_content=False)
    clock.advance(hours=1)
    again = await entered(accounts, store, await again_of(accounts, store, viewer))

    await accounts.delete_account(again, "", delete_content=False)

    anew = await entered(accounts, store, await stranger("berta"), "berta_here")
    assert anew.id != again.id
    assert [] == await store.read(lambda unit: accounts.logins(unit, again))
    assert [] == await store.read(lambda unit: accounts.links_of(unit, again.id))


async def again_of(accounts, store, viewer):
    links = await store.read(lambda unit: accounts.links(unit, viewer))
    return links[0].actor


async def test_the_erased_leave_no_tie(accounts, store, stranger):
    anna = await stranger()
    viewer = await entered(accounts, store, anna)

    await store.write(lambda unit: accounts.erase_person(unit, viewer.id))

    assert [] == await store.read(lambda unit: accounts.links_of(unit, viewer.id))
    assert {} == await store.read(lambda unit: accounts.aliases(unit, [viewer.id]))


async def test_a_move_carries_blocks_and_is_taken_back_within_thirty_days(
    accounts, store, stranger, member, clock
):
    mira, otto = await member("mira"), await member("otto")
    far = await stranger("mira_far")
    await store.write(lambda unit: accounts.block_person(unit, otto, mira.id, blocked=True))

    await store.write(lambda unit: accounts.keep_move(unit, mira.actor, far))
    await store.write(lambda unit: accounts.keep_move(unit, mira.actor, far))  # twice is once

    blocks = await store.read(lambda unit: accounts.blocks(unit, otto))
    login = await accounts.log_in("mira", PASSWORD, **FROM)
    assert [far.id, mira.id] == sorted(blocks.persons, reverse=True)
    assert (await accounts.viewer(login.token)).moved
    clock.advance(seconds=MOVE_UNDO_US_MAX / 1e6 + 1)
    with pytest.raises(Refused) as refused:
        await store.write(lambda unit: accounts.move_back(unit, mira))
    assert "too_late" == refused.value.code


async def test_who_blocks_its_own_old_name_blocks_nobody(accounts, store, stranger, member):
    mira, far = await member("mira"), await stranger("mira_far")
    await store.write(lambda unit: accounts.block_person(unit, mira, far.id, blocked=True))

    await store.write(lambda unit: accounts.keep_move(unit, far, mira.actor))

    blocks = await store.read(lambda unit: accounts.blocks(unit, mira))
    assert [far.id] == list(blocks.persons)
