// A week's calendar: the load above, then a line of time for each job.
let tenant = '', cluster = '', day = -1, paused = false;
const WEEK = 7 * 1440, names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const clock = minute => `${names[Math.floor(((minute % WEEK) + WEEK) % WEEK / 1440)]} ${String(Math.floor(((minute % 1440) + 1440) % 1440 / 60)).padStart(2, '0')}:${String(((minute % 60) + 60) % 60).padStart(2, '0')}`;
const title = job => job.pipeline && job.pipeline !== job.name ? `${job.pipeline} / ${job.name}` : job.name;
const span = minutes => minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
const width = 1240, left = 300, right = 16;
const range = () => day < 0 ? [0, WEEK] : [day * 1440, day * 1440 + 1440];
const scale = () => { const [from, until] = range(); return minute => left + Math.max(0, Math.min(1, (minute - from) / (until - from))) * (width - left - right); };

function grid(root, height) {
  const x = scale(), [from, until] = range(), step = day < 0 ? 1440 : 120;
  for (let minute = from; minute <= until; minute += step) root.append(svg('line', {x1: x(minute), x2: x(minute), y1: 0, y2: height - 20, stroke: 'var(--line)'}));
  for (let minute = from; minute < until; minute += step) root.append(svg('text', {x: day < 0 ? x(minute + 720) : x(minute), y: height - 5, 'text-anchor': 'middle', style: 'fill:var(--dim)'}, day < 0 ? names[minute / 1440] : clock(minute).slice(4)));
}

