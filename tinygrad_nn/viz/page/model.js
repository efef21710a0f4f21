// The graph as it was written down, and what is known of it now: as recorded, in a recorded step, or computed live.
const graph = JSON.parse(document.getElementById("data").textContent);
graph.byId = new Map(graph.nodes.map(node => [node.id, node]));
graph.moduleById = new Map(graph.modules.map(module => [module.id, module]));

const NAMED = { nan: NaN, inf: Infinity, "-inf": -Infinity };
const decoded = value => {
  if (!value) return null;
  const number = v => typeof v === "string" ? NAMED[v] ?? NaN : Number(v), out = { ...value };
  if (value.data) out.data = value.data.map(number);
  for (const key of ["min", "mean", "max"]) if (key in value) out[key] = number(value[key]);
  if (value.strip) out.strip = value.strip.map(number);
  if (value.colors) out.colors = value.colors.map(rows => rows.map(row => row.map(number)));
  if (value.grid) out.grid = value.grid.map(row => row.map(number));
  return out;
};
const decodedSteps = steps => steps && steps.map(step => ({
  ...step, gradient: decoded(step.gradient),
  sent: step.sent.map(line => ({ ...line, value: decoded(line.value), slope: decoded(line.slope), ...(line.raw ? { raw: decoded(line.raw) } : {}) })),
}));

for (const node of graph.nodes) node.value = decoded(node.value);
const recorded = {
  values: new Map(graph.nodes.map(node => [node.id, node.value])),
  backward: decodedSteps(graph.backward), naive: decodedSteps(graph.naive),
};
const frames = (graph.frames ?? []).map(frame => ({
  values: new Map(graph.nodes.map((node, i) => [node.id, decoded(frame.values[i])])), backward: decodedSteps(frame.backward), naive: decodedSteps(frame.naive),
}));

const state = {
  position: 0, playing: null, naive: false, chosen: null, zoom: 1, folded: new Set(), leaves: null, now: recorded, found: new Set(),
  obstacle: null, losses: [], rate: 0.1,
};

const calls = graph.nodes.filter(node => node.op);
const traced = !calls.length || calls.some(node => node.place); // or drawn from a tensor, which keeps no lines
const label = node => node.name || (node.op ? node.op + " " + node.id : node.kind + " " + node.id);
const titleOf = node => {
  if (!node.op) return node.name || node.kind;
  let call = node.op;
  if (node.inputs.some(input => typeof input === "object" && input.constant !== null))
    call += `(${node.inputs.map(input => typeof input === "object" && input.constant !== null ? constant(input.constant) : "·").join(", ")})`;
  return (node.kind === "failed" ? "✗ " : "") + (node.name ? `${node.name} = ${call}` : call);
};
const headOf = node => titleOf(node).length > 48 ? titleOf(node).slice(0, 47) + "…" : titleOf(node);
const constant = value => value === null ? "None" : typeof value === "number" ? short(value) : typeof value === "object" ? "…"
  : typeof value === "boolean" ? (value ? "True" : "False") : String(value);

function short(value, digits = 4) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 10 ** Math.max(digits, 6)) return value.toExponential(digits - 1).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(digits)));
}

// The fewest digits, of numbers and result, in which a calculation on the numbers as they are printed gives the result as
// it is printed; float32 has been rounded on the way, so that a result may need fewer.
const rounded = (value, digits) => NAMED[short(value, digits)] ?? Number(short(value, digits));
const digitsFor = (result, compute) =>
  [[4, 4], [5, 5], [6, 6], [7, 7], [8, 8], [9, 6], [9, 5]].find(([digits, shown]) =>
    short(compute(v => rounded(v, digits)), shown) === short(result, shown)) ?? [9, 4];
const digitsOfSum = (parts, sum) => digitsFor(sum, round => parts.reduce((so, v) => so + round(v), 0));

const steps = () => (state.naive && state.now.naive) || state.now.backward;
const moments = () => [
  ...calls.map(node => ({ phase: "forward", node })),
  ...steps().map((step, k) => ({ phase: "backward", node: graph.byId.get(step.node), step, k })),
];

const added = (a, b) => !a ? b : a.data && b.data ? { ...plus(a, b), dtype: a.dtype } : null;

// The gradients as they stand after the steps up to `position`: the parts that have arrived at each node, and their sum.
function gradients(position) {
  const so = new Map(), taken = steps().slice(0, Math.max(0, position - calls.length));
  if (taken.length) so.set(taken[0].node, { parts: [], sum: taken[0].gradient, whole: true });
  for (const step of taken) {
    for (const line of step.sent) {
      const entry = so.get(line.to) ?? { parts: [], sum: null };
      entry.parts.push({ from: step.node, value: line.value });
      entry.sum = added(entry.parts.length > 1 ? entry.sum : null, line.value);
      so.set(line.to, entry);
    }
    const own = so.get(step.node);
    if (own && !own.sum) own.sum = step.gradient;
  }
  return so;
}

// What the right order gives, to compare with.
const rightGradients = () => new Map(state.now.backward.map(step => [step.node, step.gradient]));

function differs(a, b) {
  if (!a || !b || !a.data || !b.data) return false;
  return a.data.some((v, i) => Math.abs(v - b.data[i]) > 1e-9 * (1 + Math.abs(v)));
}

function computeLive() {
  const values = Live.forward(graph, state.leaves), dtype = node => node.value.dtype;
  const typed = new Map(graph.nodes.map(node => [node.id, { ...values.get(node.id), dtype: dtype(node) }]));
  const right = Live.backward(graph, values, false), wrong = Live.backward(graph, values, true);
  const last = new Map(right.map(step => [step.node, step.gradient]));
  const misled = wrong.some(step => differs(step.gradient, last.get(step.node)));
  state.now = { values: typed, backward: right, naive: misled ? wrong : null };
}

function currentLoss() {
  const value = state.now.values.get(graph.output);
  return value && value.data && value.data.length === 1 ? value.data[0] : null;
}
