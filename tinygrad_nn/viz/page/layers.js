// One level of a layered drawing, as layers.py and ranks.py have it: rows, orders, places, paths.
const GAP = 16, CHANNEL = 26, PORT_CHANNEL = 10, LANE = 6, MOST_POINTS = 6000, WORK = 60000, SEARCH = 90000;

function arrange(sizes, pieces, entries, exits, fixed, work) {
  const names = [...entries, ...sizes.keys(), ...exits], number = new Map(names.map((name, i) => [name, i]));
  const ends = pieces.map(p => [number.get(p.top), number.get(p.bottom)]);
  const rank = ranks(names.length, ends, entries.length, exits.length);
  const widths = names.map(name => sizes.has(name) ? sizes.get(name)[0] : 2);
  const heights = names.map(name => sizes.has(name) ? sizes.get(name)[1] : 0);
  const lanes = tooLong(ends, rank), chains = [], links = [];
  pieces.forEach((piece, k) => {
    const [top, bottom] = ends[k], chain = [top];
    if (!lanes.has(k))
      for (let row = rank[top] + 1; row < rank[bottom]; row++) {
        chain.push(rank.length);
        rank.push(row);
        widths.push(2);
        heights.push(0);
      }
    chain.push(bottom);
    chains.push(chain);
    if (lanes.has(k)) return;
    for (let i = 0; i + 1 < chain.length; i++) {
      const a = chain[i], b = chain[i + 1], last = i === chain.length - 2;
      links.push({
        top: a, bottom: b, weight: (i ? 2 : 1) * (last ? 1 : 2),
        leaves: i === 0 && piece.leaves !== null ? piece.leaves - widths[a] / 2 : 0,
        enters: last && piece.enters !== null ? piece.enters - widths[b] / 2 : 0,
      });
    }
  });
  const { best, fewest, spent } = order(rank, links, widths, fixed ? entries.length : 0, work), x = along(best, links, widths);
  return Object.assign(placeLevel(names, sizes, pieces, best, rank, x, widths, heights, chains, lanes), { crossings: fewest, work: spent });
}

// Longest paths from the top; then boxes with more users than inputs are lowered, and parts are moved while that shortens
// the edges in all.
function ranks(n, ends, entries, exits) {
  const after = Array.from({ length: n }, () => []), waiting = new Array(n).fill(0), rank = new Array(n).fill(0);
  for (const [top, bottom] of ends) { after[top].push(bottom); waiting[bottom]++; }
  const into = [...waiting], sorted = [...rank.keys()].filter(i => !waiting[i]);
  for (const i of sorted)
    for (const j of after[i]) {
      rank[j] = Math.max(rank[j], rank[i] + 1);
      if (!--waiting[j]) sorted.push(j);
    }
  for (const i of sorted.reverse())
    if (after[i].length > into[i]) rank[i] = Math.min(...after[i].map(j => rank[j])) - 1;
  if (ends.length) shorten(rank, ends);
  const inner = rank.slice(entries, n - exits);
  const low = (inner.length ? Math.min(...inner) : 0) - (entries > 0 ? 1 : 0);
  const high = (inner.length ? Math.max(...inner) : low) + 1;
  return rank.map((row, i) => (i < entries ? low : i >= n - exits ? high : row) - low);
}

