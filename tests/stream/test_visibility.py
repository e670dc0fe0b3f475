"""What outsiders hear of everything a forum can do: one act after another, over HTTP.

Each line of the table is an act and all that the stream may say of it, in its order. What is not
in the line may not be in the stream.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lichen.events import Event, decode_events
from lichen.events.visibility import PUBLIC, VISIBILITY
from lichen.house import House
from tests.faces.lemmy_v3.town import everybody_heard, opened
from tests.stream import story as acts
from tests.stream.kept import forms, kept
from tests.stream.story import LATER_SECRET, SECRET, Story

pytestmark = pytest.mark.slow

Acts = tuple[Callable[[Story], Awaitable[None]], str]

TID_LENGTH = 13  # of a record's key that is one's own
TALLY = "update forum.tally"
POSTED = f"create forum.post, {TALLY}, {TALLY}"
COMMENTED = f"create forum.comment, {TALLY}, {TALLY}, {TALLY}"
FOUNDED = f"create forum.community, create forum.moderator, {TALLY}"
JUDGED = "create moderation.action"
SIGNED_UP = "create actor.profile"

TABLE: tuple[Acts, ...] = (
    (acts.sign_up, f"{SIGNED_UP}, {SIGNED_UP}"),
    (acts.be_an_administrator, f"{SIGNED_UP}, update site.settings, update actor.profile"),
    (acts.change_a_profile_and_settings, "update actor.profile"),
    (acts.log_out_of_a_second_session, ""),
    (acts.ask_to_be_let_in, f"update site.settings, {SIGNED_UP}, update site.settings"),
    (acts.bring_somebody_in, SIGNED_UP),
    (acts.ask_for_a_second_factor, ""),
    (acts.go_away_and_come_back, "create actor.away, delete actor.away"),
    (acts.block_somebody, ""),
    (acts.link_an_account_elsewhere_and_move_there,
     f"{SIGNED_UP}, {SIGNED_UP}, {SIGNED_UP}, create actor.move, update actor.profile"),
    (acts.keep_the_site,
     "update site.lists, update site.settings, create site.emoji, delete site.emoji"),
    (acts.keep_house_in_secret, ""),
    (acts.upload_and_block_a_picture, ""),
    (acts.found_a_community, FOUNDED),
    (acts.write_a_post, POSTED),
    (acts.edit_a_post, "update forum.post"),
    (acts.write_and_edit_a_comment, f"{COMMENTED}, update forum.comment"),
    (acts.vote_and_react, f"{TALLY}, update forum.reactionTally"),
    (acts.mark_things, ""),
    (acts.follow_a_community, TALLY),
    (acts.delete_a_post_and_bring_it_back,
     f"delete forum.post, {TALLY}, update forum.post, {TALLY}"),
    (acts.send_a_message, ""),
    (acts.appoint_a_moderator, f"create forum.moderator, {JUDGED}"),
    (acts.remove_a_post_and_put_it_back,
     f"delete forum.post, {TALLY}, {JUDGED}, update forum.post, {TALLY}, {JUDGED}"),
    (acts.report_and_note, ""),
    (acts.ban_from_a_community_and_appeal,
     f"create forum.communityBan, {JUDGED}, delete forum.communityBan, {JUDGED}"),
    (acts.ban_from_the_site, f"{SIGNED_UP}, create site.ban, {JUDGED}"),
    (acts.propose_and_support, "create moderation.proposal"),
    (acts.purge_a_post,
     f"{POSTED}, {COMMENTED}, delete forum.comment, delete forum.post, {TALLY}, {JUDGED}"),
    # The tallies are those of the community and the post around, as they were before.
    (acts.hold_what_a_rule_catches, f"{TALLY}, {TALLY}, {TALLY}"),
    (acts.let_out_what_was_held, f"{TALLY}, create forum.post, {TALLY}, {TALLY}"),
    (acts.take_away_what_was_held, TALLY),
    (acts.found_a_community_for_our_own, ""),
    (acts.live_in_a_community_for_our_own, ""),
    (acts.found_a_community_that_will_be_hidden, f"{FOUNDED}, {POSTED}"),
    (acts.hide_a_community, f"delete forum.community, {JUDGED}"),
    (acts.live_in_a_hidden_community, ""),
    (acts.show_a_community_again, f"update forum.community, {JUDGED}"),
    (acts.purge_a_community_for_our_own, ""),
    (acts.close_a_community_and_open_it, "delete forum.community, update forum.community"),
    # The comment goes too, for it was public; the tally is the community's.
    (acts.write_below_a_post_that_is_gone,
     f"{POSTED}, {COMMENTED}, delete forum.post, {TALLY}, delete forum.comment, {TALLY}"),
    (acts.pass_on_what_a_peer_sent_and_switch_a_plugin, ""),
    (acts.leave_with_everything,
     f"{SIGNED_UP}, {POSTED}, delete actor.profile, delete forum.post, {TALLY}"),
)


class Told(NamedTuple):
    """A whole story: what the log holds, what the stream gives, and the log's end at each act."""

    log: dict[int, Event]
    seen: dict[int, str]
    forms: dict[str, bytes]
    files: dict[str, bytes]
    ends: list[int]
    secret_keys: dict[str, set[str]]


