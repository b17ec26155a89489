// The status page: what is under way, what ended, and apps × environments.
import { ago, api, bar, byId, cause, describe, el, holdNote, link, live, pill, prose, releaseState, render, t, took } from "./base.js";

const recently = 8;
let status;

function cell(target) {
  if (!target) return el("td", { class: "soft" }, "–");
  const shares = (target.shares || []).filter((s) => s.asked || s.effective); // another is kept warm
  const version = target.run ? "#" + target.run + " " + (target.commit || "") : "";
  const state = target.release ? link("/releases/" + target.release, pill(target.state)) : pill(target.state);
  return el("td", {},
    el("div", { class: "row" }, version && (target.url ? link(target.url, version, "mono") : el("span", { class: "mono" }, version)), state),
    shares.length > 1 && el("div", { class: "shares" }, shares.map((s) => share(s, target))),
    target.drift && drift(target.drift));
}

// drift says which fields somebody has changed of what was applied.
function drift(fields) {
  return el("details", { class: "soft" }, el("summary", {}, t("drift") + " " + fields.length),
    fields.map((d) => el("div", { class: "mono" }, d.object + " " + d.field + ": " + (d.have || "–") + " ≠ " + (d.want || "–") + (d.by ? " (" + d.by + ")" : ""))));
}

function share(s, target) {
  const text = (s.asked === s.effective ? s.effective : s.effective + "/" + s.asked) + " %";
  const title = t("asked") + " " + s.asked + " %, " + t("effective") + " " + s.effective + " %, " + s.ready + "/" + s.total + " " + t("ready");
  return el("div", { class: "share", title }, el("span", { class: "mono" }, "#" + s.run), bar(s.effective, s.run === target.run ? "old" : ""), el("span", {}, text));
}

const empty = (key, columns) => el("tr", {}, el("td", { class: "soft", colspan: columns }, prose(t(key))));

function showApps() {
  const envs = status.environments || [];
  const wanted = byId("filter").value.trim().toLowerCase();
  const apps = status.apps.filter((a) => [a.name, a.team, a.stack].join(" ").toLowerCase().includes(wanted));
  render(byId("head"), el("tr", {}, [t("app"), ...envs].map((e) => el("th", { scope: "col" }, e))));
  render(byId("apps"), apps.length ? apps.map((a) => el("tr", {},
    el("th", { scope: "row" }, link("/runs/" + a.name, a.name), el("div", { class: "soft" }, [a.team, a.stack].filter(Boolean).join(" · "))),
    envs.map((e) => cell(a.targets?.[e])))) : empty(status.apps.length ? "noMatch" : "noApps", envs.length + 1));
}

function runCard(r) {
  return el("div", { class: "card" },
    el("div", { class: "row" }, link("/runs/" + r.id, r.name), el("span", {}, "→ " + r.env), pill(r.state), r.step && el("span", {}, r.step),
      el("span", { class: "soft end" }, took(r.startedAt || r.createdAt))),
    r.commit.title && el("div", { class: "soft cut" }, r.commit.title),
    cause(r.cause, true));
}

function releaseCard(r) {
  const now = r.batches[r.batch];
  return el("div", { class: "card" },
    el("div", { class: "row" }, link("/releases/" + r.id, r.app + " → " + r.env), pill(releaseState(r)),
      el("span", { class: "mono" }, "#" + r.revision.runNumber), el("span", { class: "soft" }, describe(r)),
      el("span", { class: "soft end" }, took(r.startedAt || r.createdAt))),
    now && bar(r.state === "proposed" ? 0 : now.asked),
    holdNote(r), cause(r.cause, true));
}

function ended(item) {
  const { href, name, state, at, what, why } = item;
  return el("li", {}, el("div", { class: "row" }, pill(state), link(href, name), el("span", { class: "soft cut grow" }, what), el("span", { class: "soft end" }, ago(at))),
    why && el("div", { class: "why cut", title: why.text }, why.text));
}

const endedRun = (r) => ({ href: "/runs/" + r.id, name: r.name + " → " + r.env, state: r.state, at: r.finishedAt, what: r.commit.title || "", why: r.cause });
const endedRelease = (r) => ({ href: "/releases/" + r.id, name: r.app + " → " + r.env, state: r.state, at: r.finishedAt, what: "#" + r.revision.runNumber + " " + describe(r), why: r.cause });

function counts(c) {
  return [["running", "nRunning"], ["queued", "nQueued"], ["releases", "nReleases"], ["waiting", "nWaiting"]]
    .map(([k, word]) => el("span", { class: c[k] ? "count some" : "count" }, el("b", {}, String(c[k])), " " + t(word)));
}

byId("filter").placeholder = t("filter");
byId("filter").setAttribute("aria-label", t("filter"));
byId("filter").addEventListener("input", () => status && showApps());

live("", async () => {
  const limit = "?limit=" + (recently + 20); // some of the newest have not ended
  const [s, runs, releases] = await Promise.all([api("/status"), api("/runs" + limit), api("/releases" + limit)]);
  status = s;
  render(byId("counts"), counts(s.counts));
  showApps();
  const work = [...s.releases.map(releaseCard), ...s.runs.map(runCard)];
  render(byId("work"), work.length ? work : el("p", { class: "soft" }, t("nothing")));
  const over = [...runs.items.map(endedRun), ...releases.items.map(endedRelease)].filter((i) => i.at)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, recently);
  render(byId("recent"), over.length ? over.map(ended) : el("li", { class: "soft" }, t("noneYet")));
});
