// What pages do beyond HTML: keys, drafts, marks, the palette. Everything works without this file.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const SHOWN = ".post, .c, .place";
const DRAFT_AGE_MS_MAX = 30 * 86_400_000;

// --- unfolding: pressing a link again folds what it unfolded -------------------------------------

document.addEventListener("htmx:beforeRequest", (event) => {
  const link = event.target;
  if (!link.matches("a[href]")) return;
  const place = link.closest(".post, .c")?.querySelector(":scope > .u, :scope > details > .u");
  if (!place || link.matches(".more")) return;
  if (place.dataset.from === link.href && place.childElementCount) {
    event.preventDefault();
    place.replaceChildren();
    place.dataset.from = "";
  } else {
    place.dataset.from = link.href;
  }
});

document.addEventListener("htmx:beforeRequest", () => document.body.classList.add("htmx-busy"));
document.addEventListener("htmx:afterRequest", (event) => {
  document.body.classList.remove("htmx-busy");
  const form = event.target.closest?.("form.reply");
  if (event.detail.successful && form && event.detail.requestConfig.verb === "post"
      && event.target === form) {
    forget(form);
    form.reset();
    $(".preview", form)?.replaceChildren();
  }
});

// What is replaced under somebody's finger keeps their focus.
let held = "";
document.addEventListener("htmx:beforeSwap", (event) => {
  const active = document.activeElement;
  held = event.detail.target?.contains(active) ? active.className.split(" ")[0] : "";
});

document.addEventListener("htmx:afterSettle", (event) => {
  const now = held && event.detail.elt;
  if (now) (now.matches("." + held) ? now : $("." + held, now))?.focus();
  held = "";
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "notice") setTimeout(() => event.target.replaceChildren(), 8000);
  restoreDrafts();
  $("[autofocus]", event.target)?.focus();
});

document.addEventListener("htmx:sendError", () => say("The server cannot be reached. What you "
  + "typed is still here; try again in a moment."));

function say(text) {
  const box = document.createElement("div");
  box.className = "said";
  box.setAttribute("role", "alert");
  box.textContent = text;
  $("#notice").replaceChildren(box);
  setTimeout(() => box.remove(), 8000);
}

// --- drafts: kept in this browser until they are published ----------------------------------------

const draftKey = (area) => "draft:" + area.dataset.draft;

function restoreDrafts() {
  for (const area of $$("textarea[data-draft]:not([data-restored])")) {
    area.dataset.restored = "1";
    const kept = JSON.parse(localStorage.getItem(draftKey(area)) || "null");
    if (!kept || area.value) continue;
    if (Date.now() - kept.at > DRAFT_AGE_MS_MAX) localStorage.removeItem(draftKey(area));
    else area.value = kept.text;
  }
}

function forget(form) {
  for (const area of $$("textarea[data-draft]", form)) localStorage.removeItem(draftKey(area));
}

document.addEventListener("input", (event) => {
  const area = event.target;
  if (!area.matches?.("textarea[data-draft]")) return;
  if (area.value) localStorage.setItem(draftKey(area), JSON.stringify({ text: area.value, at: Date.now() }));
  else localStorage.removeItem(draftKey(area));
});

// A plain form that is sent leaves its draft; if it is refused, the page comes back with the text.
document.addEventListener("submit", (event) => {
  if (!event.target.hasAttribute("hx-boost")) forget(event.target);
});

// --- the small bar: marks around what is selected -------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-mark]");
  if (button) {
    const area = $("textarea", button.closest(".field, form"));
    const [before, after] = button.dataset.mark.split(",");
    const [start, end] = [area.selectionStart, area.selectionEnd];
    area.setRangeText(before + area.value.slice(start, end) + after, start, end, "end");
    area.selectionStart = start + before.length;
    area.selectionEnd = area.selectionStart + (end - start);
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
    return;
  }
  const meta = event.target.closest(".c > .m");
  if (meta && !event.target.closest("a")) fold(meta.parentElement);
  const share = event.target.closest("[data-share]");
  if (share) {
    event.preventDefault();
    if (navigator.share) navigator.share({ url: share.href }).catch(() => {});
    else navigator.clipboard.writeText(share.href).then(() => say_good("The address is copied."));
    return;
  }
  for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

function say_good(text) {
  say(text);
  $("#notice .said").classList.add("good");
}

// --- pictures: chosen, pasted or dropped; uploaded with progress, words first, then into the text ----

function upload(box, file) {
  const form = new FormData();
  form.append("picture", file);
  const bar = $("progress", box);
  const request = new XMLHttpRequest();
  request.open("POST", "/pictures");
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.onprogress = (event) => (bar.value = event.loaded / event.total);
  request.onerror = () => uploaded(box, { error: "The server cannot be reached; try again." });
  request.onload = () => uploaded(box, request.response ?? { error: "The server does not take it." });
  bar.value = 0;
  bar.hidden = false;
  request.send(form);
}

