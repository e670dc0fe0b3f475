"""Homes: servers that say themselves who somebody is, as Mastodon and its kin do by OAuth 2.0.

    offer ─► /.well-known/oauth-authorization-server (RFC 8414), else NodeInfo's name ─► endpoints
    begin ─► a client of ours over there, once a server ─► the address that the browser goes to
    named ─► code, for a token (RFC 6749 §4.1.3, RFC 7636) ─► who is it? ─► the token is given back

Everything a home names must be on its own authority, and the account that comes back must be the
actor that was asked for: by its `uri`, or where there is none by WebFinger of its name. What a
client and a token are is in rows and in memory, and in no log.
"""

import base64
import hashlib
from typing import Any, NamedTuple
from urllib.parse import urlencode

import structlog

from lichen.accounts import Actor, ActorKind
from lichen.federation.client_rows import CLIENT, DROP_CLIENT, KEEP_CLIENT
from lichen.federation.fetching import Documents, decoded
from lichen.federation.limits import ANSWER_BYTES_MAX, FETCH_S_MAX, KEY_ID_LENGTH_MAX
from lichen.federation.model import authority_of
from lichen.federation.values import text_of
from lichen.federation.webfinger import Handle, fetch_ids
from lichen.kit import Forbidden, Refused, Unavailable
from lichen.kit.outbound import Fetched, Outbound
from lichen.store import Store, Unit
from lichen.web import Addresses

BACK = "/login/elsewhere/back"
# What their NodeInfo calls itself; they answer at Mastodon's own paths.
_KIN = frozenset({"mastodon", "hometown", "pleroma", "akkoma", "gotosocial"})
_METADATA = "/.well-known/oauth-authorization-server"
_PROFILE, _ACCOUNTS = "profile", "read:accounts"  # Mastodon: since 4.3, and before
_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"

_log = structlog.get_logger("lichen.federation")


class Offer(NamedTuple):
    """Where a home logs people in for others, and the least it can be asked for."""

    authorize: str
    token: str
    register: str
    revoke: str
    account: str
    scope: str


class Client(NamedTuple):
    """What we are to one home."""

    id: str
    secret: str
    scope: str


