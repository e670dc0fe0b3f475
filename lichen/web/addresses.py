"""Every address of the house, declared once.

Ids and links come only from the public URL, whatever `Host` a request came by. An instance is its
authority: host, and port where the URL names one.
"""

from functools import lru_cache
from urllib.parse import quote, urlsplit

from lichen.kit import Refused

# RFC 3986 §3.3: these may stand raw in a path segment; "@" separates a remote name from its host.
_SEGMENT_SAFE = "@:!$&'()*+,;="
SEEDS_KEPT_MAX = 8_192  # escaped DIDs kept ready: escaping one takes 3 µs; 2 MB when full


class Addresses:
    """Builds the addresses of people, communities, posts and pages.

    The pages have the addresses that Lemmy's own pages have, so that links into a server that is
    taken over still lead somewhere.
    """

    front = "/"
    communities = "/communities"
    community_new = "/create_community"
    post_new = "/create_post"
    login = "/login"
    signup = "/signup"
    logout = "/logout"
    inbox = "/inbox"
    messages = "/messages"
    saved = "/saved"
    successors = "/successors"
    pictures = "/pictures"
    settings = "/settings"
    settings_export = "/settings/export"
    settings_import = "/settings/import"
    moderation = "/moderation"
    moderated = "/moderation/mine"
    modlog = "/modlog"
    federation = "/federation"
    stream = "/stream"
    followed_activity = "/federation/activity"
    search = "/search"
    open_search = "/opensearch.xml"
    look = "/look"
    preview = "/preview"
    shortcuts = "/shortcuts"
    places = "/places"
    admin = "/admin"
    plugins = "/admin/plugins"
    all_pictures = "/admin/pictures"
    blocklist = "/admin/blocklist"
    legal = "/legal"
    forgotten = "/forgotten"
    login_elsewhere = "/login/elsewhere"
    settings_elsewhere = "/settings/elsewhere"
    second_factor = "/settings/second_factor"
    invites = "/settings/invites"
    applications = "/admin/applications"
    roles = "/admin/roles"
    invite_tree = "/admin/invites"
    passed_up = "/admin/proposals"

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url.rstrip("/"))
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
            raise Refused(
                "invalid_public_url",
                f"LICHEN_PUBLIC_URL is http:// or https:// and a host, without a path; "
                f"got {public_url!r}.",
            )
        self.public_url = public_url.rstrip("/")
        self.scheme = parts.scheme
        self.authority = parts.netloc
        self.is_secure = parts.scheme == "https"

    def absolute(self, path: str) -> str:
        """Return the full address of a path of ours."""
        assert path.startswith("/"), path
        return self.public_url + path

    def person(self, name: str, domain: str | None = None) -> str:
        """Return the path of a person's page; `domain` for people of other servers."""
        return "/u/" + self._named(name, domain)

    def community(self, name: str, domain: str | None = None) -> str:
        """Return the path of a community's page; `domain` for those of other servers."""
        return "/c/" + self._named(name, domain)

    def post(self, post_id: int) -> str:
        """Return the path of a post."""
        return f"/post/{post_id}"

    def comment(self, comment_id: int) -> str:
        """Return the path of a comment."""
        return f"/comment/{comment_id}"

    def proposal(self, proposal_id: int) -> str:
        """Return the path of a proposal."""
        return f"/proposal/{proposal_id}"

    def peer(self, authority: str) -> str:
        """Return the path of the page about another server."""
        return f"{self.federation}/{quote(authority, safe=_SEGMENT_SAFE + '[]')}"

    def message(self, message_id: int) -> str:
        """Return the path that a private message's id is made of, as in Lemmy; no page is there."""
        return f"/private_message/{message_id}"

    def conversation(self, name: str, domain: str | None = None) -> str:
        """Return the path of what the viewer and a person wrote to each other."""
        return f"{self.messages}/{self._named(name, domain)}"

    def contributed(self, path: str) -> str:
        """Return the path of a plugin's page; `path` begins with the plugin's name."""
        return f"/x/{path}"

    def setup_by(self, token: str) -> str:
        """Return the path of the first administrator's one-time page."""
        return f"/setup/{quote(token, safe='')}"

    def picture(self, alias: str) -> str:
        """Return the path of an uploaded picture, by its file name."""
        return f"/pictrs/image/{quote(alias, safe='')}"
    def verify_by(self, token: str) -> str:
        """Return the path of the page that verifies an e-mail address; as Lemmy's."""
        return f"/verify_email/{quote(token, safe='')}"

    def reset_by(self, token: str) -> str:
        """Return the path of the page that takes a new password; as Lemmy's."""
        return f"/password_change/{quote(token, safe='')}"

    def join_by(self, code: str) -> str:
        """Return the path of the joining page with an invitation."""
        return f"/signup?invite={quote(code, safe='')}"

    def grown(self, seed: str) -> str:
        """Return the path of the lichen grown from a seed."""
        return f"/grown/{_escaped(seed)}.svg"

    def grown_young(self, seed: str) -> str:
        """Return the path of the lichen of a seed when it has just settled."""
        return f"/grown/{_escaped(seed)}/young.svg"

    def grown_banner(self, seed: str) -> str:
        """Return the path of the strip of rock grown from a seed."""
        return f"/grown/{_escaped(seed)}/banner.svg"

    def feed_of_listing(self, listing: str) -> str:
        """Return the path of a front page's feed, without its ending `.xml` or `.atom`."""
        return f"/feeds/{listing.lower()}"

    def feed_of_person(self, name: str, domain: str | None = None) -> str:
        """Return the path of a person's feed, without its ending."""
        return "/feeds" + self.person(name, domain)

    def feed_of_community(self, name: str, domain: str | None = None) -> str:
        """Return the path of a community's feed, without its ending."""
        return "/feeds" + self.community(name, domain)

    def feed_of_post(self, post_id: int) -> str:
        """Return the path of the feed of a post's comments, without its ending."""
        return "/feeds" + self.post(post_id)

    def actor_id_of_person(self, name: str) -> str:
        """Return the ActivityPub id of a local person."""
        return self.absolute(self.person(name))

    def actor_id_of_community(self, name: str) -> str:
        """Return the ActivityPub id of a local community."""
        return self.absolute(self.community(name))

    def did_of_person(self, name: str) -> str:
        """Return the DID of a local person."""
        return f"did:web:{self._did_host()}:u:{quote(name, safe='')}"

    def did_of_community(self, name: str) -> str:
        """Return the DID of a local community."""
        return f"did:web:{self._did_host()}:c:{quote(name, safe='')}"

    def _did_host(self) -> str:
        # did:web, "Method-specific identifier": a port's colon is percent-encoded.
        return self.authority.replace(":", "%3A")

    def _named(self, name: str, domain: str | None) -> str:
        whole = name if domain in (None, self.authority) else f"{name}@{domain}"
        return quote(whole, safe=_SEGMENT_SAFE)


@lru_cache(maxsize=SEEDS_KEPT_MAX)
def _escaped(seed: str) -> str:
    return quote(seed, safe="")
