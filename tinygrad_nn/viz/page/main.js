// The controls: the timeline, keys, search, the chosen node, live editing, recorded steps.
function refresh() {
  const all = moments();
  state.position = Math.min(state.position, all.length);
  panel("slider").max = all.length;
  panel("slider").value = state.position;
  const moment = all[state.position - 1], text = moment ? `${moment.phase} ${state.position} of ${all.length}` : `start, ${all.length} steps`;
  panel("where").textContent = text;
  panel("slider").setAttribute("aria-valuetext", moment ? `${text}: ${label(moment.node)}` : text);
  panel("said").textContent = spoken(text, moment);
  ticks(all);
  relight();
  stepPanel();
  nodePanel();
  livePanel();
  framePanel();
}

// One sentence for those who hear the page: where it stands, and what came of the step.
function spoken(text, moment) {
  if (!moment) return text;
  const { node, step } = moment, told = node.name && node.op ? `${node.name}, by ${node.op}` : label(node);
  if (node.error) return `${text}: ${told} failed. ${node.error}`;
  if (!step) return `${text}: ${told} is ${brief(state.now.values.get(node.id))}`;
  const sent = step.sent.map(line => `${line.value ? brief(line.value) : "its part"} to ${label(graph.byId.get(line.to))}`).join(", ");
  return `${text}: ${told} has ${step.gradient ? `gradient ${brief(step.gradient)}` : "a gradient for each output"}${sent ? `; it sends ${sent}` : ""}`;
}

function ticks(all) {
  const row = panel("ticks");
  if (row.children.length !== all.length) {
    row.replaceChildren();
    if (all.length <= 1500) row.append(...all.map((moment, k) => el("i", { title: `${moment.phase}: ${label(moment.node)}`, onclick: () => go(k + 1) })));
  }
  [...row.children].forEach((tick, k) => { tick.className = `${all[k].phase}${k < state.position ? " done" : ""}${k === state.position - 1 ? " now" : ""}`; });
}

function go(position) {
  state.position = Math.max(0, Math.min(moments().length, position));
  refresh();
  if (!state.position) revealStart();
}

function play(on) {
  clearInterval(state.playing);
  state.playing = null;
  if (on) {
    if (state.position >= moments().length) state.position = 0;
    state.playing = setInterval(() => {
      go(state.position + 1);
      if (state.position >= moments().length) play(false);
    }, Number(panel("speed").value));
  }
  panel("play").textContent = on ? "❚❚ pause" : "▶ play";
  panel("play").setAttribute("aria-label", on ? "pause" : "play");
}

function choose(id) {
  state.chosen = id;
  refresh();
}

function nodePanel() {
  const body = panel("node"), node = graph.byId.get(state.chosen);
  if (body.contains(document.activeElement) && document.activeElement.tagName === "INPUT" && body.shown === state.chosen) return showGradient(body, node);
  body.shown = state.chosen;
  body.replaceChildren();
  if (!node) return;
  const value = state.now.values.get(node.id), image = node.image;
  body.append(el("h2", {}, label(node)), el("p", { class: "soft" }, `${node.kind}, ${shapeText(node.shape)} ${node.dtype}${node.requires_grad ? ", takes a gradient" : ""}`));
  if (node.op) body.append(placeOf(node) ?? "");
  if (!value) body.append(el("p", {}, "its value was not kept: no rule needs it. viz.trace keeps all of them"));
  else {
    body.append(el("h3", {}, "value"));
    if (!node.op && !state.obstacle && value.data.length <= 64) body.append(editor(node, value));
    else if (isScalar(value)) body.append(el("pre", {}, String(value.data[0])));
    else if (value.data && value.data.length <= 64 && !image) body.append(table(value));
    if (!isScalar(value) && node.shape.length) body.append(heat(value, image), histogram(value) ?? "");
  }
  body.append(el("div", { class: "its-gradient" }));
  showGradient(body, node);
}

