"""The configuration: one frozen, typed tree, read once at the start.

Later wins: defaults < profile < TOML file (`--config`, or `lichen.toml` in the data folder)
< `LICHEN_…` variables < words of the command line. Each option says what it is, its unit, its
bounds and its variable in one `option(…)`; `annotated` prints them all as a TOML file that loads
back to the same tree. An unknown key or variable is refused with the nearest known one: a typo
that is silently ignored is a house that silently runs open.

Secrets are kept in `Secret` and are never printed. Nothing here reads the environment by itself;
`config_sources` reads and judges what it is given.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from lichen.kit.errors import Refused

PREFIX = "LICHEN_"
FILE_NAME = "lichen.toml"

Profile = Literal["default", "testbed"]
ImageMode = Literal["None", "StoreLinkPreviews", "ProxyAllImages"]


class ConfigRefused(Refused):
    """The configuration cannot be used; the text says which option, what came and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__("config_refused", text)


class Secret:
    """A text that is never printed; `reveal` gives it to whoever needs it."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(not shown)" if self._text else "Secret()"

    __str__ = __repr__


def option(text: str, *, unit: str = "", variable: str = "",
           ge: float | None = None, le: float | None = None) -> msgspec.Meta:
    """Describe an option: what it does, its unit, its variable if that is a fixed word, bounds."""
    extra = {"unit": unit, "variable": variable}
    return msgspec.Meta(description=text, extra=extra, ge=ge, le=le)


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all sections: a table of the file, a word of the variables."""


PORT_MAX = 65_535  # RFC 9293 §3.1: ports have 16 bits


class Server(Section, frozen=True):
    """Where the house keeps its folder and on which ports it listens."""

    data: Annotated[Path, option(
        "The folder that holds everything: rows, log, pictures, this file.",
        variable="LICHEN_DATA")] = Path("data")
    host: Annotated[str, option(
        "The address to listen on. Put a proxy with TLS before it, or 0.0.0.0 to be reached "
        "directly.", variable="LICHEN_HOST")] = "127.0.0.1"
    port: Annotated[int, option(
        "The port for pages and APIs.", variable="LICHEN_PORT", ge=1, le=PORT_MAX)] = 8536
    stream_port: Annotated[int, option(
        "The port of the public event stream; 0 for none. While it is taken the house is not "
        "ready, and tries again.",
        variable="LICHEN_STREAM_PORT", ge=0, le=PORT_MAX)] = 6008
    metrics_port: Annotated[int, option(
        "The port of the Prometheus metrics, on loopback only; 0 for none. When it is taken, "
        "the house warns and starts without.",
        variable="LICHEN_METRICS_PORT", ge=0, le=PORT_MAX)] = 8538
    profile: Annotated[Profile, option(
        "A set of defaults: `default`, or `testbed` for machines that test clients and peers; "
        "never open a testbed to the internet.", variable="LICHEN_PROFILE")] = "default"
    workers: Annotated[int, option(
        "How many processes serve. More than one needs PostgreSQL and NATS.",
        ge=1, le=64)] = 1
    log_level: Annotated[Literal["debug", "info", "warning", "error"], option(
        "How much is told on standard output.")] = "info"
    log_format: Annotated[Literal["auto", "text", "json"], option(
        "How it is told: text for people, json for machines, auto: text on a terminal.")] = "auto"


class Identity(Section, frozen=True):
    """Who the house is to others; ids are made from it, so choose it once."""

    public_url: Annotated[str, option(
        "The address people and peers use, as https://forum.example. Everything's id begins with "
        "it and never changes. Empty: http://<host>:<port>.", variable="LICHEN_PUBLIC_URL")] = ""
    software_name: Annotated[str, option(
        "The software name in NodeInfo; apps for Lemmy refuse others than lemmy.")] = "lemmy"
    software_version: Annotated[str, option(
        "The version in NodeInfo and in the Lemmy API.")] = "0.19.20-lichen.1"


class Database(Section, frozen=True):
    """Where the rows are."""

    url: Annotated[Secret, option(
        "Empty: SQLite in the data folder. Or postgresql://user:password@host:5432/name when one "
        "machine is not enough.", variable="LICHEN_DATABASE_URL")] = Secret()

    @property
    def engine(self) -> Literal["sqlite", "postgresql"]:
        """The engine that the url names."""
        return "postgresql" if self.url else "sqlite"


