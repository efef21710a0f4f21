// The live graph: values and gradients computed here, in the same form in which Python has written them down.
const Live = {
  // Why a graph is not live, in words; null where it is.
  obstacle(graph) {
    if (graph.error) return "the forward pass failed";
    for (const node of graph.nodes) {
      if (node.op && !OPS[node.op]) return `${node.op} has no twin in JavaScript`;
      if (!node.value) return `the value of ${label(node)} was not kept`;
      if (!node.value.data) return `${label(node)} has ${count(node.shape)} elements, too many`;
      if (node.value.dtype.startsWith("complex")) return `${label(node)} is complex`;
      for (const input of node.inputs)
        if (typeof input === "object" && input.constant !== null && typeof input.constant !== "number")
          return `${node.op} was given ${JSON.stringify(input.constant)}`;
    }
    const values = this.forward(graph, this.leaves(graph, recorded.values));
    for (const node of graph.nodes) {
      const close = node.value.dtype === "float64" ? 1e-9 : 1e-3, mine = values.get(node.id).data;
      if (mine.some((v, i) => Math.abs(v - node.value.data[i]) > close * (1 + Math.abs(v))))
        return `${label(node)} comes out differently here`;
    }
    return null;
  },

  leaves(graph, values) {
    const leaves = graph.nodes.filter(node => !node.op);
    return new Map(leaves.map(node => [node.id, array(node.shape, Float64Array.from(values.get(node.id).data))]));
  },

  call(node, values) {
    const x = node.inputs.map(input => typeof input === "string" ? values.get(input)
      : input.constant === null ? null : scalar(input.constant));
    return { x, y: values.get(node.id), at: node.attributes };
  },

  forward(graph, leaves) {
    const values = new Map(leaves);
    for (const node of graph.nodes) if (node.op) values.set(node.id, OPS[node.op].f(this.call(node, values)));
    return values;
  },

  // The rules of one node: what it sends to each input that wants a gradient.
  sends(graph, node, g, values) {
    const call = this.call(node, values), sent = [];
    node.inputs.forEach((input, i) => {
      const source = graph.byId.get(input), rule = node.op && OPS[node.op].rules[i];
      if (!source || !source.requires_grad || !rule) return;
      const raw = rule(g, call), axes = summedAxes(raw.shape, source.shape);
      const line = { to: input, input: i, rule: node.arguments[i], value: unbroadcast(raw, source.shape) };
      const apart = (node.broadcasts && node.op !== "matmul") || g.data.length === 1;
      if (apart && same(raw.shape, g.shape)) line.slope = rule(filled(g.shape, 1), call);
      sent.push(axes.length ? { ...line, axes, raw } : line);
    });
    return sent;
  },

  // The steps of the walk back; depth first and without waiting for all parts if `naive`.
  backward(graph, values, naive) {
    const totals = new Map(), steps = [], root = graph.byId.get(graph.output);
    if (!root.requires_grad) return [];
    totals.set(root.id, filled(root.shape, 1));
    const visit = node => {
      const step = { node: node.id, gradient: totals.get(node.id), sent: [] };
      if (node.op) step.sent = this.sends(graph, node, step.gradient, values);
      for (const { to, value } of step.sent) totals.set(to, totals.has(to) ? plus(totals.get(to), value) : value);
      steps.push(step);
      return step;
    };
    if (naive) {
      const seen = new Set(), stack = [root];
      while (stack.length) {
        const node = stack.pop();
        if (seen.has(node.id)) continue;
        seen.add(node.id);
        for (const { to } of visit(node).sent.reverse()) stack.push(graph.byId.get(to));
        steps.at(-1).sent.reverse();
      }
      for (const step of steps) if (!graph.byId.get(step.node).op) step.gradient = totals.get(step.node);
    } else {
      for (const node of [...graph.nodes].reverse()) if (totals.has(node.id)) visit(node);
      steps.sort((a, b) => !graph.byId.get(a.node).op - !graph.byId.get(b.node).op);
    }
    return steps;
  },
};
