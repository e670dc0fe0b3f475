"""Signing up, logging in and out, sessions and passwords."""

import asyncio

import bcrypt
import msgspec
import pytest

from lichen.accounts import AccountDraft, ActorDraft, ActorKind
from lichen.accounts.limits import SESSIONS_PER_ACCOUNT_MAX
from lichen.kit import Conflict, Forbidden, NotFound, Refused, Unauthenticated
from tests.accounts.conftest import FROM, PASSWORD

pytestmark = pytest.mark.anyio

NEW_PASSWORD = "staple battery horse"


async def test_a_name_and_a_password_are_enough_to_sign_up(accounts):
    login = await accounts.register("Mira", PASSWORD, **FROM)

    viewer = await accounts.viewer(login.token)
    assert viewer.actor.name == "Mira"
    assert viewer.actor.ap_id == "https://lichen.example/u/Mira"
    assert viewer.actor.did == "did:web:lichen.example:u:Mira"
    assert viewer.actor.local
    assert not viewer.admin


async def test_a_name_in_cyrillic_is_a_name(accounts):
    login = await accounts.register("Людмила", PASSWORD, **FROM)

    viewer = await accounts.viewer(login.token)
    assert viewer.actor.did.isascii()
    assert viewer.actor.ap_id.isascii()


@pytest.mark.parametrize(
    ("name", "password", "code"),
    [("two words", PASSWORD, "invalid_name"), ("mira", "short", "invalid_password")],
)
async def test_a_name_or_password_that_breaks_the_rule_is_refused(
    accounts, journal, name, password, code
):
    count = len(journal.events)

    with pytest.raises(Refused) as refusal:
        await accounts.register(name, password, **FROM)

    assert refusal.value.code == code
    assert len(journal.events) == count


async def test_a_name_is_taken_whatever_its_case(accounts, member):
    await member("mira")

    with pytest.raises(Conflict) as refusal:
        await accounts.register("MIRA", PASSWORD, **FROM)

    assert refusal.value.code == "user_already_exists"


async def test_of_two_who_take_a_name_at_once_one_gets_it(accounts):
    """On PostgreSQL one was told that its *id* was known.

    Between the look for the name and the look for the id, which is made from it, another had
    committed both.
    """
    answers = await asyncio.gather(
        *(accounts.register("mira", PASSWORD, **FROM) for _ in range(4)), return_exceptions=True
    )

    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 3
    assert {refusal.code for refusal in refused} == {"user_already_exists"}


async def test_an_email_address_belongs_to_one_account(accounts, member):
    await member("mira", email="Mira@Example.org")

    with pytest.raises(Conflict) as refusal:
        await accounts.register("other", PASSWORD, email="mira@example.ORG", **FROM)

    assert refusal.value.code == "email_already_exists"


async def test_a_closed_site_takes_nobody(accounts, admin, store):
    closed = msgspec.structs.replace(accounts.current_site.settings, registration_mode="Closed")
    await store.write(lambda unit: accounts.edit_site(unit, admin, closed))

    with pytest.raises(Refused) as refusal:
        await accounts.register("mira", PASSWORD, **FROM)

    assert refusal.value.code == "registration_closed"


async def test_an_applicant_waits_until_an_administrator_accepts(accounts, admin, store):
    asking = msgspec.structs.replace(
        accounts.current_site.settings,
        registration_mode="RequireApplication", application_question="Why?",
    )
    await store.write(lambda unit: accounts.edit_site(unit, admin, asking))

    with pytest.raises(Refused) as unanswered:
        await accounts.register("mira", PASSWORD, **FROM)
    applied = await accounts.register("mira", PASSWORD, answer="Because.", **FROM)
    with pytest.raises(Forbidden) as pending:
        await accounts.log_in("mira", PASSWORD, **FROM)
    [application] = await store.read(
        lambda unit: accounts.applications(unit, admin, limit=10)
    )
    await store.write(lambda unit: accounts.accept(unit, admin, application.account.actor.id))
    accepted = await accounts.log_in("mira", PASSWORD, **FROM)

    assert unanswered.value.code == "registration_application_answer_required"
    assert (applied.token, applied.registration_created) == (None, True)
    assert pending.value.code == "registration_application_is_pending"
    assert application.answer == "Because."
    assert (await accounts.viewer(accepted.token)).actor.name == "mira"


