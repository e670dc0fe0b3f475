"""The limits of the upstream: what a relay may send, and how long we bear with it."""

from typing import Final

FRAME_BYTES_MAX: Final = 5 << 20
"""One message of a relay: the AT Protocol allows 5 MB, and 2 MB of blocks in it."""

BATCH_FRAMES_MAX: Final = 512
"""Frames that go to the decoding child at once: some ten milliseconds of its work."""

BATCH_BYTES_MAX: Final = 8 << 20
"""Bytes of frames that wait for the child; beyond it the relay's socket is read no further."""

BLOCKS_MAX: Final = 20_000
"""Blocks in the CAR of one frame; 200 operations touch some thousands at the very worst."""

OPS_MAX: Final = 200
"""Operations in one commit: the bound that the AT Protocol sets."""

RECORD_BYTES_MAX: Final = 1 << 20
"""One record as DAG-CBOR: the bound that the AT Protocol sets."""

ARRIVAL_BYTES_MAX: Final = (2 << 20) - 4_096
"""The JSON of one record or message: with a head it is what the stream takes as an event."""

RECORD_DEPTH_MAX: Final = 64
"""Maps and lists inside each other in a record; those who read our JSON may recurse."""

GROWTH_MAX: Final = 8
"""How much longer a frame's events may be than the frame: many operations can share one record."""

GROWTH_BYTES_FREE: Final = 65_536
"""What a frame's events may take whatever its length."""

MENTIONS_MAX: Final = 64
"""Actors that one record mentions; those after them are not filtered for."""

LANGS_MAX: Final = 8
"""Languages that one record names; a post may name three."""

LANG_LENGTH_MAX: Final = 32
"""Characters in the tag of a language."""

NSID_LENGTH_MAX: Final = 317
"""Characters of a collection: the bound that the AT Protocol sets."""

TIME_LENGTH_MAX: Final = 64
"""Characters of a time; 24 are usual."""

DID_LENGTH_MAX: Final = 2_000
"""Characters of a DID after its method: the AT Protocol allows 2,048 in all."""

WORD_LENGTH_MAX: Final = 64
"""Characters of a name (of an error, of an info) that a relay gave and that we count or tell."""

SEQ_MAX: Final = (1 << 53) - 1
"""A relay's sequence: beyond it JSON numbers are no longer exact."""

CHILD_MEMORY_BYTES_MAX: Final = 1 << 30
"""Address space of the decoding child; it needs a tenth of it."""

CHILD_ANSWER_BYTES_MAX: Final = 192 << 20
"""What the child may answer to one batch: more than GROWTH_MAX allows is madness."""

DECODE_S_MAX: Final = 30
"""The child's time for one batch; one that takes longer is taken for dead."""

START_S_MAX: Final = 15
"""The child's time to start; a tenth of a second is usual."""

DEATHS_MAX: Final = 2
"""How often a frame, sent alone, may end the child before it is passed over."""

OPEN_S_MAX: Final = 15
"""Time to open a connection to a relay, TLS and upgrade included."""

PING_S: Final = 20
"""Between two pings to a relay: they tell a dead connection from a quiet one."""

PONG_S_MAX: Final = 40
"""A relay that answers no ping for so long is gone."""

RETRY_S_MIN: Final = 0.5
"""The first pause after a failure, before chance shortens it."""

RETRY_S_MAX: Final = 30.0
"""The longest pause between two tries."""

SAME_TRIES_MAX: Final = 2
"""Tries in a row without one frame before the next upstream's turn comes."""

UPSTREAMS_MAX: Final = 8
"""Addresses of relays that one stream falls over between."""

NUMBERINGS_MAX: Final = 512
"""Upstreams ever used with one store; a position has room for 1,023."""

SAVE_S: Final = 10
"""How old what the table of upstreams says of their times may be."""

PROBES_MAX: Final = 64
"""Connections that the search for a time takes at most: it halves what is left with each."""

PROBE_S_MAX: Final = 10
"""How long a probe waits for a frame; one that sees none is at the tip."""

SLACK_S: Final = 60
"""How far before the last event another relay is begun: relays lag behind each other."""

OVERLAP_EVENTS_MAX: Final = 200_000
"""Events that are remembered while two relays overlap: SLACK_S at three times the usual rate."""

QUEUE_FRAMES_MAX: Final = 16
"""Frames that wait in the WebSocket before the batch: at most 80 MB, usually 80 kB."""
