"""Another server, really listening: documents by path, and who asked for what."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from lichen.federation import SigningKey
from tests.federation.signing import keys

Json = dict[str, Any]
ACTIVITY = "application/activity+json"
CONTEXT = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"]
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"


class Elsewhere:
    """A peer on loopback. `documents` are what it serves; a number is a status."""

    def __init__(self) -> None:
        self.documents: dict[str, Json | int] = {}
        self.asked: list[str] = []
        self.signatures: list[str] = []
        self.content_type = ACTIVITY
        self.wants_signed = False
        self.wants_rfc9421 = False
        self.hold: asyncio.Event | None = None
        self.location = ""
        self.url = ""

    @property
    def authority(self) -> str:
        return self.url.removeprefix("http://")

    async def start(self) -> Callable[[], Any]:
        """Listen, and return what stops it."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner.cleanup

    def at(self, path: str) -> str:
        return self.url + path

    def asked_for(self, path: str) -> int:
        return self.asked.count(path)

    def add(self, path: str, **fields: Any) -> Json:
        """Serve a document whose id is its address, and return it."""
        document: Json = {"@context": CONTEXT, "id": self.at(path), **fields}
        self.documents[path] = document
        return document

    def person(self, name: str = "anna", *, key: str | None = None, **fields: Any) -> Json:
        path = f"/u/{name}"
        return self.add(path, **{
            "type": "Person", "preferredUsername": name, "inbox": self.at(f"{path}/inbox"),
            "outbox": self.at(f"{path}/outbox"),
            "endpoints": {"sharedInbox": self.at("/inbox")},
            "publicKey": {"id": self.at(f"{path}#main-key"), "owner": self.at(path),
                          "publicKeyPem": keys(key or name).public},
            "published": "2023-06-01T00:00:00Z", **fields,
        })

    def group(self, name: str = "garden", **fields: Any) -> Json:
        path = f"/c/{name}"
        return self.add(path, **{
            "type": "Group", "preferredUsername": name, "name": name.title(),
            "inbox": self.at(f"{path}/inbox"), "outbox": self.at(f"{path}/outbox"),
            "followers": self.at(f"{path}/followers"), "featured": self.at(f"{path}/featured"),
            "attributedTo": self.at(f"{path}/moderators"),
            "endpoints": {"sharedInbox": self.at("/inbox")},
            "publicKey": {"id": self.at(f"{path}#main-key"), "owner": self.at(path),
                          "publicKeyPem": keys(name).public},
            "published": "2023-06-01T00:00:00Z", **fields,
        })

    def page(self, number: int = 1, *, by: str = "anna", to: str = "garden", **fields: Any) -> Json:
        group = self.at(f"/c/{to}")
        return self.add(f"/post/{number}", **{
            "type": "Page", "attributedTo": self.at(f"/u/{by}"), "to": [group, PUBLIC], "cc": [],
            "audience": group, "name": f"Post {number}", "content": f"<p>Words of {number}.</p>",
            "published": f"2023-07-{number:02}T00:00:00Z", **fields,
        })

    def note(self, number: int, above: str, *, by: str = "anna", **fields: Any) -> Json:
        return self.add(f"/comment/{number}", **{
            "type": "Note", "attributedTo": self.at(f"/u/{by}"), "to": [PUBLIC], "cc": [],
            "inReplyTo": above, "content": f"<p>Answer {number}.</p>",
            "published": "2023-08-01T00:00:00Z", **fields,
        })

    def collection(self, path: str, items: list[Any], **fields: Any) -> Json:
        return self.add(path, type="OrderedCollection", totalItems=len(items),
                        orderedItems=items, **fields)

    def finger(self, name: str, *links: tuple[str, str]) -> None:
        """Answer WebFinger with (path, type) as Lemmy does."""
        path = f"/.well-known/webfinger?resource=acct:{name}@{self.authority}"
        self.documents[path] = {
            "subject": f"acct:{name}@{self.authority}",
            "links": [
                {"rel": "self", "type": ACTIVITY, "href": self.at(where), **({"properties": {
                    "https://www.w3.org/ns/activitystreams#type": kind}} if kind else {})}
                for where, kind in links
            ],
        }

    def key(self, name: str = "anna") -> SigningKey:
        private = keys(name).private
        assert private is not None
        return SigningKey(self.at(f"/u/{name}#main-key"), private)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path_qs
        self.asked.append(path)
        self.signatures.append(request.headers.get("Signature", ""))
        if self.hold is not None:
            await self.hold.wait()
        if self.wants_signed and "Signature" not in request.headers:
            return web.Response(status=401)
        if self.wants_rfc9421 and "Signature-Input" not in request.headers:
            return web.Response(status=401)
        document = self.documents.get(path, 404)
        if isinstance(document, int):
            where = {"Location": self.location} if document == 302 else {}
            return web.Response(status=document, headers=where)
        return web.Response(body=json.dumps(document).encode(),
                            headers={"Content-Type": self.content_type})
