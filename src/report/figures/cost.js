// Costs: a bar for each tenant from the least to the most, with its budget; then by component and environment.
let chosen = '', environment = '';
const sum = list => list.reduce((total, value) => total + value, 0);
const money = value => number(Math.round(value));
const range = (least, most) => money(least) === money(most) ? money(least) : `${money(least)}–${money(most)}`;
const parts = tenant => tenant.components.filter(part => !environment || part.environment === environment);

function bars(rows, label) {
  const most = Math.max(1, ...rows.map(row => Math.max(row.most, row.budget || 0))), left = 160, width = 760, step = 30;
  const x = value => left + value / most * (width - left - 90);
  const root = svg('svg', {class: 'chart', width, height: rows.length * step + 30, viewBox: `0 0 ${width} ${rows.length * step + 30}`, role: 'img', 'aria-label': label});
  for (const share of [0, 0.25, 0.5, 0.75, 1]) root.append(svg('line', {x1: x(most * share), x2: x(most * share), y1: 0, y2: rows.length * step, stroke: 'var(--line)'}), svg('text', {x: x(most * share), y: rows.length * step + 18, 'text-anchor': 'middle', style: 'fill:var(--dim)'}, money(most * share)));
  rows.forEach((row, at) => {
    const y = at * step + 6, over = row.budget && row.charged > row.budget;
    const group = svg('g', {style: row.open ? 'cursor:pointer' : '', tabindex: row.open ? 0 : -1, class: 'row'});
    group.append(svg('text', {x: left - 10, y: y + 13, 'text-anchor': 'end'}, row.name.length > 22 ? row.name.slice(0, 21) + '…' : row.name));
    group.append(svg('rect', {x: left, y, width: Math.max(1, x(row.most) - left), height: 17, rx: 3, fill: 'var(--c0)', 'fill-opacity': 0.28}));
    group.append(svg('rect', {x: left, y, width: Math.max(1, x(row.least) - left), height: 17, rx: 3, fill: over ? 'var(--bad)' : 'var(--c0)'}));
    if (row.charged !== undefined && row.model !== 'requested') group.append(svg('circle', {cx: x(row.charged), cy: y + 8.5, r: 5, fill: 'var(--back)', stroke: 'var(--text)', 'stroke-width': 2}));
    if (row.budget) group.append(svg('line', {x1: x(row.budget), x2: x(row.budget), y1: y - 4, y2: y + 21, stroke: 'var(--c3)', 'stroke-width': 3}));
    group.append(svg('text', {x: x(row.budget && Math.abs(x(row.budget) - x(row.most)) < 70 ? Math.max(row.most, row.budget) : row.most) + 8, y: y + 13, style: 'fill:var(--dim)'}, money(row.most)));
    group.append(svg('title', {}, `${row.name}: ${money(row.least)} to ${money(row.most)}${row.budget ? ', budget ' + money(row.budget) : ''}`));
    if (row.open) { group.addEventListener('click', row.open); group.addEventListener('keydown', event => { if (event.key === 'Enter') row.open(); }); }
    root.append(group);
  });
  return el('div', {class: 'wide'}, root);
}

function grouped(tenants, key) {
  const sums = new Map();
  for (const tenant of tenants) for (const part of parts(tenant)) {
    const known = sums.get(part[key]) || {name: part[key] || "(the tenant's own)", least: 0, most: 0};
    known.least += part.least; known.most += part.most;
    sums.set(part[key], known);
  }
  return [...sums.values()].sort((a, b) => b.most - a.most);
}

function draw() {
  main.replaceChildren();
  const tenants = data.tenants.filter(tenant => !chosen || tenant.tenant === chosen);
  const over = tenants.filter(tenant => tenant.budget && tenant.charged.least > tenant.budget);
  const may = tenants.filter(tenant => tenant.budget && tenant.charged.most > tenant.budget && tenant.charged.least <= tenant.budget);
  main.append(cards([
    [money(sum(tenants.flatMap(tenant => parts(tenant).map(part => part.least)))), `${data.currency} a month at the least replicas`],
    [money(sum(tenants.flatMap(tenant => parts(tenant).map(part => part.most)))), 'at the most, jobs until their deadlines'],
    [range(sum(tenants.map(tenant => tenant.charged.least)), sum(tenants.map(tenant => tenant.charged.most))), 'charged by the billing models'],
    [over.length, 'over their budget', over.length ? 'bad' : 'good'],
    [may.length, 'may be, at the most', may.length ? 'warn' : ''],
  ]));
  if (!chosen) {
    main.append(el('h2', {}, 'Tenants'), el('div', {class: 'legend'}, [['var(--c0)', 'least'], ['color-mix(in srgb, var(--c0) 28%, transparent)', 'most'], ['var(--bad)', 'over the budget'], ['var(--c3)', 'budget']].map(([color, text]) => el('span', {}, el('i', {style: `background:${color}`}), text)), el('span', {}, '○ charged, where that is not what is requested')),
      bars(tenants.map(tenant => ({name: tenant.tenant, least: sum(parts(tenant).map(part => part.least)), most: sum(parts(tenant).map(part => part.most)), charged: tenant.charged.least, budget: environment ? null : tenant.budget, model: tenant.model, open: () => { chosen = tenant.tenant; tenantSelect.value = chosen; draw(); }})).filter(row => row.most > 0 || row.budget), 'costs of tenants'));
  }
  main.append(el('h2', {}, 'Components'), bars(grouped(tenants, 'component').slice(0, 30), 'costs of components'));
  main.append(el('h2', {}, 'Environments'), bars(grouped(tenants, 'environment'), 'costs of environments'));
  main.append(el('h2', {}, 'All figures'), table(['Tenant', 'Cost center', 'Model', 'Least', 'Most', 'Charged', 'Budget', 'Used'], tenants.map(tenant => {
    const share = tenant.budget ? tenant.charged.least / tenant.budget : null, most = tenant.budget ? tenant.charged.most / tenant.budget : null;
    const words = share === null ? '' : Math.round(share * 100) === Math.round(most * 100) ? `${Math.round(share * 100)} %` : `${Math.round(share * 100)}–${Math.round(most * 100)} %`;
    return [tenant.tenant, tenant.costCenter || '', tenant.model, money(tenant.least), money(tenant.most),
      range(tenant.charged.least, tenant.charged.most),
      tenant.budget ? money(tenant.budget) : '', share === null ? '' : el('span', {class: share > 1 ? 'bad' : most > 1 ? 'warn' : ''}, el('span', {class: 'meter' + (share > 1 ? ' over' : most > 1 ? ' near' : '')}, el('i', {style: `width:${Math.min(100, share * 100)}%`})), words)];
  }), [3, 4, 5, 6]));
}

const tenantSelect = select('Tenant', [['', 'all'], ...data.tenants.map(tenant => [tenant.tenant, tenant.tenant])], value => { chosen = value; draw(); });
select('Environment', [['', 'all'], ...[...new Set(data.tenants.flatMap(tenant => tenant.components.map(part => part.environment)))].sort().map(name => [name, name])], value => { environment = value; draw(); });
themeButton();
draw();
