"""The limits of notifications, with their reasons."""

# People told of one comment, in the order they are named: whoever names more has told nobody else.
RECIPIENTS_MAX = 25
DIGEST_MAX = 50  # letters of the digest after one was away; the rest is in the inbox as ever
PAGE_MAX = 50  # notifications on one page; Lemmy 0.19: FETCH_LIMIT_MAX
UNMARKED_EVENTS_MAX = 50_000  # that concern nobody; then the checkpoint moves for its own sake
BLOCK_LOOKS_BACK_MAX = 1_000  # newest notifications that a new block is held against
