"""Everything that a forum can do, public and private, one act after another, over HTTP.

What needs another server, a plugin or a letter is done by the rooms' own commands instead. Every
text that outsiders may never see holds the word SECRET.
"""

from collections.abc import Callable
from typing import Any

from httpx import Response

from lichen.accounts import AccountDraft, ActorDraft, ActorKind, Permission, Viewer
from lichen.accounts.totp import code_at
from lichen.events import event_of
from lichen.events.federation import Accepted
from lichen.events.plugins import Switch
from lichen.forum import NewCommunity, SubjectKind
from lichen.kit.flags import Flag
from lichen.store import Unit
from tests.erasing.test_erasing import made_png
from tests.faces.house_api.test_rules import ask
from tests.faces.lemmy_v3.town import PASSWORD, Person, Town, fresh_name

SECRET = "quokkasecret"
LATER_SECRET = "wombatsecret"  # the rule that holds the first one knows nothing of it
DAY_US = 86_400_000_000


class Story:
    """A town, who is in it, and what they have made so far, by a word for each."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.house = town.house
        self.people: dict[str, Person] = {}
        self.ids: dict[str, int] = {}

    @property
    def mira(self) -> Person:
        """Who founded the communities."""
        return self.people["mira"]

    @property
    def otto(self) -> Person:
        """Who writes."""
        return self.people["otto"]

    @property
    def keeper(self) -> Person:
        """Who administers the site."""
        return self.people["keeper"]

    async def viewer(self, person: Person) -> Viewer:
        """Return somebody as the rooms know them."""
        found = await self.house.rooms.accounts.viewer(person.headers["authorization"][7:])
        assert found is not None
        return found

    async def person_id(self, person: Person) -> int:
        """Return somebody's number."""
        return (await self.viewer(person)).id

    async def write(self, command: Callable[[Unit], object]) -> Any:
        """Do what no address does."""
        return await self.house.store.write(command)

    async def post(self, place: str, author: Person | None = None, **fields: Any) -> int:
        """Write a post in a community by its word."""
        return await self.town.post(author or self.otto, self.ids[place], **fields)


def done(answer: Response) -> Any:
    """Return what an answer holds, of a call that has to succeed."""
    assert answer.status_code == 200, answer.text
    return answer.json()


# People and their own affairs.

async def sign_up(story: Story) -> None:
    for name in ("mira", "otto"):
        story.people[name] = await story.town.person(name)


async def be_an_administrator(story: Story) -> None:
    story.people["keeper"] = await story.town.keeper()


async def change_a_profile_and_settings(story: Story) -> None:
    done(await story.otto.put("/user/save_user_settings", bio="I write.", theme=f"{SECRET}-theme",
                              email=f"{SECRET}@example.org"))


async def log_out_of_a_second_session(story: Story) -> None:
    again = done(await story.otto.post("/user/login", username_or_email=story.otto.name,
                                       password=PASSWORD))
    second = Person(story.otto.client, story.otto.name,
                    {"authorization": f"Bearer {again['jwt']}"})
    done(await second.post("/user/logout"))


async def ask_to_be_let_in(story: Story) -> None:
    done(await story.keeper.put("/site", registration_mode="RequireApplication",
                                application_question="Why?"))
    await story.town.stranger.post("/user/register", username=fresh_name("asker"),
                                   password=PASSWORD, password_verify=PASSWORD,
                                   answer=f"{SECRET} is why.")
    listed = done(await story.keeper.get("/admin/registration_application/list"))
    number = listed["registration_applications"][0]["registration_application"]["id"]
    done(await story.keeper.put("/admin/registration_application/approve", id=number,
                                approve=False, deny_reason=f"{SECRET} no."))
    done(await story.keeper.put("/site", registration_mode="Open"))


async def bring_somebody_in(story: Story) -> None:
    accounts, viewer = story.house.rooms.accounts, await story.viewer(story.mira)
    invite = await story.write(lambda unit: accounts.create_invite(unit, viewer, uses_max=2, days=1))
    await accounts.register(fresh_name("guest"), PASSWORD, invite=invite.code, address=None,
                            agent=SECRET)


