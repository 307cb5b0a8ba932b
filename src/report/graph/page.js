// Layers from left to right, the way that data goes. A node in focus shows only what is up- and downstream of it.
const nodes = new Map(data.nodes.map(node => [node.id, node]));
const classes = ['public', 'internal', 'confidential', 'restricted'];
const color = {public: 'var(--c7)', internal: 'var(--c0)', confidential: 'var(--c1)', restricted: 'var(--c5)', '': 'var(--c7)'};
// A link to a node ends in #Kind/name.
const linked = decodeURIComponent(location.hash.slice(1));
let focus = nodes.has(linked) ? linked : data.around, way = 'both', tenant = '', least = '', query = '', withTenants = false;

function shown() {
  const wanted = new Set();
  for (const node of data.nodes) {
    if (node.kind === 'Tenant' && !withTenants && node.id !== focus) continue;
    if (tenant && !node.tenants.includes(tenant)) continue;
    if (least && node.kind === 'Dataset' && classes.indexOf(node.classification) < classes.indexOf(least)) continue;
    wanted.add(node.id);
  }
  const edges = data.edges.filter(edge => wanted.has(edge.from) && wanted.has(edge.to));
  if (!focus || !wanted.has(focus)) return {ids: wanted, edges};
  const reached = new Set([focus]);
  const follow = (from, to) => {
    const pending = [focus], seen = new Set([focus]);
    while (pending.length) {
      const at = pending.pop();
      for (const edge of edges) if (edge[from] === at && !seen.has(edge[to])) { seen.add(edge[to]); reached.add(edge[to]); pending.push(edge[to]); }
    }
  };
  if (way !== 'down') follow('to', 'from');
  if (way !== 'up') follow('from', 'to');
  return {ids: reached, edges: edges.filter(edge => reached.has(edge.from) && reached.has(edge.to))};
}

// Ranks by the longest way from a source; what goes in a circle is cut where it closes.
function layout(ids, edges) {
  const out = new Map([...ids].map(id => [id, []]));
  for (const edge of edges) out.get(edge.from).push(edge.to);
  const state = new Map(), order = [], cut = new Set();
  for (const start of ids) {
    const stack = [[start, 0]];
    while (stack.length) {
      const top = stack[stack.length - 1], [id] = top;
      if (top[1] === 0 && state.get(id)) { stack.pop(); continue; }
      if (top[1] === 0) state.set(id, 1);
      const next = out.get(id)[top[1]++];
      if (next === undefined) { state.set(id, 2); order.push(id); stack.pop(); }
      else if (state.get(next) === 1) cut.add(id + '\n' + next);
      else if (!state.get(next)) stack.push([next, 0]);
    }
  }
  const rank = new Map([...ids].map(id => [id, 0]));
  for (const id of order.reverse()) for (const next of out.get(id)) if (!cut.has(id + '\n' + next)) rank.set(next, Math.max(rank.get(next), rank.get(id) + 1));
  const layers = [];
  for (const id of ids) (layers[rank.get(id)] ||= []).push(id);
  const place = new Map();
  const settle = () => layers.forEach(layer => layer.forEach((id, at) => place.set(id, at - layer.length / 2)));
  settle();
  for (let pass = 0; pass < 6; pass++) {
    for (const layer of layers) {
      const middle = id => {
        const near = edges.filter(edge => edge.from === id || edge.to === id).map(edge => place.get(edge.from === id ? edge.to : edge.from));
        return near.length ? near.reduce((a, b) => a + b, 0) / near.length : place.get(id);
      };
      const middles = new Map(layer.map(id => [id, middle(id)]));
      layer.sort((a, b) => middles.get(a) - middles.get(b) || (a < b ? -1 : 1));
    }
    settle();
  }
  return layers;
}

