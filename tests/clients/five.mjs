// Five servers on one machine, driven by npm's lemmy-js-client alone: what one does, the others see.
// Usage: node five.mjs ADMIN PASSWORD http://alpha:port http://beta:port … (five addresses)
//
// Every wait is for a state that must come within WITHIN_MS; each step prints how long it took.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { LemmyHttp } from "lemmy-js-client";

const [adminName, adminPassword, ...urls] = process.argv.slice(2);
const password = "correct horse battery";
const WITHIN_MS = Number(process.env.WITHIN_MS ?? 2_000);
const LOOK_MS = 25;
const [alpha, beta, gamma, delta, epsilon] = urls;
const hostOf = (url) => new URL(url).host;
const stranger = (url) => new LemmyHttp(url);
const client = (url, jwt) => new LemmyHttp(url, { headers: { Authorization: `Bearer ${jwt}` } });

async function signedUp(url, username) {
  const { jwt } = await stranger(url).register({
    username, password, password_verify: password, show_nsfw: false,
  });
  return client(url, jwt);
}

async function adminOf(url) {
  const { jwt } = await stranger(url).login({
    username_or_email: adminName, password: adminPassword,
  });
  return client(url, jwt);
}

/** Ask until the answer is what is wanted; return it. A refusal is one more "not yet". */
async function until(what, ask, wanted = Boolean) {
  const began = Date.now();
  let last;
  while (Date.now() - began < WITHIN_MS) {
    try {
      last = await ask();
      if (wanted(last)) {
        console.log(`${String(Date.now() - began).padStart(5)} ms  ${what}`);
        return last;
      }
    } catch (error) {
      last = error;
    }
    await pause(LOOK_MS);
  }
  throw new Error(`${what}: not within ${WITHIN_MS} ms; the last answer was `
    + `${JSON.stringify(last?.message ?? last)?.slice(0, 600)}`);
}

const resolved = async (who, q, kind) => (await who.resolveObject({ q }))[kind];
const subscription = (who, id) => async () =>
  (await who.getCommunity({ id })).community_view.subscribed;
// Lists hold what has come by itself; asking for an address would fetch it.
const newest = { type_: "All", sort: "New", limit: 50 };
const postSeen = (who, apId) => async () =>
  (await who.getPosts(newest)).posts.find((one) => one.post.ap_id === apId);
const commentSeen = (who, apId) => async () =>
  (await who.getComments(newest)).comments.find((one) => one.comment.ap_id === apId);
const postThere = (who, id) => async () => (await who.getPost({ id })).post_view;
const commentThere = (who, id) => async () => (await who.getComment({ id })).comment_view;

/** Return whether the client no longer shows a post to its stranger: 404, deleted or removed. */
const postGone = (who, id) => async () => {
  try {
    const { post } = (await who.getPost({ id })).post_view;
    return post.deleted || post.removed;
  } catch (error) {
    return error.message === "couldnt_find_post";
  }
};

const host = await signedUp(alpha, "host");
const friend = await signedUp(beta, "friend");
const guest = await signedUp(gamma, "guest");
const watcher = await signedUp(delta, "watcher");
const late = await signedUp(epsilon, "late");
const alphaAdmin = await adminOf(alpha);
const name = "terrarium";
const { community_view: home } = await host.createCommunity({ name, title: "A terrarium" });
const early = await host.createPost({ community_id: home.community.id, name: "Before you came" });

// A community is found by its name, and followed: Pending, then Subscribed.
const places = {};
for (const [who, key] of [[friend, "beta"], [guest, "gamma"], [watcher, "delta"]]) {
  const found = await until(`${key} finds !${name}@alpha`,
    () => resolved(who, `!${name}@${hostOf(alpha)}`, "community"));
  const { community_view } = await who.followCommunity({
    community_id: found.community.id, follow: true,
  });
  assert.equal(community_view.subscribed, "Pending");
  await until(`${key} is subscribed`, subscription(who, found.community.id),
    (state) => state === "Subscribed");
  places[key] = found.community.id;
}
await until("the home counts them",
  async () => (await host.getCommunity({ id: home.community.id })).community_view.counts.subscribers,
  (count) => count === 4);
await until("what was written before is there, too", postSeen(friend, early.post_view.post.ap_id));

// A post from elsewhere reaches the home and everybody there.
const { post_view: written } = await friend.createPost({
  community_id: places.beta, name: "Springtails on bark", body: "Look *closely*.",
});
const apId = written.post.ap_id;
assert.ok(apId.startsWith(beta), apId);
const atHome = await until("a post of beta is at alpha", postSeen(host, apId));
const atGamma = await until("and at gamma", postSeen(guest, apId));
assert.equal(atGamma.post.body, "Look *closely*.");
assert.equal(atGamma.creator.actor_id, `${beta}/u/friend`);
assert.equal(atGamma.counts.score, 1);

