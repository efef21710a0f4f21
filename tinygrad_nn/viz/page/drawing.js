// The graph on the stage: boxes that stay where they are while their numbers, and what is lit, change.
const LETTER = 6.7, SMALL = 0.84, LINE = 14, PAD = 7, STRIP = [128, 18], MOST_BOXES = 600;
const stage = document.getElementById("stage");
let drawing = null;

const outermostFold = node => {
  let found = null;
  for (let id = node.module; id; id = graph.moduleById.get(id).parent) if (state.folded.has(id)) found = id;
  return found;
};
const depthOf = module => module.parent ? 1 + depthOf(graph.moduleById.get(module.parent)) : 0;
const moduleTitle = module => [module.path, module.type].filter(Boolean).join(": ");

// Collapse the innermost modules until what is left can be drawn quickly.
function foldUntilSmall() {
  for (let depth = Math.max(-1, ...graph.modules.map(depthOf)); depth >= 0; depth--) {
    if (new Set(graph.nodes.map(node => outermostFold(node) ?? node.id)).size <= MOST_BOXES) return;
    for (const module of graph.modules) if (depthOf(module) === depth) state.folded.add(module.id);
  }
}

const errorLines = node => node.error.match(/.{1,34}(\s|$)|.{1,34}/g) ?? [];
const showsStrip = node => !isWritten(node.shape) || Boolean(node.value && !node.value.data);
const rowsOf = node => showsStrip(node) ? 1 : Math.max(1, count(node.shape.slice(0, -1)));
const partsOf = node => node.requires_grad ? ["value", "gradient"] : ["value"];

// How many letters the longest line of a node's numbers has as recorded.
const longest = new Map();
for (const now of [recorded, ...frames])
  for (const [id, which, value] of [...[...now.values].map(([id, value]) => [id, "value", value]),
    ...[...now.backward, ...now.naive ?? []].map(step => [step.node, "gradient", step.gradient])])
    if (value) longest.set(id, Math.max(longest.get(id) ?? 0, ...linesOf(value, which).map(line => line.length)));

function sizeOf(node) {
  const strip = showsStrip(node), letters = longest.get(node.id) ?? 0;
  const texts = [headOf(node).length, node.shape.length ? shapeLine(node).length * SMALL : 16]; // room for any single number
  texts.push(...node.error ? [30] : strip ? [STRIP[0] / LETTER, letters * SMALL] : [letters]);
  const numbers = partsOf(node).length * (strip ? STRIP[1] + LINE + 3 : rowsOf(node) * LINE);
  const rows = LINE + (node.error ? errorLines(node).length * LINE : numbers);
  return [Math.max(30, ...texts.map(n => n * LETTER)) + 2 * PAD, rows + (node.shape.length ? LINE : 0) + 2 * PAD - 4];
}

const shapeLine = node => `${shapeText(node.shape)} ${node.dtype}`;

function visible() {
  const shown = new Map(), parent = new Map(), edges = [], known = new Set();
  for (const node of graph.nodes) {
    const fold = outermostFold(node), id = fold ?? node.id;
    if (shown.has(id)) continue;
    shown.set(id, fold ? { fold: graph.moduleById.get(fold) } : { node });
    parent.set(id, fold ? graph.moduleById.get(fold).parent : node.module);
  }
  for (const node of graph.nodes)
    node.inputs.forEach((input, i) => {
      if (typeof input !== "string") return;
      const source = graph.byId.get(input), a = outermostFold(source) ?? input, b = outermostFold(node) ?? node.id;
      const key = a === input && b === node.id ? `${a}>${b}>${i}` : `${a}>${b}`;
      if (a === b || known.has(key)) return;
      known.add(key);
      edges.push({ a, b, from: input, to: node.id, flows: source.requires_grad && node.requires_grad });
    });
  const open = new Set();
  for (const id of shown.keys())
    for (let m = parent.get(id); m && !open.has(m); m = graph.moduleById.get(m).parent) {
      open.add(m);
      parent.set(m, graph.moduleById.get(m).parent);
    }
  return { shown, parent, edges, open: graph.modules.map(m => m.id).filter(id => open.has(id)) };
}

