"""History: the past in the order of time, and what each of its things had before it.

    Walk      posts and comments, each in the order of ids, merged by their time
    History   passes by them and says of each what its author had written then, and how often the
              same words had been: what the live check asks the rows, carried along instead
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping

from lichen.automod import limits
from lichen.automod.facts import Around, Item, Need
from lichen.forum import Forum, PastBounds, PastThing
from lichen.store import Unit


class Walk:
    """Reads posts and comments since a moment, in batches, merged by their time."""

    def __init__(self, forum: Forum, bounds: PastBounds, *, community_id: int) -> None:
        self._forum = forum
        self._community_id = community_id
        self._ends = bounds
        self._after = [bounds.posts[0], bounds.comments[0]]
        self._waiting: list[deque[PastThing]] = [
            deque(maxlen=limits.TRIAL_BATCH), deque(maxlen=limits.TRIAL_BATCH)]
        self._ended = [False, False]
        self.total = sum(last - first for first, last in bounds)

    @property
    def seen(self) -> int:
        """How many row numbers are behind it."""
        return sum(self._after) - self._ends.posts[0] - self._ends.comments[0]

    def next_things(self, unit: Unit) -> list[PastThing]:
        """Return the next things in the order of their time, none at the end; two round trips."""
        for kind, read in enumerate((self._forum.past_posts, self._forum.past_comments)):
            if not self._waiting[kind] and not self._ended[kind]:
                self._fill(unit, kind, read)
        posts, comments = self._waiting
        merged: list[PastThing] = []
        # One that has run dry may go on earlier than the other's next: then it is read first.
        while (posts or self._ended[0]) and (comments or self._ended[1]):
            if not (posts or comments):
                break
            from_posts = bool(posts) and (
                not comments or posts[0].published_us <= comments[0].published_us)
            merged.append((posts if from_posts else comments).popleft())
        return merged

    def _fill(self, unit: Unit, kind: int, read: Callable[..., list[PastThing]]) -> None:
        found = read(unit, after=self._after[kind], limit=limits.TRIAL_BATCH,
                     community_id=self._community_id)
        self._waiting[kind].extend(found)
        self._ended[kind] = len(found) < limits.TRIAL_BATCH
        self._after[kind] = self._ends[kind][1] if self._ended[kind] else found[-1].id


class History:
    """What every author had written, and how often the same words had been, up to a moment."""

    def __init__(self, needs: Collection[Need]) -> None:
        self._needs = needs
        self._words: dict[int, list[int]] = {}
        self._lately: dict[tuple[int, bool], deque[int]] = {}
        self._same: dict[int, deque[tuple[int, int]]] = {}

    @property
    def look_back_us(self) -> int:
        """How much earlier than its first judged thing the walk must begin."""
        if Need.DUPLICATES in self._needs:
            return limits.DUPLICATE_AGE_US_MAX
        return limits.LATELY_US if Need.EARLIER in self._needs else 0

    def begin(self, words: Mapping[int, tuple[int, int]]) -> None:
        """Take over how many posts and comments people had written before the walk met them."""
        for person_id, counts in words.items():
            self._words.setdefault(person_id, list(counts))

    def pass_by(self, item: Item) -> Around:
        """Return what was around an item when it was written, and count it in."""
        earlier = self._earlier(item) if Need.EARLIER in self._needs else (0, 0, 0)
        same = self._duplicates(item) if Need.DUPLICATES in self._needs else (0, 0)
        return Around(
            posts=earlier[0], comments=earlier[1], lately=earlier[2],
            duplicates=same[0], duplicates_own=same[1],
        )

    def _earlier(self, item: Item) -> tuple[int, int, int]:
        author = int(item.author.id)
        words = self._words.setdefault(author, [0, 0])
        posts, comments = (min(count, limits.EARLIER_MAX) for count in words)
        words[not item.is_post] += 1
        since_us = item.at_us - limits.LATELY_US
        lately = 0
        for kind in (True, False):
            times = self._lately.get((author, kind), ())
            lately += sum(time_us >= since_us for time_us in times)
        mine = self._lately.setdefault((author, item.is_post), deque(maxlen=limits.LATELY_MAX))
        mine.append(item.at_us)
        return posts, comments, lately

    def _duplicates(self, item: Item) -> tuple[int, int]:
        same = self._same.setdefault(
            item.text_key, deque(maxlen=10 * limits.DUPLICATES_MAX))
        since_us = item.at_us - limits.DUPLICATE_AGE_US_MAX
        while same and same[0][0] < since_us:
            same.popleft()
        author = int(item.author.id)
        own = sum(person_id == author for _, person_id in same)
        found = (min(len(same), limits.DUPLICATES_MAX), min(own, limits.DUPLICATES_MAX))
        same.append((item.at_us, author))
        return found
