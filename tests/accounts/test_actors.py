"""Actors, local and remote."""

import pytest

from lichen.accounts import OUR_INSTANCE_ID, ActorDraft, ActorKind, Keys, build, remote_did
from lichen.accounts.keys import generate_keys
from lichen.kit import Conflict, NotFound, Refused

pytestmark = pytest.mark.anyio


def remote(name, domain="far.example", kind=ActorKind.PERSON, path=None):
    ap_id = f"https://{domain}/users/{path or name}"
    return ActorDraft(kind=kind, name=name, domain=domain, ap_id=ap_id, inbox=ap_id + "/inbox")


async def test_a_community_is_an_actor_with_an_address_and_a_did(accounts, store, journal):
    draft = ActorDraft(kind=ActorKind.COMMUNITY, name="moss", display_name="Moss")

    [moss] = await store.write(lambda unit: accounts.create_actors(unit, [draft]))

    assert moss.ap_id == "https://lichen.example/c/moss"
    assert moss.did == "did:web:lichen.example:c:moss"
    assert moss.inbox == "https://lichen.example/c/moss/inbox"
    assert moss.instance_id == OUR_INSTANCE_ID
    assert "lichen.actor.profile" not in " ".join(journal.collections())
    found = await store.read(
        lambda unit: accounts.actor_by_name(unit, ActorKind.COMMUNITY, "MOSS")
    )
    assert found == moss


async def test_a_person_and_a_community_may_share_a_name(accounts, store, member):
    viewer = await member("moss")
    draft = ActorDraft(kind=ActorKind.COMMUNITY, name="moss")

    [moss] = await store.write(lambda unit: accounts.create_actors(unit, [draft]))

    assert moss.id != viewer.id


async def test_a_taken_community_name_is_refused_also_within_a_batch(accounts, store):
    drafts = [ActorDraft(kind=ActorKind.COMMUNITY, name=name) for name in ("moss", "Moss")]

    with pytest.raises(Conflict) as refusal:
        await store.write(lambda unit: accounts.create_actors(unit, drafts))

    assert refusal.value.code == "community_already_exists"
    assert await store.read(
        lambda unit: accounts.actor_by_name(unit, ActorKind.COMMUNITY, "moss")) is None


async def test_a_local_name_keeps_the_rule_whoever_creates_it(accounts, store):
    draft = ActorDraft(kind=ActorKind.COMMUNITY, name="../etc")

    with pytest.raises(Refused) as refusal:
        await store.write(lambda unit: accounts.create_actors(unit, [draft]))

    assert refusal.value.code == "invalid_name"


async def test_remote_persons_are_keyed_by_their_id_never_by_the_case_of_a_name(accounts, store):
    drafts = [remote("Alice"), remote("alice", path="2"), remote("alice", domain="far.example:81")]

    upper, lower, elsewhere = await store.write(lambda unit: accounts.create_actors(unit, drafts))

    async def named(name, domain):
        return await store.read(
            lambda unit: accounts.actor_by_name(unit, ActorKind.PERSON, name, domain))

    assert await named("Alice", "far.example") == upper
    assert await named("alice", "far.example") == lower
    assert await named("ALICE", "far.example:81") == elsewhere
    assert await named("alice", None) is None
    assert upper.instance_id == lower.instance_id != elsewhere.instance_id
    assert upper.did == remote_did("lichen.example", upper.ap_id)


async def test_a_remote_actor_is_known_once(accounts, store):
    await store.write(lambda unit: accounts.create_actors(unit, [remote("alice")]))

    with pytest.raises(Conflict) as refusal:
        await store.write(lambda unit: accounts.create_actors(unit, [remote("alice")]))

    assert refusal.value.code == "actor_already_exists"


async def test_a_remote_person_is_told_with_its_origin(accounts, store, journal):
    [alice] = await store.write(lambda unit: accounts.create_actors(unit, [remote("alice")]))

    told = journal.events[-1]
    assert (told.collection, told.origin, told.row) == (
        "lichen.actor.profile", "far.example", alice.id,
    )
    assert alice.ap_id.encode() in bytes(told.record)


