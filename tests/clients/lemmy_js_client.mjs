// One person's visit through npm's lemmy-js-client 0.19, against a running Lichen.
// Usage: node lemmy_js_client.mjs http://127.0.0.1:8536 [suffix for names]
import assert from "node:assert/strict";
import { LemmyHttp } from "lemmy-js-client";

const [url, suffix = "a"] = process.argv.slice(2);
const password = "correct horse battery";
const stranger = new LemmyHttp(url);

async function signedUp(name) {
  const { jwt, registration_created, verify_email_sent } = await stranger.register({
    username: name, password, password_verify: password, show_nsfw: false,
  });
  assert.ok(jwt, "registration answers with a token");
  assert.equal(typeof registration_created, "boolean");
  assert.equal(verify_email_sent, false);
  return withToken(jwt);
}

function withToken(jwt) {
  return new LemmyHttp(url, { headers: { Authorization: `Bearer ${jwt}` } });
}

async function refusedWith(code, promise) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.message, code);
    return true;
  });
}

const author = await signedUp(`author_${suffix}`);
const reader = await signedUp(`reader_${suffix}`);

// The site, to a stranger and to somebody.
const site = await stranger.getSite();
assert.equal(site.my_user, undefined);
assert.equal(site.all_languages.length, 184);
assert.equal(site.all_languages[37].code, "en");
const mine = await author.getSite();
assert.equal(mine.my_user.local_user_view.person.name, `author_${suffix}`);
assert.equal(mine.my_user.local_user_view.local_user.email, undefined);

// A community.
const { community_view: founded } = await author.createCommunity({
  name: `place_${suffix}`, title: "A Place", description: "For *talk*.",
});
const community_id = founded.community.id;
assert.equal(founded.subscribed, "Subscribed");
await refusedWith("community_already_exists", author.createCommunity({
  name: `place_${suffix}`, title: "Again",
}));
const edited = await author.editCommunity({ community_id, title: "The Place" });
assert.equal(edited.community_view.community.title, "The Place");
assert.equal(edited.community_view.community.description, "For *talk*.");
const found = await reader.getCommunity({ name: `place_${suffix}` });
assert.equal(found.moderators[0].moderator.name, `author_${suffix}`);
const followed = await reader.followCommunity({ community_id, follow: true });
assert.equal(followed.community_view.subscribed, "Subscribed");
assert.equal(followed.community_view.counts.subscribers, 2);
const listed = await stranger.listCommunities({ type_: "All", sort: "New", limit: 50 });
assert.ok(listed.communities.some((view) => view.community.id === community_id));

