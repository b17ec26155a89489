// What all pages share: words, elements, the API, and live updates.
// Text from the server only ever becomes text nodes, never HTML.

const zh = {
  apps: "应用", work: "进行中", log: "日志", follow: "跟随", download: "下载", logout: "退出", history: "经过", api: "接口",
  app: "应用名", queued: "排队", running: "运行中", releases: "发布中", waiting: "待发布", succeeded: "成功", failed: "失败",
  errored: "平台错误", canceled: "已取消", healthy: "正常", progressing: "发布中", degraded: "异常", paused: "已暂停", empty: "未部署",
  proposed: "待开始", rolling: "发布中", deployed: "已部署", aborted: "已中止", superseded: "被取代", pending: "等待", skipped: "跳过",
  batch: "批次", asked: "目标", effective: "实际", nothing: "没有进行中的工作", noApps: "还没有应用：运行 shiplock apply -f 目录",
  next: "下一步", queue: "排队位置", lines: "行未显示", place: "环境", run: "运行", commit: "提交", by: "发起人", release: "发布",
  lostContact: "与服务器失去联系，正在重试…", from: "旧版本", dropped: "前面", hold: "停留", deploy: "发布", rollback: "回滚", restart: "重启",
};
const en = {
  nothing: "Nothing is under way.", noApps: "There are no apps yet: run shiplock apply -f DIR",
  queue: "in line", lostContact: "Contact with the server is lost; trying again…", from: "old version", lines: "earlier lines are not shown",
};

const chinese = document.documentElement.lang === "zh";

/** t returns the word for a key in the reader's language. */
export const t = (key) => (chinese && zh[key]) || en[key] || key;

/** el makes an element. Attributes beginning with "on" are listeners. */
export function el(tag, attrs, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else e.setAttribute(k, v);
  }
  e.append(...children.flat().filter(Boolean));
  return e;
}

/** byId finds an element of the page. */
export const byId = (id) => document.getElementById(id);

/** api reads JSON; an expired session leads to the log-in. */
export async function api(path) {
  const res = await fetch("/api/v1" + path, { headers: { Accept: "application/json" } });
  if (res.status === 401) location.assign("/login?next=" + encodeURIComponent(location.pathname));
  if (!res.ok) throw new Error((await res.json().catch(() => ({}))).message || res.statusText);
  return res.json();
}

/** trouble shows why the page cannot go on; nothing takes it back. */
export function trouble(text) {
  const box = byId("trouble");
  box.textContent = text || "";
  box.hidden = !text;
}

const tones = {
  succeeded: "good", healthy: "good", deployed: "good", failed: "bad", errored: "bad", degraded: "bad",
  running: "work", rolling: "work", progressing: "work", queued: "wait", proposed: "wait", paused: "wait",
};

/** pill shows a state. */
export const pill = (state) => el("span", { class: "pill " + (tones[state] || "") }, t(state));

/** bar shows a share in percent. */
export function bar(percent) {
  const fill = el("i");
  fill.style.width = Math.max(0, Math.min(100, percent)) + "%";
  return el("div", { class: "bar" }, fill);
}

/** cause shows why something waits or failed, with its evidence. */
export function cause(c, mild) {
  if (!c) return "";
  return el("div", { class: mild ? "cause mild" : "cause" },
    el("p", {}, c.text),
    c.evidence?.length && el("pre", {}, c.evidence.map(plain).join("\n")),
    c.next && el("p", { class: "next" }, t("next") + ": " + c.next));
}

/** plain takes terminal sequences and control characters out of a text. */
export function plain(text) {
  return text
    .replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g, "")
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "");
}

/** took says how long something took or takes. */
export function took(from, to) {
  if (!from) return "";
  const ms = (to ? Date.parse(to) : Date.now()) - Date.parse(from);
  if (ms < 1000) return Math.max(0, ms) + " ms";
  const s = Math.round(ms / 1000);
  return s < 60 ? (ms / 1000).toFixed(1) + " s" : Math.floor(s / 60) + " min " + (s % 60) + " s";
}

export const clock = (at) => (at ? new Date(at).toLocaleTimeString() : "");

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

for (const e of document.querySelectorAll("[data-t]")) e.textContent = chinese ? t(e.dataset.t) : e.textContent;
