// Arrays: a shape and the elements in row-major order, in double precision. Broadcasting is NumPy's.
const count = shape => shape.reduce((product, n) => product * n, 1);
const array = (shape, data) => ({ shape, data });
const filled = (shape, value) => array(shape, new Float64Array(count(shape)).fill(value));
const scalar = value => filled([], value);
const same = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);
const map = (x, f) => array(x.shape, Float64Array.from(x.data, f));

function broadcastShape(a, b) {
  const ndim = Math.max(a.length, b.length), shape = [];
  for (let i = 0; i < ndim; i++) {
    const m = a[i - ndim + a.length] ?? 1, n = b[i - ndim + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1) throw new Error(`shapes (${a}) and (${b}) do not broadcast`);
    shape.push(m === 1 ? n : m);
  }
  return shape;
}

// For each element of `shape`, the position in an array of shape `from` that is broadcast to it.
function positions(from, shape) {
  const lead = shape.length - from.length, strides = new Array(shape.length).fill(0);
  for (let i = from.length - 1, stride = 1; i >= 0; i--) {
    strides[i + lead] = from[i] === 1 ? 0 : stride;
    stride *= from[i];
  }
  return walk(shape, strides);
}

function walk(shape, strides) {
  const total = count(shape), out = new Int32Array(total), at = new Array(shape.length).fill(0);
  for (let k = 0, p = 0; k < total; k++) {
    out[k] = p;
    for (let i = shape.length - 1; i >= 0; i--) {
      at[i]++;
      p += strides[i];
      if (at[i] < shape[i]) break;
      p -= strides[i] * shape[i];
      at[i] = 0;
    }
  }
  return out;
}

function stridesOf(shape) {
  const strides = new Array(shape.length);
  for (let i = shape.length - 1, stride = 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

function broadcastTo(x, shape) {
  if (same(x.shape, shape)) return x;
  return array(shape, Float64Array.from(positions(x.shape, shape), p => x.data[p]));
}

function map2(a, b, f) {
  const shape = same(a.shape, b.shape) ? a.shape : broadcastShape(a.shape, b.shape);
  const x = broadcastTo(a, shape).data, y = broadcastTo(b, shape).data, out = new Float64Array(x.length);
  for (let i = 0; i < out.length; i++) out[i] = f(x[i], y[i]);
  return array(shape, out);
}

const plus = (a, b) => map2(a, b, (x, y) => x + y);
const minus = (a, b) => map2(a, b, (x, y) => x - y);
const times = (a, b) => map2(a, b, (x, y) => x * y);

function axesOf(axis, ndim) {
  if (axis === null || axis === undefined) return [...Array(ndim).keys()];
  return (Array.isArray(axis) ? axis : [axis]).map(a => (a + ndim) % Math.max(ndim, 1));
}

const kept = (shape, axes) => shape.map((n, i) => axes.includes(i) ? 1 : n);

// Reduce along axes: `f(so far, element)` from `start`, and the axes kept as ones or dropped.
function reduce(x, axis, keepdims, f, start) {
  const axes = axesOf(axis, x.shape.length), shape = kept(x.shape, axes), out = filled(shape, start);
  const to = positions(shape, x.shape);
  for (let k = 0; k < x.data.length; k++) out.data[to[k]] = f(out.data[to[k]], x.data[k]);
  return keepdims ? out : array(x.shape.filter((_, i) => !axes.includes(i)), out.data);
}

const total = (x, axis, keepdims) => reduce(x, axis, keepdims, (s, v) => s + v, 0);
const largest = (x, axis, keepdims) => reduce(x, axis, keepdims, (s, v) => Math.max(s, v), -Infinity);

// A reduced array with its axes put back and spread over `shape`.
function spread(g, shape, axis, keepdims) {
  return broadcastTo(keepdims ? g : array(kept(shape, axesOf(axis, shape.length)), g.data), shape);
}

// The axes along which `shape` was broadcast to `to`, and a gradient summed over them: broadcasting undone.
function summedAxes(to, shape) {
  const lead = to.length - shape.length;
  return to.map((n, i) => i).filter(i => i < lead || to[i] !== shape[i - lead]);
}

function unbroadcast(g, shape) {
  return same(g.shape, shape) ? g : array(shape, total(g, summedAxes(g.shape, shape), true).data);
}

function permuted(x, axes) {
  const strides = stridesOf(x.shape);
  const shape = axes.map(a => x.shape[a]);
  return array(shape, Float64Array.from(walk(shape, axes.map(a => strides[a])), p => x.data[p]));
}

function swapped(x, i, j) {
  const axes = [...x.shape.keys()], n = axes.length;
  [axes[(i + n) % n], axes[(j + n) % n]] = [axes[(j + n) % n], axes[(i + n) % n]];
  return permuted(x, axes);
}

const mT = x => swapped(x, -1, -2);

function matmul(a, b) {
  const left = a.shape.length === 1 ? array([1, ...a.shape], a.data) : a;
  const right = b.shape.length === 1 ? array([...b.shape, 1], b.data) : b;
  const batch = broadcastShape(left.shape.slice(0, -2), right.shape.slice(0, -2));
  const [m, k] = left.shape.slice(-2), n = right.shape.at(-1);
  const x = broadcastTo(left, [...batch, m, k]).data, y = broadcastTo(right, [...batch, k, n]).data;
  const out = new Float64Array(count(batch) * m * n);
  for (let t = 0; t < count(batch); t++)
    for (let i = 0; i < m; i++)
      for (let p = 0; p < k; p++) {
        const value = x[(t * m + i) * k + p];
        for (let j = 0; j < n; j++) out[(t * m + i) * n + j] += value * y[(t * k + p) * n + j];
      }
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  return array(shape, out);
}
