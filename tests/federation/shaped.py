"""What peers send, as the files of shapes/ hold it, and a house into which it is sent.

A file is one software: its actors' documents with what they are to us, documents that it only
serves, and a little history. Each step is an activity as it is sent, what it says, and what the
forum then shows to a client. Hosts are `lichen.example` for us and `host` for the peer, and PEM
stands for its key; the house and the peer of a test put their own in.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from lichen.federation import SigningKey
from lichen.federation.activities import Activity, Item, Writing, items_of
from lichen.federation.actors import actor_in
from lichen.federation.signatures import sign
from lichen.forum import LANGUAGES
from tests.federation.elsewhere import Elsewhere
from tests.federation.neighbours import PASSWORD, Neighbour, until
from tests.federation.signing import keys

Json = dict[str, Any]
FOLDER = Path(__file__).parent / "shapes"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
_CODES = {language.id: language.code for language in LANGUAGES}


def shapes(name: str, **instead: str) -> Json:
    """Return the file of one software, with other words instead of some."""
    text = (FOLDER / f"{name}.json").read_text()
    for word, other in instead.items():
        text = text.replace(word, other)
    return json.loads(text)


STEPS = [(name, number) for name in NAMES
         for number in range(len(shapes(name)["history"]))]
ACTORS = [(name, number) for name in NAMES for number in range(len(shapes(name)["actors"]))]


def step_of(name: str, number: int) -> Json:
    return shapes(name)["history"][number]


def said_by(activity: Json) -> list[Json]:
    """Return what an activity says, in the words of the files: one for each that it carries."""
    return [_meaning(item) for item in items_of(activity)]


def as_wanted(said: Json, wanted: Json) -> Json:
    """Return of what was said what is wanted; whom something is for may be one among many."""
    found = {key: said.get(key) for key in wanted}
    if wanted.get("for") in said.get("for", ()):
        found["for"] = wanted["for"]
    return found


def meant_by(document: Json) -> Json:
    """Return what an actor's document says, in the words of the files."""
    said = actor_in(document)
    draft = said.draft
    return {
        "id": draft.ap_id, "kind": draft.kind.name, "name": draft.name, "bot": draft.bot,
        "display_name": draft.display_name, "summary": draft.summary, "avatar": draft.avatar,
        "banner": draft.banner, "shared_inbox": said.shared_inbox, "featured": said.featured,
        "moderators": said.moderators, "restricted": said.posting_restricted_to_mods,
        "nsfw": said.nsfw, "languages": list(said.languages), "has_key": said.key is not None,
        "published": _time(draft.published_us), "moved_to": said.moved_to,
    }


def _meaning(item: Item) -> Json:
    activity = item.activity
    if activity is None:
        return {"refusal": item.refusal}
    common = {"noun": type(activity).__name__, "actor": activity.actor,
              "announcer": activity.announcer, "is_update": getattr(activity, "is_update", None)}
    return common | (_thing(activity) if isinstance(activity, Writing) else _fields(activity))


def _fields(activity: Activity) -> Json:
    fields = {name: getattr(activity, name) for name in activity.__struct_fields__
              if name not in ("id", "actor", "announcer", "addressees", "document")}
    return json.loads(json.dumps(fields))


def _thing(activity: Writing) -> Json:
    thing = activity.thing
    draft = thing.draft()
    return {
        "kind": thing.kind, "id": thing.ap_id, "authors": list(thing.authors),
        "for": list(thing.addressees), "replies_to": thing.replies_to,
        "title": draft.name, "body": draft.body, "url": draft.url, "alt_text": draft.alt_text,
        "text": thing.text(), "nsfw": thing.nsfw, "language": _CODES[thing.language_id],
        "published": _time(thing.published_us), "updated": _time(thing.updated_us),
        "locked": thing.locked, "distinguished": thing.distinguished,
        "is_message": thing.is_message,
    }


