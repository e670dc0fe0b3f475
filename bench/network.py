"""People of a network that does not exist: who they are, what they point at, what time it is.

Identifiers are random and of the real shapes: `did:plc` with 24 characters of base32, CIDs of
random digests, TIDs of the time and a clock of one's own. Who acts is drawn by Zipf's law, flat
at its head, so that the busiest of 50,000 makes 0.2 % of all events.
"""

import random
from bisect import bisect
from collections import deque
from itertools import accumulate
from typing import Any, Final

import libipld

from bench.vocabulary import EMOJI, Texts
from lichen.kit.clock import isoformat
from lichen.kit.ids import encode_tid

Json = dict[str, Any]

BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
TEXT_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
DAG_CBOR, RAW = 0x71, 0x55  # multicodec
BEGIN_US: Final = 1_772_000_000_000_000  # 2026-02-25, in the morning
EVENTS_PER_S: Final = 600
RECENT_POSTS: Final = 4_000
DOMAINS: Final = ("com", "com", "com", "org", "net", "co.uk", "jp", "com.br", "de", "fr", "io")


class Network:
    """One network from one seed. Every call draws from the same chance: the order matters."""

    def __init__(self, seed: int, people: int) -> None:
        self.chance = random.Random(seed)
        self.texts = Texts()
        self.now_us = BEGIN_US + self.chance.randrange(86_400_000_000)
        self.dids = ["did:plc:" + "".join(self.chance.choices(BASE32, k=24)) for _ in range(people)]
        self._sums = list(accumulate((rank + 50) ** -0.9 for rank in range(people)))
        self._posts = deque((self.ref() for _ in range(RECENT_POSTS)), RECENT_POSTS)
        self._sites = [self._site() for _ in range(600)]

    def tick(self) -> None:
        """Go on to the next event: as far as it takes at the network's rate, by chance."""
        self.now_us += 1 + int(self.chance.expovariate(EVENTS_PER_S) * 1_000_000)

    def did(self) -> str:
        """Return somebody; the busy more often."""
        return self.dids[bisect(self._sums, self.chance.random() * self._sums[-1])]

    def anybody(self) -> str:
        """Return somebody; everyone as often."""
        return self.dids[int(self.chance.random() * len(self.dids))]

    def cid(self, codec: int = DAG_CBOR) -> str:
        """Return the CID of a digest that is random."""
        # Multiformats: CIDv1, a codec, multihash sha2-256 (0x12) of 32 bytes.
        return str(libipld.encode_cid(bytes((1, codec, 0x12, 0x20)) + self.chance.randbytes(32)))

    def tid(self, ago_us: int = 0) -> str:
        """Return a TID of some time ago, by any clock."""
        return encode_tid(self.now_us - ago_us, int(self.chance.random() * 1_024))

    def some_tid(self) -> str:
        """Return the TID of something that is up to two years old, the new more often."""
        return self.tid(int(self.chance.random() ** 4 * 63_000_000_000_000))

    def moment(self, ago_us: int = 0) -> str:
        """Return a time as clients write it: three digits mostly, six or with an offset by some."""
        text = isoformat(self.now_us - ago_us)
        kind = self.chance.random()
        if kind < 0.93:
            return text[:23] + "Z"
        return text if kind < 0.97 else text[:-1] + "+00:00"

    def ref(self, collection: str = "app.bsky.feed.post") -> Json:
        """Return a strong reference to somebody's record."""
        return {"cid": self.cid(), "uri": f"at://{self.did()}/{collection}/{self.some_tid()}"}

    def post_ref(self) -> Json:
        """Return a strong reference to a post: one time in five one that many like now."""
        if self.chance.random() < 0.2:
            # The luckiest few get most of it: a block of 3,000 events then compresses as real ones.
            return self._posts[int(self.chance.random() ** 3 * len(self._posts))]
        found = self.ref()
        if self.chance.random() < 0.1:
            self._posts.append(found)
        return found

    def blob(self, mime: str, size_max: int) -> Json:
        """Return a blob: a picture, a film."""
        size = 9_000 + int(self.chance.random() ** 2 * size_max)
        return {"$type": "blob", "ref": {"$link": self.cid(RAW)}, "mimeType": mime, "size": size}

    def handle(self) -> str:
        """Return a handle: a name on the big host, or a domain."""
        word = self.name()
        if self.chance.random() < 0.85:
            number = str(self.chance.randrange(2_000)) if self.chance.random() < 0.4 else ""
            return f"{word}{number}.bsky.social"
        return f"{word}.{self.chance.choice(DOMAINS)}"

    def name(self) -> str:
        """Return one word or two in ASCII, as handles and addresses have them."""
        english = self.texts.spoken_by_most()
        words = (english.word(self.chance) for _ in range(1 + (self.chance.random() < 0.5)))
        plain = "".join(one for word in words for one in word if one.isascii() and one.isalnum())
        return plain.lower() or "x" + self.token(5).lower().replace("_", "")

    def token(self, length: int) -> str:
        """Return random characters as addresses of films and pictures have them."""
        return "".join(self.chance.choices(TEXT_BASE64, k=length))

    def url(self) -> str:
        """Return the address of an article, a film, a picture that moves, or a short link."""
        kind = self.chance.random()
        if kind < 0.18:
            return f"https://www.youtube.com/watch?v={self.token(11)}"
        if kind < 0.25:
            return f"https://bit.ly/{self.token(7)}"
        if kind < 0.40:
            slug = "-".join(self.name() for _ in range(3))
            return (f"https://media.tenor.com/{self.token(11)}AAAAC/{slug}.gif?hh="
                    f"{self.chance.randrange(180, 499)}&ww={self.chance.randrange(240, 499)}")
        site = self._sites[int(self.chance.random() ** 2 * len(self._sites))]
        slug = "-".join(self.name() for _ in range(self.chance.randrange(3, 9)))
        if kind < 0.7:
            return f"https://{site}/{isoformat(self.now_us)[:10].replace('-', '/')}/{slug}"
        tail = f"?utm_source={self.name()}" if kind > 0.92 else ""
        return f"https://{site}/{self.name()}/{slug}-{self.chance.randrange(10**8)}{tail}"

    def emoji(self) -> str:
        """Return one emoji."""
        return self.chance.choice(EMOJI)

    def _site(self) -> str:
        host = f"{self.name()}.{self.chance.choice(DOMAINS)}"
        return f"www.{host}" if self.chance.random() < 0.6 else host
