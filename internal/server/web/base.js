// What all pages share: elements, the API, times, and live updates.
// Text from the server only ever becomes text nodes, never HTML.
import { chinese, t } from "./words.js";

export { t };

/** el makes an element. Attributes beginning with "on" are listeners; text becomes
 *  plain, whoever wrote it. */
export function el(tag, attrs, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v);
  }
  e.append(...children.flat().filter(Boolean).map((c) => (typeof c === "string" ? plain(c) : c)));
  return e;
}

/** byId finds an element of the page. */
export const byId = (id) => document.getElementById(id);

/** render makes elements the children of parent. What is there already stays, so
 *  that focus, selection and transitions survive. */
export function render(parent, ...children) {
  morphChildren(parent, children.flat().filter(Boolean));
}

function morphChildren(parent, wanted) {
  wanted.forEach((next, i) => {
    const old = parent.childNodes[i];
    if (!old) parent.append(next);
    else if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName) old.replaceWith(next);
    else if (next.nodeType === Node.TEXT_NODE) { if (old.data !== next.data) old.data = next.data; }
    else morph(old, next);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

function morph(old, next) {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) {
    if (name === "style") old.style.cssText = value; // the page's policy forbids the attribute
    else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, [...next.childNodes]);
}

/** api reads JSON; an expired session leads to the log-in. */
export const api = (path) => ask(path, {});

/** send gives a command, and returns its answer. */
export const send = (path, body) => ask(path, { method: "POST", body: body && JSON.stringify(body) }, body && { "Content-Type": "application/json" });

async function ask(path, options, headers) {
  const res = await fetch("/api/v1" + path, { ...options, headers: { Accept: "application/json", ...headers } });
  if (res.status === 401) location.assign("/login?next=" + encodeURIComponent(location.pathname));
  if (!res.ok) throw new Error((await res.json().catch(() => ({}))).message || res.statusText);
  return res.json();
}

/** trouble shows why the page cannot go on; nothing takes it back. */
export function trouble(text) {
  const box = byId("trouble");
  render(box, prose(text || ""));
  box.hidden = !text;
}

/** prose makes text whose `quoted` parts are commands. */
export const prose = (text) => text.split("`").map((part, i) => (part === "" ? "" : i % 2 ? el("code", {}, part) : document.createTextNode(part)));

export const link = (href, text, cls) => el("a", { href, class: cls }, text);

const tones = {
  succeeded: "good", healthy: "good", deployed: "good", passed: "good", failed: "bad", errored: "bad", degraded: "bad", returning: "bad",
  running: "work", rolling: "work", progressing: "work", queued: "wait", proposed: "wait", paused: "wait", holding: "wait",
};

/** pill shows a state. */
export const pill = (state) => el("span", { class: "pill " + (tones[state] || "") }, t(state));

/** releaseState is a release's state in the words of people: on hold is not paused. */
export const releaseState = (r) => (r.ending && !r.finishedAt ? "returning" : r.manual ? "holding" : r.state);

/** describe says what a release does, such as "canary 25 % · batch 1/2". */
export function describe(r) {
  const kind = r.kind === "deploy" && r.strategy === "canary" ? "canary" : r.kind;
  const now = r.batches[r.batch];
  const share = now && r.batches.length > 1 && r.startedAt && r.state !== "deployed" ? " " + now.asked + " % · " + t("batch") + " " + (r.batch + 1) + "/" + r.batches.length : "";
  return (r.emergency ? t("emergency") + " · " : "") + t(kind) + share;
}

/** may tells whether the reader may do a command to a release. */
export const may = (r, verb) => (r.may || []).includes("release." + verb);

/** holdNote says that a release waits for a person, and what the reader can do with it. */
export function holdNote(r) {
  if (!r.manual) return "";
  const command = (verb) => el("li", {}, el("code", {}, "shiplock release " + verb + " " + r.app + " --env " + r.env), " ", el("span", { class: "soft" }, "# " + t("do." + verb)));
  return el("div", { class: "cause mild" }, el("p", {}, t("holdsAt") + " " + r.batches[r.batch].asked + " %" + t("untilContinued")),
    el("ul", { class: "commands" }, ["continue", "full", "abort"].filter((verb) => may(r, verb)).map(command)));
}

/** bar shows a share in percent. */
export function bar(percent, tone) {
  const fill = el("i");
  fill.style.width = Math.max(0, Math.min(100, percent)) + "%";
  return el("div", { class: "bar " + (tone || ""), "aria-hidden": "true" }, fill);
}

/** cause shows why something waits or failed, with its evidence. */
export function cause(c, mild) {
  if (!c) return "";
  const evidence = (c.evidence || []).filter((e) => !c.text.includes(e));
  return el("div", { class: mild ? "cause mild" : "cause" },
    el("p", {}, plain(c.text)),
    evidence.length > 0 && el("pre", { tabindex: "0" }, evidence.map(plain).join("\n")),
    c.next && el("p", { class: "next" }, t("next") + colon, prose(c.next)));
}

/** plain takes terminal sequences and control characters out of a text. */
export function plain(text) {
  return text
    .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g, "")
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]|\p{Bidi_Control}/gu, "");
}

