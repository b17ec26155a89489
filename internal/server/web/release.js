// One release: its batches, the versions that share the traffic, and its history.
import { chinese } from "./words.js";
import { ago, api, bar, by, byId, cause, describe, el, holdNote, link, live, may, pill, prose, releaseState, render, send, t, took, trouble } from "./base.js";

const id = location.pathname.split("/").pop();

function batchState(b, r, current) {
  if (b.passedAt) return b.readyAt ? "passed" : "leftOut";
  if (r.finishedAt) return b.startedAt ? r.state : "leftOut";
  if (!b.startedAt) return "pending";
  return current ? releaseState(r) : "running";
}

function batch(b, i, r) {
  const share = b.readyAt && b.effective !== b.asked ? b.effective + " / " + b.asked + " %" : b.asked + " %";
  const hold = b.hold === "none" ? "" : b.hold === "manual" ? t("manualHold") : t("hold") + " " + b.hold;
  return el("li", {}, el("span", {}, t("batch") + " " + (i + 1)), pill(batchState(b, r, i === r.batch)),
    el("span", { class: "num", title: t("effective") + " / " + t("asked") }, share), bar(b.readyAt ? b.effective : 0),
    el("span", { class: "soft" }, hold), el("span", { class: "soft num" }, b.readyAt ? [t("healthy"), " ", took(b.startedAt, b.readyAt)] : ""));
}

function version(v, r) {
  const known = [[r.revision, "newVersion"], [r.base, "oldVersion"]].find(([x]) => x?.id === v.revision);
  const text = known ? "#" + known[0].runNumber + " " + (known[0].commit?.sha || "").slice(0, 8) : v.revision.slice(7, 19);
  return el("li", {}, el("span", { class: "mono" }, text), el("span", { class: "soft" }, known ? t(known[1]) : ""),
    el("span", { class: "num" }, v.effective + " %"), bar(v.effective, known?.[1] === "oldVersion" ? "old" : ""),
    el("span", { class: "soft" }, v.ready + "/" + v.total + " " + t("ready")), cause(v.cause, true));
}

function moved(m) {
  if (m.unknown) return t("movedUnknown").replace("{branch}", m.branch) + " " + m.unknown;
  return t("moved").replace("{branch}", m.branch).replace("{n}", m.by).replace("{since}", m.since.slice(0, 8));
}

