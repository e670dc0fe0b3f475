"""The shapes of records, as clients of AT Protocol and Lichen write them: one function each.

Every function draws one record from a network. Keys stand in any order here: records of AT Protocol
are put into the order of DAG-CBOR afterwards, as repositories keep them.
"""

import random
from typing import Any, Final

from bench.network import Json, Network
from bench.vocabulary import Tongue

POST_CHARACTERS_MU: Final = 4.1  # of a log-normal: the median is 60 characters, the mean 85
POST_CHARACTERS_SIGMA: Final = 0.85


def like(net: Network) -> Json:
    """Return a like of a post; some say by whose repost it was found."""
    record: Json = {"$type": "app.bsky.feed.like", "subject": net.post_ref(),
                    "createdAt": net.moment()}
    if net.chance.random() < 0.12:
        record["via"] = net.ref("app.bsky.feed.repost")
    return record


def repost(net: Network) -> Json:
    """Return a repost."""
    return like(net) | {"$type": "app.bsky.feed.repost"}


def to_somebody(type: str, net: Network) -> Json:
    """Return a record that points at a person: a follow, a block."""
    return {"$type": type, "subject": net.anybody(), "createdAt": net.moment()}


def post(net: Network) -> Json:
    """Return a post: words, what they link, what hangs below, whom it answers."""
    chance = net.chance
    tongue = net.texts.tongue(chance)
    characters = chance.lognormvariate(POST_CHARACTERS_MU, POST_CHARACTERS_SIGMA)
    text = tongue.text(chance, int(characters))
    record: Json = {"$type": "app.bsky.feed.post", "createdAt": net.moment()}
    if chance.random() < 0.42:
        _answer(net, record)
    if chance.random() < 0.22:
        text = _faceted(net, tongue, text, record)
    # Pictures and cards hang below one post in three; fewer below answers.
    if chance.random() < (0.15 if "reply" in record else 0.46):
        record["embed"] = embed(net, tongue)
    if chance.random() < 0.93:
        record["langs"] = [tongue.code] if chance.random() < 0.96 else [tongue.code, "en"]
    if chance.random() < 0.012:
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels",
                            "values": [{"val": chance.choice(("porn", "sexual", "nudity"))}]}
    return record | {"text": text if "embed" not in record or chance.random() < 0.92 else ""}


def _answer(net: Network, record: Json) -> None:
    parent = net.post_ref()
    is_first = net.chance.random() < 0.5
    record["reply"] = {"parent": parent, "root": parent if is_first else net.post_ref()}


def _faceted(net: Network, tongue: Tongue, text: str, record: Json) -> str:
    """Append links, tags and mentions to a text; facets say at which bytes of UTF-8 they stand."""
    facets = []
    for _ in range(1 + int(net.chance.random() ** 3 * 5)):
        kind = net.chance.random()
        if kind < 0.45:
            url = net.url()
            shown, feature = url[8:34] + "...", {"uri": url}
        elif kind < 0.85:
            tag = tongue.word(net.chance)
            shown, feature = "#" + tag, {"tag": tag}
        else:
            shown, feature = "@" + net.handle(), {"did": net.did()}
        name = {"uri": "link", "tag": "tag", "did": "mention"}[next(iter(feature))]
        begin = len(text.encode()) + 1
        text += " " + shown
        facets.append({
            "index": {"byteStart": begin, "byteEnd": begin + len(shown.encode())},
            "features": [feature | {"$type": f"app.bsky.richtext.facet#{name}"}]})
    record["facets"] = facets
    return text


def embed(net: Network, tongue: Tongue) -> Json:
    """Return what hangs below a post."""
    kind = net.chance.random()
    if kind < 0.46:
        return images(net, tongue)
    if kind < 0.78:
        return external(net, tongue)
    quoted: Json = {"$type": "app.bsky.embed.record", "record": net.post_ref()}
    if kind < 0.90:
        return quoted
    if kind < 0.94:
        return {"$type": "app.bsky.embed.recordWithMedia", "record": quoted,
                "media": images(net, tongue)}
    return {"$type": "app.bsky.embed.video", "video": net.blob("video/mp4", 20_000_000),
            "aspectRatio": _aspect(net.chance)}


