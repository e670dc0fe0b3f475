"""A client of ours counts and reads exactly what was sent, however it is cut, and keeps RFC 6455."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from lichen.kit import Refused, Unavailable
from lichen.stream.client.consuming import StreamEnded, Subscription, endpoint_of
from lichen.stream.client.unframing import FrameError, tally

WAIT_S = 5.0
CHANCE = bytes(range(1, 17))


def draw(size: int) -> bytes:
    return CHANCE[:size]


def frame(payload: bytes, first: int = 0x81) -> bytes:
    """Frame as RFC 6455 §5.2 says, by other code than ours."""
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def event(number: int, size: int = 300) -> bytes:
    return b'{"did":"did:plc:x","cursor":%d,"text":"%b"}' % (number, b"x" * size)


def unmasked(received: bytes) -> tuple[int, bytes]:
    """Return opcode and payload of one short frame of a client."""
    assert received[1] & 0x80, "a client masks"
    mask, payload = received[2:6], received[6:]
    return received[0] & 0xF, bytes(a ^ b for a, b in zip(payload, mask * 99, strict=False))


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Subscription]]:
    server, client = socket.socketpair()
    server.settimeout(WAIT_S)
    with server, Subscription(client, draw=draw, name="ws://there") as subscription:
        yield server, subscription


frames = st.lists(st.one_of(
    st.integers(0, 400).map(lambda size: (frame(event(1, size)), [event(1, size)])),
    st.sampled_from([125, 126, 32_129 - 40, 65_535 - 40, 70_000]).map(
        lambda size: (frame(event(2, size)), [event(2, size)])),
    st.binary(max_size=200).map(lambda text: (frame(text, 0x82), [text])),
    st.binary(max_size=300).map(lambda text: (
        frame(zstandard.compress(text), 0x82), [zstandard.compress(text)])),
    st.just((frame(b"still there?", 0x89), [])),
    st.just((frame(b"one}", 0x01) + frame(b"", 0x00) + frame(b"{two", 0x80), [b"one}{two"])),
), max_size=30)


@pytest.mark.slow
@settings(max_examples=60)
@given(frames, st.lists(st.integers(1, 90_000), max_size=6), st.booleans(), st.integers(1, 300))
def test_what_is_cut_anywhere_is_counted_and_read_as_it_was_sent(parts, cuts, counting, times):
    """Many at once are cut by numpy, few by walking: both have to see the same."""
    times = times if sum(len(raw) for raw, _ in parts) < 2_000 else 1
    sent = b"".join(raw for raw, _ in parts) * times
    expected = [message for _, messages in parts for message in messages] * times
    is_cut_message = any(len(raw) > 0 and raw[0] == 0x01 for raw, _ in parts)
    server, client = socket.socketpair()
    seen: list[bytes] = []
    count = 0

    with server, Subscription(client, draw=draw, name="ws://there") as subscription:
        for piece in cut(sent, cuts):
            sending = threading.Thread(target=server.sendall, args=(piece,), daemon=True)
            sending.start()
            left = len(piece)
            while left:
                received = subscription.fill(WAIT_S)
                assert received, "what was sent has to come"
                left -= received
                if counting:
                    count += subscription.count()
                else:
                    seen += map(bytes, subscription.messages())
            sending.join(WAIT_S)

    assert (count if counting else len(seen)) == len(expected)
    assert counting or seen == expected
    assert not counting or is_cut_message or not expected or subscription.last == expected[-1]


def cut(sent: bytes, cuts: list[int]) -> Iterator[bytes]:
    begin = 0
    for size in cuts:
        if begin + size < len(sent):
            yield sent[begin:begin + size]
            begin += size
    yield sent[begin:]


@pytest.mark.parametrize("lookalike", [
    b'{"a":"}"}', b'{"a":{"b":{}}}', b'{"text":"' + b"x" * (32_129 - 11) + b'"}',
], ids=["brace", "braces", "length 0x7d81"])
def test_a_frame_that_looks_like_a_border_is_counted_once(lookalike):
    """The bytes } and 0x81 can stand in the length of a frame; the check of the chain sees it."""
    whole = frame(lookalike) * 3 + frame(event(1)) * 400 + frame(lookalike) * 2
    buffer = bytearray(whole)

    found = tally(buffer, len(buffer))

    assert found.messages == 405
    assert found.end == len(whole)


@pytest.mark.parametrize("raw", [b"\xc1\x01x", b"\x81\x81abcdx", b"\x83\x01x", b"\x09\x00"],
                         ids=["compressed", "masked", "unknown", "a ping in parts"])
def test_frames_that_no_server_may_send_are_refused(raw):
    buffer = bytearray(frame(event(1)) + raw)

    with pytest.raises(FrameError):
        tally(buffer, len(buffer))


def test_a_ping_among_a_thousand_events_is_answered_and_not_counted(pair):
    server, subscription = pair
    sent = frame(event(1)) * 500 + frame(b"there?", 0x89) + frame(event(2)) * 500
    threading.Thread(target=server.sendall, args=(sent,), daemon=True).start()
    count = 0

    while subscription.bytes_received < len(sent):
        assert subscription.fill(WAIT_S)
        count += subscription.count()

    assert count == 1_000
    assert unmasked(server.recv(100)) == (0xA, b"there?")


def test_a_close_is_told_after_what_came_before_it_was_read(pair):
    server, subscription = pair
    server.sendall(frame(event(1)) + frame(b"\x03\xe9going away", 0x88))

    subscription.fill(WAIT_S)
    read = [bytes(message) for message in subscription.messages()]
    with pytest.raises(StreamEnded) as ended:
        subscription.fill(WAIT_S)

    assert read == [event(1)]
    assert ended.value.code == 1001
    assert "code 1001 and said: going away" in ended.value.text
    assert unmasked(server.recv(100)) == (0x8, b"\x03\xe9")


def test_a_connection_that_breaks_is_told_as_such(pair):
    server, subscription = pair
    server.close()

    with pytest.raises(StreamEnded) as ended:
        subscription.fill(WAIT_S)

    assert ended.value.code == 1006


def test_a_message_that_never_ends_is_given_up(pair):
    server, subscription = pair
    endless = frame(b"x" * 70_000)[:2] + (1 << 40).to_bytes(8, "big")
    threading.Thread(target=flood, args=(server, endless), daemon=True).start()

    with pytest.raises(StreamEnded) as ended:
        while True:
            subscription.fill(WAIT_S)
            subscription.count()

    assert ended.value.code == 1009


def flood(server: socket.socket, head: bytes) -> None:
    try:
        server.sendall(head + bytes(5 << 20))  # more than a client holds
    except OSError:
        return


def test_nothing_that_comes_is_no_end(pair):
    _, subscription = pair

    assert subscription.fill(0) == 0
    assert subscription.count() == 0


@pytest.fixture
def answering() -> Iterator[Callable[[bytes], str]]:
    """Listen once, say what was given to whoever asks, and hang up."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(answer: bytes) -> None:
        link, _ = listener.accept()
        with link:
            link.recv(10_000)
            link.sendall(answer)

    def answer_with(answer: bytes) -> str:
        threads.append(threading.Thread(target=serve, args=(answer,), daemon=True))
        threads[-1].start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield answer_with
    listener.close()
    for thread in threads:
        thread.join(WAIT_S)


