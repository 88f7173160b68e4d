// Shows /openapi.json: each route with its parameters, body and answers. Texts are set, never
// parsed as HTML.
"use strict";

const make = (name, text, ...children) => {
  const element = document.createElement(name);
  if (text !== undefined && text !== null) element.textContent = text;
  element.append(...children);
  return element;
};

const typeOf = (schema) => {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || "any";
  if (type.startsWith("array")) return "list of " + typeOf(schema.items);
  return schema.format ? `${type} (${schema.format})` : type;
};

// example writes a schema as an indented outline, references followed once.
const outline = (schema, all, depth, seen) => {
  if (!schema) return "";
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    if (seen.includes(name)) return name;
    return outline(all[name], all, depth, [...seen, name]);
  }
  const pad = "  ".repeat(depth + 1);
  if (schema.properties) {
    const required = schema.required || [];
    const lines = Object.entries(schema.properties).map(([name, inner]) =>
      `${pad}${name}${required.includes(name) ? "" : "?"}: ${outline(inner, all, depth + 1, seen)}`);
    return `{\n${lines.join("\n")}\n${"  ".repeat(depth)}}`;
  }
  if (schema.items) return `[${outline(schema.items, all, depth, seen)}]`;
  return schema.enum && schema.enum.length < 10 ? schema.enum.join(" | ") : typeOf(schema);
};

const rows = (parameters) => {
  const table = make("table");
  for (const p of parameters) {
    table.append(make("tr", null, make("td", null, make("code", p.name)), make("td", p.in),
      make("td", typeOf(p.schema)), make("td", p.description || "")));
  }
  return table;
};

const show = (path, method, operation, all) => {
  const body = make("div");
  body.append(make("p", operation.description || ""));
  if ((operation.parameters || []).length) body.append(rows(operation.parameters));
  const request = operation.requestBody && operation.requestBody.content["application/json"];
  if (request) body.append(make("h4", "Body"), make("pre", outline(request.schema, all, 0, [])));
  for (const [status, answer] of Object.entries(operation.responses || {})) {
    const json = answer.content && answer.content["application/json"];
    if (json) body.append(make("h4", status), make("pre", outline(json.schema, all, 0, [])));
  }
  const summary = make("summary", null, make("b", method.toUpperCase()), path + " ",
    make("small", operation.summary || ""));
  const details = make("details", null, summary, body);
  details.dataset.path = `${method} ${path} ${operation.summary || ""}`.toLowerCase();
  return details;
};

fetch("/openapi.json").then((answer) => answer.json()).then((document_) => {
  document.getElementById("about").textContent = document_.info.description || "";
  const list = document.getElementById("routes");
  const all = document_.components.schemas;
  for (const [path, item] of Object.entries(document_.paths).sort()) {
    for (const method of ["get", "post", "put", "delete"]) {
      if (item[method]) list.append(show(path, method, item[method], all));
    }
  }
  document.getElementById("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const details of list.children) details.hidden = !details.dataset.path.includes(wanted);
  });
});
