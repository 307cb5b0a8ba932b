// A matrix of tenants; a cell opens the workloads behind it.
// The cluster where most crosses tenants is the one to look at first.
let cluster = [...data.clusters].sort((a, b) => b.flows.filter(flow => flow.why !== 'own').length - a.flows.filter(flow => flow.why !== 'own').length)[0], chosen = null;
const unit = workload => (workload.tenant || 'cluster') + (environments(cluster).length > 1 ? ' · ' + workload.environment : '');
function environments(cluster) { return [...new Set(cluster.workloads.map(one => one.environment))]; }
const rank = {undeclared: 0, share: 1, own: 2};
const words = {undeclared: 'undeclared', share: 'shared', own: 'own'};
const kinds = {undeclared: 'bad', share: 'warn', own: 'dim'};

function draw() {
  main.replaceChildren();
  if (!cluster) { main.append(el('p', {}, 'No cluster was rendered.')); return; }
  const count = why => cluster.flows.filter(flow => flow.why === why).length;
  const dangers = cluster.accounts.filter(account => account.dangers.length).length;
  main.append(cards([
    [count('undeclared'), 'across tenants, undeclared', count('undeclared') ? 'bad' : 'good'],
    [count('share'), 'across tenants, by a share'],
    [count('own'), 'within a tenant'],
    [dangers, 'accounts that reach beyond their tenant', dangers ? 'bad' : 'good'],
    [number(cluster.pairs), 'pairs that were looked at'],
  ]));
  if (!cluster.isComplete) main.append(el('div', {class: 'note'}, 'So much is open that not every pair was looked at.'));
  matrix();
  main.append(el('div', {id: 'pairs'}));
  pairs();
  outside();
  accounts();
}

function matrix() {
  const units = [...new Set(cluster.workloads.map(unit))].sort();
  const cells = new Map();
  for (const flow of cluster.flows) {
    const key = unit(cluster.workloads[flow.from]) + '\n' + unit(cluster.workloads[flow.to]);
    const known = cells.get(key) || {why: flow.why, flows: []};
    if (rank[flow.why] < rank[known.why]) known.why = flow.why;
    known.flows.push(flow);
    cells.set(key, known);
  }
  // Many tenants: only those that cross are worth a row.
  let shown = units;
  if (units.length > 40) {
    const crossing = new Set([...cells].filter(([, cell]) => cell.why !== 'own').flatMap(([key]) => key.split('\n')));
    shown = units.filter(name => crossing.has(name)).slice(0, 60);
    main.append(el('p', {class: 'sub'}, `${units.length} tenants; the matrix has the ${shown.length} that reach another or are reached.`));
  }
  const size = 26, left = 10 + Math.max(60, ...shown.map(name => name.length * 6.6)), top = left * 0.72 + 8;
  const width = left + shown.length * size + left * 0.5, height = top + shown.length * size + 6;
  const picture = svg('svg', {width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'matrix of tenants'});
  shown.forEach((name, at) => {
    picture.append(svg('text', {x: left - 8, y: top + at * size + 17, 'text-anchor': 'end'}, name));
    picture.append(svg('text', {transform: `translate(${left + at * size + 15} ${top - 8}) rotate(-45)`}, name));
  });
  shown.forEach((from, y) => shown.forEach((to, x) => {
    const cell = cells.get(from + '\n' + to);
    const fill = !cell ? 'var(--panel)' : cell.why === 'undeclared' ? 'var(--bad)' : cell.why === 'share' ? 'var(--c6)' : 'var(--c0)';
    const box = svg('rect', {x: left + x * size + 1, y: top + y * size + 1, width: size - 2, height: size - 2, rx: 4, fill,
      'fill-opacity': cell && cell.why === 'own' ? 0.35 : 1, stroke: chosen === from + '\n' + to ? 'var(--text)' : 'none', 'stroke-width': 2,
      tabindex: cell ? 0 : -1, style: cell ? 'cursor:pointer' : '', class: 'cell', 'data-from': from, 'data-to': to});
    box.append(svg('title', {}, cell ? `${from} → ${to}: ${cell.flows.length} ${words[cell.why]}` : `${from} does not reach ${to}`));
    if (cell) {
      const open = () => { chosen = from + '\n' + to; draw(); document.getElementById('pairs').scrollIntoView({block: 'nearest'}); };
      box.addEventListener('click', open);
      box.addEventListener('keydown', event => { if (event.key === 'Enter') open(); });
    }
    picture.append(box);
  }));
  main.append(el('h2', {}, 'Tenants'), el('div', {class: 'legend'},
    ...[['var(--bad)', 'across tenants, undeclared'], ['var(--c6)', 'by a share'], ['color-mix(in srgb, var(--c0) 35%, transparent)', 'its own'], ['var(--panel)', 'does not reach']]
      .map(([color, text]) => el('span', {}, el('i', {style: `background:${color}`}), text))), el('div', {class: 'wide'}, picture));
}