function redraw() {
  const { shown, parent, edges, open } = visible(), sizes = new Map();
  for (const [id, { node, fold }] of shown) sizes.set(id, fold ? [Math.max(90, moduleTitle(fold).length * LETTER + 30), 44] : sizeOf(node));
  const placed = layout(sizes, edges.map(e => [e.a, e.b]), parent, open);
  const width = placed.width + 20, height = placed.height + 20;
  const svg = sv("svg", { viewBox: `-10 -10 ${width} ${height}`, role: "group", "aria-label": `graph of ${shown.size} boxes` });
  svg.innerHTML = `<defs>${["", "forward", "backward"].map(which => `<marker id="tip${which && "-" + which}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="${which ? 11 : 8}" markerHeight="${which ? 11 : 8}" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="head ${which}" d="M0,0 L8,4 L0,8 z"/></marker>`).join("")}</defs>`;
  for (const id of open) {
    const box = placed.modules.get(id);
    svg.append(sv("rect", { class: "module", x: box.x, y: box.y, width: box.width, height: box.height, rx: 6 }));
  }
  drawing = { svg, width, height, boxes: new Map(), edges: [], placed };
  edges.forEach((edge, k) => {
    const path = sv("path", { class: edge.flows ? "edge" : "edge still", d: curve(placed.edges[k]), "marker-end": "url(#tip)" });
    svg.append(path);
    drawing.edges.push({ ...edge, path });
  });
  for (const id of open) svg.append(folder(graph.moduleById.get(id), placed.modules.get(id)));
  for (const [id, { node, fold }] of shown) {
    const group = fold ? foldedBox(fold, sizes.get(id)) : nodeBox(node, sizes.get(id)), { x, y } = placed.boxes.get(id);
    group.setAttribute("transform", `translate(${x.toFixed(1)},${y.toFixed(1)})`);
    svg.append(group);
    drawing.boxes.set(id, group);
  }
  stage.replaceChildren(svg);
  [...svg.querySelectorAll("[role=button]")].forEach((box, k) => box.setAttribute("tabindex", k ? -1 : 0));
  zoomTo(state.zoom);
}

function curve(points) {
  const at = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;
  return points.map((p, i) => {
    if (!i) return "M" + at(p);
    const q = points[i - 1], middle = (q[1] + p[1]) / 2;
    return Math.abs(p[0] - q[0]) < 0.05 ? "L" + at(p) : `C${at([q[0], middle])} ${at([p[0], middle])} ${at(p)}`;
  }).join(" ");
}

const onKey = act => event => {
  if (event.key !== "Enter" && event.key !== " ") return;
  event.preventDefault();
  event.stopPropagation();
  act();
};

function folder(module, box) {
  const act = () => fold(module.id, true), group = sv("g", {
    class: "title", role: "button", "aria-expanded": "true", "aria-label": `collapse ${moduleTitle(module)}`, "data-module": module.id,
  });
  const room = Math.max(1, Math.floor((box.width - 28) / (LETTER * SMALL))), text = moduleTitle(module);
  group.append(sv("rect", { class: "module", x: box.x, y: box.y, width: Math.min(box.width, Math.min(text.length, room) * LETTER * SMALL + 26), height: 20, rx: 6 }));
  group.append(sv("text", { class: "small", x: box.x + 7, y: box.y + 14 }, "▾ " + (text.length > room ? text.slice(0, room - 1) + "…" : text)));
  group.addEventListener("click", act);
  group.addEventListener("keydown", onKey(act));
  return group;
}

