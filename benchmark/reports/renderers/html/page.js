'use strict';
// The page reads whole without this: it adds panels at the side, filters, keys and the theme's switch.
(() => {
const $ = id => document.getElementById(id);
const all = (what, within = document) => [...within.querySelectorAll(what)];
const drawer = $('drawer'), keys = $('keys'), missing = $('missing'), root = document.documentElement;
const keep = (name, value) => {
  try {
    if (value === undefined) return localStorage.getItem('sfe-' + name);
    localStorage.setItem('sfe-' + name, value);
  } catch { /* no storage: the choice lasts as long as the page */ }
};
const cells = all('a.at'), order = cells.map(a => a.hash.slice(1));
const decoded = () => { try { return decodeURIComponent(location.hash.slice(1)); } catch { return location.hash.slice(1); } };

// Panels: the body of a cell's <details> is moved into the drawer, and back when it closes.
let open = null;
const put = hash => { try { history.pushState(null, '', hash || location.pathname + location.search); } catch { location.hash = hash; } };
const home = () => {
  if (open) open.home.append(open.body);
  open = null;
  missing.hidden = true;
};
const close = (address = true) => {
  if (!drawer.open) return;
  const from = open && open.id;
  home();
  drawer.close();
  if (address) put('');
  const cell = cells.find(a => a.hash.slice(1) === from);
  if (cell) cell.focus({preventScroll: true});
};
const show = id => {
  const body = $(id);
  home();
  if (body && body.classList.contains('panel')) {
    open = {id, body, home: body.parentElement};
    open.home.open = false;
    drawer.append(body);
  } else missing.hidden = false;
  if (!drawer.open) drawer.show();
  drawer.scrollTop = 0;
  requestAnimationFrame(() => { drawer.scrollTop = 0; });
  const target = open ? open.body : $('close');
  target.focus({preventScroll: true});
};
const go = id => { put('#' + id); show(id); };
// A short last part, table1/ResNet-110/SI, means the only column that ends with it.
const meant = id => {
  if (order.includes(id)) return id;
  const cut = id.lastIndexOf('/') + 1;
  const like = order.filter(o => o.startsWith(id.slice(0, cut)) && o.slice(cut).split('-').pop() === id.slice(cut));
  return like.length === 1 ? like[0] : id;
};
const route = first => {
  const id = decoded();
  if (id[0] === '?') { close(false); restore(id.slice(1)); return; }
  if (!id.includes('/')) { close(false); return; }
  const found = meant(id), panel = $(found);
  if (panel && panel.classList.contains('panel')) {
    const around = panel.closest('.all');
    show(found);
    if (first && around) around.open = false;
    const cell = cells.find(a => a.hash.slice(1) === found);
    if (first && cell) cell.scrollIntoView({block: 'center'});
  } else {
    const suite = $(id.split('/')[0]);
    if (suite) suite.scrollIntoView();
    show(found);
  }
};
document.addEventListener('click', event => {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const id = decodeURIComponent(link.hash.slice(1)), body = $(id);
  if (body && body.classList.contains('panel')) { event.preventDefault(); go(id); }
});
addEventListener('popstate', () => route(false));
addEventListener('hashchange', () => route(false));
const step = by => {
  const shown = order.filter((_, i) => !cells[i].closest('[hidden]'));
  const at = open ? shown.indexOf(open.id) : shown.indexOf((document.activeElement.hash || '').slice(1));
  return shown[at < 0 ? (by > 0 ? 0 : shown.length - 1) : (at + by + shown.length) % shown.length];
};
$('close').onclick = () => close();
$('prev').onclick = () => go(step(-1));
$('next').onclick = () => go(step(1));
const copy = text => navigator.clipboard ? navigator.clipboard.writeText(text).catch(() => {}) : undefined;
$('address').onclick = () => copy(location.href);
all('.copy').forEach(button => {
  button.hidden = false;
  button.onclick = () => copy(button.previousElementSibling.textContent);
});

// Filters dim marks in the grid and hide rows without a match; they stand in the address as #?v=lower&q=resnet.
const buttons = all('#filters button'), query = $('q'), told = $('shown');
const marks = new Map(all('.grid a').map(a => [a.hash.slice(1), a]));
const apply = () => {
  const wanted = buttons.filter(b => b.getAttribute('aria-pressed') === 'true').map(b => b.dataset.k);
  const words = query.value.trim().toLowerCase();
  let count = 0;
  cells.forEach((a, i) => {
    const fits = (!wanted.length || wanted.some(k => a.dataset.f.split(' ').includes(k))) && a.dataset.q.includes(words);
    a.classList.toggle('dim', !fits);
    a.dataset.fits = fits ? '1' : '';
    const mark = marks.get(order[i]);
    if (mark) mark.classList.toggle('dim', !fits);
    count += fits;
  });
  all('table.big tbody tr').forEach(tr => { tr.hidden = !all('a.at', tr).some(a => a.dataset.fits); });
  told.textContent = '';
  if (!wanted.length && !words) return;
  const all_ = document.createElement('button');
  all_.textContent = 'show all';
  all_.className = 'copy';
  all_.onclick = () => { clear(); save(); query.focus(); };
  const loosen = wanted.length && words ? 'Empty the text box or take a button back: ' : words ? 'Shorten the text: ' : 'Press another button: ';
  told.append(count ? `showing ${count} of ${cells.length} cells ` : `No cell is like that. ${loosen}`, all_);
};
const clear = () => { buttons.forEach(b => b.setAttribute('aria-pressed', 'false')); query.value = ''; apply(); };
const save = () => {
  const v = buttons.filter(b => b.getAttribute('aria-pressed') === 'true').map(b => b.dataset.k).join(','), parts = [];
  if (v) parts.push('v=' + v);
  if (query.value.trim()) parts.push('q=' + encodeURIComponent(query.value.trim()));
  try { history.replaceState(null, '', parts.length ? '#?' + parts.join('&') : location.pathname + location.search); } catch { /* */ }
};
const restore = text => {
  const asked = new URLSearchParams(text), v = (asked.get('v') || '').split(',');
  buttons.forEach(b => b.setAttribute('aria-pressed', String(v.includes(b.dataset.k))));
  query.value = asked.get('q') || '';
  apply();
  $('cells').scrollIntoView();
};
buttons.forEach(b => { b.onclick = () => {
  b.setAttribute('aria-pressed', String(b.getAttribute('aria-pressed') !== 'true'));
  apply();
  save();
}; });
query.oninput = () => { apply(); save(); };
$('counts').hidden = true;
$('filters').hidden = false;

// A grid is one stop of the Tab key; arrows move within it.
all('.grid').forEach(grid => {
  const rows = all('.row', grid).map(row => [...row.children]);
  const links = all('a', grid);
  const hold = link => { links.forEach(a => { a.tabIndex = a === link ? 0 : -1; }); };
  if (links.length) hold(links[0]);
  grid.addEventListener('focusin', event => hold(event.target));
  grid.addEventListener('keydown', event => {
    const move = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!move) return;
    event.preventDefault();
    const at = event.target.closest('a'), y = rows.findIndex(row => row.includes(at)), x = rows[y].indexOf(at);
    const next = (rows[y + move[0]] || [])[x + move[1]];
    if (next && next.tagName === 'A') next.focus();
  });
});

// Theme: the system's, until it is switched.
const theme = name => { if (name === 'dark' || name === 'light') root.dataset.theme = name; };
theme(keep('theme'));
const turn = () => {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  theme(dark ? 'light' : 'dark');
  keep('theme', root.dataset.theme);
};
$('theme').hidden = $('help').hidden = false;
$('theme').onclick = turn;

// Keys, only where nothing is being typed.
const on = $('keyson');
on.checked = keep('keys') !== 'off';
on.onchange = () => keep('keys', on.checked ? 'on' : 'off');
let asked = null;
const help = () => { asked = document.activeElement; keys.showModal(); };
$('help').onclick = help;
$('keysclose').onclick = () => keys.close();
keys.addEventListener('close', () => { if (asked) asked.focus({preventScroll: true}); });
const jump = id => { const there = $(id); if (!there) return; there.scrollIntoView(); there.tabIndex = -1; there.focus({preventScroll: true}); };
const walk = by => {
  const next = cells[order.indexOf(step(by))];
  if (open) go(step(by));
  else if (next) { next.focus({preventScroll: true}); next.scrollIntoView({block: 'center'}); }
};
const does = {
  '/': () => query.focus(), f: () => jump('figure4'), c: () => jump('claims'), g: () => jump('cells'), r: () => jump('runs'),
  j: () => walk(1), k: () => walk(-1), ']': () => open && go(step(1)), '[': () => open && go(step(-1)),
  y: () => copy(location.href), t: turn, '?': help,
};
for (let n = 1; n < 8; n++) does[n] = () => jump('table' + n);
addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey || keys.open) return;
  if (event.key === 'Escape') { close(); return; }
  if (!on.checked || event.target.closest('input,textarea,select,[contenteditable]')) return;
  if (!Object.hasOwn(does, event.key)) return;
  event.preventDefault();
  does[event.key]();
});
route(true);
root.dataset.ready = '1';
})();
