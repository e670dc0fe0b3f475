"""The comment tree: which comments of a thread are shown, and in which order.

Pure. A thread comes as its skeleton, one `Bone` a comment, and leaves as the ids to show:

    skeleton ──► rank (one array for the whole thread) ──► children of each, best first
             ──► level by level until the limit ──► read out depth first

The limit cuts whole levels from below before it cuts the best from their siblings, so that what is
shown always hangs together: a comment is only there with all its ancestors.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

ROOT = 0  # the parent of comments right under a post; paths start with it


class Bone(NamedTuple):
    """What decides where a comment stands; the columns of a skeleton's rows."""

    id: int
    path: str
    creator_id: int
    up: int
    down: int
    published_us: int


Rank = Callable[[Sequence[Bone]], NDArray[np.float64]]  # the higher, the earlier


def ranked(skeleton: Sequence[Bone], rank: Rank) -> list[Bone]:
    """Return the comments by rank, the best first; among equals the newest first."""
    if not skeleton:
        return []
    ids = np.fromiter((bone.id for bone in skeleton), np.int64, len(skeleton))
    order = np.lexsort((-ids, -rank(skeleton)))
    return [skeleton[at] for at in order.tolist()]


def tree_of(
    skeleton: Sequence[Bone], rank: Rank, *, limit: int, depth_max: int,
    parent_id: int | None = None, without: BitMap | None = None,
) -> list[int]:
    """Return the ids of a tree of at most `limit` comments, depth first, siblings by rank.

    With a parent it is the branch that begins there, the parent included. Depth counts from 1 right
    under the post or under the parent. Branches begun by a person in `without` are left out.
    """
    children: dict[int, list[int]] = {}
    start: list[int] = []
    for bone in ranked(skeleton, rank):
        if without is not None and bone.creator_id in without:
            continue
        children.setdefault(parent_of(bone.path), []).append(bone.id)
        if bone.id == parent_id:
            start = [parent_id]
    if parent_id is None:
        start = children.get(ROOT, [])
    else:
        depth_max += 1  # the parent itself is a level
    kept = _levels(start, children, limit=limit, depth_max=depth_max)
    return _depth_first(start, children, kept)


def parent_of(path: str) -> int:
    """Return the id before the last of a path, ROOT right under the post."""
    return int(path.rsplit(".", 2)[-2])


def ancestors_of(path: str) -> list[int]:
    """Return the ids above the last of a path, from the top down."""
    return [int(part) for part in path.split(".")[1:-1]]


def depth_of(path: str) -> int:
    """Return how deep a path leads: 1 right under the post."""
    return path.count(".")


def path_below(parent_path: str | None, comment_id: int) -> str:
    """Return the path of a comment under a parent, None for the post itself."""
    return f"{ROOT if parent_path is None else parent_path}.{comment_id}"


def _levels(
    start: list[int], children: dict[int, list[int]], *, limit: int, depth_max: int
) -> set[int]:
    kept: set[int] = set()
    level = start
    for _depth in range(depth_max):
        level = level[:limit - len(kept)]
        if not level:
            break
        kept.update(level)
        level = [child for parent in level for child in children.get(parent, ())]
    return kept


def _depth_first(start: list[int], children: dict[int, list[int]], kept: set[int]) -> list[int]:
    order: list[int] = []
    waiting = [one for one in reversed(start) if one in kept]
    while waiting:
        at = waiting.pop()
        order.append(at)
        waiting.extend(child for child in reversed(children.get(at, ())) if child in kept)
    return order
