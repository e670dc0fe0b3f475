"""The limits of federation, each with its reason; `lichen limits` shows them."""

MINUTE_US = 60_000_000  # µs
HOUR_US = 60 * MINUTE_US  # µs

SKEW_US_MAX = 3_600 * 1_000_000
"""How far a signature's time may be from ours, either way; what Lemmy and Mastodon bear."""

SIGNATURE_BYTES_MAX = 4_096  # of the headers that carry one; RSA-4096 with every field is 1,200
SIGNATURES_MAX = 4  # RFC 9421 allows several on one request; peers send one, proxies may add one
COMPONENTS_MAX = 32  # covered by one signature; the longest seen are 8
KEY_ID_LENGTH_MAX = 2_048  # characters; ids are addresses, and no address is longer
PEM_LENGTH_MAX = 8_192  # characters of a public key; RSA-8192 has 1,450
RSA_BITS_MIN = 2_048  # NIST SP 800-131A: shorter ones no longer count; nobody federates with one
RSA_BITS_MAX = 8_192  # verifying takes time by the square of it

DATES_KEPT_MAX = 256  # Date headers read; all requests of one second say the same
LOADED_KEYS_MAX = 8_192  # public keys parsed and ready, so that verifying parses none
SIGNING_KEYS_MAX = 2_048  # private keys parsed and ready

KEYS_KEPT_MAX = 50_000  # keys of peers in memory: a PEM of 451 characters and two ids each
KEY_REFRESH_US_MIN = 300 * 1_000_000
"""A key is not fetched again sooner, however many signatures fail: forgers must not make us ask."""
KEY_AGE_US_MAX = 7 * 86_400 * 1_000_000  # then a key is asked for anew: owners may change it
MISSING_US_MAX = 600 * 1_000_000  # what was not there is not asked for again so soon
MISSING_KEPT_MAX = 20_000  # addresses that were not there; beyond it the oldest are forgotten
FETCHES_AT_ONCE_MAX = 64  # to all peers together; kit's client keeps it to 8 a host

AUTHORITIES_KEPT_MAX = 8_192  # addresses whose authority is known without parsing
DOCUMENT_BYTES_MAX = 1 << 20  # of one document; what Mastodon and Lemmy take
DOCUMENT_DEPTH_MAX = 32  # levels of nesting; the deepest honest one, a batch of announces, has 8
FETCH_S_MAX = 10.0  # s; what Lemmy waits

PEERS_KEPT_MAX = 50_000  # servers in memory; the whole fediverse of 2026 has some 30,000
PEER_AGE_US_MAX = 86_400 * 1_000_000  # a peer's NodeInfo is asked for anew after it
ACTOR_AGE_US_MAX = 86_400 * 1_000_000  # an actor that is looked at is asked about anew after it
RENEWING_AT_ONCE_MAX = 8  # actors asked about anew at once; who is looked at meanwhile waits
RENEWED_AGAIN_US_MIN = HOUR_US  # after a failure; each next one doubles it, up to the age
RENEWED_KEPT_MAX = 50_000  # actors of whom it is known in memory when they are due; 10 MB
ASKED_AT_ONCE_MAX = 50  # peers asked for their NodeInfo in one turn
FLUSH_S = 1.0  # s between two writings of what was noted of peers; a crash loses as much
CAPABILITIES_MAX = 64  # of one peer; each at most a line
PEER_TEXT_LENGTH_MAX = 120  # characters of a software's name, a version, a capability

ACTOR_NAME_LENGTH_MAX = 255  # characters; peers decide what their names are
ACTOR_TEXT_LENGTH_MAX = 20_000  # characters of a summary; the rest is cut
ACTORS_AT_ONCE_MAX = 500  # asked for in one call; what one batch of the inbox names
RECENT_ACTORS_MAX = 1_000  # documents of actors just fetched, until their rows are seen by all
ADDRESSEES_TRIED_MAX = 10  # of a post, asked whether they are its community
PARENTS_MAX = 50  # comments above one that is fetched; as deep as threads go here
RECENT_POSTS_MAX = 20  # of a community that is new here
COLLECTION_PAGES_MAX = 3  # of a collection read; the first says what is recent
MODERATORS_MAX = 50  # of a community, read from its collection

CATCH_UP_COMMUNITIES_MAX = 200  # of one server in one run, the most followed first
CATCH_UP_PAGES_MAX = 20  # of an outbox or a context in one run; 1,000 posts of a Lichen
CATCH_UP_ITEMS_MAX = 200  # read of one page of an outbox; Lemmy and Lichen put 50 there at most
CATCH_UP_COMMENTS_MAX = 5_000  # below one post that are compared
CATCH_UP_REQUESTS_MAX = 5_000  # documents in one run; at 100 ms each it takes eight minutes
CATCH_UP_AGAIN_MAX = 1_000  # of these for what is here already: was it edited, is it gone?
CATCH_UP_OLDER_MAX = 1_000  # newest posts of ours looked through for what an outbox leaves out
CATCH_UP_AT_ONCE_MAX = 4  # comments asked for at once, as polite as kit's client is to one host
CATCH_UP_AWAY_MAX = 5  # answers in a row that a server is not there, before the run ends
CATCH_UP_S_MAX = 900.0  # of one run; what is left is for the next one
CATCH_UPS_AT_ONCE_MAX = 2  # servers caught up with at once; others wait their turn
CATCH_UP_LOOK_S = 15.0  # s between two looks for what was asked on the command line
CATCH_UP_ENDED_KEPT_MAX = 1_000  # runs that ended, told of until the house stops

