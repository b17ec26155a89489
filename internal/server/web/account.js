// One's own tokens and sessions.
import { api, byId, el, render, send, t, trouble } from "./base.js";

const attempt = (act) => async (event) => {
  event?.preventDefault();
  try {
    await act(event);
    trouble("");
  } catch (err) {
    trouble(err.message);
  }
};

const day = (at) => (at ? el("time", { datetime: at }, at.slice(0, 16).replace("T", " ") + " UTC") : t("never"));

function row(token) {
  const revoke = el("button", { class: "quiet", onclick: attempt(() => end(token.id)) }, t("revoke"));
  return el("tr", {}, el("td", {}, token.name || t(token.kind)), el("td", {}, token.from || ""), el("td", {}, t("used") + " ", day(token.usedAt)),
    el("td", {}, t("expires") + " ", day(token.expiresAt)), el("td", {}, revoke));
}

async function end(id) {
  await send("/tokens/" + encodeURIComponent(id) + "/revoke");
  await show();
}

// Rows have listeners of their own, so they are replaced and not changed into another.
const fill = (id, items) => byId(id).replaceChildren(...(items.length ? items.map(row) : [el("tr", {}, el("td", {}, t("none")))]));

async function show() {
  const who = await api("/who");
  render(byId("who"), document.createTextNode(who.name));
  render(byId("groups"), document.createTextNode((who.groups || []).join(", ")));
  const [tokens, sessions] = await Promise.all([api("/tokens"), api("/users/" + encodeURIComponent(who.name) + "/sessions")]);
  fill("tokens", tokens.items);
  fill("sessions", sessions.items);
}

byId("make").addEventListener("submit", attempt(async (event) => {
  const form = new FormData(event.target);
  const made = await send("/tokens", { name: form.get("name"), expires: form.get("days") + "d" });
  byId("made").replaceChildren(el("p", {}, t("shownOnce")), el("code", {}, made.secret));
  byId("made").hidden = false;
  event.target.reset();
  await show();
}));

attempt(show)();
