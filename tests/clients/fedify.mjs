// What Lichen says, read by npm's Fedify: an ActivityPub library that knows nothing of Lemmy.
// Usage: node fedify.mjs http://lichen:port ADMIN PASSWORD
//
// A server of Fedify's own parts (an actor, its keys, an inbox) follows a community. People act there
// through lemmy-js-client. Every request that comes is verified by Fedify, every activity and document
// parsed by its vocabulary. What it signs itself, in either form, Lichen takes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import {
  Accept, Activity, Add, Announce, Application, Block, Create, CryptographicKey, Delete, Dislike,
  Endpoints, Flag, Follow, Group, Image, Like, Note, Object as Thing, OrderedCollection, Page,
  Person, Remove, Tombstone, Undo, Update, exportSpki, generateCryptoKeyPair, getDocumentLoader,
  lookupObject, lookupWebFinger, parseNodeInfo, signRequest, verifyRequest,
} from "@fedify/fedify";
import { LemmyHttp } from "lemmy-js-client";

const [url, adminName, adminPassword] = process.argv.slice(2);
const password = "correct horse battery";
const WITHIN_MS = 10_000;
const PUBLIC = "https://www.w3.org/ns/activitystreams#Public";

// Fedify's base64 takes for granted what Debian's Node 20 has not: it is named from Node 21 on.
ArrayBuffer.prototype.transfer ??= function transfer(length = this.byteLength) {
  const moved = new Uint8Array(length);
  moved.set(new Uint8Array(this).subarray(0, length));
  return moved.buffer;
};

// Lemmy's context as its site serves it, as far as we use it: tests ask nobody on the internet.
const LEMMY = "https://join-lemmy.org/context.json";
const lemmyContext = { "@context": [
  "https://w3id.org/security/v1",
  {
    lemmy: "https://join-lemmy.org/ns#", litepub: "http://litepub.social/ns#",
    pt: "https://joinpeertube.org/ns#", sc: "http://schema.org/",
    as: "https://www.w3.org/ns/activitystreams#", ChatMessage: "litepub:ChatMessage",
    Lock: "lemmy:Lock", commentsEnabled: "pt:commentsEnabled", sensitive: "as:sensitive",
    matrixUserId: "lemmy:matrixUserId", stickied: "lemmy:stickied",
    removeData: "lemmy:removeData", distinguished: "lemmy:distinguished",
    postingRestrictedToMods: "lemmy:postingRestrictedToMods", language: "sc:inLanguage",
    expires: "as:endTime", identifier: "sc:identifier", Hashtag: "as:Hashtag",
    moderators: { "@type": "@id", "@id": "lemmy:moderators" },
    audience: { "@type": "@id", "@id": "as:audience" },
  },
] };
const asked = getDocumentLoader({ allowPrivateAddress: true });
const documentLoader = async (address, options) => address === LEMMY
  ? { contextUrl: null, document: lemmyContext, documentUrl: LEMMY } : asked(address, options);
const loaders = { documentLoader, contextLoader: documentLoader, allowPrivateAddress: true };