function span(ms) {
  if (ms < 1000) return Math.max(0, ms) + " ms";
  const s = Math.round(ms / 1000);
  if (s < 60) return (ms / 1000).toFixed(1) + " " + t("s");
  if (s < 3600) return Math.floor(s / 60) + " " + t("min") + " " + (s % 60) + " " + t("s");
  return Math.floor(s / 3600) + " " + t("h") + " " + Math.floor((s % 3600) / 60) + " " + t("min");
}

/** by names who did something. */
export const by = (who) => t("by").replace("{who}", who);

/** colon stands between what happened and why. */
export const colon = chinese ? "：" : ": ";

/** took shows how long something took, or takes by now. */
export function took(from, to) {
  if (!from) return "";
  if (to) return el("time", {}, span(Date.parse(to) - Date.parse(from)));
  return el("time", { "data-since": from }, elapsed(from));
}

const elapsed = (from) => span(Math.floor((Date.now() - Date.parse(from)) / 1000) * 1000).replace(".0 " + t("s"), " " + t("s"));

/** ago shows when something was, relative to now; its title has the time itself. */
export function ago(at) {
  if (!at) return "";
  return el("time", { datetime: at, title: new Date(at).toLocaleString(), "data-ago": at }, agoText(at));
}

function agoText(at) {
  const s = Math.floor((Date.now() - Date.parse(at)) / 1000);
  if (s < 10) return t("justNow");
  const [n, unit] = s < 60 ? [s, "s"] : s < 3600 ? [Math.floor(s / 60), "min"] : s < 86400 ? [Math.floor(s / 3600), "h"] : [Math.floor(s / 86400), "d"];
  return n + " " + t(unit) + t("ago");
}

setInterval(() => {
  for (const e of document.querySelectorAll("[data-since]")) e.textContent = elapsed(e.dataset.since);
  for (const e of document.querySelectorAll("[data-ago]")) e.textContent = agoText(e.dataset.ago);
}, 1000);

/** live calls refresh now and after every change, one call at a time; onHistory
 *  gets every fact of a stream that follows some aggregates. */
export function live(url, refresh, onHistory) {
  let busy = false, again = false;
  const run = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try { await refresh(); trouble(""); } catch (e) { trouble(e.message); }
    busy = false;
    if (again) { again = false; run(); }
  };
  const feed = new EventSource("/api/v1/events/stream" + url);
  feed.addEventListener("changed", run);
  feed.addEventListener("history", (e) => { onHistory?.(JSON.parse(e.data)); run(); });
  feed.onopen = run;
  feed.onerror = () => trouble(t("lostContact"));
  return run;
}

for (const e of document.querySelectorAll("[data-t]")) {
  if (chinese) e.textContent = t(e.dataset.t);
  e.removeAttribute("data-t"); // which hides English words until they are Chinese
}