ACTIVITY_BYTES_MAX = 1_000_000  # of one request; a batch of 1,000 votes fills half of it
CONTAINERS_MAX = 20_000  # objects and arrays in one request; a batch of 1,000 votes has 5,000
DEPTH_MAX = 32  # levels of nesting in one request; the deepest honest one has 8
ANNOUNCED_MAX = 1_000  # activities in one Announce (FEP-1a11)
ADDRESSEES_MAX = 100  # of one activity that are looked at; who is mentioned comes first
EMOJI_LENGTH_MAX = 64  # characters of a reaction; the forum's own bound, a :shortcode: with colons
URL_LENGTH_MAX = 2_000  # characters of an id; as the forum's addresses
REASON_LENGTH_MAX = 2_000  # characters of a reason; the rest is cut
MARKUP_LENGTH_MAX = 200_000  # characters of HTML that are turned into Markdown; the rest is cut
MARKUP_DEPTH_MAX = 50  # levels of quotes and lists kept of it
PICTURES_MAX = 8  # attachments of one thing that are shown below its text
HEADLINE_LENGTH_MAX = 400  # characters of a text that may become a title; the forum cuts it
TITLE_LINES_MAX = 20  # of a text without a title that are looked at for one

INGEST_BATCH_MAX = 2_000
"""Activities applied in one transaction where the database may be far: some 8 round trips."""
INGEST_BATCH_NEAR_MAX = 250  # the same on SQLite, whose one writer others wait for: some 100 ms
BROKEN_IN_A_ROW_MAX = 5
"""Activities in a row that bring about an error of ours before the reader stops, losing nothing."""
RECEIVED_AGE_US_MAX = 7 * 24 * HOUR_US  # how long an activity's id is remembered; as Lemmy does
PARKED_TRIES_MAX = 6  # tries to find what an activity needs, over some four hours
PARKED_RETRY_US_MIN = 2 * MINUTE_US  # before the second try; a later one waits four times as long
PARKED_MAX = 100_000  # activities waiting; beyond it new ones that need a fetch are dropped
PARKED_AT_ONCE_MAX = 64  # things looked for at once; kit's client keeps it to 8 a host
PARKED_RELEASE_MAX = 1_000  # activities that one found thing releases in one transaction
MESSAGES_AT_ONCE_MAX = 500  # private messages in one command, which is what their room takes
FORGET_BATCH = 5_000  # old ids forgotten in one transaction
PARKED_LOOK_S = 15.0  # s between two looks for what is due, when nothing wakes it

BATCHES_TRACKED_MAX = 4_096  # transactions of ingest remembered, to follow an activity
FATES_TRACKED_MAX = 16_384  # activities parked, refused or repeated that are remembered; some 5 MB
COMPOSED_TRACKED_MAX = 4_096  # runs of composing remembered
TRIES_TRACKED_MAX = 32_768  # activities in requests to peers that are remembered; some 6 MB
FOLLOWED_RECORDS_MAX = 50_000  # lines of a log looked through for one activity, for administrators
FOLLOWED_BY_ANYBODY_MAX = 5_000  # the same for everybody else: some 20 ms beside the loop
FOLLOWED_BEFORE_MAX = 200  # lines that quote an id and are taken apart to see which is meant
PASSED_ON_RECORDS_MAX = 5_000  # of `outgoing`, looked through for what was passed on
PASSAGES_SHOWN_MAX = 5  # ways of one thing to others: an event may become several activities
DELIVERIES_SHOWN_MAX = 100  # peers shown for one activity, those without it first

SAMPLE_S = 60.0  # s between two samples of how it goes with the peers
SAMPLES_KEPT_MAX = 61  # of each peer and of the whole: an hour, and where it began
PEERS_SAMPLED_MAX = 500  # peers with an hour in memory; 61 samples each, some 5 MB
STILL_US_MIN = 10 * MINUTE_US  # a peer that did nothing for so long makes room for another
PACE_US_MIN = MINUTE_US // 2  # the rate "now" is over at least so long, where it can be
WAITING_LOOKED_MAX = 5_000  # activities that wait, looked through for the oldest of each peer

INBOX_IDS_KEPT_MAX = 100_000  # ids remembered at the door, so that a repeated one costs nothing
INBOX_WAITING_MAX = 200_000
"""Activities accepted and not applied yet; beyond it everybody is told to wait (429)."""
INBOX_FULL_MAX = 400_000  # waiting ones beyond which nobody is taken in, however fair
INBOX_SHARE_MIN = 5_000  # of these that one peer may always have, however many others send
INBOX_RETRY_S_MAX = 600  # the longest a peer is told to wait; Lemmy doubles it by itself

