// What the panel tells of a step: the call and its line, the formula and the code, the numbers in it, and where they go.
const panel = id => document.getElementById(id);
const codeAt = rule => rule && rule.code ? el("div", {}, el("pre", {}, rule.code), el("div", { class: "soft" }, `${rule.file}:${rule.line}`)) : null;
const mi = name => `<mi>${name}</mi>`;
const partial = name => `<mfrac><mrow><mo>∂</mo><mi>L</mi></mrow><mrow><mo>∂</mo><mi>${name}</mi></mrow></mfrac>`;

function callText(node) {
  const inputs = node.inputs.map((input, i) => {
    const text = typeof input === "string" ? label(graph.byId.get(input)) : constant(input.constant);
    return node.arguments && node.arguments[i] !== text ? `${node.arguments[i]}=${text}` : text;
  });
  return `${node.op}(${[...inputs, node.keywords].filter(Boolean).join(", ")})`;
}

function placeOf(node) {
  if (!node.place) return traced ? null : el("p", { class: "soft" },
    "not known: a tensor keeps its graph without the lines. viz.trace(f, …) keeps them, and so does detect_anomaly()");
  const { file, line, code } = node.place;
  return el("div", {}, code ? el("pre", {}, code) : null, el("div", { class: "soft" }, `${file}:${line}`));
}

const argument = (node, name) => {
  const i = (node.arguments ?? []).indexOf(name), input = node.inputs[i];
  if (i < 0) return null;
  return typeof input === "string" ? state.now.values.get(input) : typeof input.constant === "number" ? { shape: [], data: [input.constant] } : null;
};

// How many digits the numbers in an op's code need: float32's where the page cannot compute it.
function digitsOfCall(node, result, g, input) {
  if (state.obstacle) return [7, 7];
  const call = Live.call(node, state.now.values), { f, rules } = OPS[node.op];
  return digitsFor(result, round => {
    const near = { x: call.x.map(x => x && map(x, round)), y: map(call.y, round), at: call.at };
    return (g ? rules[input](map(g, round), near) : f(near)).data[0];
  });
}