def images(net: Network, tongue: Tongue) -> Json:
    """Return one to four pictures; a quarter of them are described."""
    found = []
    for _ in range(net.chance.choice((1, 1, 1, 1, 1, 1, 2, 2, 3, 4))):
        alt = tongue.text(net.chance, net.chance.randrange(20, 200))
        image: Json = {"alt": alt if net.chance.random() < 0.25 else "",
                       "image": net.blob("image/jpeg", 950_000)}
        if net.chance.random() < 0.9:
            image["aspectRatio"] = _aspect(net.chance)
        found.append(image)
    return {"$type": "app.bsky.embed.images", "images": found}


def external(net: Network, tongue: Tongue) -> Json:
    """Return the card of a link."""
    title = tongue.phrase(net.chance, net.chance.randrange(20, 90))
    words = tongue.text(net.chance, net.chance.randrange(30, 200))
    card: Json = {"uri": net.url(), "title": title,
                  "description": words if net.chance.random() < 0.85 else ""}
    if net.chance.random() < 0.85:
        card["thumb"] = net.blob("image/jpeg", 900_000)
    return {"$type": "app.bsky.embed.external", "external": card}


def _aspect(chance: random.Random) -> Json:
    if chance.random() < 0.5:
        width, height = chance.choice(((2000, 1500), (1500, 2000), (1920, 1080), (1080, 1920)))
        return {"width": width, "height": height}
    return {"width": chance.randrange(300, 2_001), "height": chance.randrange(300, 2_001)}


def profile(net: Network) -> Json:
    """Return a profile."""
    chance = net.chance
    tongue = net.texts.tongue(chance)
    record: Json = {
        "$type": "app.bsky.actor.profile",
        "displayName": tongue.phrase(chance, chance.randrange(4, 18)).title(),
        "description": tongue.text(chance, chance.randrange(0, 220)),
        "avatar": net.blob("image/jpeg", 900_000), "createdAt": net.moment(9_000_000_000_000)}
    if chance.random() < 0.6:
        record["banner"] = net.blob("image/jpeg", 950_000)
    if chance.random() < 0.3:
        record["pinnedPost"] = net.ref()
    return record


def listitem(net: Network) -> Json:
    """Return somebody on a list."""
    return to_somebody("app.bsky.graph.listitem", net) | {
        "list": f"at://{net.did()}/app.bsky.graph.list/{net.some_tid()}"}


def listblock(net: Network) -> Json:
    """Return a block of all on a list."""
    return {"$type": "app.bsky.graph.listblock", "createdAt": net.moment(),
            "subject": f"at://{net.did()}/app.bsky.graph.list/{net.some_tid()}"}


def named(type: str, net: Network) -> Json:
    """Return something with a name and a description: a list, a starter pack, a feed."""
    tongue = net.texts.tongue(net.chance)
    record: Json = {
        "$type": type, "createdAt": net.moment(),
        "description": tongue.text(net.chance, net.chance.randrange(10, 250))}
    name = tongue.phrase(net.chance, net.chance.randrange(5, 30))
    if type == "app.bsky.graph.list":
        return record | {"name": name, "purpose": "app.bsky.graph.defs#" + net.chance.choice(
            ("curatelist", "modlist", "referencelist"))}
    if type == "app.bsky.graph.starterpack":
        return record | {"name": name,
                         "list": f"at://{net.did()}/app.bsky.graph.list/{net.tid()}"}
    return record | {"did": "did:web:" + net.handle(), "displayName": name,
                     "avatar": net.blob("image/png", 400_000)}


def gate(type: str, net: Network) -> Json:
    """Return who may answer or quote a post."""
    word = "threadgate" if type.endswith("threadgate") else "postgate"
    record: Json = {"$type": type, "createdAt": net.moment(), "post": net.post_ref()["uri"]}
    if word == "threadgate":
        rules = net.chance.choice((["mention"], ["following"], ["following", "mention"], []))
        return record | {"allow": [{"$type": f"{type}#{rule}Rule"} for rule in rules],
                         "hiddenReplies": []}
    return record | {"embeddingRules": [{"$type": f"{type}#disableRule"}],
                     "detachedEmbeddingUris": []}


def declaration(net: Network) -> Json:
    """Return whom somebody takes letters from."""
    return {"$type": "chat.bsky.actor.declaration",
            "allowIncoming": net.chance.choice(("all", "following", "none"))}