// Move single boxes, and boxes with all that hangs on them by edges of one row, to where their edges are shortest.
function shorten(rank, ends) {
  const before = rank.map(() => []), after = rank.map(() => []);
  for (const [top, bottom] of ends) { after[top].push(bottom); before[bottom].push(top); }
  for (let turn = 0; turn < 12; turn++) {
    let moved = false;
    for (let i = 0; i < rank.length; i++)
      for (const down of [true, false]) {
        const part = new Set([i]), budget = Math.min(rank.length, 200);
        for (const a of part) {
          const pushed = down ? after[a] : before[a];
          for (const b of pushed) if (Math.abs(rank[b] - rank[a]) === 1) part.add(b);
          if (part.size > budget) break;
        }
        if (part.size > budget) continue;
        let gain = 0, room = Infinity;
        for (const a of part) {
          for (const b of after[a]) if (!part.has(b)) { gain += down ? 1 : -1; if (down) room = Math.min(room, rank[b] - rank[a] - 1); }
          for (const b of before[a]) if (!part.has(b)) { gain += down ? -1 : 1; if (!down) room = Math.min(room, rank[a] - rank[b] - 1); }
        }
        if (gain <= 0 || !room || room === Infinity) continue;
        for (const a of part) rank[a] += down ? room : -room;
        moved = true;
      }
    if (!moved) return;
  }
}

function tooLong(ends, rank) {
  const spans = ends.map(([a, b], k) => [rank[b] - rank[a] - 1, k]).sort((p, q) => q[0] - p[0] || q[1] - p[1]), lanes = new Set();
  let points = spans.reduce((sum, [span]) => sum + span, 0);
  for (const [span, k] of spans) {
    if (points <= MOST_POINTS) break;
    lanes.add(k);
    points -= span;
  }
  return lanes;
}

function order(rank, links, widths, fixed, work) {
  const up = rank.map(() => []), down = rank.map(() => []);
  for (const link of links) {
    const leaves = link.leaves / (widths[link.top] + 1), enters = link.enters / (widths[link.bottom] + 1);
    down[link.top].push([link.bottom, enters, leaves]);
    up[link.bottom].push([link.top, leaves, enters]);
  }
  let best = null, fewest = Infinity, spent = 0;
  for (const [ahead, behind, deep] of [[down, up, true], [up, down, true], [down, up, false], [up, down, false]]) {
    const begin = beginning(rank, ahead, behind, deep);
    if (fixed) begin[0] = [...Array(fixed).keys()];
    const result = swept(begin, up, down, work - spent, fixed > 0);
    spent += result.spent;
    if (result.fewest < fewest) ({ best, fewest } = result);
    if (!fewest || spent >= work) break;
  }
  return { best, fewest, spent };
}

function beginning(rank, ahead, behind, deep) {
  const rowsOf = Array.from({ length: rank.reduce((most, row) => Math.max(most, row), 0) + 1 }, () => []), seen = new Set();
  const starts = [...rank.keys()].filter(i => !behind[i].length);
  for (const start of deep ? starts : starts.reverse()) {
    const waiting = [start];
    for (let first = 0; waiting.length > first;) {
      const i = deep ? waiting.pop() : waiting[first++];
      if (seen.has(i)) continue;
      seen.add(i);
      rowsOf[rank[i]].push(i);
      for (const near of [ahead[i], behind[i]]) for (let k = near.length - 1; k >= 0; k--) waiting.push(near[k][0]);
    }
  }
  return rowsOf;
}

function swept(rowsOf, up, down, work, fixed) {
  const copy = () => rowsOf.map(row => [...row]), place = new Float64Array(up.length), key = new Float64Array(up.length);
  let best = copy(), fewest = crossings(rowsOf, down), stale = 0, spent = 0;
  for (let sweep = 0; sweep < 28 && fewest && stale < 8 && (spent < work || sweep < 4); sweep++) {
    const downwards = sweep % 2 === 0, beside = downwards ? up : down, free = fixed ? rowsOf.slice(1) : rowsOf;
    for (const row of rowsOf) row.forEach((i, p) => { place[i] = p; });
    for (const row of downwards ? free : [...free].reverse()) {
      row.forEach((i, p) => { key[i] = middle(place, beside[i], p, sweep); });
      row.sort((a, b) => key[a] - key[b]);
      row.forEach((i, p) => { place[i] = p; });
    }
    spent += up.length;
    if (up.length < 4000) spent += exchange(free, up, down, place, sweep % 4 < 2);
    const now = crossings(rowsOf, down);
    stale++;
    if (now < fewest) { best = copy(); fewest = now; stale = 0; }
  }
  return { best, fewest, spent };
}

