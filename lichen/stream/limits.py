"""The limits of the stream: every size, count and age that bounds it, with its reason."""

from typing import Final

CHUNK_BYTES_MAX: Final = 65_536
"""What one write to a subscriber holds: 64 kB writes were measured faster than 1 MB ones."""

EVENT_BYTES_MAX: Final = 2 << 20
"""The JSON of one event: AT Protocol allows 1 MiB of record as CBOR."""

APPEND_EVENTS_MAX: Final = 4_096
"""Events in one append: what is encoded in some tens of milliseconds, and half a block."""

APPEND_BYTES_MAX: Final = 3 << 20
"""JSON in one append: with heads and the largest event it fits an empty block."""

SPAN_MAX: Final = 1 << 31
"""Sequences that one append may span, holes included: half of what a column's 32 bits hold."""

TIME_US_MAX: Final = 253_402_300_799_999_999
"""The end of the year 9999: a later time has no form on the second wire."""

BLOCK_EVENTS_MAX: Final = 8_192
"""Events in one block: its side index is scanned in some microseconds."""

BLOCK_BYTES_MAX: Final = 8 << 20
"""Plain frames in one block that is not sealed yet: they are held in memory."""

BLOCK_AGE_US_MAX: Final = 3_600 * 1_000_000
"""A block is sealed after an hour: times in it are offsets of 32 bits, and journals stay short."""

SEGMENT_BYTES_MAX: Final = 64 << 20
"""A segment that reached this is closed: an erasure rewrites one, retention removes one."""

SEGMENT_AGE_US_MAX: Final = 3 * 3_600 * 1_000_000
"""A segment is closed after three hours: retention by age removes whole segments."""

NAMES_BYTES_MAX: Final = 4 << 20
"""The tables of one block: thousands of collections, and a mention in every event."""

JOURNAL_BYTES_MAX: Final = 64 << 20
"""A journal that grew longer is begun anew: it holds one block, and what moved the position."""

BLOCKS_OPEN_MAX: Final = 64
"""Blocks whose tables are kept decoded: what fifty readers in different places look at."""

BLOCKS_PASSED_MAX: Final = 64
"""Blocks that one pull may look through without a match: about a millisecond of the loop."""

ACTORS_KNOWN_MAX: Final = 65_536
"""DIDs whose hash and form are remembered while encoding: some 10 MB."""

FILTER_BLOOM_DIDS_MAX: Final = 64
"""With more DIDs in a filter a block's Bloom filter is hardly ever empty of them."""

VERIFIED_MAX: Final = 256
"""Messages that one look at a block opens, to see whose they are: some 200 µs of the loop."""

MEMO_MESSAGES_MAX: Final = 4_096
"""Messages of the newest block that are kept in derived forms, for readers at the tip to share."""

MATCHERS_MAX: Final = 4_096
"""Filters that are kept prepared: equal ones of many subscribers share one."""

CONSUMER_BUFFER_BYTES: Final = 4 << 20
"""What a client of ours holds of a stream: the longest message fits with what came before it."""

CONSUMER_RECEIVE_BYTES: Final = 1 << 20
"""What a client of ours takes from its socket at once: it stays in the processor's cache."""

ANSWER_BYTES_MAX: Final = 65_536
"""The answer to a request for a stream, with its text: more is no answer to that."""

CONNECT_S_MAX: Final = 10.0
"""How long a client of ours waits for a connection, and for the answer to its request."""

CLOSE_WAIT_S_MAX: Final = 2.0
"""How long a client of ours tries to say goodbye, or to answer a ping."""

CROWD_EVENTS_MAX: Final = 50_000_000
"""Messages that a load test takes: their sequences take 400 MB, to find what was lost."""

CROWD_DELAY_MS_MAX: Final = 10_000
"""Delays that a load test tells apart; what takes longer is told as this."""

MENTIONS_MAX: Final = 50
"""People whom one event of the house names, for filters: more are a list, not a talk."""

ERASED_AT_ONCE_MAX: Final = 100_000
"""Sequences in one erasure of the store: each rewrites the segments that it touches."""

HEAD_BYTES_MAX: Final = 1 << 20
"""Request line and headers: 10,000 DIDs in a query, percent-encoded, take about 400 kB."""

