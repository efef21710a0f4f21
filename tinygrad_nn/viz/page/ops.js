// The ops that are live in the page: a forward, and a rule for each input, as their Python twins have them.
// Each takes the call: `c.x` the inputs in order, `c.y` the output, `c.at` the attributes; a rule also `g`.
const OPS = {};

function unary(name, forward, slope) {
  OPS[name] = { f: c => map(c.x[0], forward), rules: [(g, c) => times(g, slope(c))] };
}

function binary(name, forward, first, second) {
  OPS[name] = { f: c => map2(c.x[0], c.x[1], forward), rules: [first, second] };
}

const ofInput = f => c => map(c.x[0], f);
const ofOutput = f => c => map(c.y, f);

unary("neg", x => -x, ofInput(() => -1));
unary("exp", Math.exp, c => c.y);
unary("exp2", x => 2 ** x, ofOutput(y => y * Math.LN2));
unary("log", Math.log, ofInput(x => 1 / x));
unary("log2", Math.log2, ofInput(x => 1 / (x * Math.LN2)));
unary("log10", Math.log10, ofInput(x => 1 / (x * Math.LN10)));
unary("log1p", Math.log1p, ofInput(x => 1 / (1 + x)));
unary("expm1", Math.expm1, ofOutput(y => y + 1));
unary("sqrt", Math.sqrt, ofOutput(y => 1 / (2 * y)));
unary("tanh", Math.tanh, ofOutput(y => 1 - y * y));
unary("sinh", Math.sinh, ofInput(Math.cosh));
unary("cosh", Math.cosh, ofInput(Math.sinh));
unary("sin", Math.sin, ofInput(Math.cos));
unary("cos", Math.cos, ofInput(x => -Math.sin(x)));
unary("tan", Math.tan, ofOutput(y => 1 + y * y));
unary("atan", Math.atan, ofInput(x => 1 / (1 + x * x)));
unary("sigmoid", x => 1 / (1 + Math.exp(-x)), ofOutput(y => y * (1 - y)));
unary("relu", x => Math.max(x, 0), ofOutput(y => y <= 0 ? 0 : 1));
unary("abs", Math.abs, ofInput(Math.sign));
unary("sign", Math.sign, ofInput(() => 0));
unary("copy", x => x, ofInput(() => 1));
OPS.astype = OPS.copy;
OPS.detach = OPS.data = { f: c => c.x[0], rules: [] };

binary("add", (a, b) => a + b, g => g, g => g);
binary("sub", (a, b) => a - b, g => g, g => map(g, v => -v));
binary("mul", (a, b) => a * b, (g, c) => times(g, c.x[1]), (g, c) => times(g, c.x[0]));
binary("div", (a, b) => a / b,
  (g, c) => map2(g, c.x[1], (v, b) => v / b),
  (g, c) => map2(times(g, c.y), c.x[1], (v, b) => -v / b));
binary("pow", (a, b) => a ** b,
  (g, c) => times(g, map2(c.x[0], c.x[1], (a, b) => b === 0 ? 0 : b * a ** (b - 1))),
  (g, c) => times(g, map2(c.x[0], c.x[1], (a, b) => a === 0 && b >= 0 ? 0 : a ** b * Math.log(a))));

const share = wins => (g, c) => times(g, map2(c.x[0], c.x[1], (a, b) => a === b ? 0.5 : wins(a, b) ? 1 : 0));
binary("maximum", Math.max, share((a, b) => a > b), share((a, b) => b > a));
binary("minimum", Math.min, share((a, b) => a < b), share((a, b) => b < a));

OPS.matmul = {
  f: c => matmul(c.x[0], c.x[1]),
  rules: [(g, c) => matmul(g, mT(c.x[1])), (g, c) => matmul(mT(c.x[0]), g)],
};

const rows = x => array([x.data.length / x.shape.at(-1), x.shape.at(-1)], x.data);
OPS.linear = {
  f: c => {
    const [x, weight, bias] = c.x, y = matmul(x, mT(weight));
    return bias ? plus(y, bias) : y;
  },
  rules: [(g, c) => matmul(g, c.x[1]), (g, c) => matmul(mT(rows(g)), rows(c.x[0])), g => total(rows(g), 0, false)],
};

OPS.sum = {
  f: c => total(c.x[0], c.at.axis, c.at.keepdims),
  rules: [(g, c) => spread(g, c.x[0].shape, c.at.axis, c.at.keepdims)],
};

