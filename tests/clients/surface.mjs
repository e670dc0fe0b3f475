// Every call of npm's lemmy-js-client 0.19, made once and answered, against a running testbed.
// Usage: node surface.mjs http://127.0.0.1:8536 ADMIN PASSWORD MAILBOX ANSWERS.ts
//
// Each answer is written down as TypeScript, declared to be what the client's types say that the
// call returns; the test has the compiler read it. MAILBOX is a folder that letters fall into.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { LemmyHttp } from "lemmy-js-client";

const [url, adminName, adminPassword, mailbox, answersPath] = process.argv.slice(2);
const password = "correct horse battery";
// What we answer beyond Lemmy, and the one answer that the types have wrong: Lemmy sends an object.
const ours = { importSettings: ["skipped"] };
const untyped = new Set(["exportSettings"]);
const answers = [];
const called = new Set();

/** Return a client that writes down what each of its calls answers. */
function client(jwt) {
  const http = new LemmyHttp(url, jwt ? { headers: { Authorization: `Bearer ${jwt}` } } : {});
  return new Proxy(http, {
    get(target, name) {
      const value = target[name];
      if (typeof value !== "function") return value;
      return async (...words) => {
        const answer = await value.apply(target, words);
        called.add(name);
        answers.push([name, answer]);
        return answer;
      };
    },
  });
}

async function refusedWith(code, promise) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.message, code);
    return true;
  });
}

async function signedUp(username, more = {}) {
  const { jwt } = await stranger.register({
    username, password, password_verify: password, show_nsfw: false, ...more,
  });
  return client(jwt);
}

async function personOf(one) {
  return (await one.getSite()).my_user.local_user_view.person.id;
}

/** Return the token of the newest letter to an address, as soon as there is one. */
async function tokenMailedTo(address, kind) {
  for (let tries = 0; tries < 400; tries += 1) {
    const letters = readdirSync(mailbox).sort().reverse().map((name) =>
      readFileSync(join(mailbox, name), "utf8").replaceAll("=\r\n", "").replaceAll("=\n", "")
        .replaceAll("=3D", "="));
    for (const letter of letters) {
      const found = letter.includes(address) && letter.match(kind);
      if (found) return found[1];
    }
    await pause(25);
  }
  throw new Error(`no letter to ${address} that holds ${kind}`);
}

/** Return the code of RFC 6238 for a secret in base32, `steps` periods from now. */
function totp(secret, steps = 0) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/=+$/, "")]
    .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = hash[19] & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const stranger = client();
const { jwt: adminJwt } = await stranger.login({
  username_or_email: adminName, password: adminPassword,
});
const admin = client(adminJwt);
const author = await signedUp("surface_author", { email: "author@example.org" });
const reader = await signedUp("surface_reader");
const keeper = await signedUp("surface_keeper");
const [authorId, readerId, keeperId] = await Promise.all([author, reader, keeper].map(personOf));

// The site.
await refusedWith("site_already_exists", admin.createSite({ name: "Again" }));
called.add("createSite"); // a site exists from the first start on, so this is its one answer
const tagline = "Slow is fine.";
const site = await admin.editSite({
  sidebar: "Be kind.", taglines: [tagline], legal_information: "None.", enable_downvotes: true,
});
assert.equal(site.taglines[0].content, tagline);
await stranger.getSite();
await admin.getFederatedInstances();
const { custom_emoji: { custom_emoji: emoji } } = await admin.createCustomEmoji({
  category: "plants", shortcode: "moss", image_url: `${url}/grown/moss.svg`, alt_text: "moss",
  keywords: ["green"],
});
await admin.editCustomEmoji({
  id: emoji.id, category: "plants", image_url: `${url}/grown/moss.svg`, alt_text: "more moss",
  keywords: ["green", "soft"],
});
await admin.deleteCustomEmoji({ id: emoji.id });

// Communities.
const { community_view: place } = await author.createCommunity({
  name: "surface", title: "Surface", description: "Of *things*.",
});
const community_id = place.community.id;
const { community_view: other } = await author.createCommunity({ name: "beneath", title: "Deep" });
await stranger.getCommunity({ name: "surface" });
await author.editCommunity({ community_id, title: "The Surface" });
await stranger.listCommunities({ type_: "All", sort: "New" });
await reader.followCommunity({ community_id, follow: true });
await keeper.blockCommunity({ community_id: other.community.id, block: true });
await keeper.blockCommunity({ community_id: other.community.id, block: false });
const appointed = await author.addModToCommunity({
  community_id, person_id: keeperId, added: true,
});
assert.equal(appointed.moderators.length, 2);
await admin.hideCommunity({ community_id: other.community.id, hidden: true, reason: "quiet" });
await admin.hideCommunity({ community_id: other.community.id, hidden: false });
const removed = await admin.removeCommunity({
  community_id: other.community.id, removed: true, reason: "for a moment",
});
assert.equal(removed.community_view.community.removed, true);
await admin.removeCommunity({ community_id: other.community.id, removed: false });
await author.deleteCommunity({ community_id: other.community.id, deleted: true });
await author.deleteCommunity({ community_id: other.community.id, deleted: false });