// A line of code with the numbers in place of the names, where all of them and the result are single numbers.
function plugged(node, code, result, g = null, input = null) {
  if (!isScalar(result)) return null;
  const [digits, shown] = digitsOfCall(node, result.data[0], g, input);
  const body = code.replace(/^lambda [^:]*:\s*/, "").replace(/^return /, "");
  if (body.includes("\n") || body.length > 120) return null;
  let complete = true;
  const text = body.replace(/(?<![\w.])[A-Za-z_]\w*(?![\w(]|\.\w)/g, name => {
    const value = name === "g" ? g : name === "y" ? state.now.values.get(node.id) : argument(node, name);
    if (!isScalar(value)) { complete = complete && ["and", "or", "if", "else", "np"].includes(name); return name; }
    const told = short(value.data[0], digits);
    return told.startsWith("-") ? `(${told})` : told;
  });
  return complete && text !== body ? `${text} = ${short(result.data[0], shown)}` : null;
}

function values(node, names) {
  const list = el("div");
  for (const name of names) {
    const value = name === "y" ? state.now.values.get(node.id) : argument(node, name);
    if (!value) continue;
    list.append(el("p", {}, el("code", {}, name + " = "), isScalar(value) ? el("code", {}, short(value.data[0], 8)) : ""));
    if (!isScalar(value)) list.append(table(value, 4));
  }
  return list;
}

function forwardPanel(node, body) {
  const told = graph.ops[node.op];
  body.append(el("h2", {}, node.name ? `${node.name} = ${node.op}` : node.op), el("code", {}, callText(node)));
  if (node.error) body.append(el("p", { class: "alarm" }, node.error));
  const place = placeOf(node);
  if (place) body.append(el("h3", {}, "the line that called it"), place);
  if (told) {
    body.append(el("h3", {}, told.doc || "what it computes"));
    const formula = math(`${mi("y")}<mo>=</mo>`, told.forward.math), code = codeAt(told.forward);
    if (formula) body.append(formula);
    if (code) body.append(code);
  }
  if (node.error) {
    const given = new Set(node.inputs.map(input => graph.byId.get(input)).filter(Boolean));
    if (given.size) body.append(el("h3", {}, "what it was given"));
    for (const source of given)
      body.append(el("p", {}, el("code", {}, `${label(source)} ${shapeLine(source)}`)), table(source.value, 4));
    return;
  }
  const y = state.now.values.get(node.id), number = told && plugged(node, told.forward.code, y);
  body.append(el("h3", {}, "the numbers in it"));
  if (node.op === "matmul" || node.op === "linear") {
    const shapes = node.inputs.filter(input => typeof input === "string").map(input => shapeText(graph.byId.get(input).shape));
    body.append(el("p", { class: "mono" }, `${shapes.join(" , ")} → ${shapeText(node.shape)}`));
  }
  if (number) body.append(el("pre", { id: "plugged" }, number));
  else body.append(values(node, [...new Set(node.arguments ?? [])]), el("p", {}, el("code", {}, "y = "), isScalar(y) ? el("code", {}, short(y.data[0], 8)) : ""), isScalar(y) ? "" : table(y, 4));
}

function sumOfParts(parts, sum) {
  if (!isScalar(sum) || !parts.every(part => isScalar(part.value))) return table(sum, 4);
  const numbers = parts.map(part => part.value.data[0]), [whole] = sum.data, [digits, shown] = digitsOfSum(numbers, whole);
  return el("pre", {}, numbers.map(v => short(v, digits)).join(" + ") + (parts.length > 1 ? ` = ${short(whole, shown)}` : ""));
}

function arrivalPanel(node, step, body) {
  const parts = gradients(state.position - 1).get(node.id)?.parts ?? [];
  body.append(el("h3", {}, node.op ? "the gradient that has arrived, g" : "the gradient that is left here"));
  if (node.id === graph.output && !parts.length) body.append(el("p", {}, "The walk begins here: the derivative of the output by itself is 1."));
  else if (!step.gradient) return void body.append(el("p", {}, "one for each of its outputs: ", parts.map(part => label(graph.byId.get(part.from))).join(" and ")));
  else body.append(el("p", {}, parts.length > 1 ? `${parts.length} parts, one from each use, added up: ` : "one part, from ",
    parts.map(part => label(graph.byId.get(part.from))).join(" and ")));
  body.append(parts.length ? sumOfParts(parts, step.gradient) : isScalar(step.gradient) ? el("pre", {}, short(step.gradient.data[0])) : step.gradient ? table(step.gradient, 4) : "");
  const right = state.naive && rightGradients().get(node.id);
  if (right && differs(step.gradient, right)) body.append(el("p", { class: "alarm" },
    node.op ? "Too early: not every use has sent its part. In the right order it would be " : "Wrong: it should be ", brief(right)));
}

function backwardPanel(node, step, body) {
  body.append(el("h2", {}, node.op ? `back through ${label(node)}` : `arrived at ${label(node)}`));
  if (node.op) body.append(el("code", {}, callText(node)));
  arrivalPanel(node, step, body);
  if (step.freed) body.append(el("p", { class: "alarm" }, step.freed));
  const before = gradients(state.position - 1);
  for (const line of step.sent) {
    const rule = graph.ops[node.op]?.rules[line.rule], target = graph.byId.get(line.to), card = el("div", { class: "card" });
    card.append(el("h3", {}, `to ${label(target)}${line.rule ? `, its input ${line.rule}` : ""}`));
    const formula = rule && math(`${partial(line.rule || "x")}<mo>=</mo>`, rule.math), code = codeAt(rule);
    if (formula) card.append(formula);
    if (code) card.append(code);
    const outgoing = line.raw ?? line.value;
    if (!outgoing) {
      card.append(el("p", {}, "The gradient of one output of several: they go back together once all of them have arrived."));
      body.append(card);
      continue;
    }
    if (isScalar(outgoing) && isScalar(step.gradient)) {
      const unchanged = rule && /^lambda [^:]*: g$/.test(rule.code), number = rule && plugged(node, rule.code, outgoing, step.gradient, line.input);
      const told = short(outgoing.data[0], 8), [g, slope, out] = line.slope ? slopeTexts(step.gradient, line.slope, outgoing, 0) : [];
      card.append(el("pre", {}, unchanged ? `g = ${told}, passed on as it is` : number ?? `its value = ${told}`));
      if (slope) card.append(el("p", { class: "soft" }, `the local derivative is ${slope}: ${g} arrives, ${out} goes on`));
    } else {
      const used = rule ? [...new Set(rule.code.match(/^lambda ([^:]*):/)?.[1].split(",").map(s => s.trim()) ?? [])].filter(name => name !== "g" && !name.endsWith("_shape")) : [];
      card.append(el("p", { class: "mono" }, `${step.gradient ? `g ${shapeText(step.gradient.shape)} ` : ""}→ ${shapeText(outgoing.shape)}`), values(node, used));
      if (line.slope?.data && outgoing.data) card.append(slopeTable(step.gradient, line.slope, outgoing));
      if (!line.raw) card.append(table(outgoing, 4));
    }
    if (line.raw) card.append(broadcastUndone(line, target));
    card.append(runningSum(line, target, before.get(line.to)));
    const entry = before.get(line.to) ?? { parts: [], sum: null };
    before.set(line.to, { parts: [...entry.parts, line], sum: added(entry.sum, line.value) });
    body.append(card);
  }
  if (node.op && !step.sent.length && !step.freed) body.append(el("p", {}, "Nothing goes on from here: no input wants a gradient, or the slope is zero everywhere."));
}

function slopeTexts(g, slope, out, i) {
  const row = [g, slope, out].map(value => value.data[i]), [digits, shown] = digitsFor(row[2], round => round(row[0]) * round(row[1]));
  return row.map((v, k) => short(v, k === 2 ? shown : digits));
}

// Element by element: what arrives, the local derivative, what goes on.
function slopeTable(g, slope, out, most = 4) {
  const rowOf = i => slopeTexts(g, slope, out, i).map(text => el("td", {}, text));
  const body = el("table", {}, el("tr", {}, ...["g", "× local derivative", "= goes on"].map(text => el("th", {}, text))));
  for (let i = 0; i < Math.min(most, g.data.length); i++) body.append(el("tr", {}, ...rowOf(i)));
  return el("div", {}, body, el("div", { class: "soft" }, g.data.length > most ? `the first ${most} of ${g.data.length} elements` : "element by element"));
}

function broadcastUndone(line, target) {
  const axes = line.axes.map(a => `axis ${a}`).join(" and ");
  const box = el("div", {}, el("p", {}, `${label(target)} was broadcast from ${shapeText(target.shape)} to ${shapeText(line.raw.shape)}: each copy's part is added up over ${axes}`));
  const columns = line.raw.shape.length === 2 && line.axes[0] === 0 && line.value.data && line.axes.length === 1 ? [...line.value.data] : null;
  box.append(table(line.raw, 4, columns));
  if (!columns) box.append(el("p", { class: "mono" }, `Σ over ${axes}:`), isScalar(line.value) ? el("pre", {}, short(line.value.data[0], 8)) : table(line.value, 4));
  return box;
}

function runningSum(line, target, entry) {
  const old = entry?.parts.length ? entry.sum : null, sum = old ? added(old, line.value) : line.value, name = `${label(target)}.grad`;
  if (old && isScalar(old) && isScalar(line.value)) {
    const numbers = [old, line.value].map(value => value.data[0]), [digits, shown] = digitsOfSum(numbers, sum.data[0]);
    const [before, part] = numbers.map(v => short(v, digits));
    return el("pre", { class: "sum" }, `${name} += ${part}     ${before} + ${part} = ${short(sum.data[0], shown)}`);
  }
  if (isScalar(line.value)) return el("pre", { class: "sum" }, `${name} += ${short(line.value.data[0], 8)}`);
  return el("p", {}, el("code", {}, `${name} += `), old ? `the second part; the sum so far is ${sum ? brief(sum) : "added below"}` : "the first part to arrive");
}

function startPanel(body) {
  const failed = graph.error;
  body.append(el("h2", {}, failed ? "This run failed" : "Before the first step"));
  if (failed) body.append(el("p", { class: "alarm" }, failed));
  body.append(el("p", {}, `${calls.length} operations on ${graph.nodes.length - calls.length} leaves. Play them forward, then follow the gradients back, last operation first.`));
  if (!traced) body.append(el("p", { class: "soft" },
    "This is the graph that a tensor has kept. Run it through ", el("code", {}, "viz.trace(f, …)"), " to see the line of your code at each step, and every value."));
}

function stepPanel() {
  const body = panel("step"), all = moments(), moment = all[state.position - 1];
  body.replaceChildren();
  if (state.naive) body.append(orderNote(state.position >= all.length));
  if (!moment) startPanel(body);
  else if (moment.phase === "forward") forwardPanel(moment.node, body);
  else backwardPanel(moment.node, moment.step, body);
}

function orderNote(end) {
  const note = el("div", { id: "order" }, el("h3", {}, "why a topological order?"));
  if (!state.now.naive) {
    note.append(el("p", {}, "In this graph going depth first gives the same numbers: nothing that is computed from others is used more than once."));
    return note;
  }
  note.append(el("p", {}, "Each operation now passes its gradient on when it is first reached. One that is used twice is reached before its second part: what it passes on lacks that part for good."));
  const right = rightGradients(), wrong = state.now.naive.filter(step => differs(step.gradient, right.get(step.node)) && !graph.byId.get(step.node).op);
  if (end) for (const step of wrong.slice(0, 8))
    note.append(el("p", { class: "alarm" }, `${label(graph.byId.get(step.node))}.grad is ${brief(step.gradient)}, should be ${brief(right.get(step.node))}`));
  return note;
}