def in_log(house: House) -> dict[int, Event]:
    batch = house.log.read(1, limit=100_000)
    return dict(zip(batch.seqs.tolist(), decode_events(batch.lines()), strict=True))


async def told(folder: Path) -> Told:
    async with opened(folder, "") as town:
        house, story, ends = town.house, Story(town), []
        assert house.stream is not None
        await everybody_heard(house)
        # The eraser would take what is purged out of the stream after some seconds.
        async with house.eraser._one_at_a_time:
            for act, _ in TABLE:
                ends.append(house.log.last_seq)
                await act(story)
                await everybody_heard(house)
        ends.append(house.log.last_seq)
        store, log = house.stream.store, in_log(house)
        seen = {one["cursor"]: f"{one['commit']['operation']} "
                               f"{one['commit']['collection'].removeprefix('lichen.')}"
                for one in kept(store)}
        given = forms(store)
        hidden = {"own community": {
            event.did for event in log.values() if event.collection == "lichen.forum.community"
            and event.operation == "create" and event.outside == "withheld"
        }, "things that hold the word": {
            # A hidden community was known before; what was let out is known now.
            event.rkey for event in log.values()
            if SECRET.encode() in bytes(event.record) and len(event.rkey) == TID_LENGTH
            and event.collection != "lichen.forum.community" and event.rkey != released(log)
        }}
    files = {path.name: path.read_bytes() for path in sorted((folder / "data/stream").rglob("*"))
             if path.is_file()}
    return Told(log, seen, given, files, ends, hidden)


def released(log: dict[int, Event]) -> str:
    """Return the key of the post that was held and then let out."""
    return next(event.rkey for event in log.values() if b"Now it can be read." in bytes(event.record))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return asyncio.run(told(tmp_path_factory.mktemp("story")))


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[act.__name__ for act, _ in TABLE])
def test_the_stream_says_of_an_act_what_its_line_says_and_nothing_else(
    whole: Told, number: int
) -> None:
    first, last = whole.ends[number] + 1, whole.ends[number + 1]

    seen = [what for seq, what in whole.seen.items() if first <= seq <= last]

    assert seen == [what for what in TABLE[number][1].split(", ") if what]


def test_every_collection_there_is_occurs_in_the_story(whole: Told) -> None:
    assert set(VISIBILITY) == {event.collection for event in whole.log.values()}


def test_every_public_collection_is_shown_and_withheld_in_the_story(whole: Told) -> None:
    """What only ever is shown is of the site and its people, or says itself that it is public."""
    public = {one for one, visibility in VISIBILITY.items() if visibility is PUBLIC}
    shown = {whole.log[seq].collection for seq in whole.seen}
    withheld = {event.collection for event in whole.log.values() if event.outside == "withheld"}

    assert shown == public
    assert public - withheld == {
        "lichen.actor.profile", "lichen.actor.away", "lichen.actor.move", "lichen.site.settings",
        "lichen.site.ban", "lichen.site.lists", "lichen.site.emoji",
    }


@pytest.mark.parametrize("form", ["plain", "compressed"])
def test_no_form_of_the_stream_holds_a_word_or_a_key_of_what_is_private(
    whole: Told, form: str
) -> None:
    given = whole.forms[form]

    assert b"A post" in given
    for word in (SECRET, LATER_SECRET):
        assert word.encode() not in given
    for kind, keys in whole.secret_keys.items():
        assert keys, kind
        assert [key for key in keys if key.encode() in given] == [], kind


def test_no_file_of_the_stream_holds_a_word_of_what_is_private(whole: Told) -> None:
    assert any(b"A post" in content for content in whole.files.values())
    assert [name for name, content in whole.files.items()
            if SECRET.encode() in content or LATER_SECRET.encode() in content] == []


def test_sequences_and_times_are_those_of_the_log(whole: Told) -> None:
    assert set(whole.seen) <= set(whole.log)
    assert list(whole.seen) == sorted(whole.seen)


async def shut_and_opened(folder: Path) -> tuple[int, list[str]]:
    async with opened(folder, "") as town:
        story = Story(town)
        assert town.house.stream is not None
        for act in (acts.sign_up, acts.be_an_administrator, acts.found_a_community,
                    acts.write_a_post):
            await act(story)
        await everybody_heard(town.house)
        before = len(kept(town.house.stream.store))
        await acts.live_behind_a_door(story)
        await story.post("open", name="Open again")
        await everybody_heard(town.house)
        return before, [str(one["commit"].get("record", {}).get("name"))
                        for one in kept(town.house.stream.store)]


def test_a_site_that_lets_members_alone_read_takes_everything_back(tmp_path: Path) -> None:
    """What is written behind the door is never let out; what is written after it was opened is."""
    before, names = asyncio.run(shut_and_opened(tmp_path))

    assert before > 0
    assert "Open again" in names
    assert not {"A post", f"{LATER_SECRET} among us"}.intersection(names)
    assert len(names) == len(POSTED.split(", "))
