"""The stream's own server: one port, raw transports, everything public.

    GET /subscribe                                     the first wire
    GET /xrpc/network.bsky.jetstream.subscribeEvents   the second wire
        both: WebSocket, or Server-Sent Events by Accept: text/event-stream
    GET /xrpc/network.bsky.jetstream.getZstdDictionary
    GET /xrpc/_health · GET /metrics · GET /           health, numbers, the page of lag and rates

`?source=` chooses among several stores; "" is the house's, or the only one. Further routes are
handed in by the constructor.
"""

import asyncio
import contextlib
import resource
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import lichen
from lichen.kit import Clock, LichenError, Refused, TooMany, Unavailable
from lichen.stream import limits
from lichen.stream.engine import Store
from lichen.stream.serving import metrics, subscribing_v1, subscribing_v2
from lichen.stream.serving.admission import Admission, Pass
from lichen.stream.serving.connection import Ears, HttpConnection
from lichen.stream.serving.counts import Counts
from lichen.stream.serving.events_source import HEAD, EventsSource, asks_for_events, resumed
from lichen.stream.serving.handshake import accept_head, check_handshake
from lichen.stream.serving.http import (
    Answer,
    Line,
    Request,
    Response,
    Route,
    Routes,
    Takeover,
    refusal_of,
)
from lichen.stream.serving.page import Overview, Rates, page_of, standing_of
from lichen.stream.serving.settings import ServerSettings
from lichen.stream.serving.socket import Speech, StreamSocket
from lichen.stream.serving.subscribers import Subscribers
from lichen.stream.serving.wanting import Terms

DICTIONARY_METHOD: Final = "network.bsky.jetstream.getZstdDictionary"
DICTIONARY_HEADER: Final = "lichen-zstd-dictionary"
BACKLOG: Final = 4_096  # connections that the kernel holds until they are accepted
FILES_BESIDE: Final = 256  # open files beyond connections: segments, journals, the loop
RATES_S: Final = 5.0  # over which rates are measured

V1_SPEECH: Final = Speech(hear=subscribing_v1.read_update, error_frame=None,
                          cursor_frame=subscribing_v1.cursor_frame)
V2_SPEECH: Final = Speech(hear=None, error_frame=subscribing_v2.error_frame,
                          cursor_frame=subscribing_v2.cursor_frame)