// starts says when a release that waits for a window starts, by that window's clock.
function starts(r) {
  const zone = r.window?.zone || "UTC";
  const at = new Date(r.startsAt).toLocaleString(chinese ? "zh-CN" : "en-CA", { timeZone: zone, hourCycle: "h23", weekday: "short", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return el("p", {}, t("startsAt").replace("{at}", at + " " + zone).replace("{n}", r.place.number).replace("{of}", r.place.of));
}

// The watermark of the emergency lane, which stays on a release for ever.
function emergency(r) {
  const e = r.emergency;
  if (!e) return "";
  const incident = /^https?:/.test(e.incident) ? link(e.incident, e.incident) : e.incident;
  return el("div", { class: "cause" }, el("p", {}, el("strong", {}, t("emergency")), e.breakGlass && " · " + t("nobodyAsked"), " · " + r.reason + " · ", incident,
    r.underReview && " · " + t("toReview"), e.review && " · " + t("reviewedBy") + " " + e.review.by.name + " “" + e.review.reason + "”"));
}

// The form of an answer is of the subject that the reader sees: consent to anything else
// is refused.
function answers(r) {
  const verbs = ["approve", "reject"].filter((verb) => may(r, verb));
  if (!verbs.length) return r.approval.refusal && el("p", { class: "soft" }, prose(r.approval.refusal));
  return el("form", { class: "answer", novalidate: "", "data-subject": r.approval.subject },
    el("label", {}, el("span", { class: "soft" }, t("answerNote")), el("textarea", { name: "note", rows: "2", maxlength: "1000" })),
    el("div", { class: "row" }, verbs.map((verb) => el("button", { class: verb === "reject" ? "danger" : "", value: verb }, t("do." + verb)))));
}

byId("release").addEventListener("submit", async (e) => {
  e.preventDefault();
  const { note } = e.target.elements, verb = e.submitter.value, text = note.value.trim();
  note.setCustomValidity(verb === "reject" && !text ? t("reasonNeeded") : "");
  if (!note.reportValidity()) return;
  e.submitter.disabled = true;
  try {
    await send("/releases/" + id + "/" + verb, verb === "approve" ? { subject: e.target.dataset.subject, note: text } : { reason: text });
    note.value = "";
    refused("");
  } catch (err) { refused(err.message); }
  e.submitter.disabled = false;
});

// refused says why an answer did not count, until the next one.
function refused(why) {
  render(byId("refused"), prose(why));
  byId("refused").hidden = !why;
}

// Who has consented, whose consent is lacking, and how to give it.
function approvals(r) {
  const a = r.approval;
  if (!a) return "";
  return el("section", {}, el("h2", {}, t("approvals")),
    el("ul", { class: "grid approvals" }, a.votes.map((v) => el("li", {}, el("strong", {}, v.by.name), el("span", {}, t("approvedBy")), el("span", { class: "soft" }, v.rule), el("span", { class: "soft" }, v.note || ""), el("span", { class: "soft end" }, ago(v.at)))),
      (a.groups || []).map((g) => el("li", {}, el("strong", {}, g.name), el("span", {}, t("ofNeeded").replace("{have}", g.have).replace("{min}", g.min)), el("span", { class: "soft" }, (g.who || []).join(", "))))),
    r.state === "proposed" && !a.met && !a.void && answers(r));
}

function show(r) {
  const versions = r.observed?.versions || [];
  const commit = r.revision.commit || {};
  const url = r.observed?.url;
  render(byId("release"),
    el("div", { class: "row" }, el("h1", {}, r.app + " → " + r.env), pill(releaseState(r)), el("span", { class: "soft" }, describe(r)),
      el("span", { class: "soft" }, took(r.startedAt, r.finishedAt))),
    el("p", { class: "facts soft" }, link("/runs/" + (r.revision.run || r.app), r.app + "#" + r.revision.runNumber), el("code", { title: commit.sha }, (commit.sha || "").slice(0, 8)),
      commit.title && el("span", { class: "text" }, commit.title), r.base && el("span", {}, t("oldVersion") + " #" + r.base.runNumber), url && link(url, url)),
    (r.from || r.moved) && el("p", { class: "soft" }, r.from && t("promotedFrom") + " " + r.from, r.from && r.moved && " · ", r.moved && moved(r.moved)),
    emergency(r),
    holdNote(r),
    cause(r.cause, r.state !== "failed" && r.ending !== "failed"),
    r.place && starts(r),
    ...(r.blockers || []).map((b) => cause(b, true)),
    approvals(r),
    el("ul", { class: "grid batches" }, r.batches.map((b, i) => batch(b, i, r))),
    versions.length > 0 && el("h2", {}, t("versions")),
    versions.length > 0 && el("ul", { class: "grid versions" }, versions.map((v) => version(v, r))));
  document.title = r.app + " → " + r.env + " · " + t(releaseState(r)) + " · Shiplock";
  byId("happened").hidden = false;
  if (!byId("history").childElementCount) happened({ name: t("requested"), at: r.createdAt, actor: r.by, reason: r.reason });
}

function happened(h) {
  const n = h.data?.Batch;
  const what = (n === undefined ? "" : t("batch") + " " + (n + 1) + " ") + t(h.name) + (n !== undefined && h.data.Effective ? " " + h.data.Effective + " %" : "");
  const reason = h.reason || h.data?.Reason;
  byId("history").append(el("li", {}, el("span", {}, what, reason && el("span", { class: "soft" }, " “" + reason + "”")),
    el("span", { class: "soft" }, h.actor.kind === "system" ? "" : by(h.actor.name)), el("span", { class: "soft end" }, ago(h.at))));
}

// The history of the release from its beginning, and what its target does from now on.
async function begin() {
  const r = await api("/releases/" + id);
  const target = r.app + "/" + r.env;
  const { version } = await api("/targets/" + target);
  show(r);
  live("?ref=release/" + id + "&ref=target/" + target + "@" + version, async () => show(await api("/releases/" + id)),
    (h) => h.ref.kind === "release" && happened(h));
}

begin().catch((e) => trouble(e.message));
