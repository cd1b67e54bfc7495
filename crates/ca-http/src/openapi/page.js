// Draws openapi.json. It makes elements and text, never markup out of text.
"use strict";

const METHODS = ["get", "put", "post", "delete"];

async function draw() {
  const answer = await fetch("/api/v1/openapi.json");
  const api = await answer.json();
  const chapters = new Map(api.tags.map((tag) => [tag.name, []]));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((method) => methods[method])) {
      const operation = methods[method];
      chapters.get(operation.tags[0]).push({ path, method, ...operation });
    }
  }
  document.getElementById("introduction").append(...prose(api.info.description));
  for (const [chapter, operations] of chapters) {
    const section = element("section", {}, element("h2", {}, chapter));
    section.append(...operations.map((operation) => article(operation, api)));
    document.getElementById("chapters").append(section);
    const links = operations.map((operation) =>
      element("a", { href: `#${operation.operationId}` }, operation.summary));
    document.getElementById("contents").append(element("h2", {}, chapter), ...links);
  }
  // The browser looked for the place before there was one.
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function article(operation, api) {
  const route = element("p", { className: "route" },
    element("span", { className: "method" }, operation.method.toUpperCase()), " ",
    element("code", {}, operation.path), " ",
    element("span", { className: "open" }, `open to ${operation["x-open-to"]}`));
  const parts = [element("h3", {}, operation.summary), route, ...prose(operation.description ?? "")];
  const parameters = operation.parameters.map((parameter) => [
    [element("code", {}, parameter.name), " ", kind(parameter.in + (parameter.required ? ", required" : ""))],
    spans(parameter.description),
  ]);
  parts.push(...titled("Parameters", parameters));
  const body = operation.requestBody?.content["application/json"].schema;
  if (body) parts.push(element("h4", {}, "Body"), shape(body, api, true));
  const answers = Object.entries(operation.responses).map(([status, response]) =>
    [[element("code", {}, status)], answerOf(response, api)]);
  parts.push(...titled("Answers", answers));
  return element("article", { id: operation.operationId }, ...parts);
}

function answerOf(response, api) {
  const parts = prose(response.description);
  for (const [type, { schema }] of Object.entries(response.content ?? {})) {
    if (type === "application/problem+json") continue;
    parts.push(element("p", {}, kind(type)));
    if (schema.$ref || schema.items) parts.push(shape(schema, api, false));
  }
  return parts;
}

// A schema as a folded table of fields. Shapes do not contain themselves.
function shape(schema, api, open) {
  const name = (schema.$ref ?? schema.items?.$ref ?? "").split("/").pop();
  const known = api.components.schemas[name];
  if (!known?.properties) return element("p", {}, kind(typeOf(schema)));
  const required = known.required ?? [];
  const rows = Object.entries(known.properties).map(([field, value]) => {
    const inner = value.oneOf?.find((one) => one.$ref) ?? value;
    const nested = api.components.schemas[(inner.$ref ?? inner.items?.$ref ?? "").split("/").pop()];
    const about = [...spans(value.description ?? nested?.description ?? "")];
    if (nested?.properties) about.push(shape(inner, api, false));
    return [
      [element("code", {}, field), " ", kind(typeOf(value) + (required.includes(field) ? ", required" : ""))],
      about,
    ];
  });
  const title = schema.items ? `${name}, a list of them` : name;
  return element("details", open ? { open: true } : {}, element("summary", {}, kind(title)), table(rows));
}

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.oneOf) return schema.oneOf.map(typeOf).filter((type) => type !== "null").join(" or ");
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  return [schema.type].flat().filter((type) => type !== "null").join(" or ");
}

function titled(title, rows) {
  return rows.length ? [element("h4", {}, title), table(rows)] : [];
}

function table(rows) {
  const cells = (row) => row.map((cell) => element("td", {}, ...cell));
  return element("table", {}, element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row)))));
}

function kind(text) {
  return element("span", { className: "kind" }, text);
}

// Paragraphs and lists, as our texts have them.
function prose(text) {
  return text.split("\n\n").filter(Boolean).map((block) => {
    if (!block.startsWith("- ")) return element("p", {}, ...spans(block));
    const items = block.split("\n").map((line) => element("li", {}, ...spans(line.slice(2))));
    return element("ul", {}, ...items);
  });
}

// Text with `code` in it.
function spans(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

draw();