async def test_one_logs_in_by_name_or_by_email_address_in_any_case(accounts, member):
    viewer = await member("Mira", email="mira@example.org")

    for login in ("mira", "MIRA", "mira@example.org", " Mira@Example.org "):
        token = (await accounts.log_in(login, PASSWORD, **FROM)).token
        assert (await accounts.viewer(token)).id == viewer.id


async def test_a_wrong_password_and_an_unknown_name_are_not_told_apart(accounts, member):
    await member("mira")
    tries = [("mira", "wrong password"), ("nobody", PASSWORD), ("mira", "x" * 5_000), ("", ""),
             ("nobody@example.org", PASSWORD)]

    refusals = []
    for name, password in tries:
        with pytest.raises(Unauthenticated) as refusal:
            await accounts.log_in(name, password, **FROM)
        refusals.append(str(refusal.value))

    assert len(set(refusals)) == 1
    assert refusals[0].startswith("incorrect_login")


async def test_a_bcrypt_hash_is_accepted_and_replaced(accounts, store):
    secret = PASSWORD.encode()
    draft = AccountDraft(
        actor=ActorDraft(kind=ActorKind.PERSON, name="mira"),
        password_hash=bcrypt.hashpw(secret, bcrypt.gensalt(rounds=4)).decode(),
    )
    [account] = await store.write(lambda unit: accounts.create_accounts(unit, [draft]))

    await accounts.log_in("mira", PASSWORD, **FROM)

    from lichen.accounts import tables

    rows = await store.read(
        lambda unit: unit.fetch(tables.ACCOUNT, account_id=account.id, now_us=0)
    )
    assert rows[0].password_hash.startswith("$argon2id$")
    assert (await accounts.log_in("mira", PASSWORD, **FROM)).token


async def test_a_bad_token_is_nobody(accounts):
    for token in (None, "", "nonsense", "a.b.c", "x" * 9_999):
        assert await accounts.viewer(token) is None


async def test_a_token_of_another_house_is_nobody(accounts, member):
    from lichen.accounts.tokens import Claims, Tokens

    viewer = await member()
    other = Tokens(b"another secret of 32 bytes......", issuer="lichen.example")
    forged = other.sign(Claims(viewer.account_id, viewer.session_id), issued_us=0)

    assert await accounts.viewer(forged) is None


async def test_a_session_is_over_after_logging_out(accounts, store):
    token = (await accounts.register("mira", PASSWORD, **FROM)).token
    viewer = await accounts.viewer(token)

    await store.write(lambda unit: accounts.log_out(unit, viewer))

    assert await accounts.viewer(token) is None


async def test_logins_are_listed_and_can_be_revoked_one_by_one(accounts, store):
    first = (await accounts.register("mira", PASSWORD, address="192.0.2.1", agent="phone")).token
    second = (await accounts.log_in("mira", PASSWORD, address="192.0.2.2", agent="desk")).token
    viewer = await accounts.viewer(second)
    listed = await store.read(lambda unit: accounts.logins(unit, viewer))

    await store.write(lambda unit: accounts.revoke(unit, viewer, listed[1].id))

    assert [(one.agent, one.address, one.current) for one in listed] == [
        ("desk", "192.0.2.2", True), ("phone", "192.0.2.1", False),
    ]
    assert await accounts.viewer(first) is None
    assert await accounts.viewer(second) == viewer


