// @atcute/jetstream, unmodified: it validates each event, says hello first and always sends a cursor.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const folder = new URL("../clients/", import.meta.url);
const require = createRequire(folder);
const at = new URL("node_modules/@atcute/jetstream/dist/index.js", folder);
const { JetstreamSubscription } = await import(at.href);
const WebSocket = require("ws");

const [url, count, collections, dids, cursor] = process.argv.slice(2);
let left = Number(count);
const subscription = new JetstreamSubscription({
  url, ws: { WebSocket }, cursor: cursor ? Number(cursor) : undefined,
  wantedCollections: collections ? collections.split(",") : undefined,
  wantedDids: dids ? dids.split(",") : undefined,
  onError: (error) => { console.error(JSON.stringify(error)); process.exit(1); },
  onConnectionOpen: () => console.log(JSON.stringify({ kind: "open" })),
});
for await (const event of subscription) {
  console.log(JSON.stringify({ kind: event.kind, cursor: event.cursor, did: event.did }));
  left -= 1;
  if (left === 0) process.exit(0);
}
