"""A community with everybody who may have a say in it: who moderates, who does not, who is out."""

from typing import NamedTuple

from tests.faces.lemmy_v3.town import Person, Town


class Precinct(NamedTuple):
    """A community, what is in it, and its people; `ids` by the names of their parts."""

    stranger: Person
    member: Person
    banned: Person
    elsewhere: Person
    moderator: Person
    admin: Person
    ids: dict[str, int]
    community_id: int
    post_id: int
    comment_id: int


async def id_of(person: Person) -> int:
    """Return a person's number."""
    shown = await person.get("/user", username=person.name)
    return int(shown.json()["person_view"]["person"]["id"])


async def precinct(town: Town) -> Precinct:
    """Found a community with a post and a comment of a member, and people of every sort."""
    moderator, member, banned, elsewhere, admin = [
        await town.person(stem) for stem in ("mod", "member", "banned", "elsewhere", "admin")
    ]
    accounts = town.house.rooms.accounts
    admin_id = await id_of(admin)
    await town.house.store.write(
        lambda unit: accounts.promote(unit, None, admin_id, admin=True)
    )
    await town.community(elsewhere)
    community_id = await town.community(moderator)
    post_id = await town.post(member, community_id)
    comment_id = await town.comment(member, post_id)
    ids = {name: await id_of(one) for name, one in (
        ("moderator", moderator), ("member", member), ("banned", banned),
        ("elsewhere", elsewhere), ("admin", admin),
    )}
    out = await moderator.post(
        "/community/ban_user", community_id=community_id, person_id=ids["banned"], ban=True
    )
    assert out.status_code == 200, out.text
    return Precinct(town.stranger, member, banned, elsewhere, moderator, admin, ids,
                    community_id, post_id, comment_id)