async def test_nobody_revokes_a_login_of_somebody_else(accounts, member, store):
    mira, other = await member("mira"), await member("other")

    with pytest.raises(NotFound) as refusal:
        await store.write(lambda unit: accounts.revoke(unit, mira, other.session_id))

    assert refusal.value.code == "token_not_found"


async def test_the_oldest_login_ends_when_there_are_too_many(accounts, store):
    first = (await accounts.register("mira", PASSWORD, **FROM)).token
    assert await accounts.viewer(first) is not None

    for _ in range(SESSIONS_PER_ACCOUNT_MAX):
        last = (await accounts.log_in("mira", PASSWORD, **FROM)).token

    viewer = await accounts.viewer(last)
    listed = await store.read(lambda unit: accounts.logins(unit, viewer))
    assert len(listed) == SESSIONS_PER_ACCOUNT_MAX
    assert await accounts.viewer(first) is None


async def test_a_session_that_is_not_used_for_a_year_is_over(accounts, clock):
    token = (await accounts.register("mira", PASSWORD, **FROM)).token

    clock.advance(days=364)
    still = await accounts.viewer(token)
    clock.advance(days=364)
    used_since = await accounts.viewer(token)
    clock.advance(days=366)
    ended = await accounts.viewer(token)

    assert still is not None
    assert used_since is not None
    assert ended is None


async def test_a_new_password_ends_every_session_and_begins_one(accounts, store):
    old = (await accounts.register("mira", PASSWORD, **FROM)).token
    viewer = await accounts.viewer(old)

    login = await accounts.change_password(viewer, PASSWORD, NEW_PASSWORD)

    renewed = await accounts.viewer(login.token)
    listed = await store.read(lambda unit: accounts.logins(unit, renewed))
    assert await accounts.viewer(old) is None
    assert [(one.address, one.agent) for one in listed] == [("192.0.2.7", "a test")]
    assert (await accounts.log_in("mira", NEW_PASSWORD, **FROM)).token
    with pytest.raises(Unauthenticated):
        await accounts.log_in("mira", PASSWORD, **FROM)


async def test_the_old_password_is_needed_for_a_new_one(accounts, member):
    viewer = await member()

    with pytest.raises(Unauthenticated):
        await accounts.change_password(viewer, "not the old one", NEW_PASSWORD)

    assert (await accounts.log_in("mira", PASSWORD, **FROM)).token


async def test_the_command_line_sets_a_password(accounts, member):
    await member()

    await accounts.set_password("MIRA", NEW_PASSWORD)

    assert (await accounts.log_in("mira", NEW_PASSWORD, **FROM)).token
    with pytest.raises(NotFound):
        await accounts.set_password("nobody", NEW_PASSWORD)


async def test_a_known_viewer_costs_no_round_trip(accounts, store):
    """A viewer that is known is answered from memory, a new one by one read."""
    token = (await accounts.register("mira", PASSWORD, **FROM)).token
    before = store.round_trips

    await accounts.viewer(token)
    once = store.round_trips
    await accounts.viewer(token)

    assert (once - before, store.round_trips - once) == (1, 0)


async def test_signing_up_costs_at_most_two_round_trips(accounts, store):
    await accounts.register("first", PASSWORD, **FROM)  # takes the blocks of numbers
    before = store.round_trips

    await accounts.register("mira", PASSWORD, **FROM)

    assert store.round_trips - before <= 2


async def test_no_secret_is_in_any_event(accounts, member, store, journal):
    viewer = await member("mira", email="mira@example.org", answer="A private answer.")
    await accounts.change_password(viewer, PASSWORD, NEW_PASSWORD)
    settings = msgspec.structs.replace(viewer.settings, theme="dark")
    await store.write(lambda unit: accounts.save_settings(unit, viewer, settings))

    told = msgspec.json.encode(journal.events)

    for secret in (PASSWORD, NEW_PASSWORD, "argon2", "example.org", "private answer", "192.0.2.7"):
        assert secret.encode() not in told