// A post.
const { post_view: written } = await author.createPost({
  name: `Hello ${suffix} from a client`, body: "A **body**.", community_id, language_id: 37,
});
const post_id = written.post.id;
assert.equal(written.counts.score, 1);
assert.equal(written.my_vote, 1);
assert.match(written.post.published, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
const liked = await reader.likePost({ post_id, score: 1 });
assert.deepEqual([liked.post_view.counts.score, liked.post_view.my_vote], [2, 1]);
const unliked = await reader.likePost({ post_id, score: 0 });
assert.deepEqual([unliked.post_view.counts.score, unliked.post_view.my_vote ?? 0], [1, 0]);
const disliked = await reader.likePost({ post_id, score: -1 });
assert.deepEqual([disliked.post_view.counts.downvotes, disliked.post_view.my_vote], [1, -1]);
await refusedWith("no_post_edit_allowed", reader.editPost({ post_id, name: "Not mine" }));
const changed = await author.editPost({ post_id, body: "Another body." });
assert.equal(changed.post_view.post.body, "Another body.");
assert.equal(changed.post_view.post.name, `Hello ${suffix} from a client`);
assert.ok(changed.post_view.post.updated);
assert.equal((await reader.savePost({ post_id, save: true })).post_view.saved, true);
assert.deepEqual(await reader.markPostAsRead({ post_ids: [post_id], read: true }), {
  success: true,
});
const one = await reader.getPost({ id: post_id });
assert.equal(one.post_view.read, true);
assert.equal(one.community_view.community.id, community_id);

// Comments.
const host = new URL(founded.community.actor_id).host;
const { comment_view: comment } = await reader.createComment({
  post_id, content: `A first word to @author_${suffix}@${host}.`,
});
const { comment_view: reply } = await author.createComment({
  post_id, content: "And an answer.", parent_id: comment.comment.id,
});
assert.equal(reply.comment.path, `0.${comment.comment.id}.${reply.comment.id}`);
const comment_id = reply.comment.id;
assert.equal((await reader.likeComment({ comment_id, score: 1 })).comment_view.my_vote, 1);
assert.equal((await reader.saveComment({ comment_id, save: true })).comment_view.saved, true);
const reworded = await author.editComment({ comment_id, content: "A better answer." });
assert.equal(reworded.comment_view.comment.content, "A better answer.");
const tree = await stranger.getComments({ post_id, type_: "All", max_depth: 8, sort: "Hot" });
assert.deepEqual(tree.comments.map((view) => view.comment.id).sort(), [
  comment.comment.id, comment_id,
].sort());
assert.equal((await stranger.getComment({ id: comment_id })).comment_view.comment.id, comment_id);

// The inbox.
const { replies } = await reader.getReplies({ sort: "New", unread_only: true });
assert.equal(replies[0].comment.id, comment_id);
const comment_reply_id = replies[0].comment_reply.id;
assert.equal((await reader.getUnreadCount()).replies, 1);
const seen = await reader.markCommentReplyAsRead({ comment_reply_id, read: true });
assert.equal(seen.comment_reply_view.comment_reply.read, true);
assert.equal((await reader.getUnreadCount()).replies, 0);
const { mentions } = await author.getPersonMentions({ sort: "New" });
const answered = await author.getReplies({ sort: "New" });
assert.ok(mentions.length + answered.replies.length > 0, "the author was told");
await author.markAllAsRead();
assert.deepEqual(await author.getUnreadCount(), { replies: 0, mentions: 0, private_messages: 0 });
assert.deepEqual(await author.getPrivateMessages({}), { private_messages: [] });

// Private messages.
const recipient_id = (await author.getSite()).my_user.local_user_view.person.id;
const { private_message_view: sent } = await reader.createPrivateMessage({
  recipient_id, content: "Between us.",
});
const private_message_id = sent.private_message.id;
assert.equal(sent.recipient.id, recipient_id);
assert.equal((await author.getUnreadCount()).private_messages, 1);
await reader.editPrivateMessage({ private_message_id, content: "Only between us." });
const received = await author.getPrivateMessages({ unread_only: true, limit: 20 });
assert.equal(received.private_messages[0].private_message.content, "Only between us.");
await author.markPrivateMessageAsRead({ private_message_id, read: true });
assert.equal((await author.getUnreadCount()).private_messages, 0);
await reader.deletePrivateMessage({ private_message_id, deleted: true });
const taken = (await author.getPrivateMessages({})).private_messages[0].private_message;
assert.deepEqual([taken.deleted, taken.content], [true, ""]);

// Lists, search, addresses.
const everySort = [
  "Active", "Hot", "New", "Old", "TopDay", "TopWeek", "TopMonth", "TopYear", "TopAll",
  "MostComments", "NewComments", "TopHour", "TopSixHour", "TopTwelveHour", "TopThreeMonths",
  "TopSixMonths", "TopNineMonths", "Controversial", "Scaled",
];
for (const sort of everySort) {
  const { posts } = await reader.getPosts({ sort, community_id, limit: 10 });
  assert.deepEqual(posts.map((view) => view.post.id), [post_id], sort);
}
for (const type_ of ["All", "Local", "Subscribed"]) {
  const { posts } = await reader.getPosts({ type_, sort: "New", limit: 50 });
  assert.ok(posts.some((view) => view.post.id === post_id), type_);
}
const saved = await reader.getPosts({ type_: "All", saved_only: true });
assert.deepEqual(saved.posts.map((view) => view.post.id), [post_id]);
const searched = await stranger.search({ q: `Hello ${suffix}`, type_: "Posts" });
assert.ok(searched.posts.some((view) => view.post.id === post_id));
const resolved = await reader.resolveObject({ q: written.post.ap_id });
assert.equal(resolved.post.post.id, post_id);
await refusedWith("couldnt_find_object", reader.resolveObject({ q: "https://no.example/post/1" }));
const details = await stranger.getPersonDetails({ username: `author_${suffix}`, sort: "New" });
assert.deepEqual(details.posts.map((view) => view.post.id), [post_id]);
assert.equal(details.person_view.counts.post_count, 1);

// Settings, blocks, hiding, deleting.
await reader.saveUserSettings({ show_nsfw: true, display_name: "A Reader", bio: "Reads." });
const after = await reader.getSite();
assert.equal(after.my_user.local_user_view.local_user.show_nsfw, true);
assert.equal(after.my_user.local_user_view.person.display_name, "A Reader");
const person_id = details.person_view.person.id;
assert.equal((await reader.blockPerson({ person_id, block: true })).blocked, true);
assert.equal((await reader.getSite()).my_user.person_blocks[0].target.id, person_id);
assert.equal((await reader.blockPerson({ person_id, block: false })).blocked, false);
assert.equal((await reader.blockCommunity({ community_id, block: true })).blocked, true);
assert.equal((await reader.blockCommunity({ community_id, block: false })).blocked, false);
await reader.hidePost({ post_ids: [post_id], hide: true });
const hidden = await reader.getPosts({ community_id, sort: "New" });
assert.deepEqual(hidden.posts, []);
await author.deleteComment({ comment_id, deleted: true });
await author.deletePost({ post_id, deleted: true });
await refusedWith("couldnt_find_post", stranger.getPost({ id: post_id }));
assert.equal((await author.getPost({ id: post_id })).post_view.post.deleted, true);

// Logins.
assert.equal((await author.listLogins()).length, 1);
assert.deepEqual(await author.validateAuth(), { success: true });
const renewed = await author.changePassword({
  old_password: password, new_password: `${password}!`, new_password_verify: `${password}!`,
});
const again = withToken(renewed.jwt);
assert.deepEqual(await again.validateAuth(), { success: true });
await refusedWith("incorrect_login", stranger.login({
  username_or_email: `author_${suffix}`, password,
}));
const { jwt } = await stranger.login({
  username_or_email: `author_${suffix}`, password: `${password}!`,
});
const back = withToken(jwt);
assert.deepEqual(await back.logout(), { success: true });
await refusedWith("not_logged_in", back.validateAuth());

// Moderation: a report, a removal with a reason, its line in the log, and the way back.
const judged = (await again.createPost({ name: "To be judged", community_id })).post_view.post.id;
const { post_report_view: told } = await reader.createPostReport({
  post_id: judged, reason: "Off topic.",
});
assert.equal(told.post_report.original_post_name, "To be judged");
await refusedWith("couldnt_create_report", reader.createPostReport({
  post_id: judged, reason: "Again.",
}));
await refusedWith("not_a_mod_or_admin", reader.getReportCount({}));
assert.equal((await again.getReportCount({ community_id })).post_reports, 1);
const { post_reports } = await again.listPostReports({ community_id, unresolved_only: true });
assert.equal(post_reports[0].post_report.id, told.post_report.id);
await refusedWith("not_a_moderator", reader.removePost({ post_id: judged, removed: true }));
const removal = await again.removePost({ post_id: judged, removed: true, reason: "Off topic." });
assert.equal(removal.post_view.post.removed, true);
const { removed_posts } = await stranger.getModlog({ community_id, type_: "ModRemovePost" });
assert.equal(removed_posts[0].mod_remove_post.reason, "Off topic.");
assert.equal(removed_posts[0].moderator, undefined);
assert.equal((await again.lockPost({ post_id: judged, locked: true })).post_view.post.locked, true);
const pinned = await again.featurePost({
  post_id: judged, featured: true, feature_type: "Community",
});
assert.equal(pinned.post_view.post.featured_community, true);
await refusedWith("not_an_admin", again.purgePost({ post_id: judged }));
console.log("lemmy-js-client: done");
