"""What hooks may say, and in which order they are asked."""

from typing import NamedTuple

import pytest

from lichen.kit import Reason, Unavailable
from lichen.plugins import (
    Allow,
    Hold,
    Hooks,
    Picture,
    PictureChecks,
    PictureDoor,
    Refuse,
    RefusedByPlugin,
    Registration,
    Vote,
    hookimpl,
)
from lichen.plugins.child import register_of
from lichen.plugins.errors import PluginFailed
from lichen.plugins.judges import InHouse
from tests.plugins.conftest import MIRA, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine() -> str:
    return "sqlite"  # the hooks know no rows


async def test_nobody_is_asked_where_nobody_wants_to_be(planted):
    room = await planted(on="", judging="judging")

    assert not room.plugins.hooks.asks("before_create")
    assert (text("forbidden"), ()) == await room.plugins.hooks.before_create(MIRA, text("forbidden"))


async def test_a_refusal_carries_code_text_and_reason(planted):
    hooks = (await planted(judging="judging")).plugins.hooks

    with pytest.raises(RefusedByPlugin) as refused:
        await hooks.before_create(MIRA, text("so forbidden"))

    assert ("that_word", "That word is not said here.") == (refused.value.code, refused.value.text)
    assert refused.value.reason.rule == "words"
    assert refused.value.reason.decided_by == "judging"


async def test_a_change_is_what_is_written(planted):
    hooks = (await planted(judging="judging")).plugins.hooks

    ruling = await hooks.before_create(MIRA, text("a loud word"))

    assert ("A LOUD WORD", ()) == (ruling.subject.body, ruling.holds)


async def test_a_hold_tells_why(planted):
    hooks = (await planted(judging="judging")).plugins.hooks

    ruling = await hooks.before_create(MIRA, text("doubtful"))

    assert [("doubt", "judging")] == [(one.rule, one.decided_by) for one in ruling.holds]


async def test_votes_and_registrations_are_asked_about(planted):
    hooks = (await planted(judging="judging")).plugins.hooks
    coming = {"answer": None, "address": None}

    with pytest.raises(RefusedByPlugin, match="be_kind"):
        await hooks.before_vote(MIRA, Vote(kind="post", subject_id=1, value=-1))
    with pytest.raises(RefusedByPlugin):
        await hooks.check_registration(name="otto", email="o@Spam.example", **coming)
    (held,) = await hooks.check_registration(name="odd_one", email=None, **coming)
    assert held.rule
    assert not await hooks.check_registration(name="otto", email=None, **coming)


async def test_plugins_are_asked_by_name_but_for_those_that_want_another_place(planted):
    room = await planted(
        a="signing:last", b="signing:b", c="signing:a", d="signing:first", e="judging"
    )

    ruling = await room.plugins.hooks.before_create(MIRA, text("-"))

    assert "-1ba9" == ruling.subject.body


async def test_who_comes_later_sees_what_was_changed(planted):
    """`signing:b` makes nothing loud; the judge that comes after it shouts its letter too."""
    hooks = (await planted(a="signing:b", judging="judging")).plugins.hooks

    assert "LOUDB" == (await hooks.before_create(MIRA, text("loud"))).subject.body


async def test_after_a_refusal_nobody_else_is_asked():
    asked = []

    class Check(InHouse):
        @hookimpl
        async def before_vote(self, person, vote):
            asked.append(self.name)
            return Refuse(text="No.", reason=Reason(rule="no"), code="NOT A CODE")

    hooks = Hooks()
    hooks.join(Check("one"))
    hooks.join(Check("two"))

    with pytest.raises(RefusedByPlugin) as refused:
        await hooks.before_vote(MIRA, Vote(kind="post", subject_id=1, value=1))

    assert ["two"] == asked  # who joined last is asked first
    assert "refused_by_plugin" == refused.value.code


