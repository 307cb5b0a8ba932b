// Helpers of all pages. Text of the input is only ever set as text.
const el = (tag, props, ...children) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (key === 'class') node.className = value;
    else if (key === 'style') node.style.cssText = value;
    else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
  return node;
};
const svg = (tag, props, ...children) => {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children.flat());
  return node;
};
const main = document.getElementById('main'), bar = document.getElementById('bar');
const number = (value, digits = 0) => value.toLocaleString('en-US', {maximumFractionDigits: digits, minimumFractionDigits: digits});
const table = (headings, rows, numbers = []) => el('div', {class: 'wide'}, el('table', {class: 'full'},
  el('thead', {}, el('tr', {}, headings.map((heading, at) => el('th', {class: numbers.includes(at) ? 'number' : ''}, heading)))),
  el('tbody', {}, rows.map(row => el('tr', {}, row.map((cell, at) => el('td', {class: numbers.includes(at) ? 'number' : ''}, cell)))))));
const cards = list => el('div', {class: 'cards'}, list.map(([value, text, kind]) => el('div', {class: 'card'}, el('b', {class: kind || ''}, String(value)), el('span', {}, text))));
const select = (label, options, change) => {
  const node = el('select', {onchange: () => change(node.value)}, options.map(([value, text]) => el('option', {value}, text)));
  bar.append(el('label', {}, label + ' ', node));
  return node;
};
const themeButton = () => bar.append(el('span', {class: 'gap'}), el('button', {id: 'theme', onclick: () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
}}, 'Light / dark'));
