"""What a plugin may take, each with its reason; `lichen limits plugins` prints them."""

BEFORE_MS_MAX = 500  # a before hook's answer, waiting its turn included; then it is "allow"
AFTER_MS_MAX = 2_000  # an after hook; nobody waits for it but the plugin's own next one
PAGE_MS_MAX = 2_000  # one of a plugin's pages; then its visitor is told that it does not answer
START_MS_MAX = 5_000  # from the start of a plugin's process to its first word
MEMORY_BYTES_MAX = 384 << 20  # address space of one process of a plugin; more is a MemoryError
OPEN_FILES_MAX = 64  # descriptors of one process of a plugin
FAILURES_MAX = 5  # within the window below; then the plugin is switched off
FAILURES_WINDOW_US = 3_600_000_000  # an hour: a plugin that fails once a day stays
PLUGINS_MAX = 32  # of one house; each that is on has a process, of some 20 MB
NAME_LENGTH_MAX = 40  # characters of a plugin's name
FRAME_BYTES_MAX = 16 << 20  # one message to a plugin's process: a picture with its bytes
ANSWER_BYTES_MAX = 1 << 20  # one message back
HTML_LENGTH_MAX = 200_000  # characters of a page that a plugin shows
TITLE_LENGTH_MAX = 100  # characters of such a page's title
PAGES_MAX = 8  # links of one plugin in the list of tools
FIELDS_MAX = 40  # of a form that is handed to a plugin
REASON_LENGTH_MAX = 500  # characters of what a plugin says to whom it refuses
SHELF_KEYS_MAX = 20_000  # keys that one plugin keeps
SHELF_KEY_LENGTH_MAX = 200  # characters of a key
SHELF_VALUE_LENGTH_MAX = 20_000  # characters of a value
WISHES_MAX = 200  # uses of the shelf within one call
HANDED_EVENTS_MAX = 200  # of the log, between two checkpoints of a plugin
UNMARKED_EVENTS_MAX = 50_000  # that no hook tells of; then the checkpoint moves for its own sake