function uploaded(box, answer) {
  $("progress", box).hidden = true;
  if (answer.error) return say(answer.error);
  box.dataset.url = answer.url;
  $("input[name=picture_alt]", box).focus();
  say_good("The picture is here. Say what it shows, then add it.");
}

function add_picture(box) {
  const form = box.closest("form");
  const words = $("input[name=picture_alt]", box);
  const kept = $("input[name=picture_kept]", box);
  const file = $("input[type=file]", box)?.files[0];
  const url = box.dataset.url ?? (kept && new URL("/pictrs/image/" + kept.value, location).href);
  if (!url) return file ? upload(box, file) : say("Choose a picture first, then add it.");
  if (!words.value.trim()) {
    words.focus();
    return say("Say in a few words what the picture shows: people who cannot see it read that.");
  }
  place(form, url, words.value.trim());
  delete box.dataset.url;
  kept?.remove();
  words.value = "";
  const chosen = $("input[type=file]", box);
  if (chosen) chosen.value = "";
}

function place(form, url, words) {
  const link = $("input[name=url]", form);
  if (link && !link.value) {
    link.value = url;
    $("input[name=alt_text]", form).value = words;
    return;
  }
  const area = $("textarea", form);
  const shown = words.replace(/[[\]\\]/g, "\\$&");
  area.setRangeText(`\n![${shown}](${url})\n`, area.selectionStart, area.selectionEnd, "end");
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=picture_add]");
  if (!button) return;
  event.preventDefault();
  add_picture(button.closest(".add"));
});

document.addEventListener("change", (event) => {
  const box = event.target.closest(".add");
  if (box && event.target.type === "file" && event.target.files[0]) upload(box, event.target.files[0]);
});

function take_picture(event, files) {
  const picture = [...(files ?? [])].find((file) => file.type.startsWith("image/"));
  const box = event.target.closest?.("form") && $(".add", event.target.closest("form"));
  if (!picture || !box) return;
  event.preventDefault();
  const fold = box.closest("details");
  if (fold) fold.open = true;
  upload(box, picture);
}

document.addEventListener("paste", (event) => take_picture(event, event.clipboardData?.files));
document.addEventListener("drop", (event) => take_picture(event, event.dataTransfer?.files));
document.addEventListener("dragover", (event) => {
  if (event.dataTransfer?.types.includes("Files") && $(".add")) event.preventDefault();
});

// --- keys -----------------------------------------------------------------------------------------

const current = () => document.activeElement?.closest(SHOWN);

function move(step) {
  const items = $$(SHOWN).filter((item) => item.checkVisibility?.() ?? item.offsetParent);
  const at = items.indexOf(current());
  go(items[Math.min(items.length - 1, Math.max(0, at + step))]);
}

function go(item) {
  if (!item) return;
  item.tabIndex = -1;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

const press = (selector) => {
  const here = current();
  (here && $(selector, here))?.click();
};

function parent() {
  go(current()?.parentElement.closest(SHOWN));
}

function sibling() {
  let next = current()?.nextElementSibling;
  while (next && !next.matches(SHOWN)) next = next.nextElementSibling;
  go(next);
}

function fold(comment) {
  const branch = $(":scope > details", comment);
  branch.open = !branch.open;
}

function open() {
  const here = current();
  if (here?.matches(".c")) fold(here);
  else $("h2 a, h3 a, a[href]", here)?.click();
}

const KEYS = {
  j: () => move(1), k: () => move(-1), "[": parent, "]": sibling,
  r: () => press("a[href$='/reply']") ?? (current()?.matches(".whole") && $("#f-content")?.focus()),
  a: () => press(".up"), z: () => press(".down"),
  "/": () => $(".find input").focus(),
  "?": () => unfold("/shortcuts", "Keyboard shortcuts"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.key === "k") return take(event, palette);
  if (event.altKey && event.shiftKey && event.code === "KeyK") return take(event, KEYS["?"]);
  if (event.altKey && event.shiftKey && event.code === "KeyF") return take(event, widen);
  if (event.key === "Escape" && event.target.matches(".judge input")) return take(event, () => go(current()));
  if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey
      || event.altKey) return;
  if (event.key === "Enter" && event.target.matches(SHOWN)) return take(event, open);
  const deed = /^[a-z]$/.test(event.key) && current()?.querySelector(`[data-key="${event.key}"]`);
  if (deed) return take(event, () => (deed.matches("input") ? deed.focus() : deed.click()));
  if (KEYS[event.key]) take(event, KEYS[event.key]);
});

function take(event, act) {
  event.preventDefault();
  act();
}