function foldedBox(module, [width, height]) {
  const act = () => fold(module.id, false), inner = calls.filter(node => outermostFold(node) === module.id).length;
  const group = sv("g", {
    class: "node folded", role: "button", "aria-expanded": "false", "aria-label": `expand ${moduleTitle(module)}`, "data-module": module.id,
  });
  group.append(sv("rect", { class: "box", width, height, rx: 3 }), sv("text", { class: "name", x: PAD, y: 18 }, "▸ " + moduleTitle(module)));
  group.append(sv("text", { class: "small", x: PAD, y: 34 }, `${inner} operations`));
  group.addEventListener("click", act);
  group.addEventListener("keydown", onKey(act));
  return group;
}

function nodeBox(node, [width, height]) {
  const kind = node.kind === "op" && node.id === graph.output ? "op output" : node.kind;
  const group = sv("g", { class: `node ${kind}`, role: "button", "data-node": node.id, "aria-label": label(node) });
  group.base = `node ${kind}`;
  group.append(sv("rect", { class: "box", width, height, rx: node.op ? 8 : 3 }));
  if (node.kind === "parameter") group.append(sv("rect", { class: "bar", width: 4, height }));
  group.append(sv("text", { class: "name", x: PAD, y: PAD + 9 }, headOf(node)));
  let y = PAD + LINE - 2;
  if (node.error) {
    for (const part of errorLines(node)) group.append(sv("text", { class: "small", x: PAD, y: (y += LINE) - 4 }, part));
  } else {
    for (const which of partsOf(node)) {
      const part = sv("g", { class: which });
      part.room = width - 2 * PAD;
      if (showsStrip(node)) {
        part.top = y + 3;
        part.append(...["up", "down", "odd", "axis"].map(kind => sv("path", { class: kind })));
        y += STRIP[1] + 3;
      }
      for (let i = 0; i < rowsOf(node); i++) part.append(sv("text", { class: showsStrip(node) ? "small" : "", lengthAdjust: "spacingAndGlyphs", x: PAD, y: (y += LINE) - 3 }));
      group.append(part);
    }
  }
  if (node.shape.length) group.append(sv("text", { class: "small", x: PAD, y: y + LINE - 4 }, shapeLine(node)));
  const act = () => choose(node.id);
  group.addEventListener("click", act);
  group.addEventListener("keydown", onKey(act));
  return group;
}

function setPart(group, which, value) {
  const part = group.querySelector("g." + which);
  if (!part) return;
  const lines = value ? linesOf(value, which) : [];
  part.querySelectorAll("text").forEach((text, i) => {
    const long = (lines[i] ?? "").length * LETTER * (part.top ? SMALL : 1) > part.room + 1; // a number that is new, and has more digits
    text.textContent = lines[i] ?? "";
    if (long) text.setAttribute("textLength", part.room);
    else text.removeAttribute("textLength");
  });
  if (!part.top) return;
  const paths = value ? bars(value, PAD, part.top, ...STRIP) : { up: "", down: "", odd: "" };
  ["up", "down", "odd"].forEach((kind, i) => part.children[i].setAttribute("d", paths[kind]));
  part.children[3].setAttribute("d", value ? `M${PAD},${part.top + STRIP[1] / 2}h${STRIP[0]}` : "");
}