class Log(Section, frozen=True):
    """The durable log of everything that happened."""

    engine: Annotated[Literal["segments", "nats"], option(
        "Segment files of the data folder, or a stream of NATS JetStream (pip install "
        "lichen[nats]); chosen before the first start.")] = "segments"
    nats_url: Annotated[Secret, option(
        "The servers of NATS (2.10 or newer, `max_payload: 8MB`), by commas, as "
        "nats://user:password@host:4222.")] = Secret()
    nats_stream: Annotated[str, option(
        "The stream, which is made where there is none; each house has its own.")] = "lichen"
    nats_monitor_url: Annotated[str, option(
        "Where that server says how it syncs, as http://127.0.0.1:8222; three replicas need none."
    )] = ""
    nats_replicas: Annotated[int, option(
        "How many servers of a cluster keep the stream, when it is made.", ge=1, le=5)] = 1
    durability: Annotated[Literal["disk", "process"], option(
        "What events survive on NATS. `disk`: a power cut; it needs `sync_interval: always`, or "
        "three replicas. `process`: a process's death; a power cut may take minutes.")] = "disk"
    segment_bytes_max: Annotated[int, option(
        "A segment file is closed at this size.", unit="bytes", ge=1 << 12, le=1 << 30)] = 16 << 20
    retention_s: Annotated[float, option(
        "Events older than this are dropped once every reader has passed them.",
        unit="s", ge=0)] = 30 * 86_400.0
    retention_bytes_max: Annotated[int, option(
        "The oldest events are dropped above this size, once every reader has passed them.",
        unit="bytes", ge=1 << 20)] = 16 << 30
    retention_interval_s: Annotated[float, option(
        "How often old segments are looked for.", unit="s", ge=0.1, le=86_400)] = 600.0


class Accounts(Section, frozen=True):
    """Signing up and logging in; the first values of what administrators set on the site page."""

    registration: Annotated[Literal["open", "application", "closed"], option(
        "Who may sign up: anybody, anybody whose application is accepted, or nobody.")] = "open"
    email_required: Annotated[bool, option(
        "Whether signing up asks for an e-mail address and verifies it.")] = False
    captcha: Annotated[bool, option("Whether signing up asks for a captcha.")] = False
    session_s: Annotated[float, option(
        "How long a login lasts without being used.", unit="s", ge=60)] = 365 * 86_400.0
    address_retention_s: Annotated[float, option(
        "How long the address and the program of a login are remembered.",
        unit="s", ge=60)] = 30 * 86_400.0
    admin_name: Annotated[str, option(
        "The administrator to create wherever none exists.", variable="LICHEN_ADMIN_NAME")] = ""
    admin_password: Annotated[Secret, option(
        "That administrator's first password.", variable="LICHEN_ADMIN_PASSWORD")] = Secret()


class Forum(Section, frozen=True):
    """Communities, posts and comments."""

    activity_age_s: Annotated[float, option(
        "How old the counts of active people may be; one grouped query renews them.",
        unit="s", ge=0.1, le=3_600)] = 60.0
    list_cache_s: Annotated[float, option(
        "How long the same list is answered to strangers from memory.",
        unit="s", ge=0, le=1)] = 1.0
    gone_after_days: Annotated[int, option(
        "How long another server must be silent, though asked, until its communities may be "
        "succeeded here.", unit="d", ge=1, le=3_650)] = 14


class Outbound(Section, frozen=True):
    """What the house may fetch from others."""

    private_addresses: Annotated[bool, option(
        "Allow private, loopback and link-local addresses. On a public server this lets strangers "
        "reach what only this machine may reach.")] = False
    plain_http: Annotated[bool, option("Allow http beside https.")] = False
    timeout_s: Annotated[float, option(
        "The whole time one fetch may take, redirects included.", unit="s", ge=0.1, le=120)] = 10.0
    bytes_max: Annotated[int, option(
        "The largest body taken, after decompression.", unit="bytes", ge=1 << 10, le=1 << 30)
    ] = 4 << 20
    per_host_max: Annotated[int, option(
        "How many fetches run at once to one host.", ge=1, le=256)] = 8
    hosts: Annotated[dict[str, str], option(
        "Host names with fixed addresses, as name=ip,name=ip.", variable="LICHEN_HOSTS")] = {}
    fetch_overrides: Annotated[str, option(
        "A JSON file that maps outside addresses to files, for tests without a network: "
        '{"https://a.example/x": "x.html"}, paths relative to it.',
        variable="LICHEN_FETCH_OVERRIDES")] = ""


