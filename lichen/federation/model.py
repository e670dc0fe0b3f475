"""The nouns of federation: peers, their keys, and what an actor's document says.

Pure: nothing here reads a clock, a file, a row or a socket.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from lichen.accounts import ActorDraft
from lichen.federation.limits import AUTHORITIES_KEPT_MAX
from lichen.kit import Refused

Style = Literal["cavage", "rfc9421"]  # how a request is signed
# RFC 9421 calls nobody's other form; peers do: "double knocking" tries one, then the other.
OTHER_STYLE: dict[Style, Style] = {"cavage": "rfc9421", "rfc9421": "cavage"}

# What our NodeInfo advertises, in PieFed's form: activities announced whole (FEP-1b12), and many of
# them in one Announce (FEP-1a11).
CAPABILITIES = ("fep-1b12", "fep-1a11")
DEFAULT_PORTS = {"https": "443", "http": "80"}  # RFC 9110 §4.2


class PeerKey(msgspec.Struct, frozen=True):
    """A remote actor's public key: who owns it, as PEM, and the server that says so."""

    owner: str
    public_pem: str
    authority: str


class Accepts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is accepted of one peer; the administrators decide it."""

    dislikes: bool = True
    pictures: bool = True
    messages: bool = True


class Peer(msgspec.Struct, frozen=True):
    """Another server, by its authority, and how the exchange with it goes.

    `capabilities` are what its NodeInfo advertises. `style` is how it wants requests signed.
    `cursor` is the sequence in the log `outgoing` up to which it has everything. Times are 0 where
    nothing happened yet.
    """

    authority: str
    software: str = ""
    version: str = ""
    capabilities: tuple[str, ...] = ()
    shared_inbox: str = ""
    style: Style = "cavage"
    accepts: Accepts = Accepts()
    first_seen_us: int = 0
    asked_us: int = 0
    fail_count: int = 0
    retry_at_us: int = 0
    last_success_us: int = 0
    last_received_us: int = 0
    last_error: str = ""
    cursor: int = 0

    @property
    def takes_batches(self) -> bool:
        """Whether it takes an Announce of many activities (FEP-1a11)."""
        return "fep-1a11" in self.capabilities or self.software == "piefed"


class ActorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a remote actor says of itself, in our words.

    Addresses are "" where it names none; all of them are on the actor's own server. `languages`
    are codes (RFC 5646). `moved_to`, `also_known_as` and `derived_from` are ids of other actors.
    """

    draft: ActorDraft
    key: PeerKey | None = None
    key_id: str = ""
    shared_inbox: str = ""
    outbox: str = ""
    followers: str = ""
    featured: str = ""
    moderators: str = ""
    nsfw: bool = False
    posting_restricted_to_mods: bool = False
    languages: tuple[str, ...] = ()
    updated_us: int | None = None
    moved_to: str = ""
    also_known_as: tuple[str, ...] = ()
    derived_from: str = ""

    @property
    def ap_id(self) -> str:
        """The id that the actor was born with."""
        assert self.draft.ap_id is not None, "a remote actor brings its id"
        return self.draft.ap_id


class SigningKey(msgspec.Struct, frozen=True):
    """A local actor's private key, and the id under which peers find its public half."""

    key_id: str
    private_pem: str


class Request(msgspec.Struct, frozen=True):
    """A request as far as signatures cover it.

    `target` is path and query as they came; `headers` have lower-case names, and those that came
    several times are joined by ", " (RFC 9110 §5.2). `scheme` is that of our public address: what
    the sender called, whatever a proxy made of it.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    scheme: str = "https"

    @property
    def authority(self) -> str:
        """The host that was called, in lower case, without the scheme's own port."""
        return authority_of(f"{self.scheme}://{self.headers.get('host', '').strip()}")


class Claim(msgspec.Struct, frozen=True):
    """What a request says of its signature, well-formed and not believed yet.

    `base` is what was signed. `algorithm` is "" where none was named. `created_us` and
    `expires_us` are None where nothing covered says so. `digests` are those of the body that the
    signature covers, by algorithm.
    """

    key_id: str
    style: Style
    algorithm: str
    base: bytes
    signature: bytes
    created_us: int | None
    expires_us: int | None
    digests: Mapping[str, bytes]


@lru_cache(maxsize=AUTHORITIES_KEPT_MAX)
def authority_of(url: str) -> str:
    """Return the authority of an id: host in lower case, and port unless it is the scheme's own.

    "" for what is no address of the web.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # RFC 3986 §3.2: a bracket that is not closed, a port that is no number
        return ""
    if parts.scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc:
        return ""
    named = f"[{host}]" if ":" in host else host
    return named if port is None or str(port) == DEFAULT_PORTS[parts.scheme] else f"{named}:{port}"


def host_of(authority: str) -> str:
    """Return the bare host of an authority, as lists of servers may name it."""
    host, colon, port = authority.rpartition(":")
    return host if colon and port.isdigit() else authority


def is_listed(authority: str, listed: Collection[str]) -> bool:
    """Say whether a list of servers names an authority, or its bare host."""
    return authority in listed or host_of(authority) in listed


def unsigned(code: str, text: str) -> Refused:
    """Return the refusal of a request whose signature does not hold."""
    return Refused(code, text, status=401)