function showGradient(body, node) {
  const holder = body.querySelector(".its-gradient"), gradient = gradients(state.position).get(node.id)?.sum;
  holder.replaceChildren();
  if (gradient) {
    holder.append(el("h3", {}, "gradient so far"));
    if (isScalar(gradient)) holder.append(el("pre", { id: "gradient" }, String(gradient.data[0])));
    else {
      if (gradient.data && gradient.data.length <= 64) holder.append(table(gradient));
      holder.append(heat(gradient), histogram(gradient) ?? "");
    }
  }
  if (node.accumulated) holder.append(el("p", { class: "soft" }, `its .grad when drawn: ${brief(decoded(node.accumulated))}`));
}

// The greatest class that a leaf may hold, where it holds the right answers of a loss; null for other leaves.
function greatest(node) {
  if (node.dtype === "bool") return 1;
  for (const user of graph.nodes) if (user.arguments?.[user.inputs.indexOf(node.id)] === "target") return graph.byId.get(user.inputs[0]).shape[1] - 1;
  return null;
}

function editor(node, value) {
  const most = greatest(node), limits = { step: /int|bool/.test(node.dtype) ? 1 : "any", min: most === null ? null : 0, max: most };
  const columns = node.shape.length ? node.shape.at(-1) : 1, body = el("table", { class: columns === 1 ? "edit one" : "edit" });
  for (let i = 0; i < value.data.length; i += columns)
    body.append(el("tr", {}, ...[...value.data.slice(i, i + columns)].map((v, j) => el("td", {}, el("input", {
      type: "number", ...limits, value: v, "data-at": i + j, "aria-label": `${label(node)}${node.shape.length ? ` element ${i + j}` : ""}`,
      oninput: event => { if (event.target.checkValidity()) edit(node, i + j, event.target.valueAsNumber); },
    })))));
  return body;
}

function live() {
  state.leaves ??= Live.leaves(graph, state.now.values);
  computeLive();
}

function edit(node, at, value) {
  if (Number.isNaN(value)) return;
  state.leaves ??= Live.leaves(graph, state.now.values);
  state.leaves.get(node.id).data[at] = value;
  live();
  state.losses = [currentLoss()];
  refresh();
}

function descend() {
  live();
  if (!state.losses.length) state.losses.push(currentLoss());
  for (const step of state.now.backward) {
    const node = graph.byId.get(step.node);
    if (!node.op && trains(node)) state.leaves.set(node.id, map2(state.leaves.get(node.id), step.gradient, (v, g) => v - state.rate * g));
  }
  live();
  state.losses.push(currentLoss());
  panel("node").shown = null;
  refresh();
}

// Parameters are trained; where a graph has none, every leaf that takes a gradient is.
const hasParameters = graph.nodes.some(node => node.kind === "parameter");
const trains = node => node.requires_grad && (hasParameters ? node.kind === "parameter" : node.kind === "leaf");

function restore() {
  state.leaves = null;
  state.now = frames[0] ?? recorded;
  state.losses = [];
  panel("node").shown = null;
  refresh();
}

function livePanel() {
  const body = panel("live");
  if (body.contains(document.activeElement) && document.activeElement.tagName === "INPUT") return curveInto(body);
  body.replaceChildren(el("h2", {}, "live"));
  if (state.obstacle) {
    body.append(el("p", { id: "not-live" }, `This graph is not live: ${state.obstacle}.`));
    return;
  }
  body.append(el("p", { class: "soft" }, "Click a leaf and change its value: everything is computed again here, in double precision."));
  if (currentLoss() !== null && graph.nodes.some(trains)) body.append(el("p", {},
    el("button", { id: "descend", onclick: descend }, "take a gradient step"), " rate ",
    el("input", { id: "rate", type: "number", step: "any", value: state.rate, "aria-label": "learning rate", oninput: e => { state.rate = e.target.valueAsNumber || 0; } }), " ",
    el("button", { id: "restore", onclick: restore }, "as recorded")));
  body.append(el("div", { class: "losses" }));
  curveInto(body);
}

function curveInto(body) {
  const holder = body.querySelector(".losses");
  if (holder) holder.replaceChildren(...(state.losses.length > 1 ? [lossCurve(state.losses, state.losses.length - 1)] : []));
}

