"""The limits of messages, each with its reason."""

MESSAGE_LENGTH_MAX = 10_000  # characters; Lemmy 0.19: body fields other than a post's
MESSAGES_PER_DAY_MAX = 1_000  # by one person; above this it is no conversation
DAY_US = 86_400_000_000  # the span in which they are counted
PAGE_MAX = 50  # messages or conversations on one page; Lemmy 0.19: FETCH_LIMIT_MAX
PAGE_NUMBER_MAX = 2_000  # pages that can be turned; nobody reads on after 100,000 messages
UNREAD_SENDERS_MAX = 1_000  # people whose unread messages are counted; more are not told apart
BATCH_MAX = 500  # messages exported or erased in one unit of work
