import { api, bar, byId, cause, el, live, pill, t, took } from "./base.js";

const link = (href, text) => el("a", { href }, text);

function cell(app, target) {
  if (!target) return el("td", { class: "soft" }, "–");
  const version = target.run ? "#" + target.run + " " + (target.commit || "") : "";
  return el("td", {},
    el("div", { class: "row" },
      version && el("span", { class: "mono" }, target.url ? link(target.url, version) : version),
      target.release ? link("/releases/" + target.release, pill(target.state)) : pill(target.state)),
    target.shares?.length > 1 && el("div", { class: "shares" }, target.shares.map(share)));
}

function share(s) {
  const text = s.asked === s.effective ? s.effective + " %" : s.effective + "/" + s.asked + " %";
  return el("div", { class: "share", title: t("asked") + " " + s.asked + " %, " + t("effective") + " " + s.effective + " %, " + s.ready + "/" + s.total },
    el("span", {}, "#" + s.run), bar(s.effective), el("span", {}, text));
}

function table(status) {
  const envs = status.environments || [];
  if (!status.apps.length) return [el("tbody", {}, el("tr", {}, el("td", { class: "soft" }, t("noApps"))))];
  return [
    el("thead", {}, el("tr", {}, el("th", {}, t("app")), envs.map((e) => el("th", {}, e)))),
    el("tbody", {}, status.apps.map((a) => el("tr", {},
      el("td", {}, el("b", {}, link("/runs/" + a.name, a.name)), el("div", { class: "soft" }, [a.team, a.stack].filter(Boolean).join(" · "))),
      envs.map((e) => cell(a, a.targets?.[e]))))),
  ];
}

function runCard(r) {
  const place = r.queue ? t("queue") + " " + r.queue.position + "/" + r.queue.total : r.step || "";
  return el("div", { class: "card" },
    el("div", { class: "row" }, link("/runs/" + r.id, r.name), pill(r.state), el("span", { class: "soft" }, r.env),
      el("span", { class: "grow soft" }, r.commit.title || ""), el("span", { class: "soft" }, place),
      el("span", { class: "soft" }, took(r.startedAt || r.createdAt))),
    cause(r.cause, true));
}

function releaseCard(r) {
  const now = r.batches[r.batch];
  return el("div", { class: "card" },
    el("div", { class: "row" }, link("/releases/" + r.id, r.app + " → " + r.env), pill(r.state),
      el("span", { class: "grow soft" }, r.describe), el("span", { class: "soft mono" }, "#" + r.revision.runNumber)),
    now && el("div", { class: "shares" }, el("div", { class: "share" }, el("span", {}, t("asked")), bar(now.asked), el("span", {}, now.asked + " %"))),
    cause(r.cause, true));
}

function counts(c) {
  return ["running", "queued", "releases", "waiting"].map((k) => el("div", { class: "count" }, el("b", {}, String(c[k])), el("span", { class: "soft" }, t(k))));
}

live("", async () => {
  const status = await api("/status");
  byId("counts").replaceChildren(...counts(status.counts));
  byId("apps").replaceChildren(...table(status));
  const work = [...status.releases.map(releaseCard), ...status.runs.map(runCard)];
  byId("work").replaceChildren(...(work.length ? work : [el("p", { class: "soft" }, t("nothing"))]));
});
