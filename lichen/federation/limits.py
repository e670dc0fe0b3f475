"""The limits of federation, each with its reason; `lichen limits` shows them."""

MINUTE_US = 60_000_000  # µs
HOUR_US = 60 * MINUTE_US  # µs

SKEW_US_MAX = HOUR_US
"""How far a signature's time may be from ours, either way; what Lemmy and Mastodon bear."""

SIGNATURE_BYTES_MAX = 4_096  # of the headers that carry one; RSA-4096 with every field is 1,200
SIGNATURES_MAX = 4  # RFC 9421 allows several on one request; peers send one, proxies may add one
COMPONENTS_MAX = 32  # covered by one signature; the longest seen are 8
KEY_ID_LENGTH_MAX = 2_048  # characters; ids are addresses, and no address is longer
PEM_LENGTH_MAX = 8_192  # characters of a public key; RSA-8192 has 1,450
RSA_BITS_MIN = 2_048  # NIST SP 800-131A: shorter ones no longer count; nobody federates with one
RSA_BITS_MAX = 8_192  # verifying takes time by the square of it

LOADED_KEYS_MAX = 8_192  # public keys parsed and ready: 60 µs each to parse, 5 kB to keep
SIGNING_KEYS_MAX = 2_048  # private keys parsed and ready

KEYS_KEPT_MAX = 50_000  # peers' keys in memory; some 600 bytes each
KEY_REFRESH_US_MIN = 5 * MINUTE_US
"""A key is not fetched again sooner, however many signatures fail: forgers must not make us ask."""
KEY_AGE_US_MAX = 7 * 24 * HOUR_US  # then a key is asked for anew: owners may change it
MISSING_US_MAX = 10 * MINUTE_US  # what was not there is not asked for again so soon
MISSING_KEPT_MAX = 20_000  # addresses that were not there; beyond it the oldest are forgotten
FETCHES_AT_ONCE_MAX = 64  # to all peers together; kit's client keeps it to 8 a host

DOCUMENT_BYTES_MAX = 1 << 20  # of one document; what Mastodon and Lemmy take
DOCUMENT_DEPTH_MAX = 32  # levels of nesting; the deepest honest one, a batch of announces, has 8
FETCH_S_MAX = 10.0  # s; what Lemmy waits

PEERS_KEPT_MAX = 50_000  # servers in memory; the whole fediverse of 2026 has some 30,000
PEER_AGE_US_MAX = 24 * HOUR_US  # a peer's NodeInfo is asked for anew after it
CAPABILITIES_MAX = 64  # of one peer; each at most a line
PEER_TEXT_LENGTH_MAX = 120  # characters of a software's name, a version, a capability

ACTOR_NAME_LENGTH_MAX = 255  # characters; peers decide what their names are
ACTOR_TEXT_LENGTH_MAX = 20_000  # characters of a summary; the rest is cut
ACTORS_AT_ONCE_MAX = 500  # asked for in one call; what one batch of the inbox names
PARENTS_MAX = 50  # comments above one that is fetched; as deep as threads go here
RECENT_POSTS_MAX = 20  # of a community that is new here
COLLECTION_PAGES_MAX = 3  # of a collection read; the first says what is recent
MODERATORS_MAX = 50  # of a community, read from its collection
FETCHES_A_QUESTION_MAX = 100  # documents for one question, as in Lemmy