// The other server: one person, one inbox.
const keys = await generateCryptoKeyPair("RSASSA-PKCS1-v1_5");
const got = [];
let isModern = false; // takes RFC 9421 alone
const server = createServer(async (request, answer) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const say = (status, document, type = "application/activity+json") => {
    answer.writeHead(status, { "content-type": type });
    answer.end(document && JSON.stringify(document));
  };
  if (request.url === "/u/reader") {
    return say(200, await reader.toJsonLd(loaders));
  }
  if (request.url === "/.well-known/nodeinfo") {
    const rel = "http://nodeinfo.diaspora.software/ns/schema/2.1";
    return say(200, { links: [{ rel, href: `${here}/nodeinfo/2.1` }] }, "application/json");
  }
  if (request.url === "/nodeinfo/2.1") {
    return say(200, {
      version: "2.1", software: { name: "reader", version: "1.0.0" }, protocols: ["activitypub"],
      usage: { users: {} }, openRegistrations: false, services: { inbound: [], outbound: [] },
      metadata: {},
    }, "application/json");
  }
  if (request.url !== "/inbox") return say(404);
  if (isModern && !request.headers["signature-input"]) return say(401);
  const body = Buffer.concat(chunks);
  try {
    const whole = new Request(here + request.url, {
      method: "POST", headers: request.headers, body,
    });
    const key = await verifyRequest(whole, loaders);
    const json = JSON.parse(body);
    // Lemmy's Lock is no word of ActivityStreams, so it is read as an activity of no kind.
    const known = JSON.parse(String(body).replaceAll('"type":"Lock"', '"type":"Activity"'));
    const activity = await Activity.fromJsonLd(known, loaders);
    const isWhole = activity instanceof Announce && typeof json.object === "object";
    got.push({ key, activity, inner: isWhole ? await activity.getObject(loaders) : null, json });
    say(202);
  } catch (error) {
    got.push({ error, json: JSON.parse(body) });
    say(400);
  }
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const here = `http://127.0.0.1:${server.address().port}`;
const id = new URL(`${here}/u/reader`);
const inbox = new URL(`${here}/inbox`);
const reader = new Person({
  id, preferredUsername: "reader", name: "A reader", inbox,
  endpoints: new Endpoints({ sharedInbox: inbox }),
  publicKey: new CryptographicKey({
    id: new URL(`${id}#main-key`), owner: id, publicKey: keys.publicKey,
  }),
});

/** Sign an activity as Fedify does, and post it; return the status. */
async function post(activity, spec) {
  const request = new Request(`${url}/inbox`, {
    method: "POST", headers: { "content-type": "application/activity+json" },
    body: JSON.stringify(await activity.toJsonLd(loaders)),
  });
  const signed = await signRequest(request, keys.privateKey, new URL(`${id}#main-key`), { spec });
  return (await fetch(signed)).status;
}

/** Return the first that came and is wanted, also inside an Announce. */
async function came(what, wanted) {
  const began = Date.now();
  while (Date.now() - began < WITHIN_MS) {
    for (const one of got) {
      if (one.error) throw new Error(`${one.error.stack}\n${JSON.stringify(one.json)}`);
      assert.ok(one.key, `the signature does not hold: ${JSON.stringify(one.json)}`);
      assert.equal(one.key.ownerId.href, one.activity.actorId.href);
      for (const activity of [one.activity, one.inner]) {
        if (activity && await wanted(activity)) {
          const ms = String(Date.now() - began).padStart(5);
          console.log(`${ms} ms  ${what}: ${activity.constructor.name}`);
          return activity;
        }
      }
    }
    await pause(25);
  }
  throw new Error(`${what} did not come; ${got.map((one) => JSON.stringify(one.json)).join("\n")}`);
}

const about = (kind, object) => (one) => one instanceof kind && one.objectId?.href === object;
const undone = (kind, object) => async (one) => {
  if (!(one instanceof Undo)) return false;
  const inner = await one.getObject(loaders);
  return inner instanceof kind && inner.objectId?.href === object;
};
const look = (address) => lookupObject(address, loaders);
const listed = async (iterator) => {
  const found = [];
  for await (const one of iterator) found.push(one);
  return found;
};
const all = (collection) => listed(collection.getItems(loaders));
const to = (thing) => thing.toIds.map((one) => one.href);

// People of Lichen.
const signedUp = async (username) => {
  const { jwt } = await new LemmyHttp(url).register({
    username, password, password_verify: password, show_nsfw: false,
  });
  return new LemmyHttp(url, { headers: { Authorization: `Bearer ${jwt}` } });
};
const mira = await signedUp("mira");
const otto = await signedUp("otto");
const { jwt } = await new LemmyHttp(url).login({
  username_or_email: adminName, password: adminPassword,
});
const admin = new LemmyHttp(url, { headers: { Authorization: `Bearer ${jwt}` } });
const { community_view: home } = await mira.createCommunity({ name: "stones", title: "Stones" });
const community_id = home.community.id;
const group = `${url}/c/stones`;

// Fedify finds the community and follows it; Lichen takes its signature and answers.
for (const [address, kind] of [[`${url}/u/mira`, Person], [group, Group], [`${url}/`, Application]]) {
  const found = await lookupWebFinger(new URL(address), { allowPrivateAddress: true });
  const self = found.links.find((one) => one.rel === "self");
  assert.equal(self.href, address);
  const actor = await look(self.href);
  assert.ok(actor instanceof kind, address);
  assert.equal(actor.id.href, address);
  const key = await actor.getPublicKey(loaders);
  assert.equal(key.ownerId.href, address);
  assert.match(await exportSpki(key.publicKey), /BEGIN PUBLIC KEY/);
  assert.equal(actor.endpoints.sharedInbox.href, `${url}/inbox`);
  assert.ok(actor.inboxId && actor.outboxId && actor.preferredUsername && actor.published);
}
const follow = new Follow({
  id: new URL(`${here}/follows/1`), actor: id, object: new URL(group), to: new URL(group),
});
assert.equal(await post(follow, "draft-cavage-http-signatures-12"), 202);
const accept = await came("the follow is accepted", (one) => one instanceof Accept);
// Fedify takes nobody's word about another server's Follow, so only its id is looked at.
assert.equal(accept.objectId.href, follow.id.href);

// What people write.
const picture = await mira.uploadImage({
  image: readFileSync(new URL("picture.png", import.meta.url)),
});
const { post_view } = await mira.createPost({
  community_id, name: "Lichen on granite", url: picture.url, alt_text: "Grey on grey",
  body: "Look *closely*.",
});
const { id: post_id, ap_id } = post_view.post;
const created = await came("a post is written", about(Create, ap_id));
assert.equal(created.actorId.href, `${url}/u/mira`);
assert.equal(created.audienceId.href, group);
assert.deepEqual(to(created), [PUBLIC]);
await came("and shown to microblogs by its id", about(Announce, ap_id));
const page = await look(ap_id);
assert.ok(page instanceof Page);
assert.equal(page.name.toString(), "Lichen on granite");
assert.match(page.content.toString(), /<em>closely<\/em>/);
assert.equal(page.source.content.toString(), "Look *closely*.");
assert.equal(page.attributionId.href, `${url}/u/mira`);
assert.deepEqual(to(page), [group, PUBLIC]);
const [image] = await listed(page.getAttachments(loaders));
assert.ok(image instanceof Image);
assert.equal(image.url.href, picture.url);
assert.equal(image.name.toString(), "Grey on grey");

const { comment_view } = await otto.createComment({ post_id, content: "Which **kind**, @mira?" });
const { id: comment_id, ap_id: commentId } = comment_view.comment;
await came("a comment is written", about(Create, commentId));
const note = await look(commentId);
assert.ok(note instanceof Note);
assert.equal(note.replyTargetId.href, ap_id);
assert.ok(note.published && !note.updated);
await otto.editComment({ comment_id, content: "Which?" });
const edited = await came("a comment is edited", about(Update, commentId));
assert.match((await edited.getObject(loaders)).content.toString(), /Which\?/);
await otto.likePost({ post_id, score: 1 });
const like = await came("a like", about(Like, ap_id));
assert.equal(like.actorId.href, `${url}/u/otto`);
await otto.likePost({ post_id, score: -1 });
await came("a dislike", about(Dislike, ap_id));
await otto.likePost({ post_id, score: 0 });
await came("taken back", undone(Dislike, ap_id));
await otto.deleteComment({ comment_id, deleted: true });
await came("a comment is deleted", about(Delete, commentId));
// Fedify answers null for what is gone, so the Tombstone is fetched by hand and parsed by it.
const gone = await fetch(commentId, { headers: { accept: "application/activity+json" } });
assert.equal(gone.status, 410);
assert.ok(await Thing.fromJsonLd(await gone.json(), loaders) instanceof Tombstone);
await otto.deleteComment({ comment_id, deleted: false });
await came("and back", undone(Delete, commentId));

// What moderators decide.
await mira.featurePost({ post_id, featured: true, feature_type: "Community" });
const pinned = await came("a post is pinned", about(Add, ap_id));
assert.equal(pinned.targetId.href, `${group}/featured`);
const [shown] = await all(await look(`${group}/featured`));
assert.equal(shown.id.href, ap_id);
await mira.featurePost({ post_id, featured: false, feature_type: "Community" });
await came("and no longer", about(Remove, ap_id));
const ottoId = comment_view.creator.id;
await mira.addModToCommunity({ community_id, person_id: ottoId, added: true });
const seated = await came("a moderator is appointed", about(Add, `${url}/u/otto`));
assert.equal(seated.targetId.href, `${group}/moderators`);
const moderators = await look(`${group}/moderators`);
assert.ok(moderators instanceof OrderedCollection);
assert.equal(moderators.totalItems, 2);
assert.deepEqual((await all(moderators)).map((one) => one.id.href), [
  `${url}/u/mira`, `${url}/u/otto`,
]);
await mira.addModToCommunity({ community_id, person_id: ottoId, added: false });
await came("and dismissed", about(Remove, `${url}/u/otto`));

// From here on the reader wants RFC 9421, whatever came before.
isModern = true;
const { person: remote } = await otto.resolveObject({ q: id.href });
await otto.createPrivateMessage({ recipient_id: remote.person.id, content: "Between *us*." });
const message = await came("a private message", async (one) => one instanceof Create
  && one.toId?.href === id.href);
const letter = await message.getObject(loaders);
assert.ok(letter instanceof Note);
assert.deepEqual(to(letter), [id.href]);
const [mention] = await listed(letter.getTags(loaders));
assert.equal(mention.href.href, id.href);
assert.equal(letter.source.content.toString(), "Between *us*.");
await mira.addModToCommunity({ community_id, person_id: remote.person.id, added: true });
await came("the reader moderates", about(Add, id.href));
await otto.createPostReport({ post_id, reason: "Is it?" });
const flag = await came("a report reaches it", about(Flag, ap_id));
assert.equal(flag.summary.toString(), "Is it?");
assert.equal(flag.toId.href, group);
const expires = Math.floor(Date.now() / 1000) + 86_400;
await mira.banFromCommunity({
  community_id, person_id: ottoId, ban: true, reason: "A pause", remove_data: false, expires,
});
const banned = await came("somebody is banned from a community", about(Block, `${url}/u/otto`));
assert.equal(banned.targetId.href, group);
assert.equal(banned.summary.toString(), "A pause");
assert.equal(banned.endTime.epochMilliseconds, expires * 1_000);
await mira.banFromCommunity({ community_id, person_id: ottoId, ban: false });
await came("and no longer", undone(Block, `${url}/u/otto`));
await mira.removeComment({ comment_id, removed: true, reason: "Off topic" });
const removed = await came("a comment is removed",
  (one) => about(Delete, commentId)(one) && one.summary?.toString() === "Off topic");
assert.equal(removed.actorId.href, `${url}/u/mira`);
const locks = (one) => one.constructor === Activity && one.objectId?.href === ap_id;
await mira.lockPost({ post_id, locked: true });
const lock = await came("a post is locked", locks);
assert.match(lock.id.pathname, /^\/activities\/lock\//);
await mira.lockPost({ post_id, locked: false });
await came("and opened", async (one) => one instanceof Undo && locks(await one.getObject(loaders)));

// What actors say of themselves, and the site of its people.
await mira.editCommunity({ community_id, title: "All stones" });
const renamed = await came("a community is changed", about(Update, group));
assert.ok((await renamed.getObject(loaders)) instanceof Group);
await otto.saveUserSettings({ bio: "I like *moss*." });
const profile = await came("a profile is changed", about(Update, `${url}/u/otto`));
assert.match((await profile.getObject(loaders)).summary.toString(), /<em>moss<\/em>/);
await admin.banPerson({ person_id: ottoId, ban: true, reason: "Enough", remove_data: true });
const everywhere = await came("somebody is banned from the site",
  (one) => about(Block, `${url}/u/otto`)(one) && one.targetId.href === `${url}/`);
assert.equal(everywhere.summary.toString(), "Enough");

// Collections and who runs all this.
const outbox = await look(`${group}/outbox`);
assert.ok(outbox instanceof OrderedCollection);
const [announced] = await all(outbox);
assert.ok(announced instanceof Announce);
assert.ok((await announced.getObject(loaders)) instanceof Create);
assert.equal((await look(`${group}/followers`)).totalItems, 2);
const context = await look(`${ap_id}/context`);
assert.ok(context instanceof OrderedCollection);
assert.equal((await all(context))[0].id.href, ap_id);
const links = await (await fetch(`${url}/.well-known/nodeinfo`)).json();
for (const link of links.links) {
  const info = parseNodeInfo(await (await fetch(link.href)).json());
  assert.deepEqual(info?.protocols, ["activitypub"], link.rel);
  assert.ok(info.software.name && info.usage.users.total >= 2);
}
// An activity is found by its id, as long as it is kept.
assert.ok((await look(like.id)) instanceof Like);

// Fedify signs by RFC 9421, too: its like counts.
const liked = new Like({
  id: new URL(`${here}/likes/1`), actor: id, object: new URL(ap_id), audience: new URL(group),
});
assert.equal(await post(liked, "rfc9421"), 202);
for (let tries = 0; ; tries += 1) {
  const { counts } = (await mira.getPost({ id: post_id })).post_view;
  if (counts.upvotes === 2) break;
  assert.ok(tries < 200, "a like that Fedify signed by RFC 9421 does not count");
  await pause(25);
}
server.close();
server.closeAllConnections();
console.log(`${got.length} activities parsed and verified`);
