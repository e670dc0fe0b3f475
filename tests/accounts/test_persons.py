"""Profiles, settings, blocks, bans."""

import msgspec
import pytest

from lichen.accounts import ActorDraft, ActorKind, Blocks, ProfileDraft
from lichen.kit import Conflict, Forbidden, NotFound, Refused
from tests.accounts.conftest import FROM, PASSWORD

pytestmark = pytest.mark.anyio

MONTH_US = 30 * 86_400 * 1_000_000


def record(event):
    return msgspec.json.decode(event.record)


async def test_a_saved_profile_is_seen_by_everybody_and_by_its_owner(
    accounts, member, store, journal
):
    viewer = await member()
    draft = ProfileDraft(
        display_name="Mira 🌿", bio="Likes rocks.", avatar="https://pictures.example/m.png",
        matrix_user_id="@mira:matrix.example", bot=True,
    )

    await store.write(lambda unit: accounts.save_profile(unit, viewer, draft))

    [actor] = (await store.read(lambda unit: accounts.actors(unit, [viewer.id]))).values()
    assert actor.shown_name == "Mira 🌿"
    assert (actor.summary, actor.bot) == ("Likes rocks.", True)
    assert record(journal.events[-1])["displayName"] == "Mira 🌿"
    assert journal.events[-1].row == viewer.id


async def test_an_empty_text_empties_a_field_and_none_leaves_it(accounts, member, store):
    viewer = await member()
    first = ProfileDraft(display_name="Mira", bio="Likes rocks.")
    await store.write(lambda unit: accounts.save_profile(unit, viewer, first))

    second = ProfileDraft(display_name="")
    actor = await store.write(lambda unit: accounts.save_profile(unit, viewer, second))

    assert (actor.display_name, actor.summary) == (None, "Likes rocks.")


async def test_a_profile_saved_unchanged_says_nothing(accounts, member, store, journal):
    viewer = await member()
    count = len(journal.events)

    await store.write(lambda unit: accounts.save_profile(unit, viewer, ProfileDraft()))

    assert len(journal.events) == count


async def test_a_profile_that_breaks_a_rule_is_refused(accounts, member, store, journal):
    viewer = await member()
    count = len(journal.events)

    with pytest.raises(Refused) as refusal:
        await store.write(lambda unit: accounts.save_profile(
            unit, viewer, ProfileDraft(bio="x" * 1_001)))

    assert refusal.value.code == "bio_length_overflow"
    assert len(journal.events) == count


async def test_settings_are_kept_and_told_without_the_email_address(
    accounts, member, store, journal
):
    viewer = await member()
    settings = msgspec.structs.replace(
        viewer.settings, email="Mira@example.org", theme="darkly", languages=(32, 37)
    )

    await store.write(lambda unit: accounts.save_settings(unit, viewer, settings))

    token = (await accounts.log_in("mira@example.org", PASSWORD, **FROM)).token
    kept = (await accounts.viewer(token)).settings
    assert kept == msgspec.structs.replace(settings, email="mira@example.org")
    told = next(event for event in reversed(journal.events) if "settings" in event.collection)
    assert record(told)["choices"] == {"theme": "darkly", "languages": [32, 37]}


async def test_settings_refuse_the_email_address_of_another(accounts, member, store):
    await member("other", email="taken@example.org")
    viewer = await member()
    settings = msgspec.structs.replace(viewer.settings, email="taken@example.org")

    with pytest.raises(Conflict) as refusal:
        await store.write(lambda unit: accounts.save_settings(unit, viewer, settings))

    assert refusal.value.code == "email_already_exists"


async def test_settings_that_break_a_limit_are_refused(accounts, member, store):
    viewer = await member()
    settings = msgspec.structs.replace(viewer.settings, email="no address")

    with pytest.raises(Refused) as refusal:
        await store.write(lambda unit: accounts.save_settings(unit, viewer, settings))

    assert refusal.value.code == "invalid_email"


async def test_blocking_twice_is_once_and_can_be_undone(accounts, member, store, journal):
    viewer, other = await member("mira"), await member("other")

    async def block(blocked):
        await store.write(
            lambda unit: accounts.block_person(unit, viewer, other.id, blocked=blocked)
        )

    await block(True)
    await block(True)
    blocked = await store.read(lambda unit: accounts.blocks(unit, viewer))
    await block(False)
    await block(False)

    assert blocked == Blocks(persons=(other.id,))
    assert await store.read(lambda unit: accounts.blocks(unit, viewer)) == Blocks()
    told = [event for event in journal.events if event.collection == "lichen.account.block"]
    assert [event.operation for event in told] == ["create", "delete"]
    assert told[0].rkey == told[1].rkey


async def test_persons_communities_and_instances_are_blocked_apart(accounts, member, store):
    viewer = await member()
    drafts = [
        ActorDraft(kind=ActorKind.COMMUNITY, name="moss"),
        ActorDraft(kind=ActorKind.PERSON, name="far", domain="far.example:8443",
                   ap_id="https://far.example:8443/u/far", inbox="https://far.example:8443/inbox"),
    ]
    moss, far = await store.write(lambda unit: accounts.create_actors(unit, drafts))

    def command(unit):
        accounts.block_community(unit, viewer, moss.id, blocked=True)
        accounts.block_person(unit, viewer, far.id, blocked=True)
        accounts.block_instance(unit, viewer, far.instance_id, blocked=True)

    await store.write(command)

    blocks = await store.read(lambda unit: accounts.blocks(unit, viewer))
    assert blocks == Blocks((far.id,), (moss.id,), (far.instance_id,))


