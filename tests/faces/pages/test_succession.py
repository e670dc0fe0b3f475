"""A community whose server is gone is continued here; who followed it is asked once."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from lichen.accounts import ActorDraft, ActorKind
from lichen.forum import NewCommunity
from lichen.house import House
from tests.faces.pages.garden import PASSWORD, Garden, Guest, words

pytestmark = pytest.mark.anyio
DAY = 86_400_000_000


async def elsewhere(house: House, domain: str) -> int:
    """Keep a community of another server here; return its number."""
    draft = ActorDraft(
        kind=ActorKind.COMMUNITY, name="herbs", domain=domain,
        ap_id=f"https://{domain}/c/herbs", inbox=f"https://{domain}/inbox",
        display_name="Herbs",
    )
    made = await house.store.write(
        lambda unit: house.rooms.forum.create_communities(
            unit, [NewCommunity(actor=draft, creator_id=None)]
        )
    )
    return made[0].id


async def silence(house: House, domain: str, *, days: int) -> None:
    """Let a server have been asked in vain since so many days."""
    peers = house.rooms.federation.peers
    peers.note_failure(domain, "no answer", retry_at_us=0)
    one = peers.known(domain)
    assert one is not None
    peers._keep(msgspec.structs.replace(
        one, last_success_us=house.store.clock() - days * DAY, first_seen_us=1,
    ))


@pytest.fixture
async def gardener(garden: Garden) -> AsyncIterator[Guest]:
    guest = Guest(garden.house, "gardener")
    answer = await guest.send("/login", {"name": "gardener", "password": PASSWORD})
    assert 303 == answer.status_code
    yield guest


async def follow(guest: Guest, path: str) -> None:
    answer = await guest.send(f"{path}/subscribe", {"value": "1"})
    assert answer.status_code == 303, answer.text


async def test_who_follows_what_is_gone_is_asked_once(
    garden: Garden, gardener: Guest
) -> None:
    await elsewhere(garden.house, "gone.example")
    old = "/c/herbs@gone.example"
    yes, no, other = [await garden.person() for _ in range(3)]
    await follow(yes, old)
    await follow(no, old)
    assert "is silent" not in (await yes.see(old)).text
    await silence(garden.house, "gone.example", days=20)
    assert "This community's server is silent." in words((await yes.see(old)).text)

    made = await gardener.send(f"{old}/succession", {"name": "herbs", "title": "Herbs"})

    assert "/c/herbs" == made.headers.get("location"), words(made.text)
    seen = words((await other.see("/c/herbs")).text)
    assert "This community continues" in seen
    assert "has not signed or confirmed it" in seen
    assert "Continued in" in words((await other.see(old)).text)
    assert "goes on here" not in (await other.see("/inbox")).text
    for guest, value in ((yes, "1"), (no, "0")):
        assert "goes on here" in (await guest.see("/inbox")).text
        page = (await guest.see("/successors")).text
        action = page.partition('action="/successors/')[2].partition('"')[0]
        assert 303 == (await guest.send(f"/successors/{action}", {"value": value})).status_code
        assert "goes on here" not in (await guest.see("/inbox")).text
        assert "Nothing to decide" in (await guest.see("/successors")).text
    assert "2 members" in words((await other.see("/c/herbs")).text)  # its founder, and who said yes

    garden.house.rooms.federation.peers.note_received("gone.example")
    seen = words((await other.see(old)).text)
    assert "is silent" not in seen
    assert "Continued in" in seen


async def test_what_lives_is_not_succeeded_and_members_found_nothing(
    garden: Garden, gardener: Guest
) -> None:
    await elsewhere(garden.house, "living.example")
    old = "/c/herbs@living.example"
    person = await garden.person()

    living = await gardener.send(f"{old}/succession", {"name": "living_herbs"})
    assert 400 == living.status_code
    assert "Its server still answers" in words(living.text)
    assert 403 == (await person.send(f"{old}/gone", {"value": "1"})).status_code
    assert 303 == (await gardener.send(f"{old}/gone", {"value": "1"})).status_code
    assert "holds this community's server to be gone" in words((await person.see(old)).text)
    assert 403 == (await person.send(f"{old}/succession", {"name": "mine"})).status_code
    assert 303 == (await gardener.send(f"{old}/succession", {"name": "later"})).status_code
    second = await gardener.send(f"{old}/succession", {"name": "latest"})
    assert "This community is continued here already." in words(second.text)
    local = await garden.community(gardener)
    assert 400 == (await gardener.send(f"/c/{local}/gone", {"value": "1"})).status_code
