"""The site's lists and emoji: in rows, in memory, in events; and the screen they make."""

import msgspec
import pytest

from lichen.accounts import EmojiDraft, SiteLists, build
from lichen.accounts.limits import EMOJI_MAX
from lichen.accounts.passwords import Passwords
from lichen.kit import Forbidden, Refused

pytestmark = pytest.mark.anyio

LISTS = SiteLists(taglines=("Grow slowly.",), blocked_urls=("bad.example",),
                  blocked_instances=("far.example",))
MOSS = EmojiDraft(shortcode="moss", image_url="https://pictures.example/m.png", alt_text="Moss",
                  category="plants", keywords=("green",))


async def edit(store, accounts, viewer, lists=None, **changes):
    wish = msgspec.structs.replace(accounts.current_site.settings, **changes)
    return await store.write(lambda unit: accounts.edit_site(unit, viewer, wish, lists))


async def test_memory_is_what_a_fresh_load_finds(accounts, admin, store, ground, addresses):
    await edit(store, accounts, admin, LISTS, slur_filter_regex="slime")
    await store.write(lambda unit: accounts.create_emoji(unit, admin, MOSS))

    fresh = await build(ground, store, addresses=addresses, log_seq=0,
                        passwords=Passwords(memory_kib=64))
    await fresh.close()

    assert fresh.current_lists == accounts.current_lists == LISTS
    assert fresh.current_emoji == accounts.current_emoji
    assert list(fresh.current_emoji) == ["moss"]
    assert fresh.screen.hits("Slime") == accounts.screen.hits("Slime") == ["Slime"]
    assert fresh.screen.may_link_to_blocked("bad.example")
    assert accounts.screen.may_link_to_blocked("bad.example")


async def test_events_heard_twice_change_nothing_more(accounts, admin, store, journal):
    await edit(store, accounts, admin, LISTS)
    emoji = await store.write(lambda unit: accounts.create_emoji(unit, admin, MOSS))
    await store.write(lambda unit: accounts.delete_emoji(unit, admin, emoji.id))
    lists = accounts.current_lists

    for event in journal.events:
        accounts.reader.apply_event(event)

    assert accounts.current_lists == lists
    assert accounts.current_emoji == {}


async def test_the_screen_is_compiled_when_what_it_is_made_of_changes(accounts, admin, store):
    await edit(store, accounts, admin, slur_filter_regex="slime")
    before = accounts.screen

    await edit(store, accounts, admin, sidebar="Be kind.")
    same = accounts.screen
    await edit(store, accounts, admin, LISTS)

    assert same is before
    assert accounts.screen is not before
    assert accounts.screen.hits("slime")


async def test_lists_that_stay_are_told_of_by_nobody(accounts, admin, store, journal):
    await edit(store, accounts, admin, LISTS)
    journal.events.clear()

    await edit(store, accounts, admin, LISTS)

    assert journal.collections() == ["update lichen.site.settings"]


async def test_only_an_administrator_keeps_lists_and_emoji(accounts, member, store):
    viewer = await member()

    for command in (
        lambda unit: accounts.edit_site(unit, viewer, accounts.current_site.settings, LISTS),
        lambda unit: accounts.create_emoji(unit, viewer, MOSS),
        lambda unit: accounts.edit_emoji(unit, viewer, 1, MOSS),
        lambda unit: accounts.delete_emoji(unit, viewer, 1),
    ):
        with pytest.raises(Forbidden):
            await store.write(command)


async def test_a_site_has_so_many_emoji(accounts, admin, store):
    rows = [
        {"id": 10_000 + number, "shortcode": f"moss{number}", "image_url": "https://p.example/m",
         "alt_text": "", "category": "", "keywords": "[]", "published_us": 0, "updated_us": None}
        for number in range(EMOJI_MAX)
    ]
    from lichen.accounts import site_rows

    await store.write(lambda unit: unit.stage(site_rows.WRITE_EMOJI, *rows))

    with pytest.raises(Refused) as refusal:
        await store.write(lambda unit: accounts.create_emoji(unit, admin, MOSS))
    assert refusal.value.code == "too_many_items"


async def test_a_new_account_begins_with_what_the_site_shows_to_strangers(
    accounts, admin, member, store
):
    await edit(store, accounts, admin, default_theme="dark", default_sort_type="New",
               default_post_listing_type="All", default_post_listing_mode="Card")

    settings = (await member()).settings

    assert (settings.theme, settings.default_sort_type) == ("dark", "New")
    assert (settings.default_listing_type, settings.post_listing_mode) == ("All", "Card")
