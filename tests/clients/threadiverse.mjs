// One person's visit through npm's threadiverse, the client of Voyager, against a running Lichen.
// Usage: node threadiverse.mjs http://127.0.0.1:8536 [suffix for names]
import assert from "node:assert/strict";
import { LemmyV0Client, NotFoundError, ThreadiverseClient } from "threadiverse";

const [url, suffix = "t"] = process.argv.slice(2);
const password = "correct horse battery";
const stranger = new ThreadiverseClient(url);

// NodeInfo decides which protocol is spoken.
const { mode, software } = await stranger.connect();
assert.equal(mode, LemmyV0Client.mode);
assert.equal(software.name, "lemmy");

const { jwt } = await stranger.register({
  username: `voyager_${suffix}`, password, password_verify: password,
});
const person = new ThreadiverseClient(url, { headers: { Authorization: `Bearer ${jwt}` } });
const site = await person.getSite();
assert.equal(site.my_user.local_user_view.person.name, `voyager_${suffix}`);

// Voyager cannot found a community, so the API is asked by hand.
const founded = await fetch(`${url}/api/v3/community`, {
  method: "POST",
  headers: { "Content-Type": "application/json", Authorization: `Bearer ${jwt}` },
  body: JSON.stringify({ name: `harbour_${suffix}`, title: "A Harbour" }),
});
const community_id = (await founded.json()).community_view.community.id;

const { post_view } = await person.createPost({
  name: `Sailing ${suffix}`, body: "Over *water*.", community_id,
});
const post_id = post_view.post.id;
const { comment_view } = await person.createComment({ post_id, content: "Ahoy." });
const comment_id = comment_view.comment.id;
await person.createComment({ post_id, content: "Aye.", parent_id: comment_id });

assert.equal((await person.likePost({ post_id, is_upvote: false })).post_view.my_vote, -1);
assert.equal((await person.likePost({ post_id, is_upvote: true })).post_view.post.score, 1);
assert.equal((await person.likeComment({ comment_id })).comment_view.comment.score, 0);
assert.equal((await person.savePost({ post_id, save: true })).post_view.saved, true);
assert.equal((await person.saveComment({ comment_id, save: true })).comment_view.saved, true);
await person.markPostAsRead({ post_ids: [post_id], read: true });

const first = await person.getPosts({ type_: "all", sort: "Active", mode: "lemmyv0", limit: 5 });
assert.ok(first.data.some((view) => view.post.id === post_id));
if (first.next_page) await person.getPosts({ type_: "all", page_cursor: first.next_page });
const subscribed = await person.getPosts({ type_: "subscribed", sort: "New", mode: "lemmyv0" });
assert.deepEqual(subscribed.data.map((view) => view.post.id), [post_id]);
const comments = await person.getComments({ post_id, type_: "all", max_depth: 8 });
assert.equal(comments.data.length, 2);
assert.equal((await person.getPost({ id: post_id })).post_view.read, true);
await person.getCommunity({ name: `harbour_${suffix}` });
await person.listCommunities({ type_: "all", sort: "Hot", mode: "lemmyv0" });
const followed = await person.followCommunity({ community_id, follow: false });
assert.equal(followed.community_view.subscribed, "NotSubscribed");

const saved = await person.listPersonSaved({ username: `voyager_${suffix}`, limit: 10 });
assert.equal(saved.data.length, 2);
const liked = await person.listPersonLiked({ like_type: "liked_only", limit: 10 });
assert.ok(liked.data.some((view) => view.post.id === post_id));
const content = await person.listPersonContent({ username: `voyager_${suffix}`, type: "all" });
assert.equal(content.data.length, 3);
const details = await person.getPersonDetails({ username: `voyager_${suffix}` });
assert.equal(details.person_view.person.name, `voyager_${suffix}`);
const found = await person.search({ search_term: `Sailing ${suffix}`, type_: "posts" });
assert.equal(found.data[0].post.id, post_id);
const resolved = await person.resolveObject({ q: `!harbour_${suffix}` });
assert.equal(resolved.community.community.id, community_id);

assert.deepEqual(await person.getUnreadCount(), { mentions: 0, private_messages: 0, replies: 0 });
await person.getNotifications({ type_: "all" });
await person.markAllAsRead();
await person.getFederatedInstances();
await person.saveUserSettings({ show_nsfw: false });
await person.editPost({ post_id, name: `Sailing ${suffix} home` });
await person.editComment({ comment_id, content: "Ahoy there." });
await person.deleteComment({ comment_id, deleted: true });
await person.deletePost({ post_id, deleted: true });
await assert.rejects(stranger.getPost({ id: post_id }), NotFoundError);
await person.logout();
console.log("threadiverse: done");
