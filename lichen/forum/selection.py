"""Which posts a list may show to its viewer: the filters, over columns.

Everything is decided from the columns and the viewer's sets, without a row being read. A post that
was taken away is in no list but its author's own. Inside a community and on a person's page less is
left out than on the front page: there one asked for just that.
"""

import numpy as np
from pyroaring import BitMap

from lichen.forum.columns import ActorFlag, Array, PostFlag, View
from lichen.forum.model import Listing, PostQuery
from lichen.forum.standing import Standing

# Asking a bitmap costs 60 ns a value; a table of its members 10 µs, and 2 ns a member.
_TABLE_NS, _MEMBER_NS, _VALUE_NS = 10_000, 2, 60


class Selection:
    """The filters of one question, asked about as many posts as it takes."""

    def __init__(
        self, query: PostQuery, standing: Standing, *, posts: View, actors: View
    ) -> None:
        # Only on their own page do people see what they deleted, or what was removed of theirs.
        self.shows_gone = (
            query.creator_id is not None and query.creator_id == standing.person_id
        )
        self._query = query
        self._standing = standing
        self._posts = posts
        self._actors = actors

    def narrow(self) -> Array | None:
        """Return the posts that could be meant, ascending; None where it could be any."""
        query = self._query
        found: Array | None = None
        if query.among is not None:
            found = np.unique(np.array(query.among, np.int64))
            found = found[found < self._posts.rows]
        elif query.listing in (Listing.SUBSCRIBED, Listing.MODERATOR_VIEW):
            found = np.flatnonzero(_inside(self._posts.whole("community"), self._communities()))
        for name, wanted in (("community", query.community_id), ("creator", query.creator_id)):
            if wanted is None:
                continue
            if found is None:
                found = np.flatnonzero(self._posts.columns[name] == wanted)
            else:
                found = found[self._posts.take(name, found) == wanted]
        return found

    def shows(self, ids: Array) -> Array:
        """Return which of the posts the list may show."""
        # What was written after the columns were looked at is for the next question.
        keep = ids < self._posts.rows
        known = ids if keep.all() else np.where(keep, ids, 0)
        communities = self._posts.take("community", known)
        creators = self._posts.take("creator", known)
        keep &= np.maximum(communities, creators) < self._actors.rows
        last = self._actors.rows - 1
        keep &= self._keep_post(known)
        keep &= self._keep_community(np.minimum(communities, last))
        keep &= self._keep_creator(np.minimum(creators, last))
        if self._query.among is not None:
            keep &= np.isin(ids, self._query.among)
        for marked in self._marked():
            keep &= ~_inside(ids, marked)
        return keep

    def _keep_post(self, ids: Array) -> Array:
        query = self._query
        gone = PostFlag(0) if self.shows_gone else PostFlag.GONE
        nsfw = PostFlag(0) if query.show_nsfw else PostFlag.NSFW
        seen = int(PostFlag.EXISTS | gone | nsfw)
        keep: Array = (self._posts.take("flags", ids) & seen) == int(PostFlag.EXISTS)
        if query.languages:
            keep &= np.isin(self._posts.take("language", ids), query.languages)
        return keep

    def _keep_community(self, communities: Array) -> Array:
        query, standing = self._query, self._standing
        about = self._actors.take("flags", communities)
        unwanted = ActorFlag.GONE | (0 if query.show_nsfw else ActorFlag.NSFW)
        keep: Array = (about & int(unwanted)) == 0
        if query.community_id is None:
            keep &= self._keep_listing(about, communities)
        else:
            keep &= communities == query.community_id
        if query.listing is not Listing.MODERATOR_VIEW:
            keep &= ~_inside(communities, standing.blocked_communities)
            if standing.blocked_instances:
                instances = self._actors.take("instance", communities)
                keep &= ~_inside(instances, standing.blocked_instances)
        return keep

    def _keep_listing(self, about: Array, communities: Array) -> Array:
        query, standing = self._query, self._standing
        if query.listing in (Listing.SUBSCRIBED, Listing.MODERATOR_VIEW):
            return _inside(communities, self._communities())
        keep: Array = (about & int(ActorFlag.HIDDEN)) == 0
        if not keep.all():
            # Lemmy 0.19: a hidden community is still there for its subscribers.
            keep |= _inside(communities, standing.subscribed)
        if query.listing is Listing.LOCAL:
            keep &= (about & int(ActorFlag.LOCAL)) != 0
        return keep

    def _communities(self) -> BitMap:
        """Return the communities that the listing draws from."""
        subscribed = self._query.listing is Listing.SUBSCRIBED
        return self._standing.subscribed if subscribed else self._standing.moderates

    def _keep_creator(self, creators: Array) -> Array:
        keep = ~_inside(creators, self._standing.blocked_people)
        if self._query.creator_id is not None:
            keep &= creators == self._query.creator_id
        if self._query.show_bots is False:
            keep &= (self._actors.take("flags", creators) & int(ActorFlag.BOT)) == 0
        return keep

    def _marked(self) -> list[BitMap]:
        """Return the sets of posts to leave out; a person's page and a saved list show them."""
        query, standing = self._query, self._standing
        if query.creator_id is not None or query.among is not None:
            return []
        marked = [] if query.show_hidden else [standing.hidden]
        if query.show_read is False and standing.read is not None:
            marked.append(standing.read)
        return [each for each in marked if each]


def _inside(values: Array, members: BitMap) -> Array:
    """Return which of the values are members."""
    if not members or not len(values):
        return np.zeros(len(values), np.bool_)
    if len(values) * _VALUE_NS < _TABLE_NS + len(members) * _MEMBER_NS:
        return np.fromiter((value in members for value in values.tolist()), np.bool_, len(values))
    table = np.zeros(int(values.max()) + 1, np.bool_)
    known = np.frombuffer(members.to_array(), np.uint32)
    table[known[known < len(table)]] = True
    inside: Array = table[values]
    return inside
