"""What federation remembers: the peers, their keys, and addresses of remote actors.

Columns that name a row of another room are plain values; foreign keys stay inside the room.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text

from lichen.store import metadata

peer = Table(
    "peer", metadata,
    Column("authority", Text, primary_key=True),
    Column("software", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("capabilities", Text, nullable=False),  # JSON list
    Column("shared_inbox", Text, nullable=False),
    Column("style", Text, nullable=False),  # a Style
    Column("accepts", Text, nullable=False),  # JSON of Accepts
    Column("first_seen_us", BigInteger, nullable=False),
    Column("asked_us", BigInteger, nullable=False),  # its NodeInfo; 0: never
    Column("fail_count", BigInteger, nullable=False),
    Column("retry_at_us", BigInteger, nullable=False),
    Column("last_success_us", BigInteger, nullable=False),
    Column("last_received_us", BigInteger, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("cursor", BigInteger, nullable=False),  # in the log `outgoing`
)

peer_key = Table(
    "peer_key", metadata,
    Column("key_id", Text, primary_key=True),
    Column("owner", Text, nullable=False, index=True),  # an ActivityPub id
    Column("public_key", Text, nullable=False),  # PEM
    Column("fetched_us", BigInteger, nullable=False),
)

# Where a remote actor keeps its collections, beside its row in `actor`.
peer_actor = Table(
    "peer_actor", metadata,
    Column("ap_id", Text, primary_key=True),
    Column("shared_inbox", Text, nullable=False),
    Column("outbox", Text, nullable=False),
    Column("followers", Text, nullable=False),
    Column("featured", Text, nullable=False, index=True),
    Column("moderators", Text, nullable=False, index=True),
    Column("moved_to", Text, nullable=False),
    Column("fetched_us", BigInteger, nullable=False),
)

# Every activity that was applied, by a hash of its id and of who vouches for it: exactly once.
# `about` is what an Undo that names it alone undoes: of a vote, the kind and the number of a thing.
received = Table(
    "received", metadata,
    Column("key", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False, index=True),
    Column("about", Text, nullable=True),
)

# Activities that wait: `needs` is the id of the actor or thing that must be there first, `subject`
# what later activities are kept in order by.
parked = Table(
    "parked", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),  # in the log `inbox`
    Column("peer", Text, nullable=False),
    Column("announcer", Text, nullable=False),
    Column("raw", Text, nullable=False),  # the activity as it came
    Column("needs", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),  # "actor" or "thing"
    Column("subject", Text, nullable=False, index=True),
    Column("tries", BigInteger, nullable=False),
    Column("retry_us", BigInteger, nullable=False),
    Index("parked_due", "retry_us", "id"),
)

# The ids of the Follows that stand, so that an Accept or a Reject can name one.
follow = Table(
    "follow", metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("community_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ap_id", Text, nullable=False, index=True),
)

# Where sending stands: the peers that are behind; authority "" says how far all others are.
outgoing_line = Table(
    "outgoing_line", metadata,
    Column("authority", Text, primary_key=True),
    Column("cursor", BigInteger, nullable=False),  # in the log `outgoing`
    Column("since_us", BigInteger, nullable=False, server_default="0"),  # when what is next was
)

# With whom we are asked to catch up, and whether that was begun; gone when it ends.
catch_up = Table(
    "catch_up", metadata,
    Column("authority", Text, primary_key=True),
    Column("asked_us", BigInteger, nullable=False),
    Column("begun", Boolean, nullable=False),
)

# The activity that stands for the record of a vote or a deletion of ours: its Undo names it.
outgoing_standing = Table(
    "outgoing_standing", metadata,
    Column("tid", Text, primary_key=True),  # the key of the record
    Column("kind", Text, nullable=False),  # Like, Dislike, Delete
    Column("event_id", Text, nullable=False),  # the TID in the activity's id
    Column("object", Text, nullable=False),  # an ActivityPub id
    Column("community_id", BigInteger, nullable=False),  # 0: of none
)

# What an administrator declared of a community elsewhere; measured silence needs no row.
community_declared_gone = Table(
    "community_declared_gone", metadata,
    Column("community_id", BigInteger, primary_key=True, autoincrement=False),
    Column("person_id", BigInteger, nullable=False),  # who declared it
    Column("at_us", BigInteger, nullable=False),
)

# A community that continues one that has ended: ours, or one elsewhere; it continues one alone.
successor_offer = Table(
    "successor_offer", metadata,
    Column("successor_id", BigInteger, primary_key=True, autoincrement=False),
    Column("community_id", BigInteger, nullable=False, index=True),  # the old one
    Column("founder_id", BigInteger, nullable=False),  # 0: nobody here
    Column("published_us", BigInteger, nullable=False),  # founded here, or heard of here
    Column("proof", Text, nullable=False),  # a Proof
)

# What the server of a community said of the community's end.
community_ended = Table(
    "community_ended", metadata,
    Column("community_id", BigInteger, primary_key=True, autoincrement=False),
    Column("way", Text, nullable=False),  # a Way: closed, moved
    Column("since_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),  # when it said so last
)

# Communities that one of ours says to be too: ids, claimed and not proved.
community_alias = Table(
    "community_alias", metadata,
    Column("community_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ap_id", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)

# What was heard of successors and is examined, or was a day ago: offers, and moves of communities.
heard_offer = Table(
    "heard_offer", metadata,
    Column("community_id", BigInteger, primary_key=True, autoincrement=False),  # the old one
    Column("target", Text, primary_key=True),  # the id of the successor
    Column("proof", Text, nullable=False),  # a Proof: what it would be
    Column("peer", Text, nullable=False),  # who said so
    Column("at_us", BigInteger, nullable=False),
    Column("tries", BigInteger, nullable=False),
    Column("retry_us", BigInteger, nullable=False),
    Column("outcome", Text, nullable=False),  # "" until it was examined
)

# What a subscriber of the old community said when asked: asked once for each successor.
successor_answer = Table(
    "successor_answer", metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("successor_id", BigInteger, primary_key=True, autoincrement=False),
    Column("accepted", Boolean, nullable=False),
    Column("at_us", BigInteger, nullable=False),
)