class Media(Section, frozen=True):
    """Pictures: where they are kept, how large and how many, and what is kept of others'."""

    image_mode: Annotated[ImageMode, option(
        "What is kept of other people's pictures: nothing (None), small previews of links "
        "(StoreLinkPreviews), or all, so that readers never call strangers (ProxyAllImages).",
        variable="LICHEN_IMAGE_MODE")] = "StoreLinkPreviews"
    any_bytes: Annotated[bool, option(
        "Accept bytes that are no picture as one; for testbeds only.")] = False
    keep_in: Annotated[Literal["disk", "s3"], option(
        "Where pictures are kept: in the data folder, or in an S3 bucket "
        "(pip install lichen[s3]).")] = "disk"
    s3_endpoint: Annotated[str, option(
        "The address of the bucket's server, as https://s3.eu-central-1.amazonaws.com.")] = ""
    s3_region: Annotated[str, option("The region that requests are signed for.")] = "us-east-1"
    s3_bucket: Annotated[str, option("The bucket's name; it exists already.")] = ""
    s3_key: Annotated[Secret, option("The access key's id.")] = Secret()
    s3_secret: Annotated[Secret, option("The access key's secret.")] = Secret()
    upload_bytes_max: Annotated[int, option(
        "The largest picture taken.", unit="bytes", ge=1 << 10, le=256 << 20)] = 20 << 20
    quota_bytes: Annotated[int, option(
        "How much one account may store, administrators excepted.", unit="bytes", ge=0)] = 1 << 30
    quota_count: Annotated[int, option(
        "How many pictures one account may store, administrators excepted.", ge=0)] = 5_000
    blocked_distance: Annotated[int, option(
        "How many of 64 bits may differ between a picture and a blocked one that it looks like; "
        "more finds more copies, and more pictures that are none.", ge=0, le=32)] = 6
    proxied_age_s: Annotated[float, option(
        "How long an outside picture is kept before it is fetched anew.",
        unit="s", ge=60)] = 7 * 86_400.0


class Plugins(Section, frozen=True):
    """Plugins that are installed beside the house; see docs/hooks.md."""

    on: Annotated[str, option(
        "The names, by commas, of the plugins that are on until an administrator says otherwise."
    )] = ""
    network: Annotated[str, option(
        "The names, by commas, of the plugins that may use the network until an administrator says "
        "otherwise; each must say itself that it uses it."
    )] = ""


class Mail(Section, frozen=True):
    """The server that sends our letters; without a host none is sent and none is asked for."""

    host: Annotated[str, option(
        "The SMTP server. Empty: no letter is ever sent; addresses are then verified by an "
        "administrator's approval.")] = ""
    port: Annotated[int, option("Its port.", ge=1, le=PORT_MAX)] = 587
    tls: Annotated[Literal["starttls", "tls", "none"], option(
        "How it is spoken to: `starttls` (port 587), `tls` from the first byte (465), or `none`, "
        "which only a server on this machine deserves.")] = "starttls"
    user: Annotated[str, option("The name to log in with; empty: no login.")] = ""
    password: Annotated[Secret, option("That name's password.")] = Secret()
    sender: Annotated[str, option(
        "The address that letters come from. Empty: noreply@ and the host of the public address.")
    ] = ""
    timeout_s: Annotated[float, option(
        "How long one letter may take.", unit="s", ge=1, le=300)] = 30.0


class Limits(Section, frozen=True):
    """What one caller may ask; fixed limits are shown by `lichen limits`."""

    body_bytes_max: Annotated[int, option(
        "The largest body of a request that carries no file.",
        unit="bytes", ge=1 << 12, le=64 << 20)] = 1 << 20
    rates: Annotated[bool, option(
        "Whether one address and one account may only post, sign up and search so often; off for "
        "tests and testbeds alone. The section `rates` holds the numbers.")] = True
    newcomers: Annotated[bool, option(
        "Whether new accounts may only do so much in a day; `newcomers` holds the numbers."
    )] = True
    trusted_proxies: Annotated[str, option(
        "Addresses or networks of our own proxies, as 127.0.0.1,10.0.0.0/8: only what they say in "
        "X-Forwarded-For is believed. Empty: nobody's.")] = "127.0.0.1,::1"


class Rates(Section, frozen=True):
    """How many requests of a kind fit into how long, per address and per account (Lemmy's)."""

    message: Annotated[int, option("Everything that is not named below.", ge=1)] = 180
    message_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 60.0
    post: Annotated[int, option("New posts and communities.", ge=1)] = 6
    post_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 600.0
    comment: Annotated[int, option("New comments.", ge=1)] = 6
    comment_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 600.0
    register: Annotated[int, option("Registrations, captchas, forgotten passwords.", ge=1)] = 10
    register_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 3_600.0
    image: Annotated[int, option("Uploads of pictures.", ge=1)] = 6
    image_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 3_600.0
    search: Annotated[int, option("Searches.", ge=1)] = 60
    search_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 600.0
    settings: Annotated[int, option("Imports and exports of settings.", ge=1)] = 1
    settings_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 86_400.0
    login: Annotated[int, option("Failed logins, per address and per name.", ge=1)] = 10
    login_s: Annotated[float, option("Their time.", unit="s", ge=1)] = 600.0


