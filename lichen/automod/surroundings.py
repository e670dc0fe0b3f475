"""Surroundings: what must be asked for before all facts of new things are known.

Whatever the number of things and rules: one flush for what rows say, one more for each port that a
rule reads.
"""

from collections.abc import Collection, Sequence

from lichen.automod import limits, tables
from lichen.automod.facts import Around, Item, Need
from lichen.automod.ports import PictureHashes, Trust
from lichen.forum import Earlier, Written, earlier_from, earlier_query
from lichen.store import Query, Unit


def item_of(written: Written) -> Item:
    """Return what is about to be stored, as the facts see it."""
    post, comment = written.post, written.comment
    common = {
        "author": written.author, "moderates": written.moderates or written.author.admin,
        "community_id": written.community.id, "community": written.community.actor.name,
        "is_edit": written.before is not None, "nsfw": post.nsfw,
    }
    if comment is None:
        return Item(
            is_post=True, id=post.id, title=post.name, body=post.body or "", url=post.url,
            language_id=post.language_id, depth=0, at_us=post.published_us, **common,  # type: ignore[arg-type]
        )
    return Item(
        is_post=False, id=comment.id, title="", body=comment.content, url=None,
        language_id=comment.language_id, depth=comment.depth, at_us=comment.published_us, **common,  # type: ignore[arg-type]
    )


class Surroundings:
    """Asks for what is around new things."""

    def __init__(self, *, trust: Trust | None, pictures: PictureHashes | None) -> None:
        self._trust = trust
        self._pictures = pictures

    def of(
        self, unit: Unit, items: Sequence[Item], needs: Collection[Need]
    ) -> list[Around]:
        """Return what is around each item; at most three round trips, none without needs."""
        queries: list[Query] = []
        for item in items:
            queries += _queries(item, needs)
        answers = iter(unit.fetch_all(*queries) if queries else [])
        trust = self.trust_of(unit, items, needs)
        pictures = self.hits_of(unit, items, needs)
        found = []
        for item in items:
            earlier = earlier_from(next(answers)) if Need.EARLIER in needs else Earlier()
            same = next(answers)[0] if Need.DUPLICATES in needs else None
            found.append(Around(
                posts=earlier.posts, comments=earlier.comments, lately=earlier.lately,
                duplicates=same.by_anybody if same else 0, duplicates_own=same.own if same else 0,
                trust=trust.get(item.author.id, 0),
                picture_hits=sum(pictures.get(url, 0) for url in item.pictures),
            ))
        return found

    def trust_of(
        self, unit: Unit, items: Sequence[Item], needs: Collection[Need]
    ) -> dict[int, int]:
        """Return the trust levels of the authors, where a rule reads them."""
        if self._trust is None or Need.TRUST not in needs:
            return {}
        return dict(self._trust.levels(unit, {int(item.author.id) for item in items}))

    def hits_of(
        self, unit: Unit, items: Sequence[Item], needs: Collection[Need]
    ) -> dict[str, int]:
        """Return how often the pictures of the items are known as bad, where a rule asks."""
        if self._pictures is None or Need.PICTURES not in needs:
            return {}
        return dict(self._pictures.hits(unit, {url for item in items for url in item.pictures}))


def _queries(item: Item, needs: Collection[Need]) -> list[Query]:
    queries: list[Query] = []
    if Need.EARLIER in needs:
        queries.append(earlier_query(
            item.author.id, before_us=item.at_us, since_us=item.at_us - limits.LATELY_US,
            count_max=limits.EARLIER_MAX, lately_max=limits.LATELY_MAX,
        ))
    if Need.DUPLICATES in needs:
        queries.append((tables.DUPLICATES, {
            "text_key": item.text_key, "before_us": item.at_us, "creator_id": item.author.id,
            "since_us": item.at_us - limits.DUPLICATE_AGE_US_MAX, "limit": limits.DUPLICATES_MAX,
        }))
    return queries
