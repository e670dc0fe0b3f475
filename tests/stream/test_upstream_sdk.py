"""Our decoding beside that of the AT Protocol's Python SDK: the same frames, the same events."""

import itertools
import warnings
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from bench.firehose import Framed, Relay, every_kind, frames
from bench.records import ATPROTO, made
from lichen.stream.model import Kind
from lichen.stream.upstream import Verdict, decode

pytestmark = pytest.mark.slow

RECORDS = 800


@pytest.fixture(scope="module")
def sdk() -> Any:
    """Return the SDK; importing it takes seconds, which other tests need not wait for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import atproto
        import atproto_subscription.frames as subscription
        from atproto_client.models.utils import get_or_create
        from atproto_firehose import parse_subscribe_repos_message

    class Sdk:
        CAR, CID = atproto.CAR, atproto.CID
        model_of = staticmethod(get_or_create)

        @staticmethod
        def message_of(frame: bytes) -> Any:
            return parse_subscribe_repos_message(subscription.Frame.from_bytes(frame))

    return Sdk


def as_sdk_tells(sdk: Any, frame: bytes) -> list[dict[str, Any]]:
    """Return the operations of a commit with their records in JSON, by the SDK alone."""
    commit = sdk.message_of(frame)
    blocks = sdk.CAR.from_bytes(commit.blocks).blocks
    told = []
    for op in commit.ops:
        collection, _, rkey = op.path.partition("/")
        one = {"rev": commit.rev, "operation": op.action, "collection": collection, "rkey": rkey}
        if op.action != "delete":
            one |= {"record": json_of(sdk, blocks[op.cid]), "cid": str(op.cid)}
        told.append(one)
    return told


def json_of(sdk: Any, block: dict[str, Any]) -> Any:
    """Return a record in JSON: by the SDK's model of it, or value by value where it has none."""
    model = sdk.model_of(block, strict=False)
    # `exclude_unset`: else models add the types that records leave to their place.
    if hasattr(model, "model_dump_json"):
        return msgspec.json.decode(model.model_dump_json(exclude_unset=True, by_alias=True))
    return plain(sdk, block)


def plain(sdk: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(sdk, one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(sdk, one) for one in value]
    if isinstance(value, bytes):
        try:
            return {"$link": str(sdk.CID.decode(value))}
        except ValueError:
            return {"$bytes": b64encode(value).decode().rstrip("=")}
    return value


def compare(sdk: Any, framed: Framed) -> None:
    ours = decode(framed.frame)

    assert ours.verdict is Verdict.TAKEN
    assert [msgspec.json.decode(one.body) for one in ours.arrivals] == as_sdk_tells(
        sdk, framed.frame)
    assert {one.did for one in ours.arrivals} <= {sdk.message_of(framed.frame).repo}


def test_a_record_of_every_kind_is_decoded_as_the_sdk_does(sdk: Any) -> None:
    relay = Relay(1)

    kinds = every_kind(relay)
    for write in kinds:
        compare(sdk, relay.commit(relay.did(), relay.tid(), [write]))
    compare(sdk, relay.commit(relay.did(), relay.tid(), kinds))


def test_records_in_the_networks_shapes_are_decoded_as_the_sdk_does(sdk: Any) -> None:
    sent = [one for one in itertools.islice(frames(1, commits=made(1)), RECORDS)
            if one.kind == "commit"]

    for one in sent:
        compare(sdk, one)

    seen = {write.collection for one in sent for write in one.writes}
    assert seen >= {share.collection for share in ATPROTO if share.weight >= 0.5}


def test_messages_about_accounts_are_decoded_as_the_sdk_does(sdk: Any) -> None:
    relay = Relay(1)
    sent = [relay.identity("did:plc:moss" + "a" * 20, "moss.example"),
            relay.identity("did:plc:moss" + "a" * 20),
            relay.account("did:plc:moss" + "a" * 20, "takendown"),
            relay.account("did:plc:moss" + "a" * 20), relay.sync("did:plc:moss", relay.tid())]

    for one in sent:
        (ours,) = decode(one.frame).arrivals
        theirs = sdk.message_of(one.frame)
        if ours.kind is Kind.SYNC:
            assert msgspec.json.decode(ours.body) == {
                "did": theirs.did, "rev": theirs.rev, "seq": theirs.seq, "time": theirs.time,
                "blocks": {"$bytes": b64encode(theirs.blocks).decode().rstrip("=")}}
        else:
            told = theirs.model_dump(exclude_unset=True, by_alias=True)
            assert msgspec.json.decode(ours.body) == told
