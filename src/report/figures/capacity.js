// Clusters as bars against what they have, then the quotas of tenants with advice.
let cluster = '', onlyAdvice = false;
const share = row => row.limit ? row.most / row.limit : null;
const kind = value => value === null ? '' : value > 1 ? 'over' : value > 0.9 ? 'near' : '';

function bars(rows) {
  const left = 170, width = 760, step = 30, most = Math.max(1, ...rows.map(row => Math.max(share(row) || 0, row.quotas && row.limit ? row.quotas / row.limit : 0)));
  const x = value => left + value / most * (width - left - 150);
  const root = svg('svg', {class: 'chart', width, height: rows.length * step + 10, viewBox: `0 0 ${width} ${rows.length * step + 10}`, role: 'img', 'aria-label': 'capacity of clusters'});
  root.append(svg('line', {x1: x(1), x2: x(1), y1: 0, y2: rows.length * step, stroke: 'var(--text)', 'stroke-dasharray': '3 3'}));
  rows.forEach((row, at) => {
    const y = at * step + 6, used = share(row);
    root.append(svg('text', {x: left - 10, y: y + 13, 'text-anchor': 'end'}, `${row.cluster} ${row.resource}`));
    if (used === null) { root.append(svg('text', {x: left, y: y + 13, style: 'fill:var(--dim)'}, `${row.words.most}; its capacity is not written`)); return; }
    if (row.quotas) root.append(svg('rect', {x: left, y: y + 12, width: Math.max(1, x(row.quotas / row.limit) - left), height: 5, rx: 2, fill: 'var(--c7)', 'fill-opacity': 0.5}));
    root.append(svg('rect', {x: left, y, width: Math.max(1, x(used) - left), height: 11, rx: 3, fill: 'var(--c0)', 'fill-opacity': 0.3}));
    root.append(svg('rect', {x: left, y, width: Math.max(1, x(row.least / row.limit) - left), height: 11, rx: 3, fill: used > 1 ? 'var(--bad)' : used > 0.9 ? 'var(--warn)' : 'var(--c0)'}));
    const words = svg('text', {x: width - 140, y: y + 13, style: 'fill:var(--dim)'}, `most ${Math.round(used * 100)} % of ${row.words.limit}`);
    words.append(svg('title', {}, `${row.words.least} to ${row.words.most} of ${row.words.limit}; quotas ${row.words.quotas}`));
    root.append(words);
  });
  return el('div', {class: 'wide'}, root);
}

function draw() {
  main.replaceChildren();
  const clusters = data.clusters.filter(row => !cluster || row.cluster === cluster), tenants = data.tenants.filter(row => (!cluster || row.cluster === cluster) && (!onlyAdvice || row.advice));
  const over = clusters.filter(row => share(row) > 1).length, tight = tenants.filter(row => share(row) > 0.9).length, spare = tenants.filter(row => row.advice.includes('would do')).length;
  main.append(cards([[new Set(clusters.map(row => row.cluster)).size, 'clusters'], [over, 'resources beyond their cluster', over ? 'bad' : 'good'], [tight, 'quotas with little room', tight ? 'warn' : ''], [spare, 'quotas at least twice what may run']]));
  main.append(el('h2', {}, 'Clusters'), el('div', {class: 'legend'}, [['var(--c0)', 'least'], ['color-mix(in srgb, var(--c0) 30%, transparent)', 'most'], ['color-mix(in srgb, var(--c7) 50%, transparent)', 'sum of quotas'], ['transparent', '┆ what the cluster has']].map(([color, text]) => el('span', {}, color === 'transparent' ? null : el('i', {style: `background:${color}`}), text))), bars(clusters));
  const advised = clusters.filter(row => row.advice);
  if (advised.length) main.append(el('ul', {}, advised.map(row => el('li', {}, el('b', {}, `${row.cluster} ${row.resource}: `), row.advice))));
  main.append(el('h2', {}, 'Quotas of tenants'), table(['Tenant', 'Where', 'Resource', 'Least', 'Most', 'Quota', 'Used', 'Advice'], tenants.slice(0, 600).map(row => {
    const used = share(row);
    return [row.tenant, el('span', {class: 'dim'}, `${row.environment} on ${row.cluster}`), row.resource, row.words.least, row.words.most, row.words.limit || '',
      used === null ? '' : [el('span', {class: 'meter ' + kind(used)}, el('i', {style: `width:${Math.min(100, used * 100)}%`})), Math.round(used * 100) + ' %'], row.advice];
  }), [3, 4, 5]));
  if (tenants.length > 600) main.append(el('p', {class: 'sub'}, `and ${tenants.length - 600} more`));
}

select('Cluster', [['', 'all'], ...[...new Set(data.clusters.map(row => row.cluster))].map(name => [name, name])], value => { cluster = value; draw(); });
const adviceButton = el('button', {'aria-pressed': false, onclick: () => { onlyAdvice = !onlyAdvice; adviceButton.setAttribute('aria-pressed', onlyAdvice); draw(); }}, 'Only with advice');
bar.append(adviceButton);
themeButton();
draw();
