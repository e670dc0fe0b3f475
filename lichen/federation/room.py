"""Assembles the room."""

from dataclasses import dataclass

from lichen.accounts import Accounts
from lichen.federation.authorising import AuthorisedFetch
from lichen.federation.catching_up import CatchingUp
from lichen.federation.deeds import Deeds
from lichen.federation.fetching import Documents
from lichen.federation.homes import Homes
from lichen.federation.keys import KeyRing, SigningKeys
from lichen.federation.model import Style
from lichen.federation.moves import Moves
from lichen.federation.offers import Offers
from lichen.federation.peers import Peers, load_peers
from lichen.federation.posting import Posting
from lichen.federation.proving import Proving
from lichen.federation.renewing import Renewing
from lichen.federation.resolving import Resolver
from lichen.federation.signatures import sign
from lichen.federation.successors import Successors, load_continuing
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.moderation import Moderation
from lichen.store import Store
from lichen.web import Addresses


@dataclass(frozen=True, slots=True)
class Room:
    """Who is out there, and what they have; the house runs `peers` and closes the room."""

    peers: Peers
    documents: Documents
    keys: KeyRing
    resolver: Resolver
    renewing: Renewing
    authorised: AuthorisedFetch
    proving: Proving
    moves: Moves
    successors: Successors
    catching_up: CatchingUp
    offers: Offers

    def told(self) -> None:
        """Look at once: somebody told a move, or offered a successor."""
        self.moves.wake()
        self.offers.wake()

    def figures(self) -> dict[str, float]:
        """Return how often something elsewhere was not believed or not kept, for the metrics."""
        counted = {
            "fetch": self.documents.outcomes, "found": self.resolver.outcomes,
            "brought": self.resolver.communities.outcomes, "offered": self.offers.outcomes,
        }
        return {f"{what}_{code}_total": float(count)
                for what, outcomes in counted.items() for code, count in sorted(outcomes.items())}

    async def close(self) -> None:
        """End what is being fetched, and write what was noted of peers."""
        self.proving.close()
        await self.catching_up.close()
        await self.resolver.close()
        await self.renewing.close()
        await self.keys.close()
        await self.peers.close()


async def build(
    ground: Ground, store: Store, *, accounts: Accounts, forum: Forum,
    moderation: Moderation, addresses: Addresses,
) -> Room:
    """Return the room over what the rows know of others."""
    own = SigningKeys(store, accounts)
    peers = Peers(
        store, accounts, addresses=addresses, clock=ground.clock,
        known=await store.read(load_peers, apart=True),
    )
    documents = _documents(ground, accounts, own, peers)
    keys = KeyRing(store, documents, own, clock=ground.clock)
    renewing = Renewing(
        store, accounts=accounts, forum=forum, documents=documents, peers=peers,
        clock=ground.clock,
    )
    resolver = Resolver(
        store, accounts=accounts, forum=forum, documents=documents, keys=keys, peers=peers,
        addresses=addresses, clock=ground.clock,
    )
    resolver.look = renewing.look
    authorised = AuthorisedFetch(
        keys, is_wanted=lambda: accounts.current_site.settings.federation_signed_fetch,
        is_allowed=peers.is_allowed, clock=ground.clock, public_url=addresses.public_url,
    )
    successors = await _successors(ground, store, forum, peers)
    return Room(
        peers, documents, keys, resolver, renewing, authorised,
        proving=Proving(
            store, accounts, resolver, peers=peers, addresses=addresses, tids=ground.tids,
            posting=Posting(ground.outbound, own, Deeds(addresses), ground.clock,
                            prefer=peers.prefer),
            homes=Homes(store, ground.outbound, documents, addresses=addresses),
        ),
        moves=Moves(store, accounts, forum, moderation, documents=documents, resolver=resolver,
                    addresses=addresses),
        successors=successors,
        offers=Offers(
            store, accounts, forum, successors, documents=documents, resolver=resolver,
            addresses=addresses, tids=ground.tids,
        ),
        catching_up=CatchingUp(store, forum, resolver, peers=peers, documents=documents),
    )


async def _successors(
    ground: Ground, store: Store, forum: Forum, peers: Peers
) -> Successors:
    """Return what says who continues which community, as far as the rows know."""
    return Successors(
        forum, peers, silent_days=ground.config.forum.gone_after_days,
        continuing=await store.read(load_continuing, apart=True),
    )


def _documents(
    ground: Ground, accounts: Accounts, own: SigningKeys, peers: Peers
) -> Documents:
    """Return what fetches documents, signed in the site's name where that is wanted."""

    async def signed_as_site(url: str, style: Style) -> dict[str, str]:
        key = await own.signing_key(accounts.current_site.actor.id)
        return sign(key, method="GET", url=url, body=b"", now_us=ground.clock(), style=style)

    documents = Documents(
        ground.outbound, is_allowed=peers.is_allowed, signer=signed_as_site, preferences=peers,
        signs_always=lambda: accounts.current_site.settings.federation_signed_fetch,
    )
    peers.ask_through(documents)
    return documents
