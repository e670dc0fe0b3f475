"""The values that hooks are given and give back: plain, frozen, documented field by field.

Nothing of the rooms' insides is here, so rooms may change while plugins stay. docs/hooks.md is made
from these types; fields are only added, with defaults.

Pure: nothing here reads a clock, a file or a row.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from lichen.kit.reasons import Reason


def said(text: str) -> msgspec.Meta:
    """Describe a field, for docs/hooks.md."""
    return msgspec.Meta(description=text)


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of everything that a hook is given."""


class Person(Value, frozen=True):
    """Who acts."""

    id: Annotated[int, said("the person's number here")]
    name: Annotated[str, said("the name, without the host")]
    did: Annotated[str, said("the DID, which never changes")]
    admin: Annotated[bool, said("whether they administer the site")] = False
    bot: Annotated[bool, said("whether they say that they are a robot")] = False
    published_us: Annotated[int, said("when the account was made, µs since 1970")] = 0


class Writing(Value, frozen=True):
    """A post or a comment that is about to be written or changed.

    In an edit, None stays as it is.
    """

    kind: Annotated[Literal["post", "comment"], said("which of the two")]
    id: Annotated[int, said("its number; 0 while it is new")] = 0
    community_id: Annotated[int, said("the community of a new post; 0 elsewhere")] = 0
    post_id: Annotated[int, said("the post that a new comment stands below; 0 elsewhere")] = 0
    parent_id: Annotated[int | None, said("the comment that a new comment answers")] = None
    title: Annotated[str | None, said("a post's title")] = None
    url: Annotated[str | None, said("the address that a post points to")] = None
    body: Annotated[str | None, said("the text, in Markdown")] = None
    alt_text: Annotated[str | None, said("what a post's picture shows, in words")] = None
    nsfw: Annotated[bool | None, said("whether a post is not safe for work")] = None
    language_id: Annotated[int | None, said("the language's number, 0 for none")] = None


class Vote(Value, frozen=True):
    """A vote that is about to be cast."""

    kind: Annotated[Literal["post", "comment"], said("what is voted on")]
    subject_id: Annotated[int, said("the number of the post or comment")]
    value: Annotated[int, said("1, -1, or 0 to take it back")]


class Report(Value, frozen=True):
    """A report that is about to be made."""

    kind: Annotated[Literal["post", "comment", "message"], said("what is reported")]
    subject_id: Annotated[int, said("its number")]
    reason: Annotated[str, said("what the reporter says")]


class Registration(Value, frozen=True):
    """An account that is about to be made. Passwords are never handed on."""

    name: Annotated[str, said("the name asked for")]
    email_domain: Annotated[str, said("what stands behind the @ of the address, or nothing")] = ""
    answer: Annotated[str, said("what they answered to the site's question")] = ""
    address: Annotated[str, said("the network address they come from")] = ""


class Picture(Value, frozen=True):
    """A picture that is about to be stored."""

    sha256: Annotated[str, said("the hash of its bytes as they came, in hexadecimal")]
    media_type: Annotated[str, said("as found in its bytes: image/png")]
    width: Annotated[int, said("in pixels")]
    height: Annotated[int, said("in pixels")]
    likeness: Annotated[int, said("64 bits that similar pictures share, signed; 0: unknown")] = 0
    content: Annotated[bytes, said("the bytes, without metadata")] = b""
    kept_sha256: Annotated[str, said("the hash of the bytes without metadata")] = ""


class Message(Value, frozen=True):
    """A private message that is about to be sent."""

    recipient_id: Annotated[int, said("the number of whoever gets it")]
    content: Annotated[str, said("the text, in Markdown")]


