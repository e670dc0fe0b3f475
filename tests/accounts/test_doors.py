"""Applications, captchas, second factors, invitations, roles: what a site may ask, and who decides."""

import asyncio
import re
import struct
import zlib

import msgspec
import pytest

from lichen.accounts import Act, Permission, check_permission
from lichen.accounts.captcha_drawing import DIGITS, picture_of, sound_of
from lichen.accounts.captchas import Captchas
from lichen.accounts.standing import Trust, allowance, trust_of
from lichen.accounts.totp import code_at, step_of
from lichen.kit import Forbidden, NotFound, Refused, TooMany, Unauthenticated
from lichen.kit.config import Newcomers
from tests.accounts.conftest import FROM, PASSWORD

pytestmark = pytest.mark.anyio

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B: "12345678901234567890"


@pytest.fixture
def asks(accounts, admin, store):
    """Return a function that changes what the site asks of newcomers."""

    async def change(**choices):
        settings = msgspec.structs.replace(accounts.current_site.settings, **choices)
        await store.write(lambda unit: accounts.edit_site(unit, admin, settings))

    return change


async def refusal(awaitable, kind=Refused):
    with pytest.raises(kind) as caught:
        await awaitable
    return caught.value


# Applications

async def apply(accounts, asks):
    await asks(registration_mode="RequireApplication", application_question="Why?")
    await accounts.register("mira", PASSWORD, answer="Because.", **FROM)


async def test_a_denied_applicant_reads_the_reason_at_the_door(accounts, admin, asks, store):
    await apply(accounts, asks)
    [waiting] = await store.read(lambda unit: accounts.applications(unit, admin, limit=10))

    await accounts.decide(admin, waiting.account.id, approve=False, reason="Too short.")
    denied = await refusal(accounts.log_in("mira", PASSWORD, **FROM), Forbidden)

    assert (denied.code, denied.text) == ("registration_denied", "Too short.")
    assert await store.read(lambda unit: accounts.applications_waiting(unit, admin)) == 0


async def test_who_was_denied_may_be_let_in_later(accounts, admin, asks, store):
    await apply(accounts, asks)
    [waiting] = await store.read(lambda unit: accounts.applications(unit, admin, limit=10))
    await accounts.decide(admin, waiting.account.id, approve=False, reason="Too short.")

    decided = await accounts.decide(admin, waiting.account.id, approve=True)

    assert (decided.admin_id, decided.deny_reason) == (admin.id, None)
    assert (await accounts.log_in("mira", PASSWORD, **FROM)).token is not None


async def test_an_application_is_decided_by_whoever_has_that_permission_alone(
    accounts, admin, asks, member, store
):
    warden = await member("warden")
    await apply(accounts, asks)
    await refusal(accounts.decide(warden, 3, approve=True), Forbidden)

    await store.write(lambda unit: accounts.give_role(
        unit, admin, warden.id, title="Warden", permissions=[Permission.APPROVE_APPLICATIONS]
    ))
    again = await accounts.viewer((await accounts.log_in("warden", PASSWORD, **FROM)).token)
    [waiting] = await store.read(lambda unit: accounts.applications(unit, again, limit=10))

    assert waiting.answer == "Because."
    check_permission(again, Permission.APPROVE_APPLICATIONS)
    with pytest.raises(Forbidden):
        check_permission(again, Permission.BAN)


async def test_an_unknown_application_is_not_found(accounts, admin):
    missing = await refusal(accounts.decide(admin, 999, approve=True), NotFound)

    assert missing.code == "couldnt_find_registration_application"


# Captchas

async def test_a_captcha_is_answered_once(clock, ground):
    captchas = Captchas(clock, ground.randomness)
    made = await captchas.make("hard")
    answer = captchas._open[made.id][0]

    captchas.check(made.id, f" {answer} ")

    with pytest.raises(Refused):
        captchas.check(made.id, answer)


async def test_a_wrong_answer_uses_a_captcha_up(clock, ground):
    captchas = Captchas(clock, ground.randomness)
    made = await captchas.make("easy")
    answer = captchas._open[made.id][0]

    with pytest.raises(Refused):
        captchas.check(made.id, "0")
    with pytest.raises(Refused):
        captchas.check(made.id, answer)


async def test_a_captcha_expires_and_their_number_is_bounded(clock, ground):
    captchas = Captchas(clock, ground.randomness, count_max=2)
    made = [await captchas.make("easy") for _ in range(3)]
    answer = captchas._open[made[2].id][0]

    clock.advance(minutes=11)

    assert len(captchas) == 2
    with pytest.raises(Refused):
        captchas.check(made[2].id, answer)


def test_a_captcha_is_a_whole_png_and_a_whole_wav():
    png, wav = picture_of(DIGITS, 7), sound_of("31")

    width, height = struct.unpack(">II", png[16:24])
    size = struct.unpack(">I", png[33:37])[0]
    lines = zlib.decompress(png[41:41 + size])
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and len(lines) == height * (width + 1)
    assert len(wav) == struct.unpack("<I", wav[4:8])[0] + 8
    assert picture_of(DIGITS, 8) != png


