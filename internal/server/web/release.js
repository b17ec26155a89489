import { api, bar, byId, cause, clock, el, live, pill, t, took } from "./base.js";

const id = location.pathname.split("/").pop();

function batch(b, i, r) {
  const state = b.passedAt ? "succeeded" : b.readyAt ? (r.manual ? "paused" : "running") : b.startedAt ? "running" : "pending";
  const shares = b.readyAt && b.effective !== b.asked ? b.effective + " / " + b.asked + " %" : b.asked + " %";
  return el("li", {}, pill(r.finishedAt && !b.passedAt ? "canceled" : state),
    el("span", {}, t("batch") + " " + (i + 1)), el("span", { class: "grow" }, bar(b.readyAt ? b.effective : b.asked)),
    el("span", { title: t("effective") + " / " + t("asked") }, shares),
    el("span", { class: "soft" }, b.hold === "none" ? "" : t("hold") + " " + b.hold),
    el("span", { class: "time" }, took(b.startedAt, b.readyAt)));
}

function show(r) {
  const versions = r.observed?.versions || [];
  byId("release").replaceChildren(
    el("div", { class: "row" }, el("h1", {}, r.app + " → " + r.env), pill(r.state), el("span", { class: "soft" }, r.describe)),
    el("div", { class: "row soft" },
      el("a", { href: "/runs/" + (r.revision.run || r.app) }, "#" + r.revision.runNumber), el("code", {}, (r.revision.commit?.sha || "").slice(0, 8)),
      r.base && el("span", {}, t("from") + " #" + r.base.runNumber), el("span", {}, r.by.name), r.reason || "", el("span", {}, clock(r.createdAt))),
    cause(r.cause, r.state !== "failed"),
    ...(r.blockers || []).map((b) => cause(b, true)),
    el("ul", { class: "steps card" }, r.batches.map((b, i) => batch(b, i, r))),
    ...versions.map((v) => el("div", { class: "soft" }, v.revision.slice(7, 19) + ": " + v.ready + "/" + v.total + ", " + v.effective + " %")));
  document.title = r.app + " → " + r.env + " · Shiplock";
}

function happened(h) {
  byId("history").append(el("li", {}, h.name, el("span", { class: "soft" }, " · " + clock(h.at) + " · " + h.actor.name)));
}

live("?ref=release/" + id, async () => show(await api("/releases/" + id)), happened);
