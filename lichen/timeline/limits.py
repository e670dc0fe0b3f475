"""The limits of the timelines: every size and count that bounds them, with its reason."""

from typing import Final

ACTIVE_PEOPLE_MAX: Final = 1 << 25
"""People with a ring: 33 million rings of 16 slots are 2.1 GB; more is for another
process."""

ACTORS_MAX: Final = 1 << 26
"""The largest number of an actor: one column of 4 bytes each, 268 MB, maps people to rings."""

FANOUT_FOLLOWERS_MAX: Final = 100_000
"""Above this a source is not fanned out but merged at read: one post of it would be ten pages of
writes and more, for readers of whom few come before the next."""

FANOUT_PAGE_PEOPLE: Final = 10_000
"""Followers written in one go: some 0.2 ms, so that reads wait no longer than that."""

FANOUT_TURN_PAGES: Final = 4
"""Pages of followers written in one turn of the loop: under a millisecond in which nobody reads."""

ORDINAL_MAX: Final = (1 << 31) - 1
"""The largest ordinal of a post: with its role, author's or community's, it fits 32 bits."""

PENDING_FANOUTS_MAX: Final = 10_000
"""Posts that wait to be fanned out; `apply` works them off itself before it takes more."""

PENDING_FOLLOWERS_MAX: Final = 1 << 25
"""Followers that wait to be written to, all posts together: 134 MB of numbers, a second's work."""

PAGE_POSTS_MAX: Final = 200
"""Posts on one page at most."""

PAGE_LOOKED_AT_MAX: Final = 4_000
"""Posts looked at for one page, shown or not; the cursor goes on from there."""

POSTS_KEPT: Final = 1 << 22
"""Posts remembered with author and community, unless set otherwise: 4 million, 34 bytes each."""

REASONABLE_FOLLOWS: Final = 2_000
"""Following more than this loses posts in proportion, unless set otherwise: nobody reads more."""

RING_SLOTS_MAX: Final = 128
"""Slots of a ring at most: the position in it is one byte."""

SCAN_POSTS_MAX: Final = 1 << 20
"""Posts scanned in one go for somebody who follows very many: 5 ms; the cursor goes on."""

WEIGHTS_AGE_S_MAX: Final = 30
"""How old the table of heavy followers may be: as published; counts move slowly."""
