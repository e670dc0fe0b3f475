"""A wire between the log and its server that can be cut at the worst moments."""

import contextlib
import selectors
import socket
import threading


class Wire:
    """Passes bytes on in both directions, on a thread of its own, until told otherwise.

    `lose_answer` lets the next question through and cuts the wire when its answer comes;
    `lose_question` cuts it when the next question of that size comes. `is_cut` says that nothing
    gets through, until `mend`.
    """

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.is_cut = False
        self._stays_cut = False
        self._losing = ""
        self._pairs: dict[socket.socket, tuple[str, socket.socket]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._waking, self._wake = socket.socketpair()
        self._selector.register(self._waking, selectors.EVENT_READ)
        self._is_closed = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def lose_answer(self, *, stays_cut: bool) -> None:
        """Lose the answer to the next publish: it is stored, and nobody is told."""
        self._stays_cut, self._losing = stays_cut, "answer"

    def lose_question(self, *, stays_cut: bool) -> None:
        """Lose the next publish itself."""
        self._stays_cut, self._losing = stays_cut, "question"

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self._is_closed = True
        self._wake.send(b".")
        self._thread.join()
        for one in (*self._pairs, self._listening, self._waking, self._wake):
            one.close()
        self._selector.close()

    def _serve(self) -> None:
        while not self._is_closed:
            for key, _ in self._selector.select():
                one = key.fileobj
                if one is self._listening:
                    self._accept()
                elif one is not self._waking and one in self._pairs:
                    self._pass_on(one)

    def _accept(self) -> None:
        client, _ = self._listening.accept()
        try:
            if self.is_cut:
                raise ConnectionRefusedError
            server = socket.create_connection(self._server)
        except OSError:  # the server is away too
            client.close()
            return
        self._pairs[client] = ("question", server)
        self._pairs[server] = ("answer", client)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, one: socket.socket) -> None:
        kind, other = self._pairs[one]
        try:
            content = one.recv(1 << 20)
        except OSError:
            content = b""
        is_publish = kind == "question" and b"Nats-Expected-Last-Sequence" in content
        if self._losing == "question" and is_publish:
            self._cut()
        elif self._losing == "answering" and kind == "answer":
            self._cut()
        elif not content:
            self._drop(one, other)
        else:
            if self._losing == "answer" and is_publish:
                self._losing = "answering"
            with contextlib.suppress(OSError):
                other.sendall(content)

    def _cut(self) -> None:
        self._losing, self.is_cut = "", self._stays_cut
        for one, (_, other) in list(self._pairs.items()):
            self._drop(one, other)

    def _drop(self, *ends: socket.socket) -> None:
        for one in ends:
            if self._pairs.pop(one, None) is not None:
                self._selector.unregister(one)
                one.close()