const averaged = c => c.x[0].data.length / c.y.data.length;
OPS.mean = {
  f: c => {
    const sum = total(c.x[0], c.at.axis, c.at.keepdims);
    return map(sum, v => v / (c.x[0].data.length / sum.data.length));
  },
  rules: [(g, c) => spread(map(g, v => v / averaged(c)), c.x[0].shape, c.at.axis, c.at.keepdims)],
};

function logSoftmax(x, axis) {
  const shifted = minus(x, largest(x, axis, true));
  return minus(shifted, map(total(map(shifted, Math.exp), axis, true), Math.log));
}

function softmax(x, axis) {
  const powers = map(minus(x, largest(x, axis, true)), Math.exp);
  return map2(powers, total(powers, axis, true), (a, b) => a / b);
}

OPS.log_softmax = {
  f: c => logSoftmax(c.x[0], c.at.axis),
  rules: [(g, c) => minus(g, times(map(c.y, Math.exp), total(g, c.at.axis, true)))],
};
OPS.softmax = {
  f: c => softmax(c.x[0], c.at.axis),
  rules: [(g, c) => times(c.y, minus(g, total(times(g, c.y), c.at.axis, true)))],
};
OPS.logsumexp = {
  f: c => {
    const top = largest(c.x[0], c.at.axis, true);
    const sum = plus(map(total(map(minus(c.x[0], top), Math.exp), c.at.axis, true), Math.log), top);
    return c.at.keepdims ? sum : array(total(c.x[0], c.at.axis, false).shape, sum.data);
  },
  rules: [(g, c) => {
    const y = spread(c.y, c.x[0].shape, c.at.axis, c.at.keepdims);
    return times(spread(g, c.x[0].shape, c.at.axis, c.at.keepdims), map(minus(c.x[0], y), Math.exp));
  }],
};

// A number, or one for each row.
const perRow = (scale, n) => typeof scale === "number" ? new Float64Array(n).fill(scale) : Float64Array.from(scale.data);

OPS.cross_entropy = {
  f: c => {
    const [x, target] = c.x, [n, k] = x.shape, y = logSoftmax(x, 1).data, scale = perRow(c.at.scale, n);
    let sum = 0;
    for (let i = 0; i < n; i++) sum -= y[i * k + target.data[i]] * scale[i];
    return scalar(sum);
  },
  rules: [(g, c) => {
    const [x, target] = c.x, [n, k] = x.shape, y = softmax(x, 1), scale = perRow(c.at.scale, n);
    for (let i = 0; i < n; i++) {
      y.data[i * k + target.data[i]] -= 1;
      for (let j = 0; j < k; j++) y.data[i * k + j] *= g.data[0] * scale[i];
    }
    return y;
  }],
};

OPS.nll = {
  f: c => {
    const [x, target] = c.x, [n, k] = x.shape, scale = perRow(c.at.scale, n);
    return array([n], Float64Array.from({ length: n }, (_, i) => -x.data[i * k + target.data[i]] * scale[i]));
  },
  rules: [(g, c) => {
    const [x, target] = c.x, [n, k] = x.shape, scale = perRow(c.at.scale, n), out = filled(x.shape, 0);
    for (let i = 0; i < n; i++) out.data[i * k + target.data[i]] = -g.data[i] * scale[i];
    return out;
  }],
};

const sized = (shape, x) => shape.map(n => n === -1 ? x.data.length / -count(shape) : n);
OPS.reshape = {
  f: c => array(sized(c.at.shape, c.x[0]), c.x[0].data),
  rules: [(g, c) => array(c.x[0].shape, g.data)],
};
OPS.transpose = {
  f: c => swapped(c.x[0], c.at.axis0, c.at.axis1),
  rules: [(g, c) => swapped(g, c.at.axis0, c.at.axis1)],
};
OPS.permute = {
  f: c => permuted(c.x[0], axesOf(c.at.axes, c.x[0].shape.length)),
  rules: [(g, c) => {
    const axes = axesOf(c.at.axes, g.shape.length);
    return permuted(g, axes.map((_, i) => axes.indexOf(i)));
  }],
};
OPS.broadcast_to = {
  f: c => broadcastTo(c.x[0], c.at.shape),
  rules: [(g, c) => unbroadcast(g, c.x[0].shape)],
};
OPS.sum_to = {
  f: c => unbroadcast(c.x[0], c.at.shape),
  rules: [(g, c) => broadcastTo(g, c.x[0].shape)],
};