def test_what_the_server_said_to_a_wrong_request_is_told(answering):
    address = answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 26\r\n\r\n"
                        b"cursor: expected a number.")

    with pytest.raises(Refused) as refused:
        Subscription.open(endpoint_of(address), "cursor=x", draw=draw)

    assert refused.value.text.endswith("answered 400 Bad Request: cursor: expected a number.")


def test_a_server_that_is_not_ready_is_unavailable_not_wrong(answering):
    address = answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 7\r\n\r\nwarming")

    with pytest.raises(Unavailable, match="503 Service Unavailable: warming"):
        Subscription.open(endpoint_of(address), draw=draw)


@pytest.mark.parametrize(("answer", "said"), [
    (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
    (b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: bm8=\r\n\r\n", "lacks the proof"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "answered 200 OK: hi"),
], ids=["no HTTP", "no proof", "a web page"])
def test_who_is_no_stream_is_named_as_such(answering, answer, said):
    with pytest.raises((Unavailable, Refused), match=said):
        Subscription.open(endpoint_of(answering(answer)), draw=draw)


def test_nobody_who_listens_is_told_with_the_address():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    with pytest.raises(Unavailable, match=f"ws://127.0.0.1:{port}/subscribe cannot be reached"):
        Subscription.open(endpoint_of(f"127.0.0.1:{port}"), draw=draw)


@pytest.mark.parametrize(("text", "endpoint"), [
    ("localhost", ("localhost", 6008, "/subscribe", "", False)),
    ("localhost:7000", ("localhost", 7000, "/subscribe", "", False)),
    ("ws://a.example", ("a.example", 80, "/subscribe", "", False)),
    ("wss://a.example/subscribe?compress=true",
     ("a.example", 443, "/subscribe", "compress=true", True)),
    ("https://a.example/xrpc/network.bsky.jetstream.subscribeEvents",
     ("a.example", 443, "/xrpc/network.bsky.jetstream.subscribeEvents", "", True)),
    ("ws://[::1]:6008", ("::1", 6008, "/subscribe", "", False)),
])
def test_an_address_may_be_written_as_people_write_it(text, endpoint):
    assert endpoint_of(text) == endpoint


@pytest.mark.parametrize("text", ["", "ftp://a.example", "localhost:port", "ws://:80"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Refused, match="no address of a stream"):
        endpoint_of(text)
