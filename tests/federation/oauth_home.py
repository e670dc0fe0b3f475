"""A home as Mastodon is one to apps, from its public documentation; strict where it must be."""

import base64
import hashlib
import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.federation.elsewhere import Elsewhere


class OAuthHome(Elsewhere):
    """A peer that logs people in for others; `logged_in` is who sits at the browser over there."""

    def __init__(self) -> None:
        super().__init__()
        self.logged_in = "anna"
        self.clients: dict[str, dict[str, str]] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.revoked: list[str] = []
        self.account: dict[str, Any] = {}  # what differs in what it says of an account
        self.metadata: dict[str, Any] = {}  # what differs in what it says of itself
        self._numbers = itertools.count(1)

    async def start(self) -> Callable[[], Any]:
        application = web.Application()
        routes = application.router
        routes.add_get("/.well-known/oauth-authorization-server", self._metadata)
        routes.add_post("/api/v1/apps", self._register)
        routes.add_get("/oauth/authorize", self._authorize)
        routes.add_post("/oauth/token", self._token)
        routes.add_post("/oauth/revoke", self._revoke)
        routes.add_get("/api/v1/accounts/verify_credentials", self._account)
        routes.add_get("/{path:.*}", self._answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner.cleanup

    def lives_here(self, name: str) -> None:
        self.person(name)
        self.finger(name, (f"/u/{name}", "Person"))

    async def _metadata(self, _: web.Request) -> web.Response:
        # Mastodon 4.3, "OAuth Server Configuration".
        return web.json_response({
            "issuer": f"{self.url}/", "authorization_endpoint": f"{self.url}/oauth/authorize",
            "token_endpoint": f"{self.url}/oauth/token",
            "revocation_endpoint": f"{self.url}/oauth/revoke",
            "app_registration_endpoint": f"{self.url}/api/v1/apps",
            "scopes_supported": ["read", "profile"], "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"], **self.metadata,
        })

    async def _register(self, request: web.Request) -> web.Response:
        form = await request.post()
        number = next(self._numbers)
        client = {"client_id": f"client {number}", "client_secret": f"hush {number}",
                  "redirect_uri": str(form["redirect_uris"]), "scope": str(form["scopes"])}
        self.clients[client["client_id"]] = client
        return web.json_response({
            "id": str(number), "name": form["client_name"], **client,
        })

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        client = self.clients.get(asked["client_id"])
        # RFC 6749 §4.1.2.1: with a wrong client or address, nobody is sent anywhere.
        if client is None or asked["redirect_uri"] != client["redirect_uri"]:
            return web.Response(status=400, text="unknown client or address")
        right = (asked["response_type"] == "code" and asked["scope"] == client["scope"]
                 and asked["code_challenge_method"] == "S256" and len(asked["state"]) >= 40)
        if not right:
            return web.Response(status=400, text="wrong request")
        code = f"code {next(self._numbers)}"
        self.codes[code] = {**client, "challenge": asked["code_challenge"],
                            "name": self.logged_in}
        back = urlencode({"code": code, "state": asked["state"]})
        return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{back}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        granted = self.codes.pop(str(form.get("code")), None)
        digest = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if granted is None or challenge != granted["challenge"] or any(
            form.get(name) != granted[name]
            for name in ("client_id", "client_secret", "redirect_uri")
        ) or form.get("grant_type") != "authorization_code":
            return web.json_response({"error": "invalid_grant"}, status=400)
        token = f"token {next(self._numbers)}"
        self.tokens[token] = granted["name"]
        return web.json_response({
            "access_token": token, "token_type": "Bearer", "scope": granted["scope"],
            "created_at": 1,
        })

    async def _account(self, request: web.Request) -> web.Response:
        name = self.tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if name is None:
            return web.json_response({"error": "The access token is invalid"}, status=401)
        return web.json_response({
            "id": "1", "username": name, "acct": name, "url": f"{self.url}/@{name}",
            "uri": self.at(f"/u/{name}"), **self.account,
        })

    async def _revoke(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.revoked.append(str(form["token"]))
        self.tokens.pop(str(form["token"]), None)
        return web.json_response({})
