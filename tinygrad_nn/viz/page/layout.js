// Modules within modules, as layout.py has it: each is laid out by itself and is one box in what surrounds it.
const MARGIN = 12, TITLE = 20;

function layout(sizes, edges, parent, modules) {
  const members = new Map([[null, []], ...modules.map(name => [name, []])]);
  for (const name of [...sizes.keys(), ...modules]) members.get(parent.get(name) ?? null).push(name);
  const levels = new Map([...members.keys()].map(name => [name, []])), shared = new Map();
  const chain = name => {
    const line = [name];
    while (line.at(-1) !== null) line.push(parent.get(line.at(-1)) ?? null);
    return line;
  };
  const piece = (level, top, bottom, source, what) => {
    const key = JSON.stringify([level, top, bottom, what]);
    if (!shared.has(key)) {
      shared.set(key, levels.get(level).length);
      levels.get(level).push([top, bottom, source]);
    }
    return [level, shared.get(key)];
  };
  const routes = edges.map(([source, target], number) => {
    const up = chain(source), down = chain(target), common = up.slice(1).find(level => down.slice(1).includes(level));
    const rising = up.slice(0, up.indexOf(common)), falling = down.slice(0, down.indexOf(common)), route = [], own = `${source}>${number}`;
    for (let i = 0; i + 1 < rising.length; i++) route.push(piece(rising[i + 1], rising[i], ">" + source, source, source));
    const bottom = falling.at(-1);
    route.push(piece(common, rising.at(-1), bottom, source, bottom === target ? own : source));
    for (let i = falling.length - 1; i > 0; i--)
      route.push(piece(falling[i], "<" + source, falling[i - 1], source, i === 1 ? own : source));
    return route;
  });
  const sorted = [null];
  for (const name of sorted) sorted.push(...members.get(name).filter(child => members.has(child)));
  let drawn = null;
  const outer = child => [drawn.get(child).width + 2 * MARGIN, drawn.get(child).height + 2 * MARGIN + TITLE];
  const port = (child, name) => members.has(child) ? drawn.get(child).ports.get(name) + MARGIN : null;
  const pieces = [...levels.values()].reduce((sum, level) => sum + level.length, 1), total = what => [...drawn.values()].reduce((sum, level) => sum + level[what], 0);
  const drawAll = (wanted, work) => {
    drawn = new Map();
    for (const name of [...sorted].reverse()) {
      const inner = new Map(members.get(name).map(child => [child, members.has(child) ? outer(child) : sizes.get(child)]));
      const level = levels.get(name), fixed = wanted.get(name);
      const entries = fixed ?? [...new Set(level.map(p => p[0]).filter(top => top[0] === "<"))];
      const exits = [...new Set(level.map(p => p[1]).filter(bottom => bottom[0] === ">"))];
      drawn.set(name, arrange(inner, level.map(([top, bottom, source]) =>
        ({ top, bottom, leaves: port(top, ">" + source), enters: port(bottom, "<" + source) })), entries, exits, Boolean(fixed), work * level.length / pieces));
    }
  };
  // Of each module, its entries in the order in which their edges come near it from outside.
  const arrivals = () => {
    const near = new Map();
    for (const [name, level] of levels)
      level.forEach(([, bottom, source], k) => {
        if (!members.has(bottom)) return;
        if (!near.has(bottom)) near.set(bottom, []);
        const path = drawn.get(name).paths[k];
        near.get(bottom).push([(path.at(-3) ?? path[0])[0], "<" + source]);
      });
    return new Map([...near].map(([name, arriving]) => [name, arriving.sort((p, q) => p[0] - q[0]).map(p => p[1])]));
  };
  drawAll(new Map(), sorted.length === 1 ? SEARCH : SEARCH / 2);
  for (let left = SEARCH - total("work"); sorted.length > 1 && left > 0 && total("crossings");) {
    const before = drawn, fewest = total("crossings");
    drawAll(arrivals(), left);
    left -= total("work");
    if (total("crossings") < fewest) continue;
    drawn = before;
    break;
  }
  const result = { boxes: new Map(), modules: new Map(), edges: [], width: drawn.get(null).width, height: drawn.get(null).height };
  const origin = new Map([[null, [0, 0]]]);
  for (const name of sorted) {
    const [x0, y0] = origin.get(name);
    for (const [child, [x, y]] of drawn.get(name).corners) {
      const [width, height] = members.has(child) ? outer(child) : sizes.get(child), box = { x: x0 + x, y: y0 + y, width, height };
      (members.has(child) ? result.modules : result.boxes).set(child, box);
      origin.set(child, [box.x + MARGIN, box.y + MARGIN + TITLE]);
    }
  }
  result.edges = routes.map(route => route.flatMap(([level, k]) => {
    const [x0, y0] = origin.get(level);
    return drawn.get(level).paths[k].map(([x, y]) => [x0 + x, y0 + y]);
  }).filter(([x, y], i, all) => !i || x !== all[i - 1][0] || y !== all[i - 1][1]));
  return result;
}
