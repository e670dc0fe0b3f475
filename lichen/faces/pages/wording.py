"""How values are said on pages: ages, counts, names, the words of choices. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import log1p
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from lichen.accounts import Actor
from lichen.federation import CatchUp, Standing
from lichen.forum import CommentSort, Listing, Post, Sort
from lichen.forum.markdown import summary
from lichen.kit import Reason
from lichen.web import Addresses

LEAD_LENGTH = 220  # characters: about three lines of a card
SECONDS_KEPT_MAX = 8_192  # times in words for machines: those of a dozen long threads, 1 MB
BAR_WIDTH = 120  # of the widest bar of a Reason, in its picture's units

_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif", ".svg")

# Each age is said in the largest unit that fits once.
_AGES = (
    (365 * 86_400, "y"), (30 * 86_400, "mo"), (7 * 86_400, "w"), (86_400, "d"), (3_600, "h"),
    (60, "min"),
)

SORT_WORDS: dict[Sort, str] = {
    Sort.ACTIVE: "Active", Sort.HOT: "Hot", Sort.SCALED: "Scaled", Sort.NEW: "New",
    Sort.OLD: "Old", Sort.MOST_COMMENTS: "Most comments", Sort.NEW_COMMENTS: "New comments",
    Sort.CONTROVERSIAL: "Controversial", Sort.TOP_HOUR: "Top of the hour",
    Sort.TOP_SIX_HOUR: "Top of 6 hours", Sort.TOP_TWELVE_HOUR: "Top of 12 hours",
    Sort.TOP_DAY: "Top of the day", Sort.TOP_WEEK: "Top of the week",
    Sort.TOP_MONTH: "Top of the month", Sort.TOP_THREE_MONTHS: "Top of 3 months",
    Sort.TOP_SIX_MONTHS: "Top of 6 months", Sort.TOP_NINE_MONTHS: "Top of 9 months",
    Sort.TOP_YEAR: "Top of the year", Sort.TOP_ALL: "Top of all time",
}
LISTING_WORDS: dict[Listing, str] = {
    Listing.SUBSCRIBED: "Subscribed", Listing.LOCAL: "Local", Listing.ALL: "All",
}
COMMENT_SORT_WORDS: dict[CommentSort, str] = {sort: sort.value for sort in CommentSort}

ACTION_WORDS: dict[str, str] = {
    "removePost": "Post removed", "lockPost": "Post locked", "featurePost": "Post pinned",
    "featurePostLocal": "Post pinned for the site", "removeComment": "Comment removed",
    "distinguishComment": "Comment marked", "removeCommunity": "Community removed",
    "hideCommunity": "Community hidden", "banFromCommunity": "Banned from a community",
    "ban": "Banned from the site", "addModerator": "Moderator appointed",
    "transferCommunity": "Community handed over", "addAdmin": "Administrator appointed",
    "strike": "A strike", "purgePerson": "Words of a person purged",
    "purgeCommunity": "Community purged",
    "purgePost": "Post purged", "purgeComment": "Comment purged",
}

# What became of a proposal, as the people are told who made or support it.
NOTICE_WORDS: dict[str, str] = {
    "acceptProposal": "Proposal accepted", "declineProposal": "Proposal declined",
    "removeProposal": "Proposal taken away", "passUpProposal": "Proposal passed up",
    "handBackProposal": "Proposal handed back",
}

# Where an activity is with a server, after how many of them.
STATE_WORDS: dict[str, str] = {
    "taken": "have it", "passed": "done with it", "under_way": "under way", "waits": "next",
    "behind": "behind", "failed": "tried again", "refused": "refused it", "blocked": "blocked",
    "overtaken": "need it no more",
}

SHORTCUTS = (
    ("j k", "Next and previous post or comment"),
    ("[ ]", "Parent and next sibling of a comment"),
    ("enter", "Open a post, collapse a branch"),
    ("r", "Reply"),
    ("a z", "Vote up, vote down"),
    ("p x l b e", "In the queue: approve, remove, lock, ban, escalate"),
    ("u d", "Uphold or deny an appeal, accept or decline a proposal; deny an application"),
    ("i esc", "Write the reason; back to the item"),
    ("/", "Search"),
    ("ctrl+k", "Go anywhere"),
    ("?", "These shortcuts; alt+shift+k does the same"),
    ("alt+shift+f", "Full width"),
)


class Choice(NamedTuple):
    """One of several ways to show the same page."""

    word: str
    href: str
    current: bool


class Bar(NamedTuple):
    """One term of a Reason as a row with a bar."""

    name: str
    value: str
    note: str
    width: int
    less: bool


def age(time_us: int, now_us: int) -> str:
    """Return how long ago something was, in one unit: "4 h"."""
    seconds = max(0, now_us - time_us) // 1_000_000
    for size, word in _AGES:
        if seconds >= size:
            return f"{seconds // size} {word}"
    return "now"


def lasted(time_us: int) -> str:
    """Return how long something took, as people say it: "0.4 ms", "1.2 s", "3 h"."""
    if time_us < 1_000_000:
        return f"{time_us / 1_000:.1f} ms"
    if time_us < 60_000_000:
        return f"{time_us / 1_000_000:.1f} s"
    return age(0, time_us)


def per_second(rate: float) -> str:
    """Return a rate as people say it: "3.2/s", "12/min" where it is slow, "0"."""
    if rate >= 1:
        return f"{rate:,.1f}/s"
    return f"{rate * 60:.3g}/min" if rate else "0"


def standing_words(one: Standing, now_us: int) -> str:
    """Return how sending to another server goes, in a sentence or two."""
    waits = one.missing_since_us and age(one.missing_since_us, now_us) != "now"
    since = f", the first for {age(one.missing_since_us, now_us)}" if waits else ""
    few = some(one.missing, "activity", "activities")
    missing = f"{'more than ' if one.more_missing else ''}{few}"
    match one.condition:
        case "blocked":
            return "We do not federate with it."
        case "behind" if one.line.is_told_again:
            return ("It was away for longer than activities are kept: it is told again what it "
                    f"missed, then {missing}.")
        case "behind":
            return f"Catching up: {missing} to go{since}."
        case "pausing" if one.missing:
            wait_s = max(0, one.line.retry_at_us - now_us) // 1_000_000
            again = f"in {wait_s} s" if wait_s else "now"
            return (f"It does not answer, and is behind by {missing}{since}. "
                    f"It is tried again {again}.")
        case "pausing":
            return "It did not answer the last time, and has everything."
    return "Up to date."


def catch_up_words(one: CatchUp, now_us: int) -> str:
    """Return how catching up with another server goes, or went, in a sentence or two."""
    some_of = [
        some(number, *words) for number, words in (
            (one.posts, ("post", "posts")), (one.comments, ("comment", "comments")),
            (one.changed, ("edit", "edits")), (one.deleted, ("deletion", "deletions")),
        ) if number
    ]
    brought = f"{', '.join(some_of) or 'nothing new'} so far"
    through = f"{one.communities_done} of {some(one.communities, 'community', 'communities')}"
    match one.state:
        case "waiting":
            return "It waits for its turn."
        case "running":
            return f"Looking through what it has: {through}; {brought}."
        case "done":
            found = f"Looked through {through}: {brought.removesuffix(' so far')}."
        case "cut":
            found = f"Cut short after {through}: {brought}."
        case "failed":
            found = f"It could not be asked: {through}; {brought}."
    return f"{found} {one.words}".rstrip()


def moment(time_us: int) -> str:
    """Return a time in words, for whoever wants it exactly."""
    return f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%-d %B %Y, %H:%M} UTC"


def clock(time_us: int) -> str:
    """Return hour and minute of a time: "08:30"."""
    return f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%H:%M}"


def exact(time_us: int) -> str:
    """Return a time to the thousandth of a second, as on a trail."""
    shown = datetime.fromtimestamp(time_us / 1_000_000, UTC)
    return f"{shown:%-d %b %Y, %H:%M:%S}.{time_us // 1_000 % 1_000:03d} UTC"


def iso(time_us: int) -> str:
    """Return a time for machines, to the second."""
    return _second(time_us // 1_000_000)


@lru_cache(maxsize=SECONDS_KEPT_MAX)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}Z"


def count(number: int) -> str:
    """Return a number with its thousands parted: "1,284"."""
    return f"{number:,}"


def size(count_bytes: int) -> str:
    """Return a number of bytes as people say it."""
    for unit, bytes_each in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if count_bytes >= bytes_each:
            return f"{count_bytes / bytes_each:.1f} {unit}".replace(".0 ", " ")
    return f"{count_bytes} bytes"


def some(number: int, one: str, many: str) -> str:
    """Return a number with its noun: "1 reply", "87 replies"."""
    return f"1 {one}" if number == 1 else f"{number:,} {many}"


def called(actor: Actor, addresses: Addresses) -> str:
    """Return the name an actor is called by here: with its host when it is of elsewhere."""
    return actor.name if actor.local else f"{actor.name}@{actor.domain}"


def path_of(actor: Actor, addresses: Addresses) -> str:
    """Return the path of an actor's page."""
    domain = None if actor.local else actor.domain
    if actor.kind == "Group":
        return addresses.community(actor.name, domain)
    return addresses.person(actor.name, domain)