class StreamServer:
    """Serves stores to whoever subscribes."""

    def __init__(
        self, sources: Mapping[str, Store], *, settings: ServerSettings, clock: Clock,
        routes: Routes | None = None,
    ) -> None:
        assert sources, "a server has something to serve"
        self.settings = settings
        self.counts = Counts()
        self.ears = Ears()
        self.hubs: dict[str, Subscribers] = {}
        self._sources = sources
        self._clock = clock
        self._admission = Admission(settings, clock=clock)
        self._connections: set[HttpConnection] = set()
        self._by_peer: dict[str, int] = {}
        self._all_gone = asyncio.Event()
        self._is_closing = False
        self._listener: asyncio.Server | None = None
        self._rates = Rates(0.0, 0.0, 0.0)
        self._routes: dict[str, Route] = {
            "GET /subscribe": self._subscribe_v1,
            f"GET /xrpc/{subscribing_v2.METHOD}": self._subscribe_v2,
            f"GET /xrpc/{DICTIONARY_METHOD}": self._dictionary,
            "GET /xrpc/_health": self._health,
            "GET /": self._page,
            **({"GET /metrics": self._metrics} if settings.shows_metrics else {}),
            **(routes or {}),
        }

    @property
    def port(self) -> int:
        """Return the port that is listened on."""
        assert self._listener is not None, "started"
        return int(self._listener.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen; raises OSError where the port is taken."""
        loop = asyncio.get_running_loop()
        for name, store in self._sources.items():
            self.hubs[name] = Subscribers(store, clock=self._clock, counts=self.counts,
                                          beat_s=self.settings.beat_s)
        _raise_file_limit(self.settings.connections_max + FILES_BESIDE)
        self._listener = await loop.create_server(
            lambda: HttpConnection(self), self.settings.host, self.settings.port, backlog=BACKLOG)
        self._measuring = loop.call_later(RATES_S, self._measure, self._measured())

    async def close(self) -> None:
        """Say goodbye to everybody, wait some seconds for theirs, and end. Idempotent."""
        if self._is_closing or self._listener is None:
            return
        self._is_closing = True
        self._measuring.cancel()
        self._listener.close()
        for hub in self.hubs.values():
            for subscriber in tuple(hub.everybody):
                subscriber.shut_down()
        for connection in tuple(self._connections):
            if not connection.is_handed_over:
                connection.close()
        if self._connections:
            self._all_gone.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_gone.wait(), limits.CLOSE_S_MAX)
        for connection in tuple(self._connections):
            connection.transport.abort()
        for hub in self.hubs.values():
            hub.close()

    # What a connection asks of its host.

    def opened(self, connection: HttpConnection) -> None:
        """Count a connection; turn it away where there are too many."""
        self._connections.add(connection)
        self.counts.connections += 1
        peer = connection.peer
        self._by_peer[peer] = count = self._by_peer.get(peer, 0) + 1
        if len(self._connections) > self.settings.connections_max:
            self.counts.refused_connects += 1
            connection.turn_away(Unavailable("The server is full; try again in a minute.",
                                             retry_after_s=60.0))
        elif count > self._connections_of_peer_max and not self._admission.is_proxy(peer):
            self.counts.refused_connects += 1
            connection.turn_away(TooMany(text=f"{count} connections are open from this address; "
                                         "close some first.", retry_after_s=10.0))

    def ended(self, connection: HttpConnection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)
        peer = connection.peer
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]
        if not self._connections:
            self._all_gone.set()

    @property
    def _connections_of_peer_max(self) -> int:
        # Keys are known only once a head was read, so that their bearers are let in this far.
        settings = self.settings
        by_key = settings.subscribers_per_key_max if settings.keys else 0
        return 2 * max(settings.subscribers_per_address_max, by_key)

    async def answer(self, request: Request) -> Answer:
        """Answer a request by its route; what is refused is answered too."""
        request = replace(request, caller=self._admission.caller_of(request))
        try:
            return await self._route(request)(request)
        except LichenError as error:
            if isinstance(error, TooMany):
                self.counts.refused_connects += 1
            return refusal_of(error, request.path)

    def _route(self, request: Request) -> Route:
        if self._is_closing:
            raise Unavailable("service not ready: shutting down")
        if request.method == "OPTIONS":
            return _preflight
        # RFC 9110 §9.3.2: HEAD is GET without the body.
        method = "GET" if request.method == "HEAD" else request.method
        route = self._routes.get(f"{method} {request.path}")
        if route is not None:
            return route
        if any(key.partition(" ")[2] == request.path for key in self._routes):
            raise Refused("MethodNotAllowed", f"{request.method} is not spoken at this address.",
                          status=405)
        raise Refused("MethodNotImplemented" if request.path.startswith("/xrpc/") else "NotFound",
                      "Nothing is at this address; GET / shows what is.", status=404)

    def _hub_of(self, request: Request) -> Subscribers:
        name = request.first_of("source")
        if name in self.hubs:
            return self.hubs[name]
        if not name:
            return next(iter(self.hubs.values()))
        known = ", ".join(one for one in self.hubs if one) or "none by name"
        raise Refused("InvalidRequest", f"source is one of: {known}.")

    # Subscribing.

    async def _subscribe_v1(self, request: Request) -> Answer:
        hub = self._hub_of(request)
        began_us = self._clock()
        terms = subscribing_v1.read_terms(
            request, hub.store, dictionary=hub.store.v1_dictionary, now_us=self._clock())
        headers = [(DICTIONARY_HEADER, str(terms.form.dictionary))] if terms.form.dictionary else []
        return self._taken_over(request, hub, terms, speech=V1_SPEECH, headers=headers,
                                began_us=began_us)

    async def _subscribe_v2(self, request: Request) -> Answer:
        hub = self._hub_of(request)
        began_us = self._clock()
        known = hub.store.dictionaries
        terms = subscribing_v2.read_terms(request, hub.store, dictionaries=known.ids,
                                          current=known.current, now_us=self._clock())
        subprotocol = subscribing_v2.subprotocol_of(request)
        headers = [("sec-websocket-protocol", subprotocol)] if subprotocol else []
        self.counts.subprotocols["echoed" if subprotocol else "none"] += 1
        return self._taken_over(request, hub, terms, speech=V2_SPEECH, headers=headers,
                                began_us=began_us)

    def _taken_over(
        self, request: Request, hub: Subscribers, terms: Terms, *, speech: Speech,
        headers: list[tuple[str, str]], began_us: int,
    ) -> Takeover:
        is_source = asks_for_events(request)
        if is_source:
            terms = resumed(request, terms, hub.store, now_us=self._clock())
        else:
            check_handshake(request)
        metrics.observe_resolve(self.counts, (self._clock() - began_us) / 1e6)
        admitted = self._admission.admit(request)
        self.counts.cursor_requests[terms.cursor.mode] += 1

        def begin(line: Line, heard: bytes) -> None:
            subscriber = self._subscriber(hub, terms, line, speech=None if is_source else speech)
            subscriber.when_lost = lambda: self._lost(line, admitted)
            subscriber.start(heard)

        return Takeover(HEAD if is_source else accept_head(request, headers), begin,
                        forget=lambda: self._admission.release(admitted))

    def _subscriber(self, hub: Subscribers, terms: Terms, line: Line, *,
                    speech: Speech | None) -> StreamSocket | EventsSource:
        now_us = self._clock()
        if speech is None:
            return EventsSource(hub, terms, transport=line.transport, now_us=now_us)
        return StreamSocket(hub, terms, transport=line.transport, now_us=now_us, speech=speech,
                            ears=self.ears, ping_us=int(self.settings.ping_s * 1e6))

    def _lost(self, line: Line, admitted: Pass) -> None:
        self._admission.release(admitted)
        line.ended()

    # Plain answers.

    async def _dictionary(self, request: Request) -> Answer:
        known = self._hub_of(request).store.dictionaries
        text = request.first_of("id")
        if text and not (text.isascii() and text.isdigit()):
            raise Refused("InvalidRequest", "id is a positive integer.")
        number = int(text[:20]) if text else known.current
        if number not in known.ids:
            raise Refused("UnknownZstdDictionary", f"Unknown zstd dictionary {number}; the current "
                          f"dictionary id is {known.current}.")
        return Response(200, (("content-type", "application/octet-stream"),
                              ("etag", f'"{number}"'), (DICTIONARY_HEADER, str(number))),
                        known.bytes_of(number))

    async def _health(self, request: Request) -> Answer:
        return Response.json(200, {"version": lichen.__version__})

    async def _metrics(self, request: Request) -> Answer:
        everybody = [one for hub in self.hubs.values() for one in hub.everybody]
        return Response(200, (("content-type", metrics.CONTENT_TYPE),),
                        metrics.exposition(self.counts, everybody, self._gauges))

    async def _page(self, request: Request) -> Answer:
        overview = Overview(
            subscribers=sum(len(hub.everybody) for hub in self.hubs.values()), rates=self._rates,
            sources=tuple([standing_of(name, hub) for name, hub in self.hubs.items()]))
        if "application/json" in request.header("accept"):
            return Response.json(200, overview, headers=[("vary", "accept")])
        return Response(200, (("content-type", "text/html; charset=utf-8"), ("vary", "accept")),
                        page_of(overview))

    def _gauges(self) -> Iterable[tuple[str, str, float]]:
        for name, hub in self.hubs.items():
            label = f"lichen_stream{'_' + name if name else ''}"
            yield f"{label}_floor_seq", "The lowest sequence kept.", hub.store.first_seq
            yield f"{label}_next_seq", "What the next event gets.", hub.store.next_seq
        yield "lichen_stream_connections", "Open connections.", len(self._connections)

    # Rates.

    def _measured(self) -> tuple[float, int, int, int]:
        now_s = asyncio.get_running_loop().time()
        appended = sum(hub.store.next_seq for hub in self.hubs.values())
        return now_s, appended, self.counts.events_sent, self.counts.bytes_sent

    def _measure(self, before: tuple[float, int, int, int]) -> None:
        now = self._measured()
        took_s = max(now[0] - before[0], 1e-6)
        self._rates = Rates(*((new - old) / took_s
                              for new, old in zip(now[1:], before[1:], strict=True)))
        self._measuring = asyncio.get_running_loop().call_later(RATES_S, self._measure, now)


async def _preflight(request: Request) -> Answer:
    # Fetch Standard §3.2.2: what a page of another origin may ask with.
    return Response(204, (("access-control-allow-methods", "GET, HEAD"),
                          ("access-control-allow-headers", "*"),
                          ("access-control-max-age", "86400")))


def _raise_file_limit(count: int) -> None:
    """Let this process open as many files as it may have connections, as far as it is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
