"""The limits of erasing, each with its reason."""

BATCH_MAX = 500  # things emptied in one unit of work, so that other writers wait some 20 ms
SWEEP_RECORDS_MAX = 2_000  # of the log, read and judged at once: 10 ms of a thread
REST_S = 0.03  # after each batch of a sweep that nobody waits for, so that it takes no whole core
SEQS_MAX = 100_000  # found before they are erased together; 3 MB
LOOK_S = 5.0  # how soon a request of another process is noticed
SWEEP_INTERVAL_US = 86_400_000_000  # what was purged leaves the log within a day
SETTLE_MS_MAX = 60_000  # how long readers may take to hear of what is gone before it is retried
RETRY_S = 30.0  # the pause after a disk or a database failed
LISTED_MAX = 50  # requests shown by the command