def _time(time_us: int | None) -> str | None:
    if time_us is None:
        return None
    moment = datetime.fromtimestamp(time_us // 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


class Street:
    """A house and somebody in it, who follows what a client shows; the peer across it."""

    def __init__(self, home: Neighbour) -> None:
        self.home = home
        self.http = httpx.AsyncClient(base_url=f"{home.url}/api/v3")
        self.ours: dict[str, str] = {}
        self._count = 0

    async def settle_in(self) -> None:
        """Have petra here."""
        await self.home.browser().join("petra")
        login = await self._call("POST", "/user/login", username_or_email="petra",
                                 password=PASSWORD)
        self.http.headers["authorization"] = f"Bearer {login['jwt']}"

    async def open_shapes(self) -> None:
        """Have a new community, a post in it and a comment of ours, which a history is about."""
        self._count += 1
        self.community = f"shapes{self._count}"
        community = await self._call("POST", "/community", name=self.community, title="Shapes")
        community_id = community["community_view"]["community"]["id"]
        post = (await self._call("POST", "/post", name="What is grey and grows",
                                 community_id=community_id))["post_view"]["post"]
        comment = (await self._call("POST", "/comment", content="Crusts.", post_id=post["id"]))
        self.ours = {"https://lichen.example/post/ours": post["ap_id"],
                     "https://lichen.example/comment/ours": comment["comment_view"]["comment"]["ap_id"]}

    def words(self, peer: Elsewhere, host: str) -> Json:
        """Return what stands where in the files."""
        return self.ours | {
            "shapes": self.community,
            "https://lichen.example": self.home.url, "@lichen.example": f"@{self.home.authority}",
            f"https://{host}": peer.url, f"@{host}": f"@{peer.authority}",
            "PEM": keys("the peers").public.replace("\n", "\\n"),
        }

    async def send(self, activity: Json) -> int:
        """Send an activity, signed by its actor."""
        actor = activity["actor"]
        actor = actor if isinstance(actor, str) else actor["id"]
        body, url = json.dumps(activity).encode(), f"{self.home.url}/inbox"
        private = keys("the peers").private
        assert private is not None
        key_id = f"{actor}{self.key_mark}"
        headers = sign(SigningKey(key_id, private), method="POST", url=url, body=body,
                       now_us=self.home.house.ground.clock())
        answer = await self.http.post(url, content=body, headers={
            **headers, "content-type": "application/activity+json"})
        return answer.status_code

    key_mark = "#main-key"

    async def applied(self) -> None:
        """Wait until everything that was sent is applied, or waits for something far away."""
        incoming = self.home.house.incoming

        async def is_done() -> bool:
            return (incoming.ingest.position() == incoming.log.last_seq
                    and not await incoming.waiting.look())

        await until(is_done)

    async def follow(self, group: str) -> None:
        """Have petra follow a community of the peer's."""
        found = await self._call("GET", "/resolve_object", q=group)
        await self._call("POST", "/community/follow",
                         community_id=found["community"]["community"]["id"], follow=True)

    async def shown(self, what: Json) -> Json:
        """Return what a client shows of something, by dotted names."""
        view = await getattr(self, f"_{what['a']}")(what["id"])
        return {name: _within(view, name) for name in what["is"]}

    async def _call(self, method: str, path: str, **fields: Any) -> Json:
        given = {"params": fields} if method == "GET" else {"json": fields}
        answer = await self.http.request(method, path, **given)
        if answer.status_code == 404:
            return {}
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def _number(self, ap_id: str) -> int:
        forum = self.home.house.rooms.forum
        return await self.home.house.store.read(
            lambda unit: forum.post_id_by_ap_id(unit, ap_id)
            or forum.comment_id_by_ap_id(unit, ap_id) or 0)

    async def _post(self, ap_id: str) -> Json:
        number = await self._number(ap_id)
        if not number:
            return {}
        return (await self._call("GET", "/post", id=number)).get("post_view", {"gone": True})

    async def _comment(self, ap_id: str) -> Json:
        number = await self._number(ap_id)
        return (await self._call("GET", "/comment", id=number))["comment_view"] if number else {}

    async def _community(self, name: str) -> Json:
        return (await self._call("GET", "/community", name=name))["community_view"]

    async def _person(self, ap_id: str) -> Json:
        accounts = self.home.house.rooms.accounts
        found = await self.home.house.store.read(
            lambda unit: accounts.actors_by_ap_id(unit, [ap_id]))
        return (await self._call("GET", "/user", person_id=found[ap_id].id))["person_view"]

    async def _message(self, ap_id: str) -> Json:
        listed = (await self._call("GET", "/private_message/list"))["private_messages"]
        return next((one for one in listed if one["private_message"]["ap_id"] == ap_id), {})

    async def _mention(self, ap_id: str) -> Json:
        listed = (await self._call("GET", "/user/mention"))["mentions"]
        return next((one for one in listed if one["comment"]["ap_id"] == ap_id), {})

    async def _reply(self, ap_id: str) -> Json:
        listed = (await self._call("GET", "/user/replies"))["replies"]
        return next((one for one in listed if one["comment"]["ap_id"] == ap_id), {})

    async def _report(self, ap_id: str) -> Json:
        listed = (await self._call("GET", "/post/report/list"))["post_reports"]
        return next((one for one in listed if one["post"]["ap_id"] == ap_id), {})


def _within(view: Any, name: str) -> Any:
    for part in name.split("."):
        view = view.get(part) if isinstance(view, dict) else None
    return view