CHUNK_RECORDS = 256  # of the log `outgoing` decoded at once, for all peers together
CHUNKS_KEPT_MAX = 64  # decoded; 16,384 activities, some 30 MB
NEAR_US_MAX = MINUTE_US  # how far activities may stand from the order of their times
NEAR_RECORDS_MAX = 20_000  # looked at for one activity that is asked for by its id
APPEND_RECORDS_MAX = 4_000  # activities in one append to `outgoing`; the log takes 10,000
APPEND_BYTES_MAX = 6 << 20  # in one append; the log takes 8 MiB
ORIGINALS_AT_ONCE_MAX = 512  # lines of the inbox read at once to be passed on; 2 MB of them
UNMARKED_EVENTS_MAX = 20_000  # that nobody elsewhere hears of; then the checkpoint moves too

WINDOW_MAX = 8  # requests at once to one peer, as kit's client; Lemmy advises 6 for the busiest
WINDOW_FIRST = 2.0  # requests at once to a peer that was not spoken to yet
LANE_ACTIVITIES_MAX = 512  # looked ahead for one peer, so that order costs little speed
LANE_BYTES_MAX = 2 << 20  # of the activities looked ahead for one peer
BATCH_ACTIVITIES_MAX = 100  # in one Announce (FEP-1a11): PieFed works them off one by one
SEND_S_MAX = 15.0  # of one request; Lemmy's receiver gives up after 9
ANSWER_BYTES_MAX = 16 << 10  # of a peer's answer; what it says is not read beyond the first line
FAILURE_LENGTH_MAX = 200  # characters kept of why a peer did not take something
BACK_OFF_GROWTH = 1.25  # each pause to the one before it; Lemmy 0.19
BACK_OFF_S_MAX = 24 * 3_600.0  # the longest pause; Lemmy 0.19
BACK_OFF_JITTER = 0.2  # of a pause, so that peers that failed together do not come back together
LANE_KEPT_S = 60.0  # a pause longer than this gives the peer's lane back; it is read again later
CURSOR_S = 5.0  # between two notes of where the peers stand; what a crash sends again
COUNTED_IN_LIST_MAX = 1_000  # activities looked through for each peer of a list
COUNTED_ALONE_MAX = 20_000  # the same for one peer on a page of its own
AGO_US_MAX = 366 * 24 * HOUR_US  # how far back "resend since" may reach
RETOLD_PAGE = 200  # rows read at once of what a peer is told again; some 600 activities at most
RETOLD_MAX = 50_000  # activities told again to one peer; beyond it the newest are left to asking
RETOLD_RETRY_S = 5.0  # s before the rows of what is told again are asked for again
SENDERS_MAX = 192  # requests at once to all peers; below the 256 connections of kit's client
SIGNING_THREADS_MAX = 2  # beside the loop; each makes some 3,800 signatures a second
BAN_PLACES_MAX = 500  # communities of ours that tell of bans from the site, in one look
COLLECTION_ITEMS_MAX = 50  # on a page of an outbox, as in Lemmy's whole one
OUTBOX_BYTES_MAX = 800_000  # of the posts on a page; whoever reads us as we read others takes 1 MB
CONTEXT_ITEMS_MAX = 1_000  # comments named by a page of a post's context (FEP-7888)

SUCCESSORS_OF_COMMUNITY_MAX = 1  # founded here for one old community: a second would split it
SUCCESSORS_A_DAY_MAX = 20  # founded here in a day; a large server that dies takes this many a day
SUCCESSORS_SHOWN_MAX = 1_000  # newest offers that people are asked about
SUCCESSORS_ELSEWHERE_MAX = 20  # of one old community that are taken from elsewhere; all are shown
SUCCESSOR_PEERS_MAX = 2_000  # servers that one founding is told to
OFFERS_OF_PEER_A_DAY_MAX = 50  # heard from one server; honest ones found `SUCCESSORS_A_DAY_MAX`
OFFERS_KEPT_MAX = 10_000  # heard and not forgotten yet, of all servers
OFFERS_AT_ONCE_MAX = 16  # examined in one look; each costs at most three fetches
OFFER_LOOK_S = 30.0  # s between two looks for what is due, when nothing wakes it
OFFER_AGAIN_US = 6 * HOUR_US  # between two looks whether the old community has ended
OFFER_WAITS_US_MAX = 60 * 24 * HOUR_US  # for an end; then an offer is dropped
OFFER_SETTLED_US_MAX = 24 * HOUR_US  # that an examined offer is remembered; then it may be repeated
CLOSED_US_MIN = HOUR_US  # between two answers 410 that together are an end
ALIASES_OF_COMMUNITY_MAX = 10  # other communities that one of ours says to be; as for people
EARLIER_MAX = 100  # posts and comments of a person that are brought from where it was before
EARLIER_S_MAX = 300.0  # s for bringing them, with what stands above them
SUCCESSOR_ORIGIN_LENGTH_MAX = 300  # characters of an old community's name in what is said of it
MOVES_AT_ONCE_MAX = 16  # moves that were told and are verified in one look; each costs two fetches
MOVE_LOOK_S = 30.0  # s between two looks for what is due, when nothing wakes it