function middle(place, beside, own, sweep) {
  if (!beside.length) return own;
  if (beside.length === 1) return place[beside[0][0]] + beside[0][1];
  const spots = new Float64Array(beside.length), half = spots.length >> 1;
  for (let k = 0; k < spots.length; k++) spots[k] = place[beside[k][0]] + beside[k][1];
  spots.sort();
  if (sweep % 4 >= 2) return spots.reduce((a, b) => a + b) / spots.length;
  return spots.length % 2 ? spots[half] : (spots[half - 1] + spots[half]) / 2;
}

function exchange(rowsOf, up, down, place, ties) {
  const both = [up, down];
  let looked = 0;
  for (let turn = 0; turn < 5; turn++) {
    let gained = false;
    for (const row of rowsOf) {
      looked += row.length;
      for (let p = 0; p + 1 < row.length; p++) {
        const a = row[p], b = row[p + 1];
        let saved = 0;
        for (const beside of both) {
          const first = beside[a], second = beside[b];
          for (let e = 0; e < first.length; e++) {
            const spot = place[first[e][0]] + first[e][1];
            for (let f = 0; f < second.length; f++) saved += Math.sign(spot - place[second[f][0]] - second[f][1]);
          }
        }
        if (saved > 0 || (ties && !turn && !saved)) {
          [row[p], row[p + 1]] = [b, a];
          place[a] = p + 1;
          place[b] = p;
          gained ||= saved > 0;
        }
      }
    }
    if (!gained) break;
  }
  return looked;
}

function crossings(rowsOf, down) {
  const place = new Float64Array(down.length);
  let sum = 0;
  for (let r = 0; r + 1 < rowsOf.length; r++) {
    rowsOf[r + 1].forEach((i, p) => { place[i] = p; });
    const ends = []; // of the edges further left, sorted
    let seen = 0;
    for (const i of rowsOf[r]) {
      const own = down[i].length > 1 ? [...down[i]].sort((a, b) => a[2] - b[2] || place[a[0]] + a[1] - place[b[0]] - b[1]) : down[i];
      for (let e = 0; e < own.length; e++) {
        const end = place[own[e][0]] + own[e][1];
        let low = 0, high = seen;
        while (low < high) {
          const k = (low + high) >> 1;
          if (ends[k] <= end) low = k + 1; else high = k;
        }
        sum += seen++ - low;
        ends.splice(low, 0, end);
      }
    }
  }
  return sum;
}

function along(rowsOf, links, widths) {
  const x = new Float64Array(widths.length), above = widths.map(() => []), below = widths.map(() => []);
  for (const { top, bottom, leaves, enters, weight } of links) {
    above[bottom].push([top, leaves - enters, weight]);
    below[top].push([bottom, enters - leaves, weight]);
  }
  const starts = rowsOf.map(row => {
    let at = 0;
    const start = row.map((i, p) => {
      const here = at;
      at += (widths[i] + widths[row[p + 1] ?? i]) / 2 + GAP;
      return here;
    });
    row.forEach((i, p) => { x[i] = start[p] - start.at(-1) / 2; });
    return start;
  });
  const rounds = Math.max(6, Math.min(20, Math.floor(WORK / (links.length + 1))));
  for (let turn = 0; turn < rounds; turn++) {
    const both = turn >= rounds - 4;
    for (let k = 0; k < rowsOf.length; k++) {
      const r = turn % 2 ? rowsOf.length - 1 - k : k, wishes = [], weights = [];
      for (const i of rowsOf[r]) {
        let sum = 0, wish = 0;
        for (let side = 0; side < 2; side++) {
          if (!both && side !== turn % 2) continue;
          const near = side ? below[i] : above[i];
          for (let e = 0; e < near.length; e++) {
            const [j, shift, weight] = near[e];
            sum += weight;
            wish += (x[j] + shift) * weight;
          }
        }
        wishes.push(sum ? wish / sum : x[i]);
        weights.push(sum || 0.01);
      }
      const places = spaced(wishes, weights, starts[r]);
      rowsOf[r].forEach((i, p) => { x[i] = places[p]; });
    }
  }
  return x;
}

