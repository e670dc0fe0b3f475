"""The public stream as a page: what happens, what it takes, and how to subscribe.

The last events are drawn here; a browser that can reach the stream's own port goes on from the
newest of them by Server-Sent Events.
"""

from urllib.parse import unquote, urlencode, urlsplit

import msgspec
from litestar import Response, get
from litestar.params import FromQuery

from lichen.events.visibility import PUBLIC, VISIBILITY
from lichen.faces.pages.answers import page
from lichen.faces.pages.parts import GivenParts
from lichen.faces.pages.visit import GivenVisit
from lichen.faces.pages.wording import per_second
from lichen.kit.config import Config
from lichen.stream import Filter, newest
from lichen.web import Addresses

EVENTS_SHOWN = 50
TEXT_LENGTH_MAX = 200  # characters of a record on one line
ASKED_LENGTH_MAX = 300  # characters of a filter's part; no DID that lives here is longer
_TELLING = ("name", "title", "displayName", "content", "text", "kind", "subject", "shortcode")
_WORDS = {
    "lichen.forum.*": "Everything in communities", "lichen.forum.post": "Posts",
    "lichen.forum.comment": "Comments", "lichen.forum.community": "Communities",
    "lichen.forum.tally": "Counts of votes and comments",
    "lichen.forum.reactionTally": "Counts of reactions", "lichen.forum.moderator": "Moderators",
    "lichen.forum.communityBan": "Bans from communities", "lichen.actor.profile": "Profiles",
    "lichen.actor.away": "Who is away", "lichen.actor.move": "Who moved",
    "lichen.site.*": "The site", "lichen.moderation.*": "Moderation and proposals",
}
COLLECTIONS = [("", "Everything"), *_WORDS.items()]


class Wanted(msgspec.Struct, frozen=True):
    """What the form asks for."""

    collection: str = ""
    did: str = ""
    mention: str = ""
    lang: str = ""
    roots: bool = False

    def filter(self) -> Filter:
        """Return it as the stream knows it."""
        prefix = self.collection.removesuffix("*") if self.collection.endswith(".*") else ""
        return Filter(
            collections=frozenset([self.collection] if self.collection and not prefix else []),
            prefixes=(prefix,) if prefix else (), dids=frozenset([self.did] if self.did else []),
            mentions=frozenset([self.mention] if self.mention else []),
            langs=frozenset([self.lang] if self.lang else []), roots_only=self.roots,
        )

    def query(self, **more: object) -> str:
        """Return it as the stream's own parameters, with a question mark where there are any."""
        named = {
            "wantedCollections": self.collection, "wantedDids": self.did,
            "wantedMentions": self.mention, "wantedLangs": self.lang,
            "rootPostsOnly": "true" if self.roots else "", **more,
        }
        told = urlencode({key: value for key, value in named.items() if value}, safe=":*")
        return f"?{told}" if told else ""


class Commit(msgspec.Struct, rename="camel"):
    """What an event does to a record."""

    operation: str
    collection: str
    rkey: str
    record: dict[str, object] = {}


class Shown(msgspec.Struct):
    """An event as it is shown."""

    did: str
    time_us: int
    cursor: int
    commit: Commit
    raw: str = ""
    text: str = ""
    path: str = ""


@get("/stream")
async def stream(
    parts: GivenParts, visit: GivenVisit, collection: FromQuery[str] = "",
    did: FromQuery[str] = "", *, mention: FromQuery[str] = "", lang: FromQuery[str] = "",
    roots: FromQuery[str] = "",
) -> Response[bytes]:
    """Show the newest public events and how to be told of them."""
    wanted = Wanted(
        collection=collection if collection in VISIBILITY or collection in _WORDS else "",
        did=_cut(did), mention=_cut(mention), lang=_cut(lang).lower(), roots=bool(roots),
    )
    frame = await parts.frame(visit)
    room = parts.stream
    found = [] if room is None else newest(room.store, wanted.filter(), limit=EVENTS_SHOWN)
    events = [_shown(one, parts.addresses) for one in found]
    base = "" if room is None else address_of(parts.config, parts.addresses)
    answer = await page(parts, visit, frame, "stream.html", values={
        "wanted": wanted, "events": events, "now_us": parts.now_us(), "room": room,
        "load": None if room is None else room.load(), "per_second": per_second,
        "collections": COLLECTIONS, "public": sorted(
            one for one, visibility in VISIBILITY.items() if visibility is PUBLIC),
        "base": base, "socket": base.replace("http", "ws", 1), "query": wanted.query(),
        "live": _live(base, wanted, events),
    })
    return _let_through(answer, base)


def address_of(config: Config, addresses: Addresses) -> str:
    """Return where the stream is reached, without a slash at the end; nothing for nowhere."""
    if config.stream.public_url:
        return config.stream.public_url.rstrip("/")
    if not config.server.stream_port:
        return ""
    host = urlsplit(addresses.public_url).hostname or "localhost"
    host = f"[{host}]" if ":" in host else host  # RFC 3986 §3.2.2
    return f"http://{host}:{config.server.stream_port}"


def _live(base: str, wanted: Wanted, events: list[Shown]) -> str:
    """Return where a browser goes on from the newest event that it was shown."""
    after = {"cursor": events[0].cursor + 1} if events else {}
    return f"{base}/subscribe{wanted.query(**after)}" if base else ""


def _shown(message: bytes, addresses: Addresses) -> Shown:
    one = msgspec.json.decode(message, type=Shown)
    record = one.commit.record
    said = next((str(record[key]) for key in _TELLING if record.get(key)), "")
    # AT URI scheme: of at://AUTHORITY/COLLECTION/RKEY the end says what it is.
    said = said.split("/", 3)[-1] if said.startswith("at://") else said
    one.text = " ".join(said.split())[:TEXT_LENGTH_MAX]
    one.raw = msgspec.json.format(message, indent=2).decode()
    kind, _, name = one.did.removeprefix(addresses.did_of_person("")[:-2]).partition(":")
    one.path = {"u": addresses.person, "c": addresses.community}.get(kind, _nowhere)(unquote(name))
    return one


def _cut(text: str) -> str:
    return text.strip()[:ASKED_LENGTH_MAX]


def _nowhere(_: str) -> str:
    return ""


def _let_through(answer: Response[bytes], base: str) -> Response[bytes]:
    """Let the page's script connect to the stream, which has a port of its own."""
    if base:
        policy = answer.headers["content-security-policy"]
        # CSP Level 3, connect-src: another port is another origin.
        answer.headers["content-security-policy"] = policy.replace(
            "connect-src 'self'", f"connect-src 'self' {base}")
    return answer


HANDLERS = [stream]
