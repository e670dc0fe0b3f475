"""Actors in the shapes in which servers send them, and in shapes that nobody should."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.accounts import ActorKind
from lichen.federation.actors import actor_in, key_in
from lichen.kit import Refused

ACTORS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "golden" / "actors.json").read_text())

# What each of them is to us: kind, name, display name, summary, avatar, shared inbox.
READ = {
    "lemmy person": (ActorKind.PERSON, "nutomic", "Nutomic", "I write *code*.",
                     "https://lemmy.example/pictrs/image/a.webp", "https://lemmy.example/inbox"),
    "lemmy community": (ActorKind.COMMUNITY, "garden", "The Garden", "Everything that grows.",
                        "https://lemmy.example/pictrs/image/g.webp",
                        "https://lemmy.example/inbox"),
    "lemmy site": (ActorKind.SITE, "lemmy.example", "A Lemmy", None, None, ""),
    "mastodon person": (ActorKind.PERSON, "gargron", "Eugen 🐘", "Founder of **Mastodon**.",
                        "https://mastodon.example/avatars/1.png",
                        "https://mastodon.example/inbox"),
    "mastodon bot": (ActorKind.PERSON, "weather", "Weather", None, None,
                     "https://mastodon.example/inbox"),
    "piefed community": (ActorKind.COMMUNITY, "moss", "Moss & Co", "About moss.",
                         "https://piefed.example/static/icon.png",
                         "https://piefed.example/inbox"),
    "mbin magazine": (ActorKind.COMMUNITY, "books", "Books", "We read.", None,
                      "https://mbin.example/f/inbox"),
    "peertube channel": (ActorKind.COMMUNITY, "films", "Films", "Our films.",
                         "https://tube.example/lazy/2.png", "https://tube.example/inbox"),
    "pleroma person": (ActorKind.PERSON, "lain", "lain", "hi", None,
                       "https://pleroma.example/inbox"),
    "wordpress blog": (ActorKind.COMMUNITY, "blog.example", "A Blog", "Notes", None,
                       "https://blog.example/wp-json/activitypub/1.0/inbox"),
    "nodebb category": (ActorKind.COMMUNITY, "general", "General Discussion", None, None,
                        "https://nodebb.example/inbox"),
    "friendica person": (ActorKind.PERSON, "mike", "Mike", None,
                         "https://friendica.example/photo/1.png",
                         "https://friendica.example/inbox"),
}


@pytest.mark.parametrize("name", READ)
def test_every_servers_actor_is_read(name: str) -> None:
    read = actor_in(ACTORS[name])

    draft = read.draft
    assert READ[name] == (draft.kind, draft.name, draft.display_name, draft.summary, draft.avatar,
                          read.shared_inbox)
    assert read.key is not None
    assert read.key.owner == draft.ap_id == ACTORS[name]["id"]
    assert read.key_id.startswith(draft.ap_id)


def test_every_actor_of_the_table_is_expected() -> None:
    assert ACTORS.keys() == READ.keys()


def test_a_community_says_how_it_is_run() -> None:
    read = actor_in(ACTORS["lemmy community"])

    assert (read.nsfw, read.posting_restricted_to_mods, read.languages) == (
        True, True, ("en", "de"))
    assert (read.outbox, read.featured, read.moderators) == tuple(
        f"https://lemmy.example/c/garden/{name}" for name in ("outbox", "featured", "moderators"))


def test_a_bot_says_that_it_is_one() -> None:
    assert actor_in(ACTORS["mastodon bot"]).draft.bot
    assert not actor_in(ACTORS["mastodon person"]).draft.bot


def test_who_moved_says_where_to() -> None:
    read = actor_in(ACTORS["mastodon person"])

    assert read.moved_to == "https://other.example/u/eugen"
    assert read.also_known_as == ("https://old.example/u/eugen",)


PERSON = ACTORS["lemmy person"]


@pytest.mark.parametrize("wrong", [
    {"id": None}, {"id": "not an address"}, {"id": ["https://lemmy.example/u/nutomic"]},
    {"type": "Note"}, {"type": None}, {"type": ["Thing"]}, {"inbox": None},
    {"inbox": "https://victim.example/inbox"}, {"inbox": "ftp://lemmy.example/inbox"},
    {"preferredUsername": ""}, {"preferredUsername": "a b"}, {"preferredUsername": "a@b"},
    {"preferredUsername": "a/b"}, {"preferredUsername": "a" * 300}, {"preferredUsername": 7},
], ids=str)
def test_what_is_no_actor_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="no_actor"):
        actor_in(PERSON | wrong)


@pytest.mark.parametrize("field", ["sharedInbox", "outbox", "followers", "featured"])
def test_addresses_on_other_servers_are_dropped(field: str) -> None:
    """Else anybody could have us send, in our name, wherever it likes."""
    elsewhere = "https://victim.example/x"
    changed = {"endpoints": {field: elsewhere}} if field == "sharedInbox" else {field: elsewhere}

    read = actor_in(PERSON | changed)

    assert elsewhere not in (read.shared_inbox, read.outbox, read.followers, read.featured)


def test_a_key_that_names_another_owner_is_none() -> None:
    key = {**PERSON["publicKey"], "owner": "https://lemmy.example/u/other"}

    assert key_in(PERSON | {"publicKey": key}) == ("", None)


def test_of_several_keys_the_one_that_is_asked_for_is_taken() -> None:
    second = {"id": PERSON["id"] + "#second", "owner": PERSON["id"], "publicKeyPem": "second"}
    person = PERSON | {"publicKey": [PERSON["publicKey"], second]}

    _, key = key_in(person, second["id"])

    assert key is not None
    assert key.public_pem == "second"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20)
    | st.sampled_from(["https://lemmy.example/x", "https://[", "https://a:b/"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["id", "url", "href", "type", "mediaType", "content", "owner",
                         "publicKeyPem", "identifier", "sharedInbox"]), inner, max_size=4),
    max_leaves=12,
)


@given(field=st.sampled_from(sorted({*PERSON, "image", "language", "movedTo", "alsoKnownAs"})),
       value=_json)
def test_any_value_of_any_field_is_read_or_refused(field: str, value: object) -> None:
    """Hostile input is never an error of ours."""
    try:
        actor_in(PERSON | {field: value})
    except Refused as refused:
        assert refused.code == "no_actor"
