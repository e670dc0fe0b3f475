"""Assembles the room."""

from pathlib import Path
from typing import NamedTuple

from lichen.accounts import Accounts
from lichen.forum.activity import Activity
from lichen.forum.limits import ACTIVITY_AGE_US_MAX
from lichen.forum.links import LinkReader, Links, Previews, unkept
from lichen.forum.live import LiveThreads
from lichen.forum.ranks import Ranks
from lichen.forum.reader import RankReader
from lichen.forum.service import Forum
from lichen.forum.standing import Standings
from lichen.kit.ground import Ground
from lichen.plugins import Hooks
from lichen.store import Store
from lichen.web import Addresses


class Room(NamedTuple):
    """The service, its readers of the log that serve pages, and the one that fetches."""

    forum: Forum
    standings: Standings
    rank_reader: RankReader
    link_reader: LinkReader
    live: LiveThreads


async def build(  # noqa: PLR0913 - what a forum is made of
    ground: Ground, store: Store, *, accounts: Accounts, addresses: Addresses, folder: Path,
    log_first_seq: int, log_last_seq: int, activity_age_us_max: int = ACTIVITY_AGE_US_MAX,
    hooks: Hooks | None = None, previews: Previews = unkept,
) -> Room:
    """Return the service over the rows and the rank columns in `folder`.

    The bounds of the log are read before this call; the readers, which the house registers with its
    followers, go on from their positions. The house closes `rank_reader` at its end. `hooks`
    are asked before anything is published; without them everything is. `previews` keeps the
    pictures of links.
    """
    activity = Activity(age_us_max=activity_age_us_max)
    standings = Standings(accounts, position=log_last_seq)
    rank_reader = await RankReader.open(
        folder, store=store, accounts=accounts, clock=ground.clock, first_seq=log_first_seq,
        last_seq=log_last_seq,
    )
    links = Links(ground.outbound)
    live = LiveThreads(position=log_last_seq)
    forum = Forum(
        accounts=accounts, addresses=addresses, tids=ground.tids,
        ranks=Ranks(rank_reader.posts, rank_reader.actors, activity), standings=standings,
        activity=activity, links=links, live=live, store=store, hooks=hooks or Hooks(),
    )
    link_reader = await LinkReader.open(
        store, forum, links, log_first_seq=log_first_seq, log_last_seq=log_last_seq,
        previews=previews,
    )
    return Room(forum, standings, rank_reader, link_reader, live)