// Comments: at the top, below, and the answer is in the inbox of whoever was answered.
const { comment_view: first } = await guest.createComment({
  post_id: atGamma.post.id, content: "Which **kind** is it?",
});
const firstAtBeta = await until("a comment of gamma is at beta",
  commentSeen(friend, first.comment.ap_id));
const { comment_view: answer } = await friend.createComment({
  post_id: written.post.id, parent_id: firstAtBeta.comment.id, content: "Entomobrya, I think.",
});
const answerAtGamma = await until("its answer is at gamma",
  commentSeen(guest, answer.comment.ap_id));
assert.equal(answerAtGamma.comment.path.split(".").length, 3);
await until("and in the inbox there", async () => (await guest.getReplies({ unread_only: true }))
  .replies.some((one) => one.comment.ap_id === answer.comment.ap_id));
await until("alpha has both", commentSeen(host, answer.comment.ap_id));

// Votes: up, down, taken back.
await guest.likePost({ post_id: atGamma.post.id, score: 1 });
await until("an upvote of gamma counts at beta", postThere(friend, written.post.id),
  (view) => view.counts.upvotes === 2);
await guest.likePost({ post_id: atGamma.post.id, score: -1 });
await until("turned into a downvote", postThere(friend, written.post.id),
  (view) => view.counts.upvotes === 1 && view.counts.downvotes === 1);
await guest.likePost({ post_id: atGamma.post.id, score: 0 });
await until("and taken back", postThere(friend, written.post.id),
  (view) => view.counts.upvotes === 1 && view.counts.downvotes === 0);
await watcher.likeComment({
  comment_id: (await commentSeen(watcher, first.comment.ap_id)()).comment.id, score: 1,
});
await until("an upvote of delta on a comment counts at gamma",
  commentThere(guest, first.comment.id), (view) => view.counts.score === 2);

// Edits.
await friend.editPost({ post_id: written.post.id, name: "Springtails, edited", body: "Closer." });
await until("an edited post is edited at gamma", postThere(guest, atGamma.post.id),
  (view) => view.post.name === "Springtails, edited" && view.post.body === "Closer.");
await guest.editComment({ comment_id: first.comment.id, content: "Never mind." });
await until("an edited comment is edited at beta", commentThere(friend, firstAtBeta.comment.id),
  (view) => view.comment.content === "Never mind.");

// Deletions, and what was deleted brought back.
await guest.deleteComment({ comment_id: first.comment.id, deleted: true });
await until("a deleted comment is deleted at beta", commentThere(friend, firstAtBeta.comment.id),
  (view) => view.comment.deleted);
await guest.deleteComment({ comment_id: first.comment.id, deleted: false });
await until("and back again", commentThere(friend, firstAtBeta.comment.id),
  (view) => !view.comment.deleted && view.comment.content === "Never mind.");
await friend.deletePost({ post_id: written.post.id, deleted: true });
await until("a deleted post is gone at gamma", postGone(guest, atGamma.post.id));
await friend.deletePost({ post_id: written.post.id, deleted: false });
await until("and back again", postThere(guest, atGamma.post.id), (view) => !view.post.deleted);

// Moderation by the home: pins, locks, removals.
const homeId = atHome.post.id;
for (const [what, act, seen] of [
  ["pinned", (on) => host.featurePost({ post_id: homeId, featured: on, feature_type: "Community" }),
    (view) => view.post.featured_community],
  ["locked", (on) => host.lockPost({ post_id: homeId, locked: on }), (view) => view.post.locked],
]) {
  await act(true);
  await until(`a post ${what} at alpha is ${what} at beta`, postThere(friend, written.post.id),
    seen);
  await until("and at delta", async () => (await postSeen(watcher, apId)()), seen);
  await act(false);
  await until("and no longer", postThere(friend, written.post.id), (view) => !seen(view));
}
await host.removePost({ post_id: homeId, removed: true, reason: "Off topic" });
await until("a post removed at alpha is removed at gamma", postGone(guest, atGamma.post.id));
await host.removePost({ post_id: homeId, removed: false });
await until("and restored", postThere(guest, atGamma.post.id), (view) => !view.post.removed);

// A moderator from elsewhere moderates.
const friendAtAlpha = await resolved(host, `@friend@${hostOf(beta)}`, "person");
await host.addModToCommunity({
  community_id: home.community.id, person_id: friendAtAlpha.person.id, added: true,
});
await until("beta knows its new moderator",
  async () => (await friend.getCommunity({ id: places.beta })).moderators,
  (mods) => mods.some((one) => one.moderator.actor_id === `${beta}/u/friend`));
