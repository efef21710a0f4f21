// Numbers made visible: text, tables, heat maps, strips, histograms. All text goes in as text, never as markup.
function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(child => child !== null && child !== undefined));
  return node;
}

function sv(tag, attributes = {}, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

// MathML that Python has made of a rule's own code.
function math(left, formula) {
  if (!formula) return null;
  const holder = el("p");
  holder.innerHTML = `<math display="block"><mrow>${left}${formula}</mrow></math>`;
  return holder;
}

const shapeText = shape => `(${shape.join(", ")})`;
const isScalar = value => value && value.data && value.data.length === 1;

// One line of text for a value.
function brief(value, most = 6) {
  if (!value) return "not kept";
  if (isScalar(value)) return short(value.data[0]);
  if (value.data && value.data.length <= most) return nested(value.shape, value.data.map(v => short(v, 3)));
  return `${shapeText(value.shape)} ${span(value)}`;
}

// The least, the mean and the greatest; where some are not finite, how many in place of the mean.
function span(value) {
  if (!count(value.shape)) return "empty";
  const { min, mean, max, nan, inf } = range(value), ends = Number.isNaN(min) ? [] : nan || inf ? [min, max] : [min, mean, max];
  const told = [ends.map(v => short(v, 2)).join(" … "), nan ? `${nan} nan` : "", inf ? `${inf} inf` : ""];
  return told.filter(Boolean).join(", ");
}

// The lines that a box has for a value: a number, rows of numbers, or what stands below a strip.
const isWritten = shape => count(shape) <= 6 || (shape.length === 2 && shape[0] <= 4 && shape[1] <= 4);
function linesOf(value, which) {
  const label = which === "gradient" ? "grad " : value.shape.length ? "" : "value ", columns = value.shape.at(-1) || 1;
  if (!isWritten(value.shape) || !value.data || !count(value.shape)) return [label + span(value)];
  if (!value.shape.length) return [label + short(value.data[0])];
  return Array.from({ length: value.data.length / columns }, (_, i) =>
    (i ? " ".repeat(label.length) : label) + nested([columns], Array.from(value.data.slice(i * columns, (i + 1) * columns), v => short(v, 3))));
}

function nested(shape, texts) {
  if (shape.length <= 1) return `[${texts.join(", ")}]`;
  const size = texts.length / shape[0];
  return `[${Array.from({ length: shape[0] }, (_, i) => nested(shape.slice(1), texts.slice(i * size, (i + 1) * size))).join(", ")}]`;
}

function range(value) {
  if (!value.data) return value;
  const finite = value.data.filter(Number.isFinite), nan = value.data.filter(Number.isNaN).length, n = finite.length;
  const inf = value.data.length - n - nan, mean = finite.reduce((sum, v) => sum + v, 0) / n, of = f => n ? finite.reduce((a, b) => f(a, b)) : NaN;
  return { min: of(Math.min), max: of(Math.max), mean, nan, inf };
}

function stripOf(value, cells = 32) {
  if (!value.data) return value.strip;
  const n = value.data.length;
  if (n <= cells) return [...value.data];
  return Array.from({ length: cells }, (_, i) => {
    const from = Math.floor(i * n / cells), to = Math.floor((i + 1) * n / cells);
    let sum = 0;
    for (let k = from; k < to; k++) sum += value.data[k];
    return sum / (to - from);
  });
}

// Bars up above zero, down below it, and both ways where it is not finite, as the `d` of three paths.
function bars(value, x0, y0, width, height) {
  const cells = stripOf(value), most = Math.max(...cells.map(v => Number.isFinite(v) ? Math.abs(v) : 0)) || 1, step = width / cells.length;
  const paths = { up: "", down: "", odd: "" }, middle = y0 + height / 2;
  cells.forEach((v, i) => {
    const odd = !Number.isFinite(v), h = odd ? height : v / most * height / 2;
    paths[odd ? "odd" : v >= 0 ? "up" : "down"] += `M${(x0 + i * step).toFixed(1)},${odd ? y0 + height : middle}h${(step * 0.86).toFixed(1)}v${(-h).toFixed(1)}h${(-step * 0.86).toFixed(1)}z`;
  });
  return paths;
}

const matrixOf = value => {
  const columns = value.shape.length ? value.shape.at(-1) : 1, rowCount = value.shape.length > 1 ? value.shape.at(-2) : 1;
  return Array.from({ length: rowCount }, (_, i) => Array.from(value.data.slice(i * columns, (i + 1) * columns)));
};

// A table of numbers; only the first matrix where there are more, cut off beyond `most` rows or columns.
function table(value, most = 8, sumRow = null) {
  if (!value) return el("p", { class: "soft" }, "not kept");
  if (!value.data) return heat(value);
  const grid = matrixOf(value), body = el("table");
  const columns = (grid.length <= most && sumRow ? sumRow.slice(0, most) : []).map((sum, j) => digitsOfSum(grid.map(row => row[j]), sum));
  for (const row of grid.slice(0, most)) {
    const cells = row.slice(0, most).map((v, j) => el("td", {}, short(v, columns[j]?.[0])));
    if (row.length > most) cells.push(el("td", {}, "…"));
    body.append(el("tr", {}, ...cells));
  }
  if (grid.length > most) body.append(el("tr", {}, el("td", {}, "…")));
  if (sumRow) body.append(el("tr", { class: "sum" }, ...sumRow.slice(0, most).map((v, j) => el("td", {}, "Σ " + short(v, columns[j]?.[1])))));
  const caption = value.shape.length > 2 ? `${shapeText(value.shape)}, the first matrix` : shapeText(value.shape);
  return el("div", {}, body, el("div", { class: "soft" }, caption));
}

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rgb = hex => [1, 3, 5].map(i => parseInt((hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex).slice(i, i + 2), 16));

// The three channels of an image in colour; null for others.
function colorsOf(value) {
  if (value.shape.at(-3) !== 3) return null;
  const size = value.shape.at(-1) * value.shape.at(-2);
  return value.data ? [0, 1, 2].map(k => value.data.slice(k * size, (k + 1) * size)) : value.colors?.map(rows => rows.flat());
}

// A heat map: towards blue above zero and orange below, red where it is not finite; an image in greys.
function heat(value, image = false) {
  const grid = value.data ? matrixOf(value) : value.grid, colors = image ? colorsOf(value) : null;
  if (!grid || !grid.length || !grid[0].length) return el("p", { class: "soft" }, "empty");
  const scale = Math.max(1, Math.min(24, Math.floor(300 / Math.max(grid[0].length, grid.length)))), { min, max } = range(value);
  const canvas = el("canvas", {
    width: grid[0].length, height: grid.length, style: `width:${grid[0].length * scale}px;height:${grid.length * scale}px`, role: "img",
    "aria-label": `${image ? "image" : "heat map"} of ${shapeText(value.shape)}, from ${short(min)} to ${short(max)}`,
  });
  const context = canvas.getContext("2d"), pixels = context.createImageData(grid[0].length, grid.length);
  const most = Math.max(Math.abs(min), Math.abs(max)) || 1, paper = rgb(style("--paper")), up = rgb(style("--up")), down = rgb(style("--down")), alarm = rgb(style("--alarm"));
  grid.flat().forEach((v, k) => {
    const bright = v => 255 * (v - min) / (max - min || 1), odd = !Number.isFinite(v);
    const t = odd ? 1 : Math.min(1, Math.abs(v) / most), to = odd ? alarm : v >= 0 ? up : down;
    for (let c = 0; c < 3; c++) pixels.data[4 * k + c] = colors ? bright(colors[c][k]) : image ? bright(v) : paper[c] + (to[c] - paper[c]) * t;
    pixels.data[4 * k + 3] = 255;
  });
  context.putImageData(pixels, 0, 0);
  return el("div", {}, canvas, el("div", { class: "soft" }, `${shapeText(value.shape)}: ${short(min)} to ${short(max)}`));
}

function histogram(value) {
  let { low, high, counts } = value.histogram ?? {};
  if (value.data) {
    const finite = [...value.data].filter(Number.isFinite);
    if (!finite.length) return null;
    low = Math.min(...finite);
    high = Math.max(...finite);
    counts = new Array(16).fill(0);
    for (const v of finite) counts[Math.min(15, Math.floor((v - low) / (high - low || 1) * 16))]++;
  }
  if (!counts || !Math.max(0, ...counts)) return null;
  const most = Math.max(...counts), drawn = sv("svg", {
    width: 240, height: 64, viewBox: "0 0 240 64", role: "img", "aria-label": `histogram from ${short(low)} to ${short(high)}`,
  });
  counts.forEach((n, i) => drawn.append(sv("rect", { class: "up", x: i * 15, width: 13, y: 50 - 48 * n / most, height: 48 * n / most + 0.5 })));
  drawn.append(sv("text", { x: 0, y: 62, class: "small" }, short(low)), sv("text", { x: 240, y: 62, class: "small", "text-anchor": "end" }, short(high)));
  return drawn;
}

function lossCurve(losses, mark) {
  const finite = losses.filter(Number.isFinite), low = Math.min(...finite), high = Math.max(...finite), width = 340, height = 90;
  const at = (v, i) => [10 + i * (width - 20) / Math.max(1, losses.length - 1), 10 + (high - v) / (high - low || 1) * (height - 24)];
  const drawn = sv("svg", {
    width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `loss over ${losses.length} steps, now ${short(losses[mark])}`,
  });
  const spots = losses.map((v, i) => Number.isFinite(v) ? at(v, i) : null).filter(Boolean);
  drawn.append(sv("path", { class: "curve", d: spots.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("") }));
  const [x, y] = at(losses[mark], mark);
  if (Number.isFinite(y)) drawn.append(sv("circle", { class: "curve-dot", cx: x, cy: y, r: 4 }));
  const told = (x, anchor, word, i) => drawn.append(sv("text", { class: "small", x, y: height - 2, "text-anchor": anchor }, `${word} ${short(losses[i])}`));
  const last = losses.length - 1;
  told(10, "start", mark ? "from" : "now", 0);
  if (mark && mark < last) told(width / 2, "middle", "now", mark);
  told(width - 10, "end", mark < last ? "to" : "now", last);
  return drawn;
}