function framePanel() {
  const body = panel("frames");
  if (!frames.length) return;
  body.hidden = false;
  const at = frames.indexOf(state.now), losses = frames.map(frame => frame.values.get(graph.output)?.data?.[0] ?? NaN);
  if (!body.firstChild) body.append(el("h2", {}, "recorded steps"), el("label", {}, el("span"), el("input", {
    id: "frame", type: "range", min: 0, max: frames.length - 1, value: 0, style: "width:100%", "aria-label": "training step",
    oninput: event => showFrame(Number(event.target.value)),
  })), el("div"));
  body.querySelector("span").textContent = at < 0 ? "not a recorded step: computed here" : `training step ${at + 1} of ${frames.length}`;
  body.lastChild.replaceChildren(...(losses.every(Number.isFinite) ? [lossCurve(losses, Math.max(0, at))] : []));
}

function showFrame(k) {
  state.now = frames[k];
  state.leaves = null;
  panel("node").shown = null;
  refresh();
}

function search(text) {
  const wanted = text.trim().toLowerCase();
  state.found = new Set(wanted ? graph.nodes.filter(node => `${node.name} ${node.op ?? node.kind} ${node.id}`.toLowerCase().includes(wanted)).map(node => node.id) : []);
  relight();
  panel("said").textContent = wanted ? `${state.found.size} found` : "";
}

function nextFound() {
  const list = [...state.found], next = list[(list.indexOf(state.chosen) + 1) % list.length];
  if (!next) return;
  for (let id = graph.byId.get(next).module; id; id = graph.moduleById.get(id).parent) state.folded.delete(id);
  redraw();
  choose(next);
  reveal(next);
}

const KEYS = {
  " ": () => play(!state.playing), ArrowRight: () => go(state.position + 1), ArrowLeft: () => go(state.position - 1), Home: () => go(0),
  End: () => go(moments().length), n: () => panel("naive").click(), "/": () => panel("search").focus(), "+": () => zoomTo(state.zoom * 1.2),
  "=": () => zoomTo(state.zoom * 1.2), "-": () => zoomTo(state.zoom / 1.2), "0": () => fit(), Escape: () => choose(null),
};

document.addEventListener("keydown", event => {
  const inField = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName) && event.target.type !== "checkbox";
  if (event.ctrlKey || event.metaKey || event.altKey || (inField && event.key !== "Escape") || !KEYS[event.key]) return;
  if (event.key === " " && ["BUTTON", "SUMMARY", "INPUT"].includes(event.target.tagName)) return; // it presses what has the focus
  event.preventDefault();
  if (inField) event.target.blur();
  KEYS[event.key]();
});

const onClick = { first: () => go(0), back: () => go(state.position - 1), forth: () => go(state.position + 1), last: () => go(moments().length),
  play: () => play(!state.playing), smaller: () => zoomTo(state.zoom / 1.2), larger: () => zoomTo(state.zoom * 1.2), fit: () => fit(),
  fold: () => foldAll(true), unfold: () => foldAll(false) };
for (const [id, act] of Object.entries(onClick)) panel(id).addEventListener("click", act);
panel("slider").addEventListener("input", event => go(Number(event.target.value)));
panel("speed").addEventListener("change", () => { if (state.playing) play(true); });
panel("naive").addEventListener("change", event => { state.naive = event.target.checked; go(state.position); });
panel("search").addEventListener("input", event => search(event.target.value));
panel("search").addEventListener("keydown", event => { if (event.key === "Enter") nextFound(); });

function foldAll(closed) {
  state.folded = new Set(closed ? graph.modules.map(module => module.id) : []);
  redraw();
  go(state.position);
}

if (frames.length) state.now = frames[0];
state.obstacle = Live.obstacle(graph);
foldUntilSmall();
for (const id of ["fold", "unfold"]) panel(id).hidden = !graph.modules.length;
redraw();
fit(0.8);
go(graph.error ? calls.length : 0);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);

// For the console, and for whoever wants to check: every number as it stands, and where everything is.
window.tinygradNN = {
  numbers: () => ({
    position: state.position, live: state.obstacle === null, loss: currentLoss(),
    values: Object.fromEntries([...state.now.values].map(([id, v]) => [id, v?.data ? [...v.data] : null])),
    gradients: Object.fromEntries(steps().map(step => [step.node, step.gradient?.data ? [...step.gradient.data] : null])),
  }),
  layout: () => ({ boxes: Object.fromEntries(drawing.placed.boxes), edges: drawing.placed.edges }),
};
