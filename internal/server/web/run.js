// One run: why it is where it is, its steps, and its log.
import { ago, api, by, byId, colon, cause, el, link, live, pill, plain, releaseState, render, t, took, trouble } from "./base.js";

const keep = 5000; // lines shown; the download has all
const name = decodeURIComponent(location.pathname.split("/").pop()) + location.hash;
let run, streaming, inStep;

const marks = { succeeded: "✓", failed: "✗", errored: "✗", running: "▸", skipped: "–", canceled: "–" };

const tested = (n) => n && [n.passed + " ✓", n.failed && n.failed + " ✗", n.skipped && n.skipped + " –"].filter(Boolean).join(" · ");

// Rounded down to a tenth: 100 % is only what is whole.
function covered(c) {
  if (!c?.lines) return "";
  const share = (Math.floor((c.coveredLines * 1000) / c.lines) / 10).toFixed(1) + " %";
  return t("covers").replace("{share}", share).replace("{lines}", c.lines.toLocaleString());
}

function step(s) {
  const memory = s.usage?.peakMemory && Math.ceil(s.usage.peakMemory / 1048576) + " MiB";
  return el("li", { class: s.state },
    el("button", { class: "step", title: t(s.state), "data-step": s.name }, el("span", { class: "mark", "aria-label": t(s.state) }, marks[s.state] || "·"), s.name),
    el("span", { class: "soft" }, tested(s.tests)), el("span", { class: "soft" }, covered(s.coverage)), el("span", { class: "soft num" }, memory), el("span", { class: "soft num" }, took(s.startedAt, s.finishedAt)),
    (s.warnings || []).map((w) => el("span", { class: "warning" }, "! " + plain(w))));
}

const bytes = (n) => (n >= 1e9 ? (n / 1e9).toFixed(1) + " GB" : n >= 1e6 ? Math.round(n / 1e6) + " MB" : Math.ceil(n / 1e3) + " kB");
const fill = (key, values) => t(key).replace(/\{(\w+)\}/g, (_, k) => values[k] ?? "");

// What a job had of its caches, once it has ended.
function cacheUse(u) {
  const restored = u.result !== "miss" && fill("cacheRestored", { size: bytes(u.bytes || 0), run: u.run });
  const what = { hit: restored, stale: fill("cacheStale", { files: (u.changed || []).join(", ") }) + restored, miss: u.trouble || t("cacheMiss") }[u.result];
  const kept = u.published ? fill("cachePublished", { size: bytes(u.published) }) : u.notPublished;
  return el("li", { class: "soft" }, t("cache") + " " + u.name + ": " + plain([what, kept].filter(Boolean).join("; ")));
}

function caches(c) {
  if (!c) return null;
  const saved = c.saved && fill("cacheSaved", { time: c.saved, run: c.coldRun });
  return el("ul", { class: "facts caches" }, c.uses.map(cacheUse), saved && el("li", {}, saved));
}

function show(r, why) {
  const released = why.release;
  render(byId("run"),
    el("div", { class: "row" }, el("h1", {}, r.name + " → " + r.env), pill(r.state), el("span", { class: "soft" }, took(r.startedAt, r.finishedAt))),
    el("p", { class: "facts soft" }, el("code", { title: r.commit.sha }, r.commit.sha.slice(0, 8)), (r.commit.branch || r.commit.tag) && el("span", {}, r.commit.branch || r.commit.tag),
      r.commit.title && el("span", { class: "text" }, r.commit.title), el("span", {}, by(r.by.name)), ago(r.createdAt)),
    r.note && el("p", { class: "soft" }, r.note),
    (r.tests || r.coverage) && el("p", { class: "facts" }, el("span", {}, tested(r.tests)), el("span", {}, covered(r.coverage))),
    released && el("p", { class: "facts" }, link("/releases/" + released.id, released.app + " → " + released.env), pill(releaseState(released))),
    cause(why.cause, !["failed", "errored"].includes(r.state)),
    ...(why.lost || []).map((l) => el("p", { class: "soft" }, t("attempt") + " " + l.attempt + " " + t("lost") + colon + l.cause.text)),
    ...(why.blockers || []).map((b) => cause(b, true)),
    ...r.jobs.map((j) => el("ul", { class: "steps" }, j.steps.map(step))),
    ...r.jobs.map((j) => caches(j.caches)).filter(Boolean));
  document.title = r.name + " · " + t(r.state) + " · Shiplock";
  byId("logbox").hidden = !r.jobs[0]?.attempt;
}

// A step's name leads to where its log begins.
byId("run").addEventListener("click", (e) => {
  const wanted = e.target.closest("[data-step]")?.dataset.step;
  const head = wanted && [...byId("log").querySelectorAll(".head")].find((h) => h.dataset.of === wanted);
  if (!head) return;
  byId("follow").checked = false;
  byId("log").scrollTop += head.getBoundingClientRect().top - byId("log").getBoundingClientRect().top;
});

function line(l) {
  const row = el("div", { class: l.stream }, el("span", { class: "n" }, String(l.n)), plain(l.text));
  if (l.step === inStep) return [row];
  inStep = l.step;
  return [el("div", { class: "head", "data-of": l.step }, l.step), row];
}

function append(lines) {
  const log = byId("log");
  const rows = document.createDocumentFragment();
  for (const l of lines) rows.append(...line(l));
  log.append(rows);
  while (log.childElementCount > keep) log.firstElementChild.remove();
  const before = Number(log.querySelector(".n")?.textContent || 1) - 1;
  byId("earlier").hidden = before < 1;
  byId("earlier").textContent = before + " " + t("earlier");
  toEnd();
}

// Rows have their true height only once they are seen, hence the second look.
function toEnd(looks = 3) {
  if (!byId("follow").checked) return;
  byId("log").scrollTop = byId("log").scrollHeight;
  if (looks > 1) requestAnimationFrame(() => toEnd(looks - 1));
}

// Who looks back is not pulled to the end.
const lookBack = () => { byId("follow").checked = false; };
byId("log").addEventListener("wheel", (e) => e.deltaY < 0 && lookBack(), { passive: true });
byId("log").addEventListener("keydown", (e) => ["ArrowUp", "PageUp", "Home"].includes(e.key) && lookBack());
byId("follow").addEventListener("change", () => toEnd());

// The log of the newest attempt, from its last lines on. The browser resumes a
// broken stream with the number of the last line by itself.
function follow(attempt) {
  if (streaming === attempt) return;
  streaming = attempt;
  inStep = undefined;
  byId("log").replaceChildren();
  const id = encodeURIComponent(run.id);
  byId("download").href = "/api/v1/runs/" + id + "/logs.txt";
  const feed = new EventSource("/api/v1/runs/" + id + "/logs/stream?attempt=" + attempt + "&from=-" + keep);
  feed.addEventListener("lines", (e) => { if (streaming === attempt) append(JSON.parse(e.data)); });
  feed.addEventListener("end", () => feed.close());
}

async function refresh() {
  const of = encodeURIComponent(run?.id || name);
  const [r, why] = await Promise.all([api("/runs/" + of), api("/runs/" + of + "/explain")]);
  run = r;
  show(r, why);
  if (r.jobs[0]?.attempt) follow(r.jobs[0].attempt);
}

api("/runs/" + encodeURIComponent(name)).then((r) => {
  run = r;
  live("?ref=run/" + r.id + "@" + r.version, refresh);
}, (e) => trouble(e.message));