function picture(ids, edges) {
  const layers = layout(ids, edges).filter(Boolean), step = 42, wide = 158, gap = 46;
  const most = Math.max(...layers.map(layer => layer.length)), height = most * step + 20, width = layers.length * (wide + gap) - gap + 20;
  const at = new Map();
  layers.forEach((layer, x) => layer.forEach((id, y) => at.set(id, [10 + x * (wide + gap), 10 + (most - layer.length) * step / 2 + y * step])));
  const root = svg('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'graph', class: 'large', style: `width:100%;min-width:${Math.round(width * 0.8)}px;max-width:${width}px`});
  for (const edge of edges) {
    const [a, b] = [at.get(edge.from), at.get(edge.to)], [x1, y1, x2, y2] = [a[0] + wide, a[1] + 15, b[0], b[1] + 15];
    const bend = x2 > x1 ? (x2 - x1) / 2 : 60;
    const line = svg('path', {d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, fill: 'none', stroke: edge.classification ? color[edge.classification] : 'var(--dim)', 'stroke-width': edge.from === focus || edge.to === focus ? 2.4 : 1.4, 'stroke-dasharray': edge.classification ? '' : '4 4'});
    line.append(svg('title', {}, `${edge.from} ${edge.kind} ${edge.to}${edge.classification ? ' (' + edge.classification + ')' : ''}`));
    root.append(line);
  }
  for (const [id, [x, y]] of at) {
    const node = nodes.get(id), hit = query && matches(node), data = node.kind === 'Dataset';
    const box = svg('g', {transform: `translate(${x} ${y})`, style: 'cursor:pointer', tabindex: 0, class: 'node', 'data-id': id, opacity: query && !hit ? 0.3 : 1});
    box.append(svg('rect', {width: wide, height: 30, rx: data ? 15 : 5, fill: id === focus ? 'var(--mark)' : 'var(--panel)', stroke: data ? color[node.classification] : 'var(--dim)', 'stroke-width': data || id === focus ? 2 : 1, 'stroke-dasharray': node.kind === 'Tenant' ? '2 3' : ''}));
    const label = node.name.length > 21 ? node.name.slice(0, 20) + '…' : node.name;
    box.append(svg('text', {x: wide / 2, y: 20, 'text-anchor': 'middle'}, label + (node.personalData ? ' •' : '')));
    box.append(svg('title', {}, `${id}\n${node.description}`));
    const open = () => { focus = id; history.replaceState(null, '', '#' + id); draw(); };
    box.addEventListener('click', open);
    box.addEventListener('keydown', event => { if (event.key === 'Enter') open(); });
    root.append(box);
  }
  return root;
}

const matches = node => [node.name, node.owner, node.domain || '', node.description].join(' ').toLowerCase().includes(query);

function details(id) {
  const node = nodes.get(id), rows = [];
  const add = (name, value) => { if (value !== null && value !== undefined && value !== '' && value.length !== 0) rows.push([name, value]); };
  add('Class', node.classification && el('b', {style: `color:${color[node.classification]}`}, node.classification));
  add('Owner', node.owner); add('Domain', node.domain); add('Format', node.format);
  add('Location', node.location && el('code', {}, node.location)); add('Residency', (node.residency || []).join(', '));
  add('Kept for', node.retentionDays && node.retentionDays + ' days'); if (node.legalHold) add('Legal hold', 'must not be deleted');
  if (node.personalData) add('Personal data', 'yes'); add('Tenants', node.tenants.join(', '));
  const box = el('div', {id: 'details'}, el('h2', {}, node.name, ' ', el('span', {class: 'dim'}, node.kind.toLowerCase()), ' ', el('button', {id: 'unfocus', onclick: () => { focus = null; history.replaceState(null, '', location.pathname); draw(); }}, 'show everything')), el('p', {class: 'sub'}, node.description), el('table', {class: 'narrow'}, rows.map(([name, value]) => el('tr', {}, el('th', {}, name), el('td', {}, value)))));
  if (node.contract && Object.keys(node.contract.fields).length) box.append(el('h3', {}, 'Contract' + (node.contract.version ? ' ' + node.contract.version : '')), table(['Field', 'Type', 'Class', 'What it means'], Object.entries(node.contract.fields).map(([name, field]) => [el('code', {}, name + (field.required ? ' *' : '')), field.type, field.classification || '', field.description || ''])));
  if (node.contract && node.contract.quality.length) box.append(el('h3', {}, 'Quality gates'), table(['Rule', 'Check', 'At least', 'If it fails'], node.contract.quality.map(rule => [rule.name, el('code', {}, rule.check), (rule.threshold ?? 100) + ' %', rule.gate === 'warn' ? 'somebody is told' : 'it is not published'])));
  return box;
}

function draw() {
  const {ids, edges} = shown();
  main.replaceChildren();
  for (const [name, button] of Object.entries(ways)) { button.setAttribute('aria-pressed', way === name); button.hidden = !focus; }
  const count = kind => [...ids].filter(id => nodes.get(id).kind === kind).length;
  main.append(el('p', {class: 'sub', id: 'count'}, [[count('Dataset'), 'dataset'], [count('Component'), 'component'], [edges.length, 'link']].map(([value, word]) => `${value} ${word}${value === 1 ? '' : 's'}`).join(', ')),
    el('div', {class: 'legend'}, classes.map(name => el('span', {}, el('i', {style: `background:${color[name]}`}), name)), el('span', {}, 'dashed: needs'), el('span', {}, '•: personal data')));
  if (!ids.size) { main.append(el('p', {}, 'Nothing is left by these filters.')); return; }
  // Only what is connected is worth a picture; the rest is a list.
  const linked = new Set(edges.flatMap(edge => [edge.from, edge.to]));
  if (focus) linked.add(focus);
  if (linked.size > 400) main.append(el('div', {class: 'note'}, `${linked.size} nodes are too many for a picture: search, filter, or choose one below.`));
  else if (linked.size) main.append(el('div', {class: 'wide'}, picture(linked, edges)));
  if (focus && nodes.has(focus)) main.append(details(focus));
  const rest = [...ids].filter(id => !linked.has(id) || linked.size > 400).filter(id => !query || matches(nodes.get(id)));
  if (rest.length) main.append(el('h3', {}, linked.size > 400 ? 'Nodes' : 'Not connected'), el('p', {}, rest.slice(0, 500).map(id => [el('a', {href: '#', onclick: event => { event.preventDefault(); focus = id; draw(); }}, id), '  '])));
}

const search = el('input', {type: 'search', id: 'search', placeholder: 'Search: a name, an owner, a domain', 'aria-label': 'Search', oninput: () => {
  query = search.value.trim().toLowerCase();
  const found = data.nodes.filter(node => query && node.name === query);
  if (found.length === 1) focus = found[0].id;
  draw();
}});
bar.append(search);
const tenants = [...new Set(data.nodes.flatMap(node => node.tenants))].sort();
select('Tenant', [['', 'all'], ...tenants.map(name => [name, name])], value => { tenant = value; draw(); }).id = 'tenant';
select('At least', [['', 'any class'], ...classes.map(name => [name, name])], value => { least = value; draw(); }).id = 'class';
const ways = {};
for (const [name, text] of [['up', 'Where it comes from'], ['both', 'Both ways'], ['down', 'What it leads to']]) {
  ways[name] = el('button', {id: 'way-' + name, onclick: () => { way = name; draw(); }}, text);
  bar.append(ways[name]);
}
const tenantsButton = el('button', {id: 'tenants', 'aria-pressed': false, onclick: () => { withTenants = !withTenants; tenantsButton.setAttribute('aria-pressed', withTenants); draw(); }}, 'Tenants as nodes');
bar.append(tenantsButton);
themeButton();
draw();
