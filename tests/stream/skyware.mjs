// @skyware/jetstream, unmodified, against a stream's server: prints what it got as JSON lines.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../clients/", import.meta.url));
const { Jetstream } = await import(pathToFileURL(require.resolve("@skyware/jetstream")).href);
const WebSocket = require("ws");

const [url, count, collections, dids, cursor] = process.argv.slice(2);
let left = Number(count);
const jetstream = new Jetstream({
  endpoint: `${url}/subscribe`, ws: WebSocket, cursor: Number(cursor),
  wantedCollections: collections ? collections.split(",") : undefined,
  wantedDids: dids ? dids.split(",") : undefined,
});
const told = (event) => {
  console.log(JSON.stringify({ kind: event.kind, cursor: event.cursor, did: event.did }));
  left -= 1;
  if (left === 0) jetstream.close(), process.exit(0);
};
for (const kind of ["commit", "identity", "account"]) jetstream.on(kind, told);
jetstream.on("error", (error) => { console.error(error); process.exit(1); });
jetstream.start();