class Homes:
    """Has the homes of people say who they are."""

    def __init__(
        self, store: Store, outbound: Outbound, documents: Documents, *, addresses: Addresses
    ) -> None:
        self._store = store
        self._outbound = outbound
        self._documents = documents
        self._addresses = addresses

    @property
    def redirect_uri(self) -> str:
        """The one address that homes send browsers back to."""
        return self._addresses.absolute(BACK)

    async def offer(self, authority: str, software: str) -> Offer | None:
        """Return where a home logs people in for others, None where it does not."""
        root = f"{self._addresses.scheme}://{authority}"
        try:
            said = await self._documents.fetch_json(root + _METADATA, accept=_JSON)
        except Refused:
            said = {}
        except Unavailable:
            return None
        if not said and software not in _KIN:
            return None
        scopes = said.get("scopes_supported")
        offer = Offer(
            authorize=text_of(said.get("authorization_endpoint")) or f"{root}/oauth/authorize",
            token=text_of(said.get("token_endpoint")) or f"{root}/oauth/token",
            register=text_of(said.get("app_registration_endpoint")) or f"{root}/api/v1/apps",
            revoke=text_of(said.get("revocation_endpoint")) or f"{root}/oauth/revoke",
            account=f"{root}/api/v1/accounts/verify_credentials",
            scope=_PROFILE if isinstance(scopes, list) and _PROFILE in scopes else _ACCOUNTS,
        )
        if said and not said.get("app_registration_endpoint") and software not in _KIN:
            return None  # some other kind of login: not one that knows `verify_credentials`
        if any(authority_of(one) != authority for one in offer[:4]):
            return None
        return offer

    async def begin(self, offer: Offer, *, state: str, verifier: str) -> str:
        """Return the address over there at which somebody says yes; may register us there first.

        Raises Refused and Unavailable where the home does not take us.
        """
        client = await self._client(offer)
        # RFC 7636 §4.2: the challenge is the verifier's hash, so the way there gives nothing away.
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "response_type": "code", "client_id": client.id, "redirect_uri": self.redirect_uri,
            "scope": client.scope, "state": state,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        glue = "&" if "?" in offer.authorize else "?"
        return f"{offer.authorize}{glue}{urlencode(asked)}"

    async def check(self, offer: Offer, person: Actor, *, code: str, verifier: str) -> None:
        """Refuse, by `wrong_account`, unless the home says that it is this person who came."""
        client = await self._client(offer)
        token = await self._token(offer, client, person, code=code, verifier=verifier)
        try:
            account = _object(await self._outbound.fetch(
                offer.account, accept=_JSON, bytes_max=ANSWER_BYTES_MAX, timeout_s=FETCH_S_MAX,
                headers={"Authorization": f"Bearer {token}"},
            ), offer.account)
        finally:
            await self._give_back(offer, client, token)
        if not await self._is(account, person):
            raise Forbidden("wrong_account",
                            f"Your server says that you are somebody else than "
                            f"@{person.name}@{person.domain}: log out there, or write the other "
                            f"address.")

    async def _is(self, account: dict[str, Any], person: Actor) -> bool:
        uri = text_of(account.get("uri"))
        if uri:
            return uri == person.ap_id
        # Mastodon before 4.2, and kin: the name of a local account has no host in `acct`.
        name = text_of(account.get("acct"))
        if not name or "@" in name or name.lower() != person.name.lower():
            return False
        handle = Handle(ActorKind.PERSON, name, person.domain)
        return person.ap_id in await fetch_ids(self._documents, self._addresses.scheme, handle)

    async def _token(
        self, offer: Offer, client: Client, person: Actor, *, code: str, verifier: str
    ) -> str:
        answer = await self._post(offer.token, {
            "grant_type": "authorization_code", "code": code[:KEY_ID_LENGTH_MAX],
            "client_id": client.id, "client_secret": client.secret,
            "redirect_uri": self.redirect_uri, "code_verifier": verifier,
        })
        if answer.status in (400, 401):
            # It may have forgotten us: the next one is registered anew.
            await self._store.write(lambda unit: unit.stage(
                DROP_CLIENT, {"gone_authority": person.domain}
            ), apart=True)
            raise Forbidden("wrong_account", "Your server did not confirm that; begin again.")
        token = text_of(_object(answer, offer.token).get("access_token"))
        if not token:
            raise Forbidden("wrong_account", "Your server did not confirm that; begin again.")
        return token

    async def _give_back(self, offer: Offer, client: Client, token: str) -> None:
        """Have the home forget the token: nothing here needs it any more (RFC 7009)."""
        try:
            await self._post(offer.revoke, {
                "token": token, "client_id": client.id, "client_secret": client.secret,
            })
        except (Refused, Unavailable):
            _log.info("token_not_revoked", peer=authority_of(offer.revoke))

    async def _client(self, offer: Offer) -> Client:
        """Return what we are to a home, registering there where it does not know us yet."""
        authority = authority_of(offer.token)
        rows = await self._store.read(lambda unit: unit.fetch(CLIENT, authority=authority))
        if rows and rows[0].redirect_uri == self.redirect_uri and rows[0].scope == offer.scope:
            return Client(rows[0].client_id, rows[0].client_secret, rows[0].scope)
        said = _object(await self._post(offer.register, {
            "client_name": self._addresses.authority, "redirect_uris": self.redirect_uri,
            "scopes": offer.scope, "website": self._addresses.public_url,
        }), offer.register)
        client = Client(text_of(said.get("client_id")), text_of(said.get("client_secret")),
                        offer.scope)
        if not client.id or not client.secret:
            raise Refused("home_refused", f"{authority} logs nobody in for others.")

        def keep(unit: Unit) -> None:
            unit.stage(KEEP_CLIENT, {
                "authority": authority, "client_id": client.id, "client_secret": client.secret,
                "redirect_uri": self.redirect_uri, "scope": client.scope,
            })

        await self._store.write(keep, apart=True)
        return client

    async def _post(self, url: str, fields: dict[str, str]) -> Fetched:
        return await self._outbound.post(
            url, urlencode(fields).encode(), content_type=_FORM, accept=_JSON,
            bytes_max=ANSWER_BYTES_MAX, timeout_s=FETCH_S_MAX,
        )


def _object(answer: Fetched, asked: str) -> dict[str, Any]:
    """Return the JSON of an answer by the very server that was asked."""
    if authority_of(answer.url) != authority_of(asked):
        raise Refused("home_refused", "Another server answered.")
    if answer.status == 429 or answer.status >= 500:
        raise Unavailable(f"{authority_of(asked)} answers {answer.status}.")
    if answer.status not in (200, 201):
        raise Refused("home_refused", f"{authority_of(asked)} answers {answer.status}.")
    return decoded(answer.body)
