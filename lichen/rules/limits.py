"""The limits of the rules language; every one is checked before a program first runs.

A program can neither loop nor grow a value, so these also bound its cost: at most `NODES_MAX`
column operations, each linear in the rows (and, for text, in the length of the text searched).
"""

SOURCE_CHARACTERS_MAX = 4_000  # a screenful; longer rules are better split in two
NODES_MAX = 200  # sub-expressions; the longest program we ship has 24
NESTING_MAX = 64  # levels of the tree; the evaluators recurse, so this bounds their stack
EXPONENT_MAX = 64  # a constant exponent beyond ±64 is a slip of the finger
LITERAL_MAX = 2**63  # a number that is written out; ids are 63 bits
CHUNK_ROWS = 32_768  # rows worked on at once: a float32 scratch column is 128 KiB, in L2
PLANS_MAX = 8  # compiled forms kept for each program, one for each set of columns it was given
SAMPLE_MAX = 20  # rows of the past that a trial shows
PATTERN_CHARACTERS_MAX = 500  # of one pattern; a longer one is better written as two
PATTERNS_MAX = 20  # patterns of one program; each is compiled and kept
PATTERN_MEMORY_BYTES_MAX = 1 << 20  # of one compiled pattern and its automaton; RE2 keeps to it

# The screen for words and addresses; see screen.py.
PATTERN_LENGTH_MAX = 10_000  # characters of a slur filter; the longest in use have about 4,000
PATTERN_MEMORY_BYTES_MAX = 8 << 20  # of a compiled pattern and its states; RE2 refuses above
BLOCKED_ADDRESS_LENGTH_MAX = 500  # characters of one blocked host with its path
SCREEN_HITS_MAX = 5  # unwanted pieces of a text that a refusal names
