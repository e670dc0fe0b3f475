"""Proving: whoever says to be a person of another server shows it.

    @anna@peer ─► resolver ─► person ─┬─ the peer logs people in for others: over there (`homes`)
                                      └─ else a code, by private message to that person alone

A code goes out at once, signed by the doorkeeper, an actor of ours that does nothing else. It
passes through no log: neither the house's nor `outgoing` ever holds it. What is kept of a try,
and what it then opens, is the room `accounts`'.
"""

from typing import NamedTuple

import msgspec

from lichen.accounts import Accounts, Actor, ActorKind, Knock, Viewer
from lichen.federation.deeds import Deeds, encoded
from lichen.federation.documents import Document, is_microblog
from lichen.federation.homes import Homes, Offer
from lichen.federation.model import authority_of
from lichen.federation.outgoing import Outgoing
from lichen.federation.peers import Peers
from lichen.federation.posting import Posting, Verdict
from lichen.federation.resolving import Resolver
from lichen.forum.markdown import render
from lichen.kit import Forbidden, NotFound, Refused, TidGenerator, Unavailable, isoformat
from lichen.store import Store, Unit
from lichen.web import Addresses

_MINUTES = 10  # as accounts.limits.KNOCK_AGE_US; said in words


class Begun(NamedTuple):
    """A try that has begun: its handle, who it says to be, and where to go on.

    `url` is the address of the person's own server, "" where a code was sent.
    """

    handle: str
    person: Actor
    url: str = ""


class Proving:
    """Asks people of other servers to prove who they are."""

    def __init__(
        self, store: Store, accounts: Accounts, resolver: Resolver, *, peers: Peers,
        posting: Posting, homes: Homes, addresses: Addresses, tids: TidGenerator,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._resolver = resolver
        self._peers = peers
        self._posting = posting
        self._homes = homes
        self._addresses = addresses
        self._tids = tids
        self._deeds = Deeds(addresses)

    def close(self) -> None:
        """Let the threads that sign go."""
        self._posting.close()

    async def person(self, text: str) -> Actor:
        """Return the person of another server that `@name@host` or an address names.

        Refuses those of servers that this one does not talk to; raises Unavailable.
        """
        text = text.strip()
        if "@" in text and not text.startswith(("@", "http://", "https://")):
            text = f"@{text}"
        found = await self._resolver.find(text)
        if not isinstance(found, Actor) or found.kind is not ActorKind.PERSON:
            raise NotFound("couldnt_find_person",
                           "Nobody was found there; write @name@host, as your server shows it.")
        if found.local:
            raise Refused("local_person", "This account is of this server: log in with its name.")
        self._check_allowed(found)
        return found

    async def begin(
        self, person: Actor, *, viewer: Viewer | None = None, by_message: bool = False
    ) -> Begun:
        """Begin to prove that somebody is a person elsewhere: by its home, else by a code."""
        self._check_allowed(person)
        peer = await self._peers.peer(person.domain)
        offer = None if by_message else await self._homes.offer(person.domain, peer.software)
        if offer is not None:
            try:
                return await self._through_home(offer, person, viewer=viewer)
            except Refused as refused:
                if refused.code != "home_refused":
                    raise
        return await self.send_code(person, viewer=viewer)

    async def came_back(self, handle: str, *, state: str, code: str, issuer: str) -> Knock:
        """Take what a home sends a browser back with, and return what it proved.

        Refuses a state that this browser did not begin with, and who is somebody else over there.
        """
        known = await self._accounts.prove(handle, state, method="oauth")
        self._check_allowed(known.person)
        if issuer and authority_of(issuer) != known.person.domain:  # RFC 9207 §2.4
            raise Forbidden("wrong_account", "Another server answered than was asked.")
        if not code:
            raise Forbidden("wrong_account", "Your server was not told to confirm it.")
        peer = await self._peers.peer(known.person.domain)
        offer = await self._homes.offer(known.person.domain, peer.software)
        if offer is None:
            raise Unavailable(f"{known.person.domain} could not be asked; begin again.")
        await self._homes.check(offer, known.person, code=code, verifier=known.verifier)
        return await self._accounts.confirm(handle)

    async def _through_home(
        self, offer: Offer, person: Actor, *, viewer: Viewer | None
    ) -> Begun:
        state, verifier = self._accounts.new_secret(), self._accounts.new_secret()
        handle = await self._store.write(lambda unit: self._accounts.begin_knock(
            unit, person, method="oauth", secret=state, verifier=verifier, viewer=viewer
        ))
        url = await self._homes.begin(offer, state=state, verifier=verifier)
        return Begun(handle, person, url)

    async def send_code(self, person: Actor, *, viewer: Viewer | None = None) -> Begun:
        """Send a code to a person and return the try that it will prove.

        Raises Unavailable where the person's server does not take it now.
        """
        self._check_allowed(person)
        code = self._accounts.new_code()

        def command(unit: Unit) -> tuple[str, Actor]:
            handle = self._accounts.begin_knock(
                unit, person, method="message", secret=code, viewer=viewer
            )
            return handle, self._accounts.doorkeeper(unit)

        handle, keeper = await self._store.write(command)
        peer = await self._peers.peer(person.domain)
        activity = self._letter(code, keeper, person, is_note=is_microblog(peer.software))
        answer = await self._posting.send(peer, person.inbox, [Outgoing(
            source=0, part=0, id=str(activity["id"]), sender=keeper.id, public=False,
            activity=msgspec.Raw(encoded(activity)),
        )])
        if answer.verdict is Verdict.REFUSED:
            raise Refused("message_refused", f"{person.domain} does not take messages from here.")
        if answer.verdict is not Verdict.TAKEN:
            raise Unavailable(f"{person.domain} could not be reached; try again in a while.")
        return Begun(handle, person)

    def _check_allowed(self, person: Actor) -> None:
        site = self._accounts.current_site.settings
        if not site.federation_enabled or not self._peers.is_allowed(person.domain):
            raise Refused("domain_blocked", f"This site does not talk to {person.domain}.",
                          status=403)

    def _letter(self, code: str, keeper: Actor, person: Actor, *, is_note: bool) -> Document:
        """Return the Create of a private message that carries a code."""
        tid = self._tids.next()
        text = self._text(code)
        said = isoformat(self._store.clock())
        message: Document = {
            # Lemmy 0.19 knows private messages as ChatMessage, microblogs as a Note that mentions.
            "type": "Note" if is_note else "ChatMessage",
            "id": self._deeds.id_of("message", tid), "attributedTo": keeper.ap_id,
            "to": [person.ap_id], "content": render(text, self._addresses),
            "mediaType": "text/html",
            "source": {"content": text, "mediaType": "text/markdown"}, "published": said,
        }
        if is_note:
            message["tag"] = [{"type": "Mention", "href": person.ap_id,
                               "name": f"@{person.name}@{person.domain}"}]
        return self._deeds.to_one(
            "Create", tid, actor=keeper.ap_id, recipient=person.ap_id, object_=message
        )

    def _text(self, code: str) -> str:
        authority = self._addresses.authority
        return (
            f"Somebody wants to come in at {authority} as you, with this code:\n\n"
            f"**{code}**\n\n"
            f"It counts once, for {_MINUTES} minutes. **If you did not ask for this, ignore it**, "
            f"and give the code to nobody: whoever has it comes in there as you."
        )