// Posts.
const { post_view: { post } } = await author.createPost({
  name: "A stone, seen from above", body: "It is **grey**.", community_id, language_id: 37,
});
const post_id = post.id;
await reader.getPost({ id: post_id });
await author.editPost({ post_id, body: "It is greenish." });
await author.deletePost({ post_id, deleted: true });
await author.deletePost({ post_id, deleted: false });
const gone = await admin.removePost({ post_id, removed: true, reason: "a look" });
assert.equal(gone.post_view.post.removed, true);
await keeper.removePost({ post_id, removed: false });
await keeper.lockPost({ post_id, locked: true });
await keeper.lockPost({ post_id, locked: false });
await keeper.featurePost({ post_id, featured: true, feature_type: "Community" });
await admin.featurePost({ post_id, featured: true, feature_type: "Local" });
await reader.getPosts({ type_: "All", sort: "Hot", limit: 10 });
await reader.likePost({ post_id, score: 1 });
assert.equal((await admin.listPostLikes({ post_id })).post_likes.length, 2);
await reader.savePost({ post_id, save: true });
await reader.markPostAsRead({ post_ids: [post_id], read: true });
await reader.hidePost({ post_ids: [post_id], hide: true });
await reader.hidePost({ post_ids: [post_id], hide: false });
await reader.getSiteMetadata({ url: "https://page.example/" });

// Comments.
const host = new URL(place.community.actor_id).host;
const { comment_view: { comment } } = await reader.createComment({
  post_id, content: `Nice, @surface_keeper@${host}!`,
});
const comment_id = comment.id;
await reader.editComment({ comment_id, content: `Very nice, @surface_keeper@${host}!` });
await reader.deleteComment({ comment_id, deleted: true });
await reader.deleteComment({ comment_id, deleted: false });
const taken = await keeper.removeComment({ comment_id, removed: true, reason: "too short" });
assert.equal(taken.comment_view.comment.removed, true);
await keeper.removeComment({ comment_id, removed: false });
await author.likeComment({ comment_id, score: 1 });
assert.equal((await admin.listCommentLikes({ comment_id })).comment_likes.length, 2);
await author.saveComment({ comment_id, save: true });
const { comment_view: spoken } = await keeper.createComment({
  post_id, content: "As a moderator.", parent_id: comment_id,
});
await keeper.distinguishComment({ comment_id: spoken.comment.id, distinguished: true });
await stranger.getComments({ post_id, max_depth: 8, sort: "Hot" });
await stranger.getComment({ id: comment_id });

// The inbox.
const { replies } = await reader.getReplies({ sort: "New" });
await reader.markCommentReplyAsRead({ comment_reply_id: replies[0].comment_reply.id, read: true });
const { mentions } = await keeper.getPersonMentions({ sort: "New" });
await keeper.markPersonMentionAsRead({
  person_mention_id: mentions[0].person_mention.id, read: true,
});
await author.markAllAsRead();
await author.getUnreadCount();

// Private messages.
const { private_message_view: { private_message } } = await author.createPrivateMessage({
  content: "Hello in *private*.", recipient_id: readerId,
});
const private_message_id = private_message.id;
await author.editPrivateMessage({ private_message_id, content: "Hello again." });
assert.equal((await reader.getPrivateMessages({})).private_messages.length, 1);
await reader.markPrivateMessageAsRead({ private_message_id, read: true });

// Reports.
const { post_report_view } = await reader.createPostReport({ post_id, reason: "Too grey." });
await keeper.listPostReports({ unresolved_only: true });
await keeper.resolvePostReport({ report_id: post_report_view.post_report.id, resolved: true });
const { comment_report_view } = await author.createCommentReport({ comment_id, reason: "Nice?" });
await keeper.listCommentReports({});
assert.equal((await keeper.getReportCount({})).comment_reports, 1);
await keeper.resolveCommentReport({
  report_id: comment_report_view.comment_report.id, resolved: true,
});
const { private_message_report_view } = await reader.createPrivateMessageReport({
  private_message_id, reason: "Unasked.",
});
await admin.listPrivateMessageReports({});
await admin.resolvePrivateMessageReport({
  report_id: private_message_report_view.private_message_report.id, resolved: true,
});
await author.deletePrivateMessage({ private_message_id, deleted: true });

// Search.
await reader.search({ q: "stone", type_: "All" });
await reader.resolveObject({ q: post.ap_id });
await stranger.getPersonDetails({ username: "surface_author", sort: "New" });

// Pictures.
const picture = readFileSync(new URL("./picture.png", import.meta.url));
const uploaded = await author.uploadImage({ image: picture });
assert.equal(uploaded.msg, "ok");
const [file] = uploaded.files;
assert.equal((await author.listMedia({})).images.length, 1);
await admin.listAllMedia({});
await author.deleteImage({ token: file.delete_token, filename: file.file });
assert.equal((await author.listMedia({})).images.length, 0);

