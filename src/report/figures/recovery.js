// Each plan with its promises and a line of its steps against the time that may pass; then the tenants.
let query = '';
const readable = seconds => { const minutes = Math.ceil(seconds / 60); return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`; };
function line(plan) {
  const total = plan.steps.reduce((sum, step) => sum + step.seconds, 0), most = Math.max(total, plan.rto, 1), width = 900, left = 4;
  const x = seconds => left + seconds / most * (width - 110);
  const root = svg('svg', {class: 'chart', width, height: 58, viewBox: `0 0 ${width} 58`, role: 'img', 'aria-label': `steps of ${plan.plan}`});
  let at = 0;
  plan.steps.forEach((step, index) => {
    const bar = svg('rect', {x: x(at), y: 8, width: Math.max(2, x(at + step.seconds) - x(at) - 2), height: 22, rx: 3, fill: at + step.seconds > plan.rto ? 'var(--bad)' : 'var(--c0)', 'fill-opacity': index % 2 ? 0.65 : 1});
    bar.append(svg('title', {}, `${index + 1}. ${step.name}: ${readable(step.seconds)}`));
    root.append(bar, svg('text', {x: x(at) + 6, y: 24, style: 'fill:var(--back)'}, x(at + step.seconds) - x(at) > 22 ? String(index + 1) : ''));
    at += step.seconds;
  });
  root.append(svg('line', {x1: x(plan.rto), x2: x(plan.rto), y1: 0, y2: 40, stroke: 'var(--text)', 'stroke-dasharray': '3 3'}), svg('text', {x: x(plan.rto), y: 53, 'text-anchor': 'middle', style: 'fill:var(--dim)'}, `may take ${readable(plan.rto)}`));
  return el('div', {class: 'wide'}, root);
}
function draw() {
  const hit = one => !query || JSON.stringify(one).toLowerCase().includes(query);
  const tenants = data.tenants.filter(hit), without = tenants.filter(one => !one.plan).length, open = data.plans.flatMap(plan => plan.checks).filter(check => !check.holds).length;
  main.replaceChildren(cards([[data.plans.length, 'recovery plans'], [open, 'promises that do not hold', open ? 'bad' : 'good'], [tenants.length - without, 'tenants in production with a plan'], [without, 'without one', without ? 'warn' : 'good']]));
  for (const plan of data.plans.filter(hit)) {
    main.append(el('h2', {}, plan.plan), el('p', {class: 'sub'}, `${plan.primary} is taken over by ${plan.standby}, ${plan.mode}; ${plan.owner} answers for it.`), line(plan),
      el('ol', {}, plan.steps.map(step => el('li', {}, `${step.name}: ${readable(step.seconds)}`))), table(['', 'Holds', 'Promised', 'Found'], plan.checks.map(check => [check.what, el('span', {class: check.holds ? 'good' : 'bad'}, check.holds ? 'yes' : 'no'), check.promised, check.found])));
  }
  main.append(el('h2', {}, 'Tenants in production'), table(['Tenant', 'Runs in', 'Plan', 'Comes back in', 'Without'], tenants.map(one => [one.tenant, one.place, one.plan || el('span', {class: 'bad'}, 'none'), one.standby, one.missing.join(', ')])));
}
const search = el('input', {type: 'search', placeholder: 'Search', 'aria-label': 'Search', oninput: () => { query = search.value.trim().toLowerCase(); draw(); }});
bar.append(search);
themeButton();
draw();