class Told(Value, frozen=True):
    """Something that has happened, as the log tells it; it may be told twice, in order."""

    seq: Annotated[int, said("its place in the log; the same when it is told again")]
    id: Annotated[int, said("the number of what it is about: post, comment, person, …")]
    did: Annotated[str, said("the DID of whoever did it")]
    kind: Annotated[str, said("post, comment, vote, person, report, picture or message")]
    title: Annotated[str | None, said("a post's title, a person's name")] = None
    url: Annotated[str | None, said("the address that a post points to")] = None
    body: Annotated[str | None, said("the text; never that of a private message")] = None
    value: Annotated[int, said("a vote's 1 or -1; 0 when it was taken back")] = 0


class PageLink(Value, frozen=True):
    """A page that a plugin has: a link in the list of everything here."""

    title: Annotated[str, said("the words of the link")]
    path: Annotated[str, said("below /x/<plugin>; nothing for the first page")] = ""


class PageAsked(Value, frozen=True):
    """Somebody looks at a page of a plugin, or sends a form from it."""

    path: Annotated[str, said("below /x/<plugin>, without slashes around it")] = ""
    method: Annotated[Literal["GET", "POST"], said("POST carries a form of one's own page")] = "GET"
    fields: Annotated[dict[str, str], said("the query's fields, or the form's")] = {}
    person: Annotated[Person | None, said("who looks; None for a stranger")] = None
    now_us: Annotated[int, said("the house's time, µs since 1970")] = 0


class PageShown(Value, frozen=True):
    """A page inside the frame; the HTML is cleaned, so plain elements and forms are what is left.

    Links and forms lead to the plugin's own pages; scripts, styles and pictures from elsewhere do
    not survive. docs/hooks.md lists elements and classes.
    """

    title: Annotated[str, said("the page's title and heading")]
    html: Annotated[str, said("what stands below the heading")] = ""
    status: Annotated[int, said("the HTTP status: 200 to 599")] = 200
    go_to: Annotated[str | None, said("instead: send the browser to this path of its own")] = None


class Allow(Value, frozen=True, tag="allow"):
    """Let it happen as it is; None says the same."""


class Change(Value, frozen=True, tag="change"):
    """Let it happen with some fields changed; the hook says which may be."""

    fields: Annotated[dict[str, bool | int | str | None], said("the new values by name")]


class Hold(Value, frozen=True, tag="hold"):
    """Let it wait until a moderator has looked at it."""

    reason: Annotated[Reason, said("why; shown to the moderator and to whoever wrote it")]


class Refuse(Value, frozen=True, tag="refuse"):
    """Do not let it happen."""

    text: Annotated[str, said("what is told to whoever tried: what was expected, what to do")]
    reason: Annotated[Reason, said("why: the rule and the terms that counted")]
    code: Annotated[str, said("a stable word for apps, in snake_case")] = "refused_by_plugin"


Verdict = Allow | Change | Hold | Refuse
Subject = Writing | Vote | Report | Registration | Picture | Message

# What a `Change` may touch; what is not here stays as people made it.
CHANGEABLE: Mapping[str, frozenset[str]] = {
    "before_create": frozenset(("title", "url", "body", "alt_text", "nsfw", "language_id")),
    "before_edit": frozenset(("title", "url", "body", "alt_text", "nsfw", "language_id")),
    "before_message": frozenset(("content",)),
}
# What can wait for a moderator.
HOLDABLE = frozenset(("before_create", "before_registration"))


class HookOffer(Value, frozen=True):
    """A hook that a plugin implements, and where it wants to stand among the others."""

    name: str
    tryfirst: bool = False
    trylast: bool = False


class Standing(Value, frozen=True):
    """A plugin as administrators see it."""

    name: str
    version: str
    on: bool
    is_house: bool = False
    hooks: tuple[str, ...] = ()
    pages: tuple[PageLink, ...] = ()
    failures: int = 0
    last_failure: str = ""
    why_off: str = ""
    about: str = ""
    asks_network: bool = False
    may_network: bool = False
    wall: str = ""


def email_domain(email: str | None) -> str:
    """Return what stands behind the @, in lower case."""
    return (email or "").rpartition("@")[2].lower()