function spaced(wishes, weights, starts) {
  const pools = [];
  wishes.forEach((wish, k) => {
    pools.push([wish - starts[k], weights[k], 1]);
    while (pools.length > 1 && pools.at(-2)[0] > pools.at(-1)[0]) {
      const [at, weight, many] = pools.pop(), last = pools.at(-1);
      last[0] = (last[0] * last[1] + at * weight) / (last[1] + weight);
      last[1] += weight;
      last[2] += many;
    }
  });
  return pools.flatMap(([at, , many]) => new Array(many).fill(at)).map((at, k) => at + starts[k]);
}

function placeLevel(names, sizes, pieces, rowsOf, rank, x, widths, heights, chains, lanes) {
  let left = Infinity, right = 0, y = 0;
  for (let i = 0; i < x.length; i++) left = Math.min(left, x[i] - widths[i] / 2);
  if (left === Infinity) left = 0;
  for (let i = 0; i < x.length; i++) { x[i] -= left; right = Math.max(right, x[i] + widths[i] / 2); }
  const spans = new Array(rowsOf.length + 1).fill(0), tops = [], bottoms = [];
  for (const chain of chains) spans[rank[chain[0]]]++;
  rowsOf.forEach((row, r) => {
    const height = row.reduce((most, i) => Math.max(most, heights[i]), 0);
    tops.push(y);
    bottoms.push(y += height);
    y += height ? CHANNEL + Math.min(40, 1.5 * spans[r]) : PORT_CHANNEL;
  });
  const drawn = { width: right, height: bottoms.at(-1) ?? 0, corners: new Map(), ports: new Map(), paths: [] };
  const mid = i => (tops[rank[i]] + bottoms[rank[i]]) / 2;
  names.forEach((name, i) => {
    if (sizes.has(name)) drawn.corners.set(name, [x[i] - widths[i] / 2, mid(i) - heights[i] / 2]);
    else drawn.ports.set(name, x[i]);
  });
  const enters = inlets(pieces, chains, x, widths, lanes);
  let side = right + LANE;
  pieces.forEach((piece, k) => {
    const chain = chains[k], first = chain[0], last = chain.at(-1);
    const out = piece.leaves === null ? x[first] : x[first] - widths[first] / 2 + piece.leaves;
    const path = [[out, mid(first) + heights[first] / 2], [out, bottoms[rank[first]]]];
    if (lanes.has(k)) {
      path.push([side, tops[rank[first] + 1]], [side, bottoms[rank[last] - 1]]);
      side += LANE;
    }
    for (const i of chain.slice(1, -1)) path.push([x[i], tops[rank[i]]], [x[i], bottoms[rank[i]]]);
    path.push([enters[k], tops[rank[last]]], [enters[k], mid(last) - heights[last] / 2]);
    drawn.paths.push(path);
  });
  if (lanes.size) drawn.width = side;
  return drawn;
}

function inlets(pieces, chains, x, widths, lanes) {
  const arriving = new Map(), enters = [];
  pieces.forEach((piece, k) => {
    const box = chains[k].at(-1);
    if (piece.enters !== null) enters[k] = x[box] - widths[box] / 2 + piece.enters;
    else if (arriving.has(box)) arriving.get(box).push(k);
    else arriving.set(box, [k]);
  });
  for (const [box, edges] of arriving) {
    edges.sort((a, b) => lanes.has(a) - lanes.has(b) || x[chains[a].at(-2)] - x[chains[b].at(-2)] || a - b);
    edges.forEach((k, p) => { enters[k] = x[box] + widths[box] * ((p + 1) / (edges.length + 1) - 0.5); });
  }
  return enters;
}