function pairs() {
  const box = document.getElementById('pairs');
  const all = chosen ? cluster.flows.filter(flow => unit(cluster.workloads[flow.from]) + '\n' + unit(cluster.workloads[flow.to]) === chosen)
    : cluster.flows.filter(flow => flow.why !== 'own');
  const title = chosen ? chosen.replace('\n', ' → ') : 'What crosses tenants';
  box.replaceChildren(el('h2', {}, title, ' ', chosen ? el('button', {onclick: () => { chosen = null; draw(); }}, 'all that cross') : null));
  if (!all.length) { box.append(el('p', {class: 'sub'}, 'Nothing.')); return; }
  box.append(table(['From', 'To', 'On', 'Why', 'Let in by', 'Let out by'], all.slice(0, 300).map(flow => {
    const [from, to] = [cluster.workloads[flow.from], cluster.workloads[flow.to]];
    return [el('code', {}, from.name), el('code', {}, to.name), flow.ports, el('span', {class: 'tag ' + kinds[flow.why]}, words[flow.why]),
      el('code', {}, flow.letInBy.join(', ') || 'no policy'), el('code', {}, flow.letOutBy.join(', ') || 'no policy')];
  })));
  if (all.length > 300) box.append(el('p', {class: 'sub'}, `and ${all.length - 300} more`));
}

function outside() {
  const peers = new Map();
  for (const one of cluster.outside) {
    const key = [one.direction, one.peer, one.ports].join('\n');
    peers.set(key, [...(peers.get(key) || []), cluster.workloads[one.workload].name]);
  }
  main.append(el('h2', {}, 'Outside of what is rendered'), table(['', 'Who', 'On', 'Workloads'], [...peers].sort().map(([key, names]) => {
    const [direction, peer, ports] = key.split('\n'), unique = [...new Set(names)];
    return [direction === 'in' ? 'reaches us' : 'is reached', el('code', {}, peer), ports, unique.length > 4 ? el('details', {}, el('summary', {}, `${unique.slice(0, 3).join(', ')} and ${unique.length - 3} more`), unique.slice(3).join(', ')) : unique.join(', ')];
  })));
}

function accounts() {
  if (!cluster.accounts.length) return;
  main.append(el('h2', {}, 'Accounts'), table(['Account', 'Tenant', 'In', 'Role', 'May reach beyond the tenant'], cluster.accounts.map(account => [
    account.subject, account.tenant, el('code', {}, account.namespace || 'the whole cluster'), el('code', {}, account.role),
    account.dangers.length ? el('b', {class: 'bad'}, account.dangers.join('; ')) : el('span', {class: 'good'}, 'nothing'),
  ])));
}

select('Cluster', data.clusters.map((one, at) => [at, one.cluster]), value => { cluster = data.clusters[value]; chosen = null; draw(); }).value = data.clusters.indexOf(cluster);
themeButton();
draw();
