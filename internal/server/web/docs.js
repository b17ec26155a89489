// A reader for /openapi.json: operations by tag with parameters, bodies and a
// curl line.
import { byId, el, trouble } from "./base.js";

let doc;

const resolve = (s) => (s?.$ref ? { name: s.$ref.split("/").pop(), ...doc.components.schemas[s.$ref.split("/").pop()] } : s || {});

/** kindOf names a schema in a few characters. */
function kindOf(schema) {
  const s = resolve(schema);
  const type = [].concat(s.type || "any").filter((x) => x !== "null").join("|");
  if (s.name) return s.name;
  if (type === "array") return kindOf(s.items) + "[]";
  if (s.additionalProperties) return "map of " + kindOf(s.additionalProperties);
  return s.enum ? s.enum.join(" | ") : s.format ? type + " (" + s.format + ")" : type;
}

/** example makes a value that fits a schema. */
function example(schema, depth = 0) {
  const s = resolve(schema);
  const type = [].concat(s.type || "any")[0];
  if (s.enum) return s.enum[0];
  if (type === "object" && s.properties && depth < 4) {
    return Object.fromEntries((s.required || []).map((k) => [k, example(s.properties[k], depth + 1)]));
  }
  return { array: [], object: {}, integer: 0, number: 0, boolean: false, string: "…" }[type] ?? {};
}

function rows(schema) {
  const s = resolve(schema);
  return Object.entries(s.properties || {}).map(([k, v]) => el("tr", {},
    el("td", { class: "mono" }, k + (s.required?.includes(k) ? "" : "?")), el("td", { class: "mono" }, kindOf(v)), el("td", {}, v.description || "")));
}

const table = (trs) => trs.length && el("table", {}, el("tbody", {}, trs));

function body(content) {
  const [type, media] = Object.entries(content || {})[0] || [];
  if (!media) return [];
  const inner = resolve(media.schema);
  return [el("p", { class: "soft" }, type + " · " + kindOf(media.schema)), table(rows(media.schema)),
    inner.properties?.items && table(rows(resolve(inner.properties.items).items))];
}

function curl(path, method, op) {
  const sent = op.requestBody && example(Object.values(op.requestBody.content)[0].schema);
  return "curl -H \"Authorization: Bearer $SHIPLOCK_TOKEN\"" + (method === "get" ? "" : " -X " + method.toUpperCase()) +
    (sent ? " -H 'Content-Type: application/json' -d '" + JSON.stringify(sent) + "'" : "") + " " + location.origin + path;
}

function operation(path, method, op) {
  const params = (op.parameters || []).map((p) => el("tr", {}, el("td", { class: "mono" }, p.name + (p.required ? "" : "?")),
    el("td", { class: "soft" }, p.in), el("td", { class: "mono" }, kindOf(p.schema)), el("td", {}, p.description || p.schema?.description || "")));
  const ok = Object.entries(op.responses).find(([code]) => code.startsWith("2"));
  return el("details", {},
    el("summary", {}, el("span", { class: "verb " + method }, method.toUpperCase()), el("code", {}, path), el("span", { class: "soft" }, op.summary)),
    params.length && el("h2", {}, "Parameters"), table(params),
    op.requestBody && el("h2", {}, "Request"), op.requestBody && body(op.requestBody.content),
    ok && el("h2", {}, "Answer " + ok[0]), ok && body(ok[1].content),
    el("pre", { class: "code" }, curl(path, method, op)));
}

function schema([name]) {
  const ref = { $ref: "#/components/schemas/" + name };
  return el("details", { id: name }, el("summary", {}, el("code", {}, name)), table(rows(ref)));
}

async function show() {
  doc = await (await fetch("/openapi.json")).json();
  const tags = new Map();
  for (const [path, methods] of Object.entries(doc.paths))
    for (const [method, op] of Object.entries(methods)) {
      const tag = op.tags?.[0] || "other";
      tags.set(tag, [...(tags.get(tag) || []), operation(path, method, op)]);
    }
  byId("docs").replaceChildren(
    ...[...tags].flatMap(([tag, ops]) => [el("h2", {}, tag), ...ops]),
    el("h2", {}, "schemas"), ...Object.entries(doc.components.schemas).map(schema));
}

show().catch((e) => trouble(e.message));