async def test_some_cannot_be_blocked(accounts, admin, member, store):
    viewer = await member()
    commands = {
        "cant_block_yourself": lambda unit: accounts.block_person(
            unit, viewer, viewer.id, blocked=True),
        "cant_block_admin": lambda unit: accounts.block_person(
            unit, viewer, admin.id, blocked=True),
        "cant_block_local_instance": lambda unit: accounts.block_instance(
            unit, viewer, 1, blocked=True),
        "couldnt_find_person": lambda unit: accounts.block_person(
            unit, viewer, 999_999, blocked=True),
        "couldnt_find_community": lambda unit: accounts.block_community(
            unit, viewer, admin.id, blocked=True),
        "couldnt_find_object": lambda unit: accounts.block_instance(
            unit, viewer, 999_999, blocked=True),
    }
    for code, command in commands.items():
        with pytest.raises(Refused) as refusal:
            await store.write(command)
        assert refusal.value.code == code


async def test_a_banned_person_is_nobody_until_the_ban_ends(accounts, admin, clock, store, journal):
    token = (await accounts.register("mira", PASSWORD, **FROM)).token
    viewer = await accounts.viewer(token)

    await store.write(lambda unit: accounts.ban(
        unit, admin, viewer.id, banned=True, reason="spam", expires_us=clock() + MONTH_US
    ))
    banned = await accounts.viewer(token)
    with pytest.raises(Forbidden) as refusal:
        await accounts.log_in("mira", PASSWORD, **FROM)
    shown = await store.read(lambda unit: accounts.actors(unit, [viewer.id]))
    clock.advance(days=31)
    later = await accounts.viewer(token)
    shown_later = await store.read(lambda unit: accounts.actors(unit, [viewer.id]))

    assert banned is None
    assert refusal.value.code == "site_ban"
    assert shown[viewer.id].banned
    assert not shown_later[viewer.id].banned
    assert later.actor == viewer.actor
    told = journal.events[-1]
    assert (told.collection, told.did, told.row) == (
        "lichen.site.ban", "did:web:lichen.example", viewer.id,
    )
    assert record(told)["reason"] == "spam"


async def test_a_ban_can_be_lifted(accounts, admin, store):
    token = (await accounts.register("mira", PASSWORD, **FROM)).token
    person_id = (await accounts.viewer(token)).id
    await store.write(lambda unit: accounts.ban(unit, admin, person_id, banned=True))

    await store.write(lambda unit: accounts.ban(unit, admin, person_id, banned=False))

    assert (await accounts.viewer(token)).id == person_id


async def test_bans_have_rules(accounts, admin, member, clock, store):
    viewer = await member()
    commands = {
        "not_an_admin": lambda unit: accounts.ban(unit, viewer, admin.id, banned=True),
        "not_higher_admin": lambda unit: accounts.ban(unit, admin, admin.id, banned=True),
        "ban_expiration_in_past": lambda unit: accounts.ban(
            unit, admin, viewer.id, banned=True, expires_us=clock() - 1),
        "couldnt_find_person": lambda unit: accounts.ban(unit, admin, 999_999, banned=True),
        "invalid_body_field": lambda unit: accounts.ban(
            unit, admin, viewer.id, banned=True, reason="x" * 2_001),
    }
    for code, command in commands.items():
        with pytest.raises(Refused) as refusal:
            await store.write(command)
        assert refusal.value.code == code


async def test_only_an_administrator_reads_and_accepts_applications(accounts, member, store):
    viewer = await member()

    with pytest.raises(Forbidden):
        await store.read(lambda unit: accounts.applications(unit, viewer, limit=10))
    with pytest.raises(Forbidden):
        await store.write(lambda unit: accounts.accept(unit, viewer, viewer.id))
    with pytest.raises(NotFound):
        await store.write(lambda unit: accounts.accept(unit, None, 999_999))


async def test_who_blocks_whom_is_asked_for_many_at_once(accounts, member, store):
    mira, other, third = [await member(name) for name in ("mira", "other", "third")]
    await store.write(lambda unit: accounts.block_person(unit, mira, third.id, blocked=True))

    found = await store.read(lambda unit: accounts.blocks_among(
        unit, [mira.id, other.id], [other.id, third.id]))

    assert found == {(mira.id, third.id)}


async def test_another_room_changes_its_community_without_an_event(accounts, store, journal):
    draft = ActorDraft(kind=ActorKind.COMMUNITY, name="moss")
    [moss] = await store.write(lambda unit: accounts.create_actors(unit, [draft]))
    count = len(journal.events)

    wished = msgspec.structs.replace(moss, display_name="Moss")
    changed = await store.write(lambda unit: accounts.change_actor(unit, wished))

    found = await store.read(lambda unit: accounts.actors(unit, [moss.id]))
    assert found == {moss.id: changed}
    assert len(journal.events) == count
