"""The site, its administrators, the first run."""

import msgspec
import pytest

from lichen.accounts import ActorKind, SiteSettings, build
from lichen.accounts.passwords import Passwords
from lichen.kit import Forbidden, NotFound, Refused
from lichen.kit.flags import Flag
from lichen.web import Addresses
from tests.accounts.conftest import FROM, PASSWORD

pytestmark = pytest.mark.anyio


async def test_a_new_site_is_open_and_has_lemmys_defaults(accounts, store):
    site = await store.read(accounts.site)

    assert site == accounts.current_site
    assert site.settings.registration_mode == "Open"
    assert site.settings.enable_downvotes
    assert not site.settings.set_up
    assert site.actor.did == "did:web:lichen.example"
    assert site.actor.ap_id == "https://lichen.example/"


async def test_an_edited_site_is_current_in_rows_and_in_memory(accounts, admin, store, journal):
    wish = msgspec.structs.replace(
        accounts.current_site.settings, name="Rock", description="A rock.", sidebar="Be kind.",
        enable_downvotes=False, actor_name_max_length=30, languages=(0, 37), set_up=False,
    )

    edited = await store.write(lambda unit: accounts.edit_site(unit, admin, wish))

    assert edited.settings == msgspec.structs.replace(wish, set_up=True)
    assert await store.read(accounts.site) == edited == accounts.current_site
    assert journal.collections()[-1] == "update lichen.site.settings"


async def test_site_settings_that_break_a_rule_are_refused(accounts, admin, store):
    before = accounts.current_site

    with pytest.raises(Refused) as refusal:
        await store.write(lambda unit: accounts.edit_site(unit, admin, SiteSettings(name=" ")))

    assert refusal.value.code == "site_name_required"
    assert await store.read(accounts.site) == before


async def test_only_an_administrator_edits_the_site(accounts, member, store):
    viewer = await member()

    for command in (
        lambda unit: accounts.edit_site(unit, viewer, SiteSettings()),
        lambda unit: accounts.set_flag(unit, viewer, "live_previews", on=False),
        lambda unit: accounts.promote(unit, viewer, viewer.id, admin=True),
    ):
        with pytest.raises(Forbidden) as refusal:
            await store.write(command)
        assert refusal.value.code == "not_an_admin"


async def test_the_set_up_link_makes_the_first_administrator_once(accounts, store):
    token = await store.write(accounts.setup_link_token)

    login = await accounts.set_up(token, "root", PASSWORD)

    assert (await accounts.viewer(login.token)).admin
    assert accounts.current_site.settings.set_up
    assert [one.name for one in await store.read(accounts.admins)] == ["root"]
    assert await store.write(accounts.setup_link_token) is None
    with pytest.raises(Forbidden) as refusal:
        await accounts.set_up(token, "other", PASSWORD)
    assert refusal.value.code == "invalid_setup_token"


async def test_a_new_set_up_link_replaces_the_one_before(accounts, store):
    old = await store.write(accounts.setup_link_token)
    new = await store.write(accounts.setup_link_token)

    for wrong in (old, "", "nonsense"):
        with pytest.raises(Forbidden):
            await accounts.set_up(wrong, "root", PASSWORD)

    assert (await accounts.set_up(new, "root", PASSWORD)).token


async def test_no_token_is_right_before_a_link_was_made(accounts):
    with pytest.raises(Forbidden):
        await accounts.set_up("", "root", PASSWORD)


async def test_an_administrator_from_the_environment_is_made_where_none_exists(accounts, store):
    made = await accounts.ensure_admin("root", "lichen")
    again = await accounts.ensure_admin("other", "lichen")

    assert (made, again) == (True, False)
    token = (await accounts.log_in("root", "lichen", **FROM)).token
    assert (await accounts.viewer(token)).admin
    assert accounts.current_site.settings.set_up


async def test_a_known_person_named_in_the_environment_is_promoted(accounts, member):
    """After `lichen demo` the name may exist already, as an ordinary member."""
    viewer = await member("root")

    await accounts.ensure_admin("root", "another password")

    token = (await accounts.log_in("root", "another password", **FROM)).token
    assert (await accounts.viewer(token)).id == viewer.id
    assert (await accounts.viewer(token)).admin


async def test_a_promotion_holds_in_open_sessions(accounts, admin, store):
    token = (await accounts.register("mira", PASSWORD, **FROM)).token
    person_id = (await accounts.viewer(token)).id

    await store.write(lambda unit: accounts.promote(unit, admin, person_id, admin=True))
    promoted = await accounts.viewer(token)
    await store.write(lambda unit: accounts.promote(unit, admin, person_id, admin=False))

    assert promoted.admin
    assert not (await accounts.viewer(token)).admin


async def test_the_last_administrator_stays_one(accounts, admin, store):
    with pytest.raises(Refused) as refusal:
        await store.write(lambda unit: accounts.promote(unit, admin, admin.id, admin=False))

    assert refusal.value.code == "cannot_leave_admin"
    with pytest.raises(NotFound):
        await store.write(lambda unit: accounts.promote(unit, admin, 999_999, admin=True))


async def test_a_flag_is_switched_by_its_event_and_at_the_next_start(
    accounts, admin, ground, store, addresses
):
    await store.write(lambda unit: accounts.set_flag(unit, admin, "live_previews", on=False))

    assert not ground.flags.is_on(Flag.LIVE_PREVIEWS)
    assert await store.read(accounts.flags) == {Flag.LIVE_PREVIEWS: False}
    ground.flags.change(Flag.LIVE_PREVIEWS, on=True)
    again = await build(ground, store, addresses=addresses, log_seq=0)
    await again.close()
    assert not ground.flags.is_on(Flag.LIVE_PREVIEWS)
    with pytest.raises(NotFound):
        await store.write(lambda unit: accounts.set_flag(unit, admin, "no_such", on=False))


async def test_tokens_and_the_site_outlive_a_restart(accounts, ground, store, addresses):
    token = (await accounts.register("mira", PASSWORD, **FROM)).token

    again = await build(ground, store, addresses=addresses, log_seq=0)
    viewer = await again.viewer(token)
    await again.close()

    assert viewer.actor.name == "mira"
    assert again.current_site == accounts.current_site


async def test_ids_stay_what_they_were_born_with_when_the_address_changes(
    accounts, ground, store, member
):
    viewer = await member()

    moved = await build(
        ground, store, addresses=Addresses("https://moved.example"), log_seq=0,
        passwords=Passwords(memory_kib=64),
    )
    await moved.close()

    found = await store.read(
        lambda unit: moved.actor_by_name(unit, ActorKind.PERSON, "mira"))
    assert (found.id, found.domain) == (viewer.id, "moved.example")
    assert found.ap_id == viewer.actor.ap_id


async def test_the_site_has_a_key_from_the_start(accounts, store):
    assert await store.read(accounts.site_key) == "public"
