"""The comment tree: what is shown hangs together, siblings by rank, never more than asked for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from lichen.forum.tree import Bone, ancestors_of, depth_of, parent_of, path_below, ranked, tree_of


def by_score(bones):
    return np.array([bone.up - bone.down for bone in bones], np.float64)


@st.composite
def threads(draw):
    """A thread of up to 40 comments; each answers an earlier one or the post."""
    bones: list[Bone] = []
    for number in range(1, draw(st.integers(0, 40)) + 1):
        parent = draw(st.sampled_from([None, *bones]))
        bones.append(Bone(
            id=number, path=path_below(parent.path if parent else None, number),
            creator_id=draw(st.integers(1, 4)), up=draw(st.integers(0, 3)),
            down=draw(st.integers(0, 3)), published_us=number,
        ))
    return bones


@given(threads())
def test_without_limits_every_comment_is_shown_once(bones):
    shown = tree_of(bones, by_score, limit=100, depth_max=50)

    assert sorted(shown) == [bone.id for bone in bones]


@given(threads(), st.integers(0, 20), st.integers(1, 5))
def test_what_is_shown_hangs_together_and_keeps_to_its_limits(bones, limit, depth_max):
    paths = {bone.id: bone.path for bone in bones}

    shown = tree_of(bones, by_score, limit=limit, depth_max=depth_max)

    assert len(shown) <= limit
    for at, comment_id in enumerate(shown):
        assert depth_of(paths[comment_id]) <= depth_max
        assert set(ancestors_of(paths[comment_id])) <= set(shown[:at])


@given(threads())
def test_siblings_stand_by_rank_and_right_below_their_parent(bones):
    by_id = {bone.id: bone for bone in bones}

    shown = tree_of(bones, by_score, limit=100, depth_max=50)

    for before, after in zip(shown, shown[1:], strict=False):
        above = ancestors_of(by_id[after].path)
        assert not above or above[-1] in {before, *ancestors_of(by_id[before].path)}
    for parent in {parent_of(bone.path) for bone in bones}:
        keys = [(by_id[one].up - by_id[one].down, one) for one in shown
                if parent_of(by_id[one].path) == parent]
        assert keys == sorted(keys, reverse=True)


@given(threads(), st.integers(1, 40))
def test_a_branch_is_its_comment_and_all_below(bones, parent_id):
    shown = tree_of(bones, by_score, limit=100, depth_max=50, parent_id=parent_id)

    below = {bone.id for bone in bones if parent_id in ancestors_of(bone.path)}
    here = {parent_id} if any(bone.id == parent_id for bone in bones) else set()
    assert set(shown) == below | here


@given(threads(), st.sets(st.integers(1, 4)))
def test_branches_begun_by_blocked_people_are_left_out(bones, blocked):
    creators = {bone.id: bone.creator_id for bone in bones}

    shown = set(tree_of(bones, by_score, limit=100, depth_max=50, without=BitMap(blocked)))

    for bone in bones:
        line = [*ancestors_of(bone.path), bone.id]
        assert (bone.id in shown) == (not blocked & {creators[one] for one in line})


@given(threads())
def test_a_flat_list_is_total_and_by_rank(bones):
    keys = [(bone.up - bone.down, bone.id) for bone in ranked(bones, by_score)]

    assert keys == sorted(keys, reverse=True)
    assert len(keys) == len(bones)


def test_paths_say_parent_depth_and_ancestors():
    path = path_below(path_below(None, 12), 34)

    assert path == "0.12.34"
    assert (parent_of(path), depth_of(path), ancestors_of(path)) == (12, 2, [12])
    assert (parent_of("0.12"), depth_of("0.12"), ancestors_of("0.12")) == (0, 1, [])