HEADERS_MAX: Final = 100
"""Headers of a request: browsers behind proxies send about thirty."""

HEAD_S_MAX: Final = 10.0
"""Seconds until a head is whole: slower ones hold a connection for nothing (slow loris)."""

IDLE_S_MAX: Final = 75.0
"""Seconds that a connection without a request stays open for the next one."""

BODY_BYTES_MAX: Final = 1 << 20
"""The body of a POST: what an operator imports comes in parts."""

PIPELINED_MAX: Final = 16
"""Requests sent before the first was answered: HTTP clients hardly do it, floods do."""

INCOMING_BYTES_MAX: Final = 10_000_000
"""One message of a subscriber: Jetstream's documented bound, 10,000,000 bytes and not 10 MiB."""

INCOMING_BYTES_TOTAL_MAX: Final = 64 << 20
"""Heads and messages that are not whole yet, of all connections: six of the largest."""

DIDS_MAX: Final = 10_000
"""DIDs that one subscriber may name, after dedupe: Jetstream's bound."""

DIDS_RAW_MAX: Final = 1_000_000
"""The same before dedupe on the first wire: beyond it a list is abuse."""

COLLECTIONS_MAX: Final = 100
"""Collections and prefixes that one subscriber may name, after dedupe: Jetstream's bound."""

COLLECTIONS_RAW_MAX: Final = 10_000
"""The same before dedupe on the first wire."""

KINDS_MAX: Final = 4
"""Kinds that one subscriber may name: there are four."""

LANGS_MAX: Final = 100
"""Languages that one subscriber may name: more than anybody reads."""

MESSAGE_SIZE_MAX: Final = (1 << 32) - 1
"""The largest `maxMessageSizeBytes` that means something: 32 bits, as in the lexicon."""

HEARTBEAT_S_MAX: Final = 3_600
"""Seconds between heartbeats, at most: an hour says as much as none."""

CLOSE_REASON_BYTES_MAX: Final = 123
"""The text in a Close frame: RFC 6455 §5.5 leaves 125 bytes, two of them for the code."""

CLOSE_S_MAX: Final = 5.0
"""Seconds that a peer has to answer a Close frame, and to take what was sent before it."""

LAG_EVENTS_MAX: Final = 100_000
"""How far a reader may be behind, in sequences, before its pace is looked at (Jetstream's)."""

SCAN_EVENTS_PER_S_MIN: Final = 5
"""The pace below which a reader that far behind is closed: it would never arrive."""

SCAN_WINDOW_S: Final = 60
"""Seconds over which that pace is measured."""

ROUND_BYTES_MAX: Final = 4 * CHUNK_BYTES_MAX
"""New events that one live round looks at: a burst is spread over several rounds."""

ROUND_PAUSE_US_MAX: Final = 100_000
"""The longest pause between live rounds: with the round itself it stays below 250 ms."""

ROUND_PAUSE_US_MIN: Final = 2_000
"""The shortest: at 15,000 appends a second one round serves thirty of them."""

ROUND_PAUSE_SHARE: Final = 3.0
"""The pause after a live round, in lengths of the round: rounds take a quarter of a core."""

TURN_US_MAX: Final = 3_000
"""Microseconds that replays take before sockets and live rounds have their turn again."""

DIDS_INDEXED_MAX: Final = 100
"""DIDs of one filter that are entered in the index of live rounds; longer lists are asked."""

HEARING_US_MAX: Final = 2_000
"""Microseconds that one peer is listened to in one go: 256 kB may hold 40,000 tiny frames."""

HEARING_SLICE_BYTES: Final = 4_096
"""What is parsed between two looks at the clock: at most 700 frames."""

HEARING_SHARE: Final = 10
"""After that a peer is not heard for so many times as long: it costs a tenth of a core at most."""

ARCHIVE_ZSTD_LEVEL: Final = 3
"""How hard the archive's blocks are compressed: built on demand, so time counts as size does."""

ARCHIVE_LIST_DEFAULT: Final = 100
"""Segments that `listSegments` names in one answer when nobody says how many."""

ARCHIVE_LIST_MAX: Final = 1_000
"""Segments that `listSegments` names in one answer at most; the lexicon's bound."""

ARCHIVE_PLAN_ENTRIES_MAX: Final = 10_000
"""Segments and ranges of blocks in one page of a plan: about 2 MB of JSON."""

