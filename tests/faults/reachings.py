"""Reachings: addresses by which somebody outside would have the house call what only it may reach.

Every host here is loopback in some disguise; the hostile server listens there and writes down by
which name it was called.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from tests.faults.siege import DEN, EVE, Siege
from tests.federation.incoming import PUBLIC, STONES, act, announced, page

Reaching = Callable[[Siege], Awaitable[int]]


class Row(NamedTuple):
    """An attack, the statuses that refuse it, and the counter that it must move.

    `writes` says that somebody here does something of their own on the way, which is kept.
    """

    act: Reaching
    statuses: tuple[int, ...]
    counter: str
    writes: bool = False


HOSTS = {
    "loopback": "127.0.0.1", "loopback in IPv6": "[::1]", "mapped into IPv6": "[::ffff:127.0.0.1]",
    "decimal": "2130706433", "octal": "0177.0.0.1", "hexadecimal": "0x7f.1", "short": "127.1",
    "any address": "0.0.0.0", "link-local": "169.254.169.254", "NAT64": "[64:ff9b::7f00:1]",
    "a name of this machine": "localhost", "a name that is private": "private.example",
    "a name that is mapped": "mapped.example", "a name of the cloud": "metadata.example",
}


def key_at(host: str) -> Reaching:
    """Sign with a key that lies behind an address."""
    async def reach(siege: Siege) -> int:
        actor = siege.hostile.at("/u/inside", host)
        answer = await siege.speak(act("Like", actor, siege.here), key_id=f"{actor}#main-key")
        return answer.status
    return reach


def asked_for(path: str, host: str = "") -> Reaching:
    """Have somebody here look for an address."""
    async def reach(siege: Siege) -> int:
        url = siege.hostile.at(path, host) if host else siege.hostile.at(path)
        return int((await siege.resolve(url))["status"])
    return reach


async def rebinding(siege: Siege) -> int:
    """DNS rebinding: a good answer when it is judged, loopback when it is used."""
    return await key_at("rebinding.example")(siege)


async def object_inside(siege: Siege) -> int:
    return (await siege.speak(act("Like", EVE, siege.hostile.at("/u/object", "127.0.0.1")))).status


async def parent_inside(siege: Siege) -> int:
    note = {"type": "Note", "id": "https://evil.example/comment/inside", "attributedTo": EVE,
            "to": [PUBLIC, STONES], "content": "x",
            "inReplyTo": siege.hostile.at("/u/parent", "localhost")}
    return (await siege.speak(act("Create", EVE, note, to=[STONES]))).status


async def announced_inside(siege: Siege) -> int:
    inside = siege.hostile.at("/u/passed", "private.example")
    return (await siege.speak(announced(DEN, act("Like", EVE, inside)))).status


async def link_preview(siege: Siege) -> int:
    said = await siege.api("POST", "/post", name="A link of mine", community_id=siege.stones,
                           url=siege.hostile.at("/u/inside", "private.example"))
    return int(said["status"])


async def picture(siege: Siege) -> int:
    """Show a picture from inside: its preview is signed by us, and still not fetched."""
    said = await siege.api("POST", "/post", name="A picture of mine", community_id=siege.stones,
                           url=siege.hostile.at("/u/inside.png", "private.example"))
    return int(said["status"])


async def picture_of_a_peer(siege: Siege) -> int:
    inside = siege.hostile.at("/u/inside.png", "127.0.0.1")
    document = page(EVE, STONES, image={"type": "Image", "url": inside},
                    attachment=[{"type": "Link", "href": inside}])
    return (await siege.speak(act("Create", EVE, document))).status


SILENT = "outbound_address_refused_total"
REACHINGS: dict[str, Row] = {
    **{f"a key at {name}": Row(key_at(host), (400, 401, 403), SILENT)
       for name, host in HOSTS.items()},
    **{f"an actor at {name}": Row(asked_for("/u/inside", host), (400, 404), SILENT)
       for name, host in HOSTS.items()},
    "a name that changes its mind": Row(rebinding, (503,), "outbound_unavailable_total"),
    "a redirect to loopback": Row(asked_for("/to/?host=127.0.0.1"), (400, 404), SILENT),
    "a redirect to a name": Row(asked_for("/to/?host=private.example"), (400, 404), SILENT),
    "a redirect to a number": Row(asked_for("/to/?host=2130706433"), (400, 404), SILENT),
    "an inbox inside": Row(asked_for("/c/inside"), (400, 404), "found_no_actor_total"),
    "an object inside": Row(object_inside, (202,), SILENT),
    "what is answered inside": Row(parent_inside, (202,), SILENT),
    "what a community passes on, inside": Row(announced_inside, (202,), SILENT),
    "the preview of a link": Row(link_preview, (200,), SILENT, writes=True),
    "a picture": Row(picture, (200,), SILENT, writes=True),
    "a picture of a peer": Row(picture_of_a_peer, (202,), "ingest_applied_total", writes=True),
}