// Bans.
const reason = "a pause";
const banned = await keeper.banFromCommunity({
  community_id, person_id: readerId, ban: true, reason,
  expires: Math.floor(Date.now() / 1000) + 86_400,
});
assert.equal(banned.banned, true);
await refusedWith("banned_from_community", reader.createComment({ post_id, content: "But …" }));
await keeper.banFromCommunity({ community_id, person_id: readerId, ban: false });
const guest = await signedUp("surface_guest");
const guestId = await personOf(guest);
await admin.banPerson({ person_id: guestId, ban: true, reason });
assert.equal((await admin.getBannedPersons()).banned.length, 1);
await admin.banPerson({ person_id: guestId, ban: false });
await reader.blockPerson({ person_id: authorId, block: true });
await reader.blockPerson({ person_id: authorId, block: false });
await refusedWith(
  "cant_block_local_instance", reader.blockInstance({ instance_id: 1, block: true }),
);
called.add("blockInstance"); // no other server is known here; the forum's tests block some

// Administrators, and the log of what was done.
await admin.addAdmin({ person_id: keeperId, added: true });
await keeper.leaveAdmin();
const log = await stranger.getModlog({});
assert.ok(log.removed_posts.length >= 2);
assert.ok(log.locked_posts.length && log.featured_posts.length && log.banned.length);
assert.ok(log.removed_comments.length && log.removed_communities.length && log.added.length);
assert.ok(log.banned_from_community.length && log.added_to_community.length);
await author.transferCommunity({ community_id: other.community.id, person_id: authorId })
  .catch(() => undefined);
await author.transferCommunity({ community_id, person_id: keeperId });
assert.ok((await stranger.getModlog({ type_: "ModTransferCommunity" })).transferred_to_community);

// Applications.
await admin.editSite({
  registration_mode: "RequireApplication", application_question: "Why?",
});
const waiting = await stranger.register({
  username: "surface_applicant", password, password_verify: password, show_nsfw: false,
  answer: "Because of the moss.",
});
assert.equal(waiting.jwt, undefined);
assert.equal(
  (await admin.getUnreadRegistrationApplicationCount()).registration_applications, 1,
);
const { registration_applications: [application] } =
  await admin.listRegistrationApplications({ unread_only: true });
await admin.getRegistrationApplication({ person_id: application.creator.id });
await admin.approveRegistrationApplication({
  id: application.registration_application.id, approve: true,
});
await admin.editSite({ registration_mode: "Open" });
await stranger.getCaptcha();

// An account, from its second factor to its end.
await author.saveUserSettings({ show_nsfw: true, display_name: "Author", bio: "Writes." });
await author.importSettings(JSON.parse(JSON.stringify(await author.exportSettings())));
await author.listLogins();
await author.validateAuth();
const { totp_secret_url } = await author.generateTotpSecret();
const secret = new URL(totp_secret_url).searchParams.get("secret");
const enabled = await author.updateTotp({ totp_token: totp(secret), enabled: true });
assert.equal(enabled.enabled, true);
await refusedWith("missing_totp_token", stranger.login({
  username_or_email: "surface_author", password,
}));
await author.updateTotp({ totp_token: totp(secret, 1), enabled: false });
await author.saveUserSettings({ email: "new@example.org" });
const verifying = await tokenMailedTo("new@example.org", /verify_email\/([A-Za-z0-9_-]{16,})/);
await stranger.verifyEmail({ token: verifying });
await stranger.passwordReset({ email: "new@example.org" });
const resetting = await tokenMailedTo(
  "new@example.org", /password_change\/([A-Za-z0-9_-]{16,})/,
);
await stranger.passwordChangeAfterReset({
  token: resetting, password: `${password}!`, password_verify: `${password}!`,
});
const { jwt: again } = await stranger.login({
  username_or_email: "surface_author", password: `${password}!`,
});
const back = client(again);
const { jwt: fresh } = await back.changePassword({
  old_password: `${password}!`, new_password: password, new_password_verify: password,
});
await client(fresh).logout();
await guest.validateAuth().catch(() => undefined);
const leaving = await signedUp("surface_leaving");
await leaving.deleteAccount({ password, delete_content: true });

// Purges, last.
await admin.purgeComment({ comment_id: spoken.comment.id, reason });
await admin.purgePost({ post_id, reason });
await admin.purgeCommunity({ community_id: other.community.id, reason });
await admin.purgePerson({ person_id: guestId, reason });
await refusedWith("couldnt_find_post", admin.getPost({ id: post_id }));

const names = Object.getOwnPropertyNames(LemmyHttp.prototype)
  .filter((name) => !["constructor", "setHeaders"].includes(name));
assert.deepEqual(names.filter((name) => !called.has(name)), [], "every call is made");
const judged = answers.filter(([name]) => !untyped.has(name));
for (const [name, answer] of judged) for (const field of ours[name] ?? []) delete answer[field];
const lines = judged.map(([name, answer], at) =>
  `export const ${name}_${at}: Awaited<ReturnType<LemmyHttp["${name}"]>> = `
  + `${JSON.stringify(answer, null, 1)};`);
writeFileSync(answersPath, `import type { LemmyHttp } from "lemmy-js-client";\n${lines.join("\n")}\n`);
console.log(`lemmy-js-client: ${called.size} calls, ${answers.length} answers`);
