"""The plan: who wrote what, where and when, and who voted on it, as arrays.

Few people write much and most write little; few communities are large; few posts are talked about.
All draws come from one seeded generator, so the same seed gives the same community.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

SPAN_US = 2 * 365 * 86_400 * 1_000_000  # how far back the first post lies
REPLY_SHARE = 0.62  # comments that answer another comment
REPLY_US_MEAN = 9 * 3_600 * 1_000_000  # how long after its post a comment comes, on average
UP_SHARE = 0.9  # votes that are upvotes
DEPTH_MAX = 30  # levels of replies


class Size(NamedTuple):
    """How much there is of everything."""

    people: int
    communities: int
    posts: int
    comments: int
    votes: int


SIZES: dict[str, Size] = {
    "small": Size(people=200, communities=24, posts=1_000, comments=8_000, votes=30_000),
    "large": Size(
        people=10_000, communities=1_000, posts=100_000, comments=1_000_000, votes=5_000_000
    ),
}


@dataclass(slots=True)
class Plan:
    """Everything is by index from 0; people and communities index into lists of actors.

    Posts and comments are in the order of their times, so a parent stands before its answers.
    `comment_parent` is -1 right under the post. Votes are unique pairs, never on one's own words;
    `vote_subject` counts posts first, then comments.
    """

    size: Size
    post_community: Numbers
    post_creator: Numbers
    post_us: Numbers
    comment_post: Numbers
    comment_parent: Numbers
    comment_creator: Numbers
    comment_us: Numbers
    vote_person: Numbers
    vote_subject: Numbers
    vote_value: Numbers
    subscriptions: list[tuple[int, int]]

    def founder(self, community: int) -> int:
        """Return who founded a community, and so is its first subscriber and moderator."""
        return community % self.size.people

    def followings(self) -> list[tuple[int, int]]:
        """Return who follows which community, besides its founder."""
        return [
            (person, community) for person, community in self.subscriptions
            if person != self.founder(community)
        ]


def draw(size: Size, generator: np.random.Generator, *, now_us: int) -> Plan:
    """Draw a plan that ends shortly before `now_us`."""
    people = _skewed(size.people, 0.9)
    communities = _skewed(size.communities, 1.05)
    # Growth: more lately than at first.
    ages = (generator.random(size.posts) ** 1.7 * SPAN_US).astype(np.int64)
    post_us = _distinct(np.sort(now_us - 60_000_000 - ages))
    post_community = generator.choice(size.communities, size.posts, p=communities)
    post_creator = generator.choice(size.people, size.posts, p=people)
    comment_post, comment_us = _comments(size, generator, post_us, now_us)
    comment_creator = generator.choice(size.people, size.comments, p=people)
    person, subject, value = _votes(
        size, generator, people, np.concatenate([post_creator, comment_creator])
    )
    return Plan(
        size=size, post_community=post_community, post_creator=post_creator, post_us=post_us,
        comment_post=comment_post, comment_parent=_parents(comment_post, generator),
        comment_creator=comment_creator, comment_us=comment_us,
        vote_person=person, vote_subject=subject, vote_value=value,
        subscriptions=_subscriptions(size, generator, communities),
    )


def _skewed(count: int, exponent: float) -> NDArray[np.float64]:
    """Return probabilities by Zipf's law."""
    weights = 1.0 / np.arange(1, count + 1) ** exponent
    return np.asarray(weights / weights.sum())


def _distinct(times_us: Numbers) -> Numbers:
    """Return sorted times moved apart, so that no two are the same microsecond."""
    steps = np.arange(len(times_us))
    return np.asarray(np.maximum.accumulate(times_us - steps) + steps)


def _comments(
    size: Size, generator: np.random.Generator, post_us: Numbers, now_us: int
) -> tuple[Numbers, Numbers]:
    heat = generator.permutation(_skewed(size.posts, 0.75))
    post = generator.choice(size.posts, size.comments, p=heat)
    delay = generator.exponential(REPLY_US_MEAN, size.comments).astype(np.int64) + 30_000_000
    times = np.minimum(post_us[post] + delay, now_us - 1_000_000 - size.comments)
    order = np.argsort(times, kind="stable")
    return post[order], _distinct(times[order])


def _parents(comment_post: Numbers, generator: np.random.Generator) -> Numbers:
    """Return each comment's parent among the earlier ones of its post, -1 for none."""
    chance = generator.random(len(comment_post)).tolist()
    pick = generator.random(len(comment_post)).tolist()
    seen: dict[int, list[int]] = {}
    depth = [1] * len(comment_post)
    parents = [-1] * len(comment_post)
    for at, post in enumerate(comment_post.tolist()):
        earlier = seen.setdefault(post, [])
        if earlier and chance[at] < REPLY_SHARE:
            # The square favours early comments: long threads hang below few of them.
            parent = earlier[int(pick[at] ** 2 * len(earlier))]
            if depth[parent] < DEPTH_MAX:
                parents[at], depth[at] = parent, depth[parent] + 1
        earlier.append(at)
    return np.array(parents, dtype=np.int64)


def _votes(
    size: Size, generator: np.random.Generator, people: NDArray[np.float64], creators: Numbers
) -> tuple[Numbers, Numbers, Numbers]:
    subjects = len(creators)
    # Posts draw more votes than comments do, and a few of each most of them.
    weights = np.concatenate([
        generator.permutation(_skewed(size.posts, 0.8)) * 0.6,
        generator.permutation(_skewed(size.comments, 0.6)) * 0.4,
    ])
    asked = int(size.votes * 1.35)
    # Votes are spread wider than words: the square root of the skew.
    calm = np.sqrt(people) / np.sqrt(people).sum()
    person = generator.choice(size.people, asked, p=calm)
    subject = generator.choice(subjects, asked, p=weights / weights.sum())
    other = creators[subject] != person
    pairs = np.unique(person[other] * subjects + subject[other])
    pairs = np.sort(generator.permutation(pairs)[: size.votes])
    value = np.where(generator.random(len(pairs)) < UP_SHARE, 1, -1)
    return pairs // subjects, pairs % subjects, value.astype(np.int64)


def _subscriptions(
    size: Size, generator: np.random.Generator, communities: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Return pairs (person, community), sorted; some 12 a person."""
    person = np.repeat(np.arange(size.people), 12)
    community = generator.choice(size.communities, len(person), p=communities)
    pairs = np.unique(person * size.communities + community)
    return [divmod(pair, size.communities) for pair in pairs.tolist()]
