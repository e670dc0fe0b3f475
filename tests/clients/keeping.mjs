// An administrator's visit through npm's lemmy-js-client 0.19: the site, its lists, emoji, voters.
// Usage: node keeping.mjs http://127.0.0.1:8536 name password
import assert from "node:assert/strict";
import { LemmyHttp } from "lemmy-js-client";

const [url, username_or_email, password] = process.argv.slice(2);
const { jwt } = await new LemmyHttp(url).login({ username_or_email, password });
const admin = new LemmyHttp(url, { headers: { Authorization: `Bearer ${jwt}` } });

await assert.rejects(admin.createSite({ name: "Another" }), { message: "site_already_exists" });
const { site_view, taglines } = await admin.editSite({
  sidebar: "Be kind.", taglines: ["Grow slowly."], blocked_urls: ["bad.example"],
  slur_filter_regex: "slime", rate_limit_post: 7,
});
assert.equal(site_view.site.sidebar, "Be kind.");
assert.equal(site_view.local_site.slur_filter_regex, "slime");
assert.equal(site_view.local_site_rate_limit.post, 7);
assert.equal(taglines[0].content, "Grow slowly.");

const emoji = {
  category: "plants", shortcode: "moss", image_url: "https://pictures.example/moss.png",
  alt_text: "Moss", keywords: ["green"],
};
const { custom_emoji: made } = await admin.createCustomEmoji(emoji);
const id = made.custom_emoji.id;
const { custom_emoji: edited } = await admin.editCustomEmoji({ ...emoji, id, category: "soft" });
assert.equal(edited.custom_emoji.category, "soft");
const site = await admin.getSite();
assert.deepEqual(site.custom_emojis, [edited]);
assert.equal(site.blocked_urls[0].url, "bad.example");
assert.equal((await admin.deleteCustomEmoji({ id })).success, true);

const { community_view } = await admin.createCommunity({ name: "keeping", title: "Keeping" });
const community_id = community_view.community.id;
await assert.rejects(admin.createPost({ name: "Slime", community_id }), { message: "slurs" });
await assert.rejects(
  admin.createPost({ name: "A link", url: "https://bad.example/", community_id }),
  { message: "blocked_url" },
);
const { post_view } = await admin.createPost({ name: "A post", community_id });
const post_id = post_view.post.id;
const { comment_view } = await admin.createComment({ content: "Words.", post_id });
const { post_likes } = await admin.listPostLikes({ post_id });
assert.equal(post_likes[0].creator.name, username_or_email);
assert.equal(post_likes[0].score, 1);
const { comment_likes } = await admin.listCommentLikes({ comment_id: comment_view.comment.id });
assert.equal(comment_likes.length, 1);

await admin.editSite({ taglines: [], blocked_urls: [], slur_filter_regex: "" });
console.log("ok");