async def test_actors_are_found_by_id_by_did_and_by_their_own_id(accounts, store):
    drafts = [remote("alice"), ActorDraft(kind=ActorKind.COMMUNITY, name="moss")]
    alice, moss = await store.write(lambda unit: accounts.create_actors(unit, drafts))

    def look(unit):
        return (
            accounts.actors(unit, [alice.id, moss.id, 999_999]),
            accounts.actor_by_did(unit, moss.did),
            accounts.actors_by_ap_id(unit, [alice.ap_id, "https://no.example/"]),
        )

    by_id, by_did, by_ap_id = await store.read(look)
    assert by_id == {alice.id: alice, moss.id: moss}
    assert by_did == moss
    assert by_ap_id == {alice.ap_id: alice}


async def test_instances_are_listed_ours_first(accounts, store):
    await store.write(lambda unit: accounts.create_actors(unit, [remote("alice")]))

    instances = await store.read(lambda unit: accounts.instances(unit))

    assert [one.domain for one in instances] == ["lichen.example", "far.example"]
    assert instances[0].id == OUR_INSTANCE_ID


async def test_what_a_lemmy_server_gave_is_kept(accounts, store):
    """A whole server can be taken over: numbers, ids and keys come from outside."""
    given = Keys(public="their public key", private="their private key")
    draft = ActorDraft(kind=ActorKind.PERSON, name="mira", id=77, keys=given,
                       ap_id="https://lichen.example/u/mira", published_us=1)

    [mira] = await store.write(lambda unit: accounts.create_actors(unit, [draft]))

    assert (mira.id, mira.published_us) == (77, 1)
    assert await accounts.keys(77) == given


async def test_keys_are_made_at_the_first_need_and_kept(ground, store, addresses):
    made = []

    def make_keys():
        made.append(generate_keys())
        return made[-1]

    accounts = await build(ground, store, addresses=addresses, log_seq=0, make_keys=make_keys)
    draft = ActorDraft(kind=ActorKind.COMMUNITY, name="moss")
    [moss] = await store.write(lambda unit: accounts.create_actors(unit, [draft]))
    count = len(made)

    first = await accounts.keys(moss.id)
    second = await accounts.keys(moss.id)
    await accounts.close()

    assert first == second == made[-1]
    assert len(made) == count + 1
    assert first.public.startswith("-----BEGIN PUBLIC KEY-----")
    assert first.private.startswith("-----BEGIN PRIVATE KEY-----")


async def test_nobody_makes_keys_for_a_stranger(accounts, store):
    [alice] = await store.write(lambda unit: accounts.create_actors(unit, [remote("alice")]))

    for actor_id in (alice.id, 999_999):
        with pytest.raises(NotFound):
            await accounts.keys(actor_id)


async def test_a_community_costs_at_most_two_round_trips(accounts, store):
    drafts = [ActorDraft(kind=ActorKind.COMMUNITY, name=name) for name in ("first", "second")]
    await store.write(lambda unit: accounts.create_actors(unit, drafts[:1]))
    before = store.round_trips

    await store.write(lambda unit: accounts.create_actors(unit, drafts[1:]))

    assert store.round_trips - before <= 2


async def test_local_people_are_found_by_many_names_at_once(accounts, store, member):
    mira, other = await member("Mira"), await member("other")
    await store.write(lambda unit: accounts.create_actors(unit, [remote("third")]))

    found = await store.read(
        lambda unit: accounts.local_persons_named(unit, ["mira", "OTHER", "third"]))

    assert {one.id for one in found} == {mira.id, other.id}


async def test_accounts_are_counted_without_remote_people_and_communities(accounts, store, member):
    await member("mira")
    drafts = [remote("alice"), ActorDraft(kind=ActorKind.COMMUNITY, name="moss")]
    await store.write(lambda unit: accounts.create_actors(unit, drafts))

    assert await store.read(accounts.accounts_count) == 1