class Stream(Section, frozen=True):
    """The stream of everything public; its port is `server.stream_port`."""

    on: Annotated[bool, option(
        "Whether what is public is copied for the stream and the page /stream.")] = True
    host: Annotated[str, option(
        "The address to listen on. Empty: that of the pages.")] = ""
    public_url: Annotated[str, option(
        "The address that people connect to, as https://stream.forum.example, where a proxy stands "
        "before it. Empty: the host of the pages and the port.")] = ""
    retention_s: Annotated[float, option(
        "How long an event is served.", unit="s", ge=60)] = 36 * 3_600.0
    retention_bytes_max: Annotated[int, option(
        "The oldest events are dropped above this size, both forms and their index together.",
        unit="bytes", ge=1 << 20)] = 8 << 30
    subscribers_max: Annotated[int, option("Readers at once.", ge=1, le=100_000)] = 5_000
    per_address_max: Annotated[int, option("Of them from one address.", ge=1)] = 100
    connects_per_minute: Annotated[int, option(
        "How many connections one address may begin in a minute.", ge=1)] = 300
    keys: Annotated[Secret, option(
        "Words, by commas: whoever sends one as `Authorization: Bearer` is held to no limit of its "
        "address.")] = Secret()
    upstreams: Annotated[str, option(
        "Relays of the AT Protocol, by commas, that are served as `?source=atproto`.")] = ""
    standby_key: Annotated[Secret, option(
        "The word that a hot standby shows; empty: none is shipped to.")] = Secret()
    legacy_dictionary: Annotated[str, option(
        "The zstd dictionary that Jetstream's clients of the first version bring with them, as a "
        "file. Empty: they are sent ours.")] = ""


class Newcomers(Section, frozen=True):
    """What accounts may do in a day while they are new, and when they no longer are."""

    known_s: Annotated[float, option(
        "Age from which an account is known, and may do five times as much; one that was invited "
        "is known at once.", unit="s", ge=0)] = 86_400.0
    trusted_s: Annotated[float, option(
        "Age from which an account has no daily limit, unless it was ever banned.",
        unit="s", ge=0)] = 14 * 86_400.0
    posts: Annotated[int, option("Posts a day of a new account.", ge=0)] = 10
    comments: Annotated[int, option("Comments a day of a new account.", ge=0)] = 50
    links: Annotated[int, option("Posts with a link, a day.", ge=0)] = 5
    pictures: Annotated[int, option("Pictures a day.", ge=0)] = 5
    messages: Annotated[int, option("Private messages a day.", ge=0)] = 10


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is decided before the start."""

    server: Server = Server()
    identity: Identity = Identity()
    database: Database = Database()
    log: Log = Log()
    accounts: Accounts = Accounts()
    forum: Forum = Forum()
    outbound: Outbound = Outbound()
    media: Media = Media()
    plugins: Plugins = Plugins()
    limits: Limits = Limits()
    rates: Rates = Rates()
    newcomers: Newcomers = Newcomers()
    mail: Mail = Mail()
    stream: Stream = Stream()

    @property
    def public_url(self) -> str:
        """The origin that every id begins with, without a slash at the end."""
        if self.identity.public_url:
            return self.identity.public_url
        host = self.server.host
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"  # RFC 3986 §3.2.2: IPv6 addresses stand in brackets.
        return f"http://{host}:{self.server.port}"

    @staticmethod
    def load(path: Path | None = None, environ: Mapping[str, str] | None = None, *,
             words: Mapping[str, object] | None = None) -> "Config":
        """Return the whole tree; raises ConfigRefused.

        `path` is the file that was asked for, `words` come from the command line as
        {"server.port": 8536}.
        """
        # Imported here: loading builds this tree, so its module imports this one.
        from lichen.kit.config_sources import load

        return load(path, environ or {}, words=words or {})


# What `--profile testbed` changes (issue 2 §1); everything in it is unsafe on the internet.
TESTBED: dict[str, object] = {
    "server.metrics_port": 0,
    "server.stream_port": 0,
    "accounts.registration": "open",
    "accounts.email_required": False,
    "accounts.captcha": False,
    "forum.activity_age_s": 0.1,
    "forum.list_cache_s": 0.1,
    "log.retention_interval_s": 0.1,
    "outbound.private_addresses": True,
    "outbound.plain_http": True,
    "media.any_bytes": True,
    "limits.rates": False,
    "limits.newcomers": False,
}
PROFILES: dict[str, dict[str, object]] = {"default": {}, "testbed": TESTBED}
