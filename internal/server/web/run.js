import { api, byId, cause, clock, el, live, pill, plain, t, took } from "./base.js";

const keep = 5000; // lines shown; the download has all
const name = decodeURIComponent(location.pathname.split("/").pop()) + location.hash;
let run, streaming;

function step(s) {
  const tests = s.tests && s.tests.passed + " ✓ " + (s.tests.failed ? s.tests.failed + " ✗" : "");
  return el("li", {}, pill(s.state), el("span", { class: "grow" }, s.name), tests && el("span", { class: "soft" }, tests),
    el("span", { class: "time" }, took(s.startedAt, s.finishedAt)));
}

function show(r, why) {
  const place = why.run.queue ? t("queue") + " " + why.run.queue.position + "/" + why.run.queue.total : "";
  byId("run").replaceChildren(
    el("div", { class: "row" }, el("h1", {}, r.name), pill(r.state), el("span", { class: "soft" }, r.env), el("span", { class: "soft" }, place)),
    el("div", { class: "row soft" }, el("code", {}, r.commit.sha.slice(0, 8)), r.commit.title || "",
      el("span", {}, r.by.name), el("span", {}, clock(r.createdAt)),
      r.release && el("a", { href: "/releases/" + r.release }, t("release"))),
    cause(why.cause, r.state !== "failed" && r.state !== "errored"),
    ...(why.blockers || []).map((b) => cause(b, true)),
    ...r.jobs.map((j) => el("ul", { class: "steps card" }, j.steps.map(step))));
  document.title = r.name + " · Shiplock";
}

function append(lines) {
  const log = byId("log");
  log.append(...lines.map((l) => el("div", { class: l.stream }, el("span", { class: "n" }, String(l.n)), plain(l.text))));
  while (log.childElementCount > keep) log.firstElementChild.remove();
  if (byId("follow").checked) log.scrollTop = log.scrollHeight;
}

// The log of the newest attempt, from its last lines on. The browser resumes a
// broken stream with the number of the last line by itself.
function follow(attempt) {
  if (streaming === attempt) return;
  streaming = attempt;
  byId("log").replaceChildren();
  const id = encodeURIComponent(run.id);
  byId("download").href = "/api/v1/runs/" + id + "/logs.txt";
  const feed = new EventSource("/api/v1/runs/" + id + "/logs/stream?attempt=" + attempt + "&from=-" + keep);
  feed.addEventListener("lines", (e) => append(JSON.parse(e.data)));
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
}, (e) => { byId("trouble").textContent = e.message; byId("trouble").hidden = false; });
