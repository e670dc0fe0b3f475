"""What is shipped, held against events of the network's shapes; and one thread to a compressor."""

import threading
from itertools import islice

import msgspec
import pytest

from bench.records import arrivals, made
from lichen.stream import EVERYTHING, Dictionaries, Form, Kind, Store, Wire, pull
from lichen.stream.dictionary import SHIPPED
from lichen.stream.frames import v1_message, v2_message

SEED = 4


@pytest.mark.slow
def test_events_of_a_hold_out_need_two_fifths_of_their_json_in_either_shape(tmp_path) -> None:
    compressor = Dictionaries(tmp_path).compressor(SHIPPED)
    v1 = [v1_message(b'"%b"' % one.did.encode(), one.kind, one.body, seq=9_000_000 + number,
                     time_us=1_775_000_000_000_000 + number * 1_000)
          for number, one in enumerate(arrivals(SEED, 2_000, people=500))]
    v2 = [v2_message(one, Kind.COMMIT) for one in v1 if b'"kind":"commit"' in one]

    for plain in (v1, v2):
        assert sum(len(compressor.compress(one)) for one in plain) <= 0.40 * sum(map(len, plain))


class Watched:
    """A compressor that notes which threads use it."""

    def __init__(self, compressor) -> None:
        self._compressor, self.threads = compressor, set()

    def compress(self, message: bytes) -> bytes:
        self.threads.add(threading.get_ident())
        return self._compressor.compress(message)


class WatchedDictionaries(Dictionaries):
    """Dictionaries whose compressors are watched."""

    def new_compressor(self, number):
        self.watched = getattr(self, "watched", [])
        self.watched.append(Watched(super().new_compressor(number)))
        return self.watched[-1]


@pytest.mark.anyio
async def test_the_writer_and_the_readers_on_the_loop_never_share_a_compressor(tmp_path) -> None:
    """The writer once held the loop's: frames of an append would have been mixed with a reader's."""
    dictionaries = WatchedDictionaries(tmp_path)
    store = Store.open(tmp_path, clock=lambda: 1_772_000_000_000_000, dictionaries=dictionaries)
    await store.append(list(arrivals(SEED, 20, people=50)), position=1)
    pulled = pull(store, 1, EVERYTHING, Form(Wire.V2, dictionary=SHIPPED))
    await store.close()

    assert pulled.events == 20
    assert [len(one.threads) for one in dictionaries.watched] == [1, 1]


def test_a_seed_makes_the_same_events_again_and_another_seed_makes_others() -> None:
    first = list(arrivals(SEED, 50, people=50))

    assert list(arrivals(SEED, 50, people=50)) == first
    assert not {one.body for one in arrivals(SEED + 1, 50, people=50)} & {one.body for one in first}


def test_facets_stand_where_they_say_in_the_bytes_of_the_text() -> None:
    """AT Protocol, Rich Text: byteStart and byteEnd count bytes of UTF-8."""
    records = [one.record for one in islice(made(SEED, people=50), 1_500) if "facets" in one.record]
    shown = [
        record["text"].encode()[facet["index"]["byteStart"]:facet["index"]["byteEnd"]].decode()
        for record in records if record["text"] for facet in record["facets"]]

    assert len(shown) > 20
    assert all(text[0] in "#@" or text.endswith("...") for text in shown)


def test_records_of_the_network_have_the_key_order_of_dag_cbor() -> None:
    for one in islice(made(SEED, people=50), 300):
        assert list(one.record) == sorted(one.record, key=lambda key: (len(key), key))


def test_bodies_of_commits_have_their_keys_in_the_order_of_the_wire() -> None:
    order = ["rev", "operation", "collection", "rkey", "record", "cid"]
    bodies = [(one, msgspec.json.decode(one.body)) for one in arrivals(SEED, 300, people=50)
              if one.kind is Kind.COMMIT]

    assert all(list(body) == order[:len(body)] for _, body in bodies)
    assert {one.operation.word for one, _ in bodies} == {"create", "update", "delete"}
    assert all((body["operation"] == "delete") == ("record" not in body) for _, body in bodies)