def conversation_of(actor: Actor, addresses: Addresses) -> str:
    """Return the path of what the viewer and a person wrote to each other."""
    return addresses.conversation(actor.name, None if actor.local else actor.domain)


def feed_of(actor: Actor, addresses: Addresses) -> str:
    """Return the path of an actor's feed, without its ending."""
    return "/feeds" + path_of(actor, addresses)


def picture_of(actor: Actor, addresses: Addresses) -> str:
    """Return the address of an actor's picture: chosen or grown."""
    return actor.avatar or addresses.grown(actor.did)


def host_of(url: str) -> str:
    """Return the host of an address, as people say it."""
    return urlsplit(url).netloc.removeprefix("www.")


def is_picture(post: Post) -> bool:
    """Say whether a post points to a picture."""
    if post.url is None:
        return False
    if post.link is not None and post.link.content_type:
        return post.link.content_type.startswith("image/")
    return urlsplit(post.url).path.lower().endswith(_PICTURE_ENDINGS)


def lead(beginning: str) -> str:
    """Return the first words of the beginning of a body, without its marks."""
    return summary(beginning, LEAD_LENGTH)


def term_text(value: float | str | bool) -> str:
    """Return a term's value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"


def bars(reason: Reason) -> list[Bar]:
    """Return the terms of a Reason as bars; lengths are logarithmic, signs are colours."""
    sizes = [
        0.0 if isinstance(term.value, str) else abs(float(term.value)) for term in reason.terms
    ]
    largest = max(sizes, default=0.0) or 1.0
    return [
        Bar(
            term.name, term_text(term.value), term.note,
            width=round(BAR_WIDTH * log1p(size) / log1p(largest)),
            less=not isinstance(term.value, str) and term.value < 0,
        )
        for term, size in zip(reason.terms, sizes, strict=True)
    ]


def choices(
    words: Sequence[tuple[str, str]], current: str, path: str, **fixed: str
) -> list[Choice]:
    """Return links to the same page with another value of the last name in `fixed`.

    `fixed` holds the query of each link; its value "{}" is where the choice goes.
    """
    found = []
    for value, word in words:
        query = "&".join(
            f"{name}={quote(value if text == '{}' else text, safe='')}"
            for name, text in fixed.items() if text
        )
        found.append(Choice(word, f"{path}?{query}" if query else path, value == current))
    return found