async def ask_for_a_second_factor(story: Story) -> None:
    made = done(await story.mira.post("/user/totp/generate"))
    secret = made["totp_secret_url"].partition("secret=")[2].partition("&")[0]
    code = code_at(secret, story.house.ground.clock() // 30_000_000)
    done(await story.mira.post("/user/totp/update", totp_token=code, enabled=True))


async def go_away_and_come_back(story: Story) -> None:
    accounts, viewer = story.house.rooms.accounts, await story.viewer(story.otto)
    await story.write(lambda unit: accounts.go_away(
        unit, viewer, "At the sea.", until_us=unit.clock_us + DAY_US))
    await story.write(lambda unit: accounts.come_back(unit, viewer))


async def block_somebody(story: Story) -> None:
    done(await story.otto.post("/user/block", person_id=await story.person_id(story.mira),
                               block=True))
    done(await story.otto.post("/user/block", person_id=await story.person_id(story.mira),
                               block=False))


async def link_an_account_elsewhere_and_move_there(story: Story) -> None:
    accounts = story.house.rooms.accounts

    def command(unit: Unit) -> None:
        leaver, linked = accounts.create_accounts(unit, [AccountDraft(
            actor=ActorDraft(kind=ActorKind.PERSON, name=fresh_name("leaver")), password_hash="-",
        ) for _ in range(2)])
        (other,) = accounts.create_actors(unit, [ActorDraft(
            kind=ActorKind.PERSON, name="elsewhere", domain="peer.example",
            ap_id="https://peer.example/u/elsewhere", inbox="https://peer.example/inbox",
        )])
        accounts.keep_link(unit, linked, other, "message")
        accounts.keep_move(unit, leaver.actor, other)

    await story.write(command)


# The site.

async def keep_the_site(story: Story) -> None:
    done(await story.keeper.put("/site", description="A site.", taglines=["Hello."]))
    made = done(await story.keeper.post(
        "/custom_emoji", category="plants", shortcode="moss", image_url="https://e.example/m.png",
        alt_text="Moss.", keywords=[]))
    number = made["custom_emoji"]["custom_emoji"]["id"]
    done(await story.keeper.post("/custom_emoji/delete", id=number))


async def keep_house_in_secret(story: Story) -> None:
    accounts, viewer = story.house.rooms.accounts, await story.viewer(story.keeper)
    otto_id = await story.person_id(story.otto)
    await story.write(lambda unit: accounts.set_flag(
        unit, viewer, Flag.LIVE_THREADS, on=True))
    await story.write(lambda unit: accounts.give_role(
        unit, viewer, otto_id, title=f"{SECRET} role", permissions=[Permission.EDIT_SITE]))


async def upload_and_block_a_picture(story: Story) -> None:
    sent = await story.otto.client.post(
        "/pictrs/image", headers=story.otto.headers,
        files={"images[]": (f"{SECRET}.png", made_png())})
    file = sent.json()["files"][0]["file"]
    done(await ask(story.keeper, "POST", "/picture/block", picture=file, note=SECRET))


# Words.

async def found_a_community(story: Story) -> None:
    story.ids["open"] = await story.town.community(story.mira)


async def write_a_post(story: Story) -> None:
    story.ids["post"] = await story.post("open", name="A post", body="Words of a post.")


async def edit_a_post(story: Story) -> None:
    done(await story.otto.put("/post", post_id=story.ids["post"], body="Better words."))


async def write_and_edit_a_comment(story: Story) -> None:
    story.ids["comment"] = await story.town.comment(story.mira, story.ids["post"])
    done(await story.mira.put("/comment", comment_id=story.ids["comment"], content="Other words."))


async def vote_and_react(story: Story) -> None:
    done(await story.mira.post("/post/like", post_id=story.ids["post"], score=1))
    done(await ask(story.mira, "POST", "/reaction", emoji="🌿", post_id=story.ids["post"]))


async def mark_things(story: Story) -> None:
    post = story.ids["post"]
    done(await story.mira.put("/post/save", post_id=post, save=True))
    done(await story.mira.post("/post/hide", post_ids=[post], hide=True))
    done(await story.mira.post("/post/mark_as_read", post_ids=[post], read=True))
    done(await story.otto.post("/user/mark_all_as_read"))


async def follow_a_community(story: Story) -> None:
    done(await story.otto.post("/community/follow", community_id=story.ids["open"], follow=True))


async def delete_a_post_and_bring_it_back(story: Story) -> None:
    for deleted in (True, False):
        done(await story.otto.post("/post/delete", post_id=story.ids["post"], deleted=deleted))


async def send_a_message(story: Story) -> None:
    sent = done(await story.otto.post(
        "/private_message", recipient_id=await story.person_id(story.mira), content=SECRET))
    number = sent["private_message_view"]["private_message"]["id"]
    done(await story.mira.post("/private_message/mark_as_read", private_message_id=number, read=True))


# What moderators do.

async def appoint_a_moderator(story: Story) -> None:
    done(await story.mira.post("/community/mod", community_id=story.ids["open"], added=True,
                               person_id=await story.person_id(story.keeper)))


async def remove_a_post_and_put_it_back(story: Story) -> None:
    for removed in (True, False):
        done(await story.mira.post("/post/remove", post_id=story.ids["post"], removed=removed,
                                   reason="The log is public."))


async def report_and_note(story: Story) -> None:
    otto_id = await story.person_id(story.otto)
    done(await story.otto.post("/comment/report", comment_id=story.ids["comment"], reason=SECRET))
    for kind in ("note", "strike"):
        done(await ask(story.mira, "POST", "/remark", person_id=otto_id, kind=kind, text=SECRET,
                       community_id=story.ids["open"]))


async def ban_from_a_community_and_appeal(story: Story) -> None:
    otto_id = await story.person_id(story.otto)
    moderation, viewer = story.house.rooms.moderation, await story.viewer(story.otto)
    done(await story.mira.post("/community/ban_user", community_id=story.ids["open"],
                               person_id=otto_id, ban=True, reason="The log is public."))
    (entry, *_) = await story.house.store.read(
        lambda unit: moderation.actions_about(unit, viewer, page=1, limit=1))
    done(await ask(story.otto, "POST", "/appeal", action_id=entry.action.id, text=SECRET))
    done(await story.mira.post("/community/ban_user", community_id=story.ids["open"],
                               person_id=otto_id, ban=False))


async def ban_from_the_site(story: Story) -> None:
    rogue = await story.town.person("rogue")
    done(await story.keeper.post("/user/ban", person_id=await story.person_id(rogue), ban=True,
                                 reason="The log is public."))


async def propose_and_support(story: Story) -> None:
    made = done(await ask(story.otto, "POST", "/proposal", community_id=story.ids["open"],
                          title="A proposal", text="Let us."))
    done(await ask(story.mira, "POST", "/proposal/support", proposal_id=made["proposal"]["id"]))


async def purge_a_post(story: Story) -> None:
    post = await story.post("open", name="Soon gone")
    await story.town.comment(story.mira, post)
    done(await story.keeper.post("/admin/purge/post", post_id=post))


# What nobody outside may hear of.

async def hold_what_a_rule_catches(story: Story) -> None:
    rule = done(await ask(story.mira, "POST", "/rule", community_id=story.ids["open"],
                          name=f"{SECRET} rule", action="hold", mode="on",
                          program=f"contains(text, {{'{SECRET}'}})"))["rule"]
    done(await ask(story.mira, "POST", "/rule", rule_id=rule["id"], mode="on"))
    story.ids["held"] = await story.post("open", name=f"{SECRET} held", body=SECRET)
    await story.town.comment(story.otto, story.ids["post"], content=f"{SECRET} held too")


async def let_out_what_was_held(story: Story) -> None:
    post = await story.post("open", name=f"{SECRET} caught, then read")
    done(await story.otto.put("/post", post_id=post, name="Now it can be read."))
    forum, viewer = story.house.rooms.forum, await story.viewer(story.mira)
    await story.write(lambda unit: forum.approve_held(unit, viewer, SubjectKind.POST, post))


async def take_away_what_was_held(story: Story) -> None:
    done(await story.mira.post("/post/remove", post_id=story.ids["held"], removed=True,
                               reason=SECRET))
    done(await story.keeper.post("/admin/purge/post", post_id=story.ids["held"], reason=SECRET))


async def found_a_community_for_our_own(story: Story) -> None:
    forum, mira_id = story.house.rooms.forum, await story.person_id(story.mira)
    (made,) = await story.write(lambda unit: forum.create_communities(unit, [NewCommunity(
        actor=ActorDraft(kind=ActorKind.COMMUNITY, name=f"{SECRET}_own"), creator_id=mira_id,
        local_only=True,
    )]))
    story.ids["own"] = made.id


async def live_in(story: Story, place: str) -> None:
    """Do in a community all that is public elsewhere."""
    otto_id, here = await story.person_id(story.otto), story.ids[place]
    post = await story.post(place, name=f"{SECRET} post", body=SECRET)
    comment = await story.town.comment(story.mira, post, content=SECRET)
    done(await story.otto.put("/post", post_id=post, name=f"{SECRET} edited"))
    done(await story.mira.post("/post/like", post_id=post, score=1))
    done(await story.otto.post("/comment/like", comment_id=comment, score=1))
    done(await ask(story.mira, "POST", "/reaction", emoji="🍂", post_id=post))
    done(await story.mira.post("/community/mod", community_id=here, added=True, person_id=otto_id))
    done(await story.mira.post("/community/mod", community_id=here, added=False, person_id=otto_id))
    done(await story.mira.post("/community/ban_user", community_id=here, person_id=otto_id,
                               ban=True, reason=SECRET))
    done(await story.mira.post("/community/ban_user", community_id=here, person_id=otto_id,
                               ban=False, reason=SECRET))
    made = done(await ask(story.otto, "POST", "/proposal", community_id=here,
                          title=f"{SECRET} proposal", text=SECRET))
    done(await ask(story.mira, "POST", "/proposal/answer", proposal_id=made["proposal"]["id"],
                   state="accepted", reason=SECRET))
    done(await story.mira.put("/community", community_id=here, description=SECRET))
    done(await story.mira.post("/post/lock", post_id=post, locked=True))
    for removed in (True, False, True):
        done(await story.mira.post("/comment/remove", comment_id=comment, removed=removed,
                                   reason=SECRET))
    done(await story.keeper.post("/admin/purge/comment", comment_id=comment, reason=SECRET))
    done(await story.otto.post("/post/delete", post_id=post, deleted=True))
    done(await story.keeper.post("/admin/purge/post", post_id=post, reason=SECRET))


async def live_in_a_community_for_our_own(story: Story) -> None:
    await live_in(story, "own")


async def found_a_community_that_will_be_hidden(story: Story) -> None:
    story.ids["hidden"] = await story.town.community(story.mira)
    story.ids["known"] = await story.post("hidden", name="Known before")


async def hide_a_community(story: Story) -> None:
    done(await story.keeper.put("/community/hide", community_id=story.ids["hidden"], hidden=True,
                                reason="The log is public."))


async def live_in_a_hidden_community(story: Story) -> None:
    await live_in(story, "hidden")
    done(await story.mira.post("/post/like", post_id=story.ids["known"], score=1))


async def show_a_community_again(story: Story) -> None:
    done(await story.mira.put("/community", community_id=story.ids["hidden"], description="Ours."))
    done(await story.keeper.put("/community/hide", community_id=story.ids["hidden"], hidden=False))


async def purge_a_community_for_our_own(story: Story) -> None:
    done(await story.keeper.post("/admin/purge/community", community_id=story.ids["own"],
                                 reason=SECRET))


async def close_a_community_and_open_it(story: Story) -> None:
    for deleted in (True, False):
        done(await story.mira.post("/community/delete", community_id=story.ids["hidden"],
                                   deleted=deleted))


async def write_below_a_post_that_is_gone(story: Story) -> None:
    post = await story.post("open", name="Gone, with something below")
    comment = await story.town.comment(story.mira, post)
    done(await story.otto.post("/post/delete", post_id=post, deleted=True))
    done(await story.mira.put("/comment", comment_id=comment, content=f"{LATER_SECRET} edit"))
    done(await story.mira.post("/comment/delete", comment_id=comment, deleted=True))


async def pass_on_what_a_peer_sent_and_switch_a_plugin(story: Story) -> None:
    """Tell what takes a peer, and a plugin that is installed, to happen."""
    site = story.house.rooms.accounts.current_site.actor
    tids = story.house.ground.tids
    records = (Accepted(activity=1, community=site.did),
               Switch(name=SECRET, on=True, updated_at="2026-01-01T00:00:00Z"))
    await story.write(lambda unit: unit.emit(*(
        event_of(record, id=tids.next(), did=site.did, operation="create", rkey=tids.next())
        for record in records
    )))


async def leave_with_everything(story: Story) -> None:
    leaver = await story.town.person("gone")
    await story.post("open", leaver, name="Mine")
    done(await leaver.post("/user/delete_account", password=PASSWORD, delete_content=True))


async def live_behind_a_door(story: Story) -> None:
    """Let members alone read for a while."""
    done(await story.keeper.put("/site", federation_enabled=False))
    done(await story.keeper.put("/site", private_instance=True))
    await story.post("open", name=f"{LATER_SECRET} among us", body=LATER_SECRET)
    done(await story.keeper.put("/site", private_instance=False))


