// Signatures against npm's libraries, both ways.
// Reads from standard input: {keyId, public, private, url, body, ours: {cavage, rfc9421}}, where
// `ours` holds the headers of two requests that Lichen signed. Says what it thinks of them, and
// prints the headers of three requests that it signed itself.
import assert from "node:assert/strict";
import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { Parser, Sha256Signer } from "activitypub-http-signatures";
import { createSigner, createVerifier, cavage, httpbis } from "http-message-signatures";

const given = JSON.parse(readFileSync(0, "utf8"));
const { host, pathname, search } = new URL(given.url);
const request = (headers) => ({ method: "POST", url: given.url, headers: { host, ...headers } });
const sha256 = createHash("sha256").update(given.body).digest("base64");
const date = new Date().toUTCString();

// What Lichen signed holds here.
const parsed = new Parser().parse({
  method: "POST", url: pathname + search, headers: { host, ...given.ours.cavage },
});
assert.equal(parsed.keyId, given.keyId);
assert.equal(parsed.verify(given.public), true);
const keyLookup = async ({ keyid }) => keyid === given.keyId && {
  id: keyid, algs: ["rsa-v1_5-sha256"],
  verify: createVerifier(createPublicKey(given.public), "rsa-v1_5-sha256"),
};
assert.equal(await httpbis.verifyMessage(
  { keyLookup, requiredFields: ["@method", "@target-uri", "content-digest"],
    requiredParams: ["created", "keyid", "alg"] },
  request(given.ours.rfc9421),
), true);

// What is signed here Lichen is to take.
const signer = new Sha256Signer({
  publicKeyId: given.keyId, privateKey: given.private,
  headerNames: ["(request-target)", "host", "date", "digest"],
});
const byDraft08 = signer.sign({
  method: "POST", url: given.url, headers: { host, date, digest: `SHA-256=${sha256}` },
});
const key = createSigner(given.private, "rsa-v1_5-sha256", given.keyId);
const byDraft12 = await cavage.signMessage(
  { key: { ...key, alg: "hs2019" }, fields: ["@request-target", "@created", "host", "digest"],
    paramValues: { created: new Date() }, params: ["keyid", "alg", "created"] },
  request({ digest: `SHA-256=${sha256}` }),
);
const byRfc9421 = await httpbis.signMessage(
  { key, name: "some-name", fields: ["content-digest", "@method", "@target-uri"],
    params: ["keyid", "created", "expires", "alg"] },
  request({ "content-digest": `sha-256=:${sha256}:` }),
);
console.log(JSON.stringify([
  { host, date, digest: `SHA-256=${sha256}`, signature: byDraft08 },
  byDraft12.headers, byRfc9421.headers,
]));