ARCHIVE_BUILDS_MAX: Final = 4
"""Segments one answer has built at most: a third of a second of one core, and on a machine that is
ten times as busy less than the five seconds that clients wait."""

ARCHIVE_SHELF_BYTES_MAX: Final = 256 << 20
"""Built segments kept on disk: what is downloaded in the same hour is built once."""

ARCHIVE_DIDS_MAX: Final = 10_000
"""DIDs in one plan; the lexicon's bound."""

ARCHIVE_COLLECTIONS_MAX: Final = 100
"""Collections in one plan; the lexicon's bound."""

ARCHIVE_BODY_BYTES_MAX: Final = 1 << 20
"""The body of one planSnapshot: 10,000 DIDs of about 40 bytes, twice over."""

SHIP_RECORD_BYTES: Final = 1 << 18
"""Plain messages in one shipped record: some 600 events, a millisecond of the loop, one fdatasync
of the standby."""

SHIP_PARCEL_BYTES_MAX: Final = 16 << 20
"""What a standby reads as one piece: two forms of a megabyte, or one event of any size."""

SHIP_ERASED_MAX: Final = 100_000
"""Sequences in one shipped piece of an erasure: 2 MB of JSON at most."""

SHIP_HEARTBEAT_S: Final = 5.0
"""A shipment without news says that it is alive, and where the source is."""

SHIP_SILENCE_S: Final = 20.0
"""A standby that heard nothing for four heartbeats connects anew."""

STANDBYS_MAX: Final = 4
"""Standbys that follow one server: each costs what a reader of everything costs, twice."""

STANDBY_PAUSE_S_MAX: Final = 30.0
"""Between two attempts to connect, at most: doubled from a quarter of a second on."""

STANDBY_ASKED_S: Final = 0.5
"""How often a standby looks whether somebody asked for its promotion."""

HISTORY_MARKS_MAX: Final = 22
"""Events that two servers compare, ever farther apart: the last one to the 2-millionth from it."""

PROMOTION_JUMP: Final = 100_000_000
"""What a promoted standby skips: what the lost server may have given since. Two hours at 15,000
events a second; 10,000 promotions fit below 10^12, above which cursors would still be sequences."""

DICTIONARY_FETCH_BYTES_MAX: Final = 1 << 20
"""A dictionary that a client of ours fetches: Jetstream's largest has 112 kB."""

QUIET_S_MAX: Final = 3.0
"""A client of ours that replays is at the tip when nothing came for so long."""

SAMPLE_EVENTS_MAX: Final = 20_000
"""Events from which a load test learns collections and actors to ask for."""

SAMPLE_S_MAX: Final = 10.0
"""How long a load test waits for these."""

FILE_TAIL_BYTES_MAX: Final = 4 << 20
"""What is read of a file's end to go on behind its last event: the longest event fits."""

RETAIN_S: Final = 60.0
"""Seconds between looks at what is too old: segments span three hours."""

TELL_S: Final = 5.0
"""Seconds between the lines that a stream alone prints."""

DICTIONARY_BYTES_MAX: Final = 1 << 20
"""A dictionary that is given as a file: Jetstream's is 112,640 bytes, ours is 16 kB."""

DICTIONARIES_MAX: Final = 64
"""Dictionaries that are kept: each is read at the start, and held for clients who ask for it."""

THREAD_COMPRESSORS_MAX: Final = 8
"""Compressors, and decompressors, that one thread keeps: a context takes some 60 kB."""

TRAINING_EVENTS_MAX: Final = 20_000
"""Events that a dictionary is trained from: more were measured to change nothing."""

TRAINING_EVENTS_MIN: Final = 200
"""Fewer events than this teach a dictionary nothing that it could use again."""

TRAINING_ACTORS_MIN: Final = 16
"""Actors that must use a key or a lexicon before its name may stand in a dictionary."""

TRAINING_DEPTH_MAX: Final = 32
"""Levels of a record that is looked at in training; records of people have six."""

LISTEN_RETRY_S: Final = 2.0
"""Seconds between tries to listen on a port that is taken: whoever stops lets go of it soon."""

BLOCKS_SEARCHED_MAX: Final = 16
"""Blocks that the page of newest events looks through, where its filter matches nothing."""