def played(net: Network) -> Json:
    """Return a song that somebody heard: what other lexicons are mostly made of."""
    tongue = net.texts.spoken_by_most()
    names = [tongue.phrase(net.chance, net.chance.randrange(5, 25)).title() for _ in range(3)]
    return {"$type": "fm.teal.alpha.feed.play", "trackName": names[0], "releaseName": names[1],
            "artists": [{"artistName": names[2]}], "duration": net.chance.randrange(90, 420),
            "playedTime": net.moment(), "originUrl": net.url(),
            "musicServiceBaseDomain": "spotify.com", "submissionClientAgent": "piper/v0.0.3"}


def essay(net: Network) -> Json:
    """Return a blog entry: a record of some kilobytes, in a lexicon that is not of the network."""
    tongue = net.texts.tongue(net.chance)
    parts = [tongue.text(net.chance, 280) for _ in range(net.chance.randrange(3, 40))]
    return {"$type": "com.whtwnd.blog.entry", "content": "\n\n".join(parts),
            "theme": "github-light", "title": tongue.phrase(net.chance, 30),
            "createdAt": net.moment(), "visibility": "public"}


def starred(net: Network) -> Json:
    """Return a star for a place where people keep their programs."""
    return {"$type": "sh.tangled.feed.star", "createdAt": net.moment(),
            "subject": f"at://{net.did()}/sh.tangled.repo/{net.some_tid()}"}


# What Lichen writes itself: the keys stand in the order of lichen/events.

def house_did(net: Network, kind: str = "u") -> str:
    """Return a person or community of a Lichen."""
    number = int(net.chance.random() ** 3 * (3_000 if kind == "u" else 40))
    word = "person" if kind == "u" else "place"
    return f"did:web:forum{number % 5}.example:{kind}:{word}{number}"


def forum_post(net: Network) -> Json:
    """Return a post in a community of a Lichen."""
    tongue = net.texts.tongue(net.chance)
    record: Json = {"$type": "lichen.forum.post",
                    "name": tongue.phrase(net.chance, net.chance.randrange(15, 90)),
                    "community": house_did(net, "c"), "createdAt": _exact(net)}
    if net.chance.random() < 0.5:
        record["url"] = net.url()
    if net.chance.random() < 0.6:
        record["body"] = tongue.text(net.chance, 290)
    return record | {"langs": [tongue.code]}


def forum_comment(net: Network) -> Json:
    """Return a comment on a Lichen."""
    tongue = net.texts.tongue(net.chance)
    record: Json = {"$type": "lichen.forum.comment",
                    "post": f"at://{house_did(net)}/lichen.forum.post/{net.some_tid()}",
                    "content": tongue.text(net.chance, net.chance.randrange(20, 290)),
                    "createdAt": _exact(net)}
    if net.chance.random() < 0.6:
        record["parent"] = f"at://{house_did(net)}/lichen.forum.comment/{net.some_tid()}"
    return record | {"langs": [tongue.code]}


def forum_tally(net: Network) -> Json:
    """Return the counts of a post or comment."""
    kind = net.chance.choice(("post", "comment"))
    record: Json = {"$type": "lichen.forum.tally",
                    "subject": f"at://{house_did(net)}/lichen.forum.{kind}/{net.some_tid()}",
                    "up": net.chance.randrange(1, 90), "down": net.chance.randrange(0, 9)}
    if kind == "comment":
        return record
    return record | {"comments": net.chance.randrange(90), "newestCommentAt": _exact(net),
                     "activeAt": _exact(net)}


def forum_community(net: Network) -> Json:
    """Return a community of a Lichen."""
    tongue = net.texts.tongue(net.chance)
    return {"$type": "lichen.forum.community", "name": net.name(), "createdAt": _exact(net),
            "title": tongue.phrase(net.chance, 20), "description": tongue.text(net.chance, 250)}


def house_profile(net: Network) -> Json:
    """Return a person's profile on a Lichen."""
    tongue = net.texts.tongue(net.chance)
    return {"$type": "lichen.actor.profile", "name": net.name(), "createdAt": _exact(net),
            "displayName": tongue.phrase(net.chance, 12),
            "description": tongue.text(net.chance, 120)}


def _exact(net: Network) -> Any:
    return net.moment()[:19] + f".{net.chance.randrange(10**6):06d}Z"
