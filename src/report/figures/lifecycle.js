// A line of time over the next year and a half, then tables.
let query = '';
function line(list) {
  const span = 548, width = 900, step = 22, left = 20, shown = list.filter(one => one.days >= -60 && one.days <= span).slice(0, 60);
  if (!shown.length) return el('p', {class: 'sub'}, 'Nothing ends within a year and a half.');
  const x = days => left + (days + 60) / (span + 60) * (width - left - 260), height = shown.length * step + 34;
  const root = svg('svg', {class: 'chart', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'line of time'});
  for (const months of [0, 3, 6, 9, 12, 15, 18]) root.append(svg('line', {x1: x(months * 30.44), x2: x(months * 30.44), y1: 0, y2: height - 24, stroke: months ? 'var(--line)' : 'var(--text)', 'stroke-dasharray': months ? '' : '3 3'}), svg('text', {x: x(months * 30.44), y: height - 8, 'text-anchor': 'middle', style: 'fill:var(--dim)'}, months ? `+${months} months` : 'today'));
  shown.forEach((one, at) => {
    const y = at * step + 14, color = one.days < 0 ? 'var(--bad)' : one.days < 30 ? 'var(--warn)' : 'var(--c0)';
    const dot = svg('circle', {cx: x(one.days), cy: y, r: 5, fill: color});
    dot.append(svg('title', {}, `${one.on}: ${one.what}`));
    root.append(dot, svg('text', {x: x(one.days) + 10, y: y + 4}, (one.of ? one.of + ': ' : '') + (one.what.length > 58 ? one.what.slice(0, 57) + '…' : one.what)));
  });
  return el('div', {class: 'wide'}, root);
}
function draw() {
  const hit = one => !query || JSON.stringify(one).toLowerCase().includes(query);
  const ends = data.endings.filter(hit), gone = ends.filter(one => one.days < 0).length, soon = ends.filter(one => one.days >= 0 && one.days < 30).length;
  const used = data.components.filter(one => Object.keys(one.users).length);
  main.replaceChildren(cards([[used.length, 'components that go and are still used', used.length ? 'warn' : 'good'], [data.tenants.filter(one => one.status === 'offboarding').length, 'tenants that leave'], [soon, 'end within 30 days', soon ? 'warn' : ''], [gone, 'have ended and are still written down', gone ? 'bad' : 'good']]),
    el('h2', {}, 'The next year and a half'), line(ends));
  if (data.components.length) main.append(el('h2', {}, 'Components that go'), table(['Component', 'Status', 'Goes on', 'Move to', 'Still used by'], data.components.filter(hit).map(one => [`${one.component} ${one.version}`, one.status, `${one.until}${one.left ? ', ' + one.left : ''}`, one.replacedBy, Object.entries(one.users).map(([tenant, environments]) => `${tenant} (${environments.join(', ')})`).join('; ') || el('span', {class: 'good'}, 'nobody')])));
  if (data.tenants.length) main.append(el('h2', {}, 'Tenants'), table(['Tenant', 'Status', 'Since', 'Data until', 'Next'], data.tenants.filter(hit).map(one => [one.tenant, one.status, one.since, one.until, one.next])));
  main.append(el('h2', {}, 'Last days'), table(['On', 'What', 'Of', 'Where'], ends.map(one => [el('span', {class: one.days < 0 ? 'bad' : one.days < 30 ? 'warn' : ''}, one.on), one.what, one.of, el('code', {}, one.where)])));
}
const search = el('input', {type: 'search', placeholder: 'Search', 'aria-label': 'Search', oninput: () => { query = search.value.trim().toLowerCase(); draw(); }});
bar.append(search);
themeButton();
draw();