async def test_the_houses_own_checks_are_plugins_too_and_come_first(planted):
    class Rules(InHouse):
        @hookimpl
        async def before_create(self, person, writing):
            if "spam" in writing.body:
                return Hold(reason=Reason(rule=writing.body, decided_by="rule 4"))
            return Allow()

    plugins = (await planted(a="signing:first")).plugins
    plugins.join(Rules("rules", "Looks for spam."))

    ruling = await plugins.hooks.before_create(MIRA, text("spam"))

    assert ("spam1", [("spam", "rule 4")]) == (
        ruling.subject.body, [(one.rule, one.decided_by) for one in ruling.holds])
    assert [True, False] == [one.is_house for one in plugins.standings()]
    own = plugins.standings()[0]
    assert (("before_create",), "Looks for spam.") == (own.hooks, own.about)


async def test_a_plugin_that_comes_later_and_wants_to_be_first_comes_behind_the_house(planted):
    """What the house refuses, a picture on its list say, is shown to nobody else."""
    class Early(InHouse):
        is_house = False

        @hookimpl(tryfirst=True)
        async def before_vote(self, person, vote):
            asked.append(self.name)

    class Own(InHouse):
        @hookimpl
        async def before_vote(self, person, vote):
            asked.append(self.name)

    asked: list[str] = []
    hooks = Hooks()
    hooks.join(Own("own"))
    hooks.join(Early("early"))

    await hooks.before_vote(MIRA, Vote(kind="post", subject_id=1, value=1))

    assert ["own", "early"] == asked


def test_what_is_asked_inside_a_command_is_for_the_house_alone():
    class Meddling:
        @hookimpl
        def judge_written(self, unit, written):
            return []

    with pytest.raises(TypeError, match="judge_written"):
        register_of(Meddling())


def test_a_check_inside_a_command_that_fails_ends_the_command():
    class Broken(InHouse):
        @hookimpl
        def judge_written(self, unit, written):
            raise Unavailable("the rules are away")

    hooks = Hooks()
    assert [] == hooks.judge_written(None, [1])
    hooks.join(Broken("rules"))

    with pytest.raises(Unavailable):
        hooks.judge_written(None, [1])


async def test_pictures_are_checked_by_who_knows_their_hashes():
    class Hashes:
        async def check_picture(self, person, picture):
            if picture.sha256 == "bad":
                return Refuse(text="Known.", reason=Reason(rule="hash"), code="known_picture")
            return None

    hooks = Hooks()
    hooks.join(PictureChecks("hashes", Hashes()))
    good = Picture(sha256="good", media_type="image/png", width=1, height=1)

    assert (good, ()) == await hooks.before_picture(MIRA, good)
    with pytest.raises(RefusedByPlugin, match="known_picture"):
        await hooks.before_picture(MIRA, Picture(sha256="bad", media_type="", width=1, height=1))


async def test_plugins_have_their_say_at_the_door_of_pictures():
    """`media` asks through a port; what it tells is more than plugins need to know."""

    class Small:
        async def check_picture(self, person, picture):
            if picture.width < 10:
                return Refuse(text="Too small.", reason=Reason(rule=f"small {picture.media_type}"))
            return None

    class Seen(NamedTuple):
        sha256: str = "ab"
        kept_sha256: str = "ac"
        likeness: int = 7
        kind: str = "png"
        width: int = 1
        height: int = 1
        uploader_id: int | None = None

    hooks = Hooks()
    door = PictureDoor(hooks)
    assert await door.judge(Seen(), b"") is None
    hooks.join(PictureChecks("small", Small()))

    refused = await door.judge(Seen(), b"")

    assert ("small image/png", "small") == (refused.rule, refused.decided_by)
    assert await door.judge(Seen(width=10), b"") is None


async def test_a_check_of_the_house_that_fails_stops_what_it_was_to_check():
    """A hash list that cannot be read lets nothing pass."""

    class Broken(InHouse):
        @hookimpl
        async def before_registration(self, registration):
            raise PluginFailed("the list is away")

    hooks = Hooks()
    hooks.join(Broken("list"))

    with pytest.raises(Unavailable):
        await hooks.before_registration(Registration(name="mira"))