const byGuest = await guest.createPost({ community_id: places.gamma, name: "By a guest" });
const guestsAtBeta = await until("a post of gamma is at beta",
  postSeen(friend, byGuest.post_view.post.ap_id));
await friend.removePost({ post_id: guestsAtBeta.post.id, removed: true, reason: "Not here" });
await until("a post removed from beta is removed at its author's", postGone(
  stranger(gamma), byGuest.post_view.post.id));

// Reports reach the moderators, wherever they are.
const reported = await watcher.createPostReport({
  post_id: (await postSeen(watcher, apId)()).post.id, reason: "Is this true?",
});
assert.equal(reported.post_report_view.post_report.reason, "Is this true?");
const report = await until("a report of delta is at alpha",
  async () => (await host.listPostReports({ unresolved_only: true })).post_reports
    .find((one) => one.post_report.reason === "Is this true?"));
await host.resolvePostReport({ report_id: report.post_report.id, resolved: true });

// Bans from a community, with an end to it.
const guestAtAlpha = await resolved(host, `@guest@${hostOf(gamma)}`, "person");
await host.banFromCommunity({
  community_id: home.community.id, person_id: guestAtAlpha.person.id, ban: true, remove_data: false,
  reason: "For a while",
});
await until("a ban of alpha is known at gamma", async () => {
  try {
    await guest.createComment({ post_id: atGamma.post.id, content: "May I?" });
    return "";
  } catch (error) {
    return error.message;
  }
}, (code) => /banned/.test(code));
await host.banFromCommunity({
  community_id: home.community.id, person_id: guestAtAlpha.person.id, ban: false,
});
await until("and lifted", () => guest.createComment({
  post_id: atGamma.post.id, content: "Thank you.",
}));

// Private messages go to their reader and nobody else.
const guestAtBeta = await resolved(friend, `@guest@${hostOf(gamma)}`, "person");
const { private_message_view: letter } = await friend.createPrivateMessage({
  recipient_id: guestAtBeta.person.id, content: "Between us.",
});
const received = async () => (await guest.getPrivateMessages({ unread_only: false }))
  .private_messages.find((one) => one.private_message.ap_id === letter.private_message.ap_id);
await until("a message of beta is at gamma", received);
await friend.editPrivateMessage({
  private_message_id: letter.private_message.id, content: "Between the two of us.",
});
await until("its edit, too", received,
  (one) => one?.private_message.content === "Between the two of us.");
await friend.deletePrivateMessage({ private_message_id: letter.private_message.id, deleted: true });
await until("and its deletion", received, (one) => !one || one.private_message.deleted);

// Pictures are reachable from elsewhere.
const picture = await friend.uploadImage({
  image: readFileSync(new URL("picture.png", import.meta.url)),
});
const pictured = await friend.createPost({
  community_id: places.beta, name: "A picture", url: picture.url,
});
const picturedAtDelta = await until("a post with a picture is at delta",
  postSeen(watcher, pictured.post_view.post.ap_id));
assert.equal((await fetch(picturedAtDelta.post.url)).status, 200);

// Who comes late finds what was said, with its parents.
const lateAnswer = await until("epsilon finds a comment by its address, with its parents",
  () => resolved(late, answer.comment.ap_id, "comment"));
assert.equal(lateAnswer.post.ap_id, apId);
assert.equal(lateAnswer.comment.path.split(".").length, 3);

// A block of one server by another, and no longer.
await alphaAdmin.editSite({ blocked_instances: [hostOf(gamma)] });
const unheard = await guest.createPost({ community_id: places.gamma, name: "Nobody hears this" });
await friend.likePost({ post_id: written.post.id, score: 1 });
const heard = await friend.createPost({ community_id: places.beta, name: "Everybody hears this" });
await until("beta is still heard at alpha", postSeen(host, heard.post_view.post.ap_id));
const atAlpha = (await host.getPosts({ community_id: home.community.id, sort: "New", limit: 50 }))
  .posts.map((one) => one.post.ap_id);
assert.ok(!atAlpha.includes(unheard.post_view.post.ap_id), "a blocked server was heard");
await alphaAdmin.editSite({ blocked_instances: [] });

// Unfollowed, a server hears no more.
await watcher.followCommunity({ community_id: places.delta, follow: false });
await until("the home counts one fewer",
  async () => (await host.getCommunity({ id: home.community.id })).community_view.counts.subscribers,
  (count) => count === 3);
console.log("all seen");