function widen() {
  document.documentElement.toggleAttribute("data-wide");
}

// --- the palette and other sheets that float ------------------------------------------------------

// A dialog that has just closed stays until its "close" event: only an open one counts as there.
function sheet(label) {
  $$("dialog:not([open])").forEach((stale) => stale.remove());
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", label);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  return dialog;
}

async function fetched(path) {
  const answer = await fetch(path, { headers: { "HX-Request": "true" } });
  return answer.text();
}

async function unfold(path, label) {
  if ($("dialog[open]")) return;
  const dialog = sheet(label);
  dialog.innerHTML = await fetched(path);
  if (dialog.isConnected) dialog.showModal();
}

async function palette() {
  if ($("dialog[open]")) return $("dialog[open]").close();
  const dialog = sheet("Go anywhere");
  dialog.innerHTML = '<input type="search" aria-label="Go to" placeholder="Go to…" autocomplete="off">';
  dialog.insertAdjacentHTML("beforeend", await fetched("/places"));
  const box = $("input", dialog);
  const rows = $$("li", dialog);
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase();
    for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(words);
  });
  dialog.addEventListener("keydown", (event) => steer(event, box, rows));
  if (dialog.isConnected) dialog.showModal();
  box.focus();
}

function steer(event, box, rows) {
  const links = rows.filter((row) => !row.hidden).map((row) => $("a", row));
  const at = links.indexOf(document.activeElement);
  if (event.key === "ArrowDown") take(event, () => links[Math.min(at + 1, links.length - 1)]?.focus());
  else if (event.key === "ArrowUp") take(event, () => (at > 0 ? links[at - 1] : box).focus());
  else if (event.key === "Enter" && document.activeElement === box) {
    const search = "/search?q=" + encodeURIComponent(box.value);
    take(event, () => location.assign(links[0]?.href ?? search));
  }
}

restoreDrafts();

// --- new comments: counted as they come, shown when asked for --------------------------------------

const fresh = $("[data-live]");
if (fresh && window.EventSource) {
  const coming = new Set();
  let shown = 0;
  const count = () => {
    for (const id of coming) if ($("#c" + id)) coming.delete(id);
    fresh.hidden = !coming.size;
    fresh.textContent = coming.size + (coming.size === 1 ? " new comment" : " new comments");
  };
  const stream = new EventSource(fresh.dataset.live);
  stream.addEventListener("comment", (event) => {
    coming.add(Number(event.data));
    count();
  });
  document.addEventListener("htmx:afterSwap", count);
  fresh.addEventListener("click", () => {
    const url = fresh.dataset.new + "&after=" + shown;
    shown = Math.max(shown, ...coming);
    coming.clear();
    count();
    htmx.ajax("GET", url, { target: "#fresh", swap: "beforeend" })
      .then(() => $("#fresh").lastElementChild?.scrollIntoView({ block: "center" }));
  });
  addEventListener("pagehide", () => stream.close());
}

// --- the public stream: what comes after what the page was drawn with -------------------------------

const events = $("[data-stream]");
if (events && window.EventSource) {
  const EVENTS_SHOWN_MAX = 50;
  const state = $("#stream-state");
  const stream = new EventSource(events.dataset.stream);
  const made = (tag, className, text, ...inside) => {
    const element = document.createElement(tag);
    element.className = className;
    element.append(text, ...inside);
    return element;
  };
  const TELLING = ["name", "title", "displayName", "content", "text", "kind", "subject", "shortcode"];
  const row = (event) => {
    const { operation, collection, record = {} } = event.commit;
    const told = TELLING.map((key) => record[key]).find(Boolean) ?? "";
    const meta = made("span", "meta", made("b", "", `${operation} ${collection.replace("lichen.", "")}`),
      made("time", "", new Date(event.time_us / 1000).toLocaleTimeString()));
    const words = made("span", "said-it", String(told).replace(/^at:\/\/[^/]+\//, "").slice(0, 200));
    words.dir = "auto";
    const details = made("details", "", made("summary", "", meta, words),
      made("p", "soft small", `${event.did} · ${event.cursor}`),
      made("pre", "program", JSON.stringify(event, null, 2)));
    const item = made("li", "card", details);
    item.dataset.seq = event.cursor;
    return item;
  };
  stream.onopen = () => (state.textContent = "live");
  stream.onerror = () => (state.textContent = stream.readyState === 2 ? "not live" : "connecting…");
  stream.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (!event.commit || Number(events.firstElementChild?.dataset.seq ?? 0) >= event.cursor) return;
    $("#nothing")?.remove();
    events.prepend(row(event));
    while (events.childElementCount > EVENTS_SHOWN_MAX) events.lastElementChild.remove();
  };
  addEventListener("pagehide", () => stream.close());
}