async def test_a_site_that_asks_a_captcha_takes_nobody_without(accounts, asks):
    await asks(captcha_enabled=True)
    made = await accounts.captchas.make("medium")
    answer = accounts.captchas._open[made.id][0]

    wrong = await refusal(accounts.register("mira", PASSWORD, **FROM))
    right = await accounts.register("mira", PASSWORD, captcha=(made.id, answer), **FROM)

    assert wrong.code == "captcha_incorrect"
    assert right.token is not None


# The second factor

@pytest.mark.parametrize(("seconds", "code"), [
    (59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037"),
])
def test_codes_are_those_of_the_standard(seconds, code):
    """RFC 6238, appendix B, cut to six digits."""
    assert code_at(RFC_SECRET, seconds // 30) == code


def test_a_code_of_the_step_before_counts_but_not_twice():
    now_us = 3_000 * 1_000_000
    code = code_at(RFC_SECRET, 99)

    step = step_of(RFC_SECRET, code, now_us=now_us, after=0)

    assert step == 99
    assert step_of(RFC_SECRET, code, now_us=now_us, after=99) is None
    assert step_of(RFC_SECRET, code_at(RFC_SECRET, 97), now_us=now_us, after=0) is None


async def with_factor(accounts, store, viewer, clock):
    address = await store.write(lambda unit: accounts.begin_second_factor(unit, viewer))
    secret = address.partition("secret=")[2].partition("&")[0]
    code = code_at(secret, clock() // 30_000_000)
    await store.write(lambda unit: accounts.switch_second_factor(
        unit, viewer, code, enabled=True
    ))
    return secret


async def test_a_login_with_a_second_factor_needs_a_fresh_code(accounts, clock, member, store):
    viewer = await member()
    secret = await with_factor(accounts, store, viewer, clock)
    used = code_at(secret, clock() // 30_000_000)

    missing = await refusal(accounts.log_in("mira", PASSWORD, **FROM), Unauthenticated)
    replayed = await refusal(accounts.log_in("mira", PASSWORD, code=used, **FROM))
    clock.advance(seconds=30)
    fresh = code_at(secret, clock() // 30_000_000)
    login = await accounts.log_in("mira", PASSWORD, code=fresh, **FROM)
    again = await refusal(accounts.log_in("mira", PASSWORD, code=fresh, **FROM))

    assert missing.code == "missing_totp_token"
    assert (replayed.code, again.code) == ("incorrect_totp_token",) * 2
    assert (await accounts.viewer(login.token)).totp_enabled


async def test_a_recovery_code_opens_the_door_once(accounts, clock, member, store):
    viewer = await member()
    await with_factor(accounts, store, viewer, clock)
    codes = await store.write(lambda unit: accounts.new_recovery_codes(unit, viewer))

    login = await accounts.log_in("mira", PASSWORD, code=codes[3], **FROM)
    again = await refusal(accounts.log_in("mira", PASSWORD, code=codes[3], **FROM))

    assert login.token is not None
    assert again.code == "incorrect_totp_token"


async def test_a_second_factor_is_switched_off_with_a_code(accounts, clock, member, store):
    viewer = await member()
    secret = await with_factor(accounts, store, viewer, clock)
    on = await refusal(store.write(lambda unit: accounts.begin_second_factor(unit, viewer)))
    clock.advance(seconds=30)
    code = code_at(secret, clock() // 30_000_000)

    await store.write(lambda unit: accounts.switch_second_factor(
        unit, viewer, code, enabled=False
    ))

    assert on.code == "totp_already_enabled"
    assert (await accounts.log_in("mira", PASSWORD, **FROM)).token is not None


# Invitations

async def test_an_invited_person_needs_no_application(accounts, admin, asks, store):
    await asks(registration_mode="RequireApplication", application_question="Why?",
               invite_only=True)
    invite = await store.write(
        lambda unit: accounts.create_invite(unit, admin, uses_max=1, days=7)
    )

    without = await refusal(accounts.register("mira", PASSWORD, answer="Because.", **FROM))
    login = await accounts.register("mira", PASSWORD, invite=invite.code.upper(), **FROM)
    late = await refusal(accounts.register("otto", PASSWORD, invite=invite.code, **FROM))
    viewer = await accounts.viewer(login.token)

    assert (without.code, late.code) == ("registration_closed", "invalid_invite")
    assert viewer.vouched


async def test_two_who_use_the_last_place_of_an_invitation_do_not_both_come_in(
    accounts, admin, store
):
    invite = await store.write(
        lambda unit: accounts.create_invite(unit, admin, uses_max=1, days=7)
    )

    answers = await asyncio.gather(
        *(accounts.register(name, PASSWORD, invite=invite.code, **FROM)
          for name in ("mira", "otto", "ada")),
        return_exceptions=True,
    )

    assert sum(not isinstance(one, Exception) for one in answers) == 1


async def test_an_invitation_expires_and_can_be_revoked(accounts, admin, clock, member, store):
    viewer = await member()
    make = lambda unit: accounts.create_invite(unit, viewer, uses_max=5, days=1)  # noqa: E731
    first, second = await store.write(make), await store.write(make)
    await store.write(lambda unit: accounts.revoke_invite(unit, viewer, first.code))
    left = await store.read(lambda unit: accounts.invites(unit, viewer))
    clock.advance(days=2)

    revoked = await refusal(accounts.register("otto", PASSWORD, invite=first.code, **FROM))
    expired = await refusal(accounts.register("otto", PASSWORD, invite=second.code, **FROM))

    assert [one.code for one in left] == [second.code]
    assert (revoked.code, expired.code) == ("invalid_invite", "invalid_invite")


async def test_nobody_revokes_anothers_invitation(accounts, admin, member, store):
    viewer = await member()
    invite = await store.write(
        lambda unit: accounts.create_invite(unit, admin, uses_max=5, days=1)
    )

    await refusal(
        store.write(lambda unit: accounts.revoke_invite(unit, viewer, invite.code)), Forbidden
    )


async def test_administrators_see_who_came_by_whom(accounts, admin, store):
    async def bring(inviter, name):
        invite = await store.write(
            lambda unit: accounts.create_invite(unit, inviter, uses_max=5, days=1)
        )
        login = await accounts.register(name, PASSWORD, invite=invite.code, **FROM)
        return await accounts.viewer(login.token)

    first = await bring(admin, "first")
    await bring(first, "below")
    await bring(admin, "second")

    tree = await store.read(lambda unit: accounts.invite_tree(unit, admin))

    assert [(one.actor.name, one.depth) for one in tree] == [
        ("root", 0), ("first", 1), ("below", 2), ("second", 1),
    ]


# Standing

def test_trust_grows_with_age_and_stops_for_who_was_banned():
    ages = Newcomers()
    hour, month = 3_600_000_000, 30 * 86_400_000_000

    def trust(age_us, **facts):
        return trust_of(age_us, ages, **{"is_vouched": False, "is_once_banned": False, **facts})

    assert trust(hour) is Trust.NEW
    assert trust(hour, is_vouched=True) is Trust.KNOWN
    assert trust(month) is Trust.TRUSTED
    assert trust(month, is_once_banned=True) is Trust.KNOWN
    assert [allowance(one, 10) for one in Trust] == [10, 50, None]


async def test_how_many_pictures_fit_into_a_day_grows_with_trust(accounts, clock, member):
    viewer = await member()
    day_us = 86_400 * 1_000_000

    allowed = [accounts.newcomers.pictures_per_day(viewer, now_us=clock() + days * day_us)
               for days in (0, 2, 30)]

    assert [5, 25, None] == allowed


async def test_a_new_account_does_so_much_a_day(accounts, clock, member, store):
    viewer = await member()
    def write(unit):
        counting = accounts.newcomers.begin(unit, viewer, Act.LINK)
        counting.end(unit, unit.fetch_all(*counting.queries))

    for _ in range(5):
        await store.write(write)

    refused = await refusal(store.write(write), TooMany)
    clock.advance(days=1)
    await store.write(write)

    assert refused.code == "rate_limit_error"
    assert 0 < refused.retry_after_s <= 86_400
    assert re.search(r"at most 5 links a day\. The next day begins in (\d+|a) ", refused.text)


async def test_a_role_that_is_taken_back_permits_nothing(accounts, admin, member, store):
    warden = await member("warden")
    give = lambda permissions: store.write(lambda unit: accounts.give_role(  # noqa: E731
        unit, admin, warden.id, title="Warden", permissions=permissions
    ))
    await give([Permission.BAN])
    token = (await accounts.log_in("warden", PASSWORD, **FROM)).token
    before = await accounts.viewer(token)

    await give([])

    assert before.permissions == {Permission.BAN}
    assert (await accounts.viewer(token)).permissions == frozenset()


async def test_a_role_lets_a_person_ban_but_not_administrators(accounts, admin, member, store):
    warden, troll = await member("warden"), await member("troll")
    await store.write(lambda unit: accounts.give_role(
        unit, admin, warden.id, title="Warden", permissions=[Permission.BAN]
    ))
    warden = await accounts.viewer((await accounts.log_in("warden", PASSWORD, **FROM)).token)

    ban = await store.write(lambda unit: accounts.ban(unit, warden, troll.id, banned=True))
    await refusal(
        store.write(lambda unit: accounts.ban(unit, warden, admin.id, banned=True)), Forbidden
    )
    banned = await store.read(accounts.banned_ids)

    assert ban.person.id == troll.id and ban.banned
    assert banned == [troll.id]