// Steps of what runs at the same time: [minute, jobs, cpu].
function load(runs) {
  const edges = runs.flatMap(run => [[Math.max(0, run[1]), 1, data.jobs[run[0]].cpu], [run[2], -1, -data.jobs[run[0]].cpu]]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const steps = [[0, 0, 0]];
  let jobs = 0, cpu = 0;
  for (const [minute, change, more] of edges) { jobs += change; cpu += more; if (steps[steps.length - 1][0] === minute) steps.pop(); steps.push([minute, jobs, cpu]); }
  return steps.filter(step => step[0] <= WEEK);
}

function chart(runs) {
  const steps = load(runs), height = 150, x = scale(), [from, until] = range();
  const seen = steps.filter((step, at) => step[0] < until && (steps[at + 1] || step)[0] > from), most = Math.max(1, ...seen.map(step => step[1])), mostCpu = Math.max(1, ...seen.map(step => step[2]));
  const root = svg('svg', {class: 'large', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'load over the week'});
  grid(root, height);
  const path = (index, top) => {
    let line = '', last = 0;
    steps.forEach(step => { const y = 120 - step[index] / top * 108; line += (line ? `L${x(step[0])},${last}` : `M${x(step[0])},120`) + `L${x(step[0])},${y}`; last = y; });
    return line;
  };
  root.append(svg('path', {d: path(1, most) + `L${x(WEEK)},120Z`, fill: 'var(--c0)', 'fill-opacity': 0.3, stroke: 'var(--c0)'}), svg('path', {d: path(2, mostCpu), fill: 'none', stroke: 'var(--c3)', 'stroke-width': 1.5}));
  root.append(svg('text', {x: left - 10, y: 16, 'text-anchor': 'end'}, `${most} jobs at once`), svg('text', {x: left - 10, y: 34, 'text-anchor': 'end', style: 'fill:var(--c3)'}, `${number(mostCpu, mostCpu < 10 ? 1 : 0)} processors`));
  return el('div', {class: 'wide'}, root);
}

function lines(jobs, runs) {
  const step = 22, height = jobs.length * step + 24, x = scale(), [from, until] = range();
  const root = svg('svg', {class: 'large', width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': 'runs of jobs'});
  grid(root, height);
  const rows = new Map(jobs.map((at, row) => [at, row]));
  jobs.forEach((at, row) => {
    const job = data.jobs[at], text = `${job.tenant}: ${title(job)} (${job.environment})`;
    const label = svg('text', {x: left - 10, y: row * step + 15, 'text-anchor': 'end', style: job.paused ? 'fill:var(--dim)' : ''}, text.length > 44 ? text.slice(0, 43) + '…' : text);
    label.append(svg('title', {}, `${text}, in ${job.environment} on ${job.cluster}: ${job.schedule} ${job.zone}${job.paused ? ', paused' : ''}`));
    root.append(label);
    if (job.paused) root.append(svg('text', {x: left + 6, y: row * step + 15, style: 'fill:var(--dim)'}, 'paused'));
  });
  for (const [at, start, end] of runs) {
    const row = rows.get(at);
    if (row === undefined || end <= from || start >= until) continue;
    const job = data.jobs[at], bar = svg('rect', {x: x(start), y: row * step + 4, width: Math.max(1.5, x(end) - x(start)), height: 14, rx: 2, fill: job.pipeline ? 'var(--c1)' : 'var(--c0)', class: 'run'});
    bar.append(svg('title', {}, `${job.tenant}: ${title(job)}, ${clock(start)} to ${clock(end)} at the latest (${span(job.minutes)})${job.after.length ? ', after ' + job.after.join(', ') : ''}`));
    root.append(bar);
  }
  return el('div', {class: 'wide'}, root);
}

function draw() {
  const fits = job => (!tenant || job.tenant === tenant) && (!cluster || job.cluster === cluster);
  const jobs = data.jobs.map((job, at) => at).filter(at => fits(data.jobs[at])), chosen = new Set(jobs), runs = data.runs.filter(run => chosen.has(run[0]));
  const first = at => (runs.find(run => run[0] === at) || [0, WEEK])[1];
  jobs.sort((a, b) => data.jobs[a].paused - data.jobs[b].paused || data.jobs[a].tenant.localeCompare(data.jobs[b].tenant) || data.jobs[a].pipeline.localeCompare(data.jobs[b].pipeline) || first(a) - first(b));
  const active = jobs.filter(at => !data.jobs[at].paused), most = Math.max(0, ...load(runs).map(step => step[1]));
  const hours = runs.reduce((sum, run) => sum + (run[2] - run[1]), 0) / 60;
  main.replaceChildren(cards([[active.length, 'jobs with a schedule'], [jobs.length - active.length, 'paused', jobs.length > active.length ? 'warn' : ''], [number(runs.filter(run => run[1] >= 0).length), 'runs this week'], [most, 'at the same time, at the most'], [number(hours), 'hours, if all run until their deadlines']]),
    el('h2', {}, 'Load'), el('div', {class: 'legend'}, [['var(--c0)', 'jobs at the same time'], ['var(--c3)', 'processors that they request']].map(([color, text]) => el('span', {}, el('i', {style: `background:${color}`}), text))), chart(runs),
    el('h2', {}, 'Jobs'), el('div', {class: 'legend'}, [['var(--c0)', 'a job by itself'], ['var(--c1)', 'a job of a pipeline']].map(([color, text]) => el('span', {}, el('i', {style: `background:${color}`}), text))), lines(jobs.filter(at => paused || !data.jobs[at].paused).slice(0, 300), runs));
  if (jobs.length > 300) main.append(el('p', {class: 'sub'}, `and ${jobs.length - 300} more`));
  main.append(el('h2', {}, 'Busiest minutes'), table(['Cluster', 'At', 'Jobs', 'Processors', 'Memory'], data.peaks.filter(one => !cluster || one.cluster === cluster).map(one => [one.cluster, one.at, one.most, number(one.cpu, 1), one.memory]), [2, 3, 4]));
}

const options = key => [['', 'all'], ...[...new Set(data.jobs.map(job => job[key]))].sort().map(name => [name, name])];
select('Tenant', options('tenant'), value => { tenant = value; draw(); });
select('Cluster', options('cluster'), value => { cluster = value; draw(); });
select('Show', [['-1', 'the week'], ...names.map((name, at) => [String(at), name])], value => { day = Number(value); draw(); });
const pausedButton = el('button', {'aria-pressed': false, onclick: () => { paused = !paused; pausedButton.setAttribute('aria-pressed', paused); draw(); }}, 'Paused ones, too');
bar.append(pausedButton);
themeButton();
draw();
