"""Nothing personal gets into a dictionary: it is handed to everybody and kept for years."""

import random
import re
from functools import cache

import msgspec
import pytest
import zstandard

from lichen.kit import Refused
from lichen.kit.ids import encode_tid
from lichen.stream import Arrival, Kind, Operation
from lichen.stream.frames import v1_message
from lichen.stream.limits import TRAINING_ACTORS_MIN
from lichen.stream.training import DICTIONARY_BYTES, samples_of, train, words

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
SLOGAN = "Zbigniew's Überraschung№7 gewinnt"  # what everybody repeats still belongs to somebody
JAPANESE = "きのう海辺の喫茶店でとなりの席の人が話していた"
ID = 40_000


def token(chance: random.Random, length: int) -> str:
    return "".join(chance.choices(BASE32, k=length))


def person(chance: random.Random) -> str:
    return "did:plc:" + token(chance, 24)


def commit(did: str, record: dict[str, object], chance: random.Random) -> Arrival:
    tid = encode_tid(1_772_000_000_000_000 + chance.randrange(10**12), 7)
    body = {"rev": tid, "operation": "create", "collection": record["$type"], "rkey": tid,
            "record": record, "cid": "bafyrei" + token(chance, 52)}
    return Arrival(did, msgspec.json.encode(body), Kind.COMMIT, Operation.CREATE,
                   str(record["$type"]))


@cache
def somebodys() -> tuple[Arrival, ...]:
    return tuple(posts(300))


def posts(count: int, seed: int = 1, **extra: object) -> list[Arrival]:
    """Return posts whose every value is somebody's; some of them stand in all."""
    chance = random.Random(seed)
    return [commit(person(chance), {
        "text": f"{SLOGAN} {token(chance, 12)} {JAPANESE}", "$type": "app.bsky.feed.post",
        "tags": [f"weddingof{token(chance, 9)}", "annaundbruno1987"],
        "embed": {"external": {
            "uri": "https://annaundbruno.de/unser-geheimnis?key=" + token(chance, 20),
            "title": "Anna-und-Bruno-Fotoalbum", "size": 73_219_955,
            "thumb": {"ref": {"$link": "bafkrei" + token(chance, 52)}, "$type": "blob"}}},
        "facets": [{"features": [{"$type": "app.bsky.richtext.facet#mention",
                                  "did": "did:web:annaundbruno.de"}]}],
        "reply": {"root": {"uri": "at://did:plc:" + "q7" * 12 + "/app.bsky.feed.post/3kannabruno22",
                           "handle": "annaundbruno.bsky.social"}},
        "createdAt": f"2026-02-{1 + chance.randrange(28):02d}T11:12:13.{chance.randrange(1_000):03d}Z",
        "langs": ["de"], **extra}, chance) for _ in range(count)]


@cache
def dictionary() -> bytes:
    return train(posts(400), seed=5, id=ID, cover_steps=4)


def personal_strings(value: object, key: str = "") -> set[str]:
    """Return every string that is a value, less names of lexicons and what is too short."""
    match value:
        case dict():
            return {found for inner, one in value.items() for found in personal_strings(one, inner)}
        case list():
            return {found for one in value for found in personal_strings(one, key)}
        case str() if key not in ("$type", "collection"):
            return {value}
    return set()


def windows(text: str) -> set[str]:
    """Return what of a text could be recognized: every eight characters, less common starts."""
    for common in ("did:plc:", "did:web:", "at://", "https://", "bafyrei", "bafkrei",
                   "/app.bsky.feed.post/", ".bsky.social"):
        text = text.replace(common, "\0")
    return {part[at:at + 8] for part in text.split("\0") for at in range(len(part) - 7)}


@pytest.mark.slow
def test_no_personal_string_of_eight_characters_is_in_a_dictionary() -> None:
    texts = {text for arrival in posts(400)
             for text in personal_strings(msgspec.json.decode(arrival.body)) | {arrival.did}}
    # Times are shapes: "2026-02-" is nobody's; the whole of one is.
    times = {text for text in texts if re.match(r"\d{4}-\d\d-\d\dT", text)}
    content = dictionary().decode("utf-8", "replace")
    held = {content[at:at + 8] for at in range(len(content))}

    assert held & {window for text in texts - times for window in windows(text)} == set()
    assert [text for text in times if text in content] == []
    assert "73219955" not in content