// Numbers and lights for the present moment.
function relight() {
  const all = moments(), moment = all[state.position - 1], so = gradients(state.position), right = state.naive ? rightGradients() : null;
  const done = new Set(all.slice(0, state.position).map(m => m.node.id)), complete = state.position >= all.length;
  const arrived = new Set(all.slice(0, Math.min(state.position, calls.length)).map(m => m.node.id));
  for (const [id, group] of drawing.boxes) {
    const node = graph.byId.get(id);
    if (!node) {
      group.classList.toggle("now", Boolean(moment && outermostFold(moment.node) === id));
      group.classList.toggle("backward", Boolean(moment && moment.phase === "backward"));
      continue;
    }
    const here = !node.op || arrived.has(id), gradient = so.get(id);
    setPart(group, "value", here ? state.now.values.get(id) : null);
    setPart(group, "gradient", gradient?.sum ?? null);
    const wrong = right && gradient && complete && differs(gradient.sum, right.get(id));
    group.setAttribute("class", [group.base, moment?.node === node ? `now ${moment.phase}` : complete ? "" : done.has(id) ? "past" : here ? "" : "waiting",
      state.chosen === id ? "chosen" : "", state.found.has(id) ? "found" : "", wrong ? "wrong" : ""].join(" "));
    const spoken = [label(node), here ? "value " + brief(state.now.values.get(id)) : "not computed yet"];
    if (gradient?.sum) spoken.push("gradient " + brief(gradient.sum));
    group.setAttribute("aria-label", spoken.join(", "));
  }
  for (const edge of drawing.edges) {
    const lit = moment && (edge.b === moment.node.id || edge.b === outermostFold(moment.node)) && (edge.to === moment.node.id);
    edge.path.setAttribute("class", `edge${edge.flows ? "" : " still"}${lit && (moment.phase === "forward" || edge.flows) ? " lit " + moment.phase : ""}`);
  }
  if (moment) reveal(outermostFold(moment.node) ?? moment.node.id);
}

function reveal(id) {
  const group = drawing.boxes.get(id);
  if (!group) return;
  const box = drawing.placed.boxes.get(id), scale = state.zoom, pad = 40;
  const [x, y, w, h] = [(box.x + 10) * scale, (box.y + 10) * scale, box.width * scale, box.height * scale];
  if (x < stage.scrollLeft + pad || x + w > stage.scrollLeft + stage.clientWidth - pad) stage.scrollLeft = x + w / 2 - stage.clientWidth / 2;
  if (y < stage.scrollTop + pad || y + h > stage.scrollTop + stage.clientHeight - pad) stage.scrollTop = y + h / 2 - stage.clientHeight / 2;
}

// The view at the start: the first operation, and what is beside and above it from the leftmost box on.
function revealStart() {
  const first = calls.length && drawing.placed.boxes.get(outermostFold(calls[0]) ?? calls[0].id);
  if (!first) return;
  const height = stage.clientHeight / state.zoom, width = stage.clientWidth / state.zoom, end = first.x + first.width + 20;
  const top = first.y + first.height + 20 > height ? first.y - 20 : 0, seen = [...drawing.placed.boxes.values()].filter(box =>
    box.x >= end - width && box.y < top + height && box.y + box.height > top);
  stage.scrollTop = top * state.zoom;
  stage.scrollLeft = Math.min(...seen.map(box => box.x)) * state.zoom;
}

const whole = () => Math.min((stage.clientWidth - 24) / drawing.width, (stage.clientHeight - 24) / drawing.height);

function zoomTo(zoom) {
  state.zoom = Math.min(3, Math.max(Math.min(0.05, whole()), zoom));
  drawing.svg.setAttribute("width", drawing.width * state.zoom);
  drawing.svg.setAttribute("height", drawing.height * state.zoom);
}

function fit(least = 0) {
  zoomTo(Math.max(least, Math.min(1.4, whole())));
}

// One box takes part in the order of the Tab key: the last that had the focus; from it, up and down go to the others.
stage.addEventListener("focusin", event => {
  const box = event.target.closest("[role=button]");
  if (!box) return;
  stage.querySelectorAll('[tabindex="0"]').forEach(other => other.setAttribute("tabindex", -1));
  box.setAttribute("tabindex", 0);
});
stage.addEventListener("keydown", event => {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key], all = [...stage.querySelectorAll("[role=button]")], at = all.indexOf(event.target);
  if (!by || at < 0 || !all[at + by]) return;
  event.preventDefault();
  all[at + by].focus();
});

function fold(id, closed) {
  if (closed) state.folded.add(id);
  else state.folded.delete(id);
  redraw();
  refresh();
  stage.querySelector(`[data-module="${id}"]`)?.focus();
}
