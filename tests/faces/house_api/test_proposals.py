"""Proposals through the API: who may do what, nothing changed where it is refused, and the way."""

import pytest

from lichen.faces.house_api.calls import CALLS
from tests.faces.house_api.test_rules import ask
from tests.faces.lemmy_v3.precinct import Precinct, precinct
from tests.faces.lemmy_v3.test_permissions import ADMINS, IN, JUDGES, MOD, OK, SPEAKERS
from tests.faces.lemmy_v3.town import Person, Town, everybody_heard

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ALL = (OK,) * 6
OWN, DONE = "not_your_proposal", "already_decided"
WORDS = {"title": "A rule against lamps", "text": "They are *sold* here."}
NAMED: dict[str, object] = {"proposal_id": 0}
WHY = {**NAMED, "reason": "So be it."}
# call × (anonymous, person, banned, moderator elsewhere, moderator, administrator) → code. The
# first five of each are about a proposal of somebody else; what a moderator did, an administrator
# finds done.
MATRIX: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "GET /proposal/list": ({"community_id": 0}, ALL),
    "GET /proposal": (NAMED, ALL),
    "GET /proposal/passed_up": ({}, ADMINS),
    "POST /proposal": ({"community_id": 0, **WORDS}, SPEAKERS),
    "POST /proposal/support": (NAMED, SPEAKERS),
    "POST /proposal/withdraw": (NAMED, (IN, OWN, OWN, OWN, OWN, OWN)),
    "POST /proposal/pass_up": (WHY, (IN, MOD, MOD, MOD, OK, "couldnt_move_proposal")),
    "POST /proposal/hand_back": (WHY, (IN, MOD, MOD, MOD, "not_an_admin", "couldnt_move_proposal")),
    "POST /proposal/answer": ({**WHY, "state": "accepted"}, (*JUDGES[:5], DONE)),
}


@pytest.fixture
async def here(town: Town) -> Precinct:
    return await precinct(town)


async def proposed(here: Precinct, author: Person) -> int:
    made = await ask(author, "POST", "/proposal", community_id=here.community_id, **WORDS)
    assert made.status_code == 200, made.text
    return int(made.json()["proposal"]["id"])


@pytest.mark.parametrize("call", MATRIX)
async def test_everybody_may_do_what_the_table_says(
    call: str, town: Town, here: Precinct
) -> None:
    asked, expected = MATRIX[call]
    method, path = call.split()
    numbers = {"community_id": here.community_id,
               "proposal_id": await proposed(here, await town.person())}
    filled = {name: numbers.get(name, value) for name, value in asked.items()}
    codes = []
    for person in (here.stranger, here.member, here.banned, here.elsewhere, here.moderator,
                   here.admin):
        before = town.house.log.last_seq
        answer = await ask(person, method, path, **filled)
        codes.append(answer.json().get("error", OK))
        assert (codes[-1] == OK) == (answer.status_code == 200)
        assert codes[-1] == OK or town.house.log.last_seq == before, "refused, nothing changes"

    assert tuple(codes) == expected


def test_every_call_about_proposals_is_in_the_table() -> None:
    assert set(MATRIX) == {
        f"{call.method} {call.path}" for call in CALLS if call.path.startswith("/proposal")
    }


async def test_a_proposal_goes_its_way_and_everybody_who_is_behind_it_hears(
    town: Town, here: Precinct
) -> None:
    author = await town.person()
    number = await proposed(here, author)
    voices = [await town.person() for _ in range(5)]
    for voice in voices:
        last = await ask(voice, "POST", "/proposal/support", proposal_id=number)
    up = await ask(here.moderator, "POST", "/proposal/pass_up", proposal_id=number,
                   reason="Not ours to say.")
    listed = await ask(here.admin, "GET", "/proposal/passed_up")
    done = await ask(here.admin, "POST", "/proposal/answer", proposal_id=number,
                     state="declined", reason="Lamps are fine.")
    await everybody_heard(town.house)

    shown = last.json()["proposal"]
    assert (shown["supports"], shown["supported"], "queued" in shown) == (5, True, True)
    assert up.json()["steps"][0]["role"] == "moderator"
    assert number in [one["id"] for one in listed.json()["proposals"]]
    assert done.json()["reason"]["rule"] == "proposal: declined"
    for person, count in ((author, 2), (voices[0], 1), (voices[4], 1)):
        rooms = town.house.rooms
        viewer = await rooms.accounts.viewer(person.headers["authorization"][7:])
        told = await town.house.store.read(
            lambda unit, viewer=viewer: rooms.notifications.proposal_notices(unit, viewer))
        assert [one.proposal_id for one in told] == [number] * count
        assert (told[0].kind, told[0].reason) == ("declineProposal", "Lamps are fine.")


@pytest.mark.parametrize(("asked", "code"), [
    ({"title": "", "text": "x"}, "invalid_proposal_title"),
    ({"title": "A title", "text": ""}, "invalid_proposal_text"),
    ({"title": "A title"}, "invalid_field"),
    ({"title": "A title", "text": "a\x00b"}, "invalid_text"),
    ({"title": "A title", "text": "x" * 10_001}, "invalid_proposal_text"),
])
async def test_bad_input_is_refused(town: Town, here: Precinct, asked, code: str) -> None:
    answer = await ask(here.member, "POST", "/proposal", community_id=here.community_id, **asked)

    assert (answer.status_code, answer.json()["error"]) == (400, code)


async def test_new_accounts_propose_as_often_as_they_post(town: Town, here: Precinct) -> None:
    """A proposal counts as a post of the day; see the settings `newcomers`."""
    rooms = town.house.rooms
    newcomers = rooms.accounts.newcomers
    viewer = await rooms.accounts.viewer(here.member.headers["authorization"][7:])
    newcomers._is_on = True
    try:
        await town.house.store.write(lambda unit: _spend(unit, newcomers, viewer))
        answer = await ask(here.member, "POST", "/proposal", community_id=here.community_id,
                           **WORDS)
    finally:
        newcomers._is_on = False

    assert (answer.status_code, answer.json()["error"]) == (429, "rate_limit_error")


def _spend(unit, newcomers, viewer) -> None:
    """Use up what a new account may post in a day."""
    from lichen.accounts import Act
    from lichen.kit import TooMany

    with pytest.raises(TooMany):
        while True:
            counting = newcomers.begin(unit, viewer, Act.POST)
            counting.end(unit, unit.fetch_all(*counting.queries))