def test_the_test_above_sees_what_an_open_dictionary_gives_away() -> None:
    """Trained on the same events as they are, a dictionary holds the slogan: the check can fail."""
    plain = [v1_message(b'"%b"' % one.did.encode(), one.kind, one.body, seq=7, time_us=8)
             for one in posts(400)]
    open_content = zstandard.train_dictionary(DICTIONARY_BYTES, plain, dict_id=ID).as_bytes()

    assert all(window.encode() in open_content for window in windows(SLOGAN))
    assert b"annaundbruno" in open_content


def test_keys_and_names_of_lexicons_stay() -> None:
    for shape in (b'"rev":"', b'"collection":"app.bsky.feed.post"', b'"createdAt":"',
                  b'app.bsky.richtext.facet#mention', b'"langs":["de"]', b'"$type":"blob"',
                  b'network.bsky.jetstream.subscribeEvents#commit', b'"cid":"bafyrei'):
        assert shape in dictionary()


def test_texts_become_words_of_the_shipped_list() -> None:
    known, length = set(words()), len(f"{SLOGAN} {'x' * 12} {JAPANESE}")
    for sample in samples_of(somebodys(), random.Random(1))[::2]:
        text = msgspec.json.decode(sample)["commit"]["record"]["text"]
        assert set(text.split()[:-1]) <= known  # the last may be cut
        assert length - 1 <= len(text) <= length


def test_a_key_that_few_use_is_personal_and_its_events_are_left_out() -> None:
    """Who invents a lexicon may name its keys after somebody."""
    few = posts(TRAINING_ACTORS_MIN - 1, seed=2, annaKareninasDiary=1)
    many = posts(TRAINING_ACTORS_MIN, seed=3, widelyUsedKey=1)
    samples = b"".join(samples_of([*somebodys(), *few, *many], random.Random(1)))

    assert b"annaKareninasDiary" not in samples
    assert samples.count(b'"widelyUsedKey"') == 2 * TRAINING_ACTORS_MIN  # in either shape


def test_a_lexicon_that_one_person_uses_is_left_out_however_much_it_is_used() -> None:
    chance = random.Random(4)
    alone = person(chance)
    diary = [commit(alone, {"$type": "com.annakarenina.diary.entry", "text": "x"}, chance)
             for _ in range(300)]

    assert b"annakarenina" not in b"".join(samples_of([*somebodys(), *diary], chance))


def test_one_thing_named_twice_in_an_event_stays_one_thing() -> None:
    """What repeats within a message teaches the dictionary how often that is so."""
    sample = msgspec.json.decode(samples_of(somebodys(), random.Random(1))[0])["commit"]

    assert sample["rev"] == sample["rkey"] != msgspec.json.decode(posts(1)[0].body)["rev"]


def test_records_of_a_hundred_levels_are_left_out() -> None:
    deep: object = "here"
    for _ in range(100):
        deep = {"langs": deep}

    assert len(samples_of([*somebodys(), *posts(20, seed=2, text=deep)], random.Random(1))) == 600


def test_plain_messages_train_as_arrivals_do() -> None:
    plain = [v1_message(b'"%b"' % one.did.encode(), one.kind, one.body, seq=7, time_us=8)
             for one in posts(250)]

    assert samples_of(plain, random.Random(9)) == samples_of(posts(250), random.Random(9))


@pytest.mark.slow
def test_the_same_events_and_seed_give_the_same_bytes() -> None:
    assert train(posts(400), seed=5, id=ID, cover_steps=4) == dictionary()
    assert train(posts(400), seed=6, id=ID, cover_steps=4) != dictionary()


def test_a_dictionary_has_its_id_its_size_and_helps() -> None:
    message = v1_message(b'"did:plc:x"', Kind.COMMIT, posts(1, seed=77)[0].body, seq=1, time_us=2)
    trained = zstandard.ZstdCompressionDict(dictionary())

    assert (trained.dict_id(), len(dictionary())) == (ID, DICTIONARY_BYTES)
    assert len(zstandard.ZstdCompressor(dict_data=trained).compress(message)) < len(
        zstandard.ZstdCompressor().compress(message)) * 0.8


def test_too_few_events_are_refused_with_what_to_do() -> None:
    with pytest.raises(Refused, match="at least 200 events .* got 150.*keep the shipped"):
        train(posts(150), seed=1, id=ID)
