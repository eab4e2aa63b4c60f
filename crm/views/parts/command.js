// The command box: a combobox over a listbox. Typing asks the server (the latest answer wins), arrows choose, Enter opens.
const Command = part((content, ctx) => {
  const {ui, t} = ctx, groups = ui.groups || []; let i = -1
  const flat = groups.flatMap(g => g.items)
  return h('dialog.command', {act: 'box', label: t('Search or jump to…')}, h('div.ask', null, icon('search'), h('input', {type: 'text', act: 'text', role: 'combobox', autocomplete: 'off', spellcheck: 'false', 'aria-expanded': 'true', 'aria-controls': 'found', 'aria-autocomplete': 'list',
    'aria-activedescendant': flat[ui.at] ? `o${ui.at}` : null, label: t('Search or jump to…'), placeholder: t('A name, a phone number, a word from a note…')}), ui.wait && h('span.spin', {'aria-hidden': 'true'}), button('close', 'close', '', {label: t('Close')})),
  h('div.found', {id: 'found', role: 'listbox', label: t('Search')}, groups.filter(g => g.items.length).map(g => h('div', {key: g.label, role: 'group', label: g.label}, h('p.head', {'aria-hidden': 'true'}, g.label), g.items.map(x => { i++; return h('a.hit', {key: x.key, id: `o${i}`, role: 'option', tabindex: -1, act: 'hit', id_: String(i), href: x.href, 'aria-selected': String(i === ui.at)},
    icon(x.glyph), h('span.two', null, h('span', null, x.title), x.sub && h('small', null, marked(x.sub, ui.text))), x.end && h('small', null, x.end)) }))),
  !flat.length && !ui.wait && ui.text ? h('p.none', null, t('Nothing found. Try fewer letters.')) : null), h('div.sr', {role: 'status'}, ui.text && !ui.wait ? t('{n} results', {n: flat.length}) : ''))
}, {
  on_open(ctx, {text}) { open(ctx, text) },
  start(ctx) { Object.assign(ctx.ui, {at: 0, turn: 0}); ctx.open = () => open(ctx); addEventListener('crm:jump', ctx.open) },
  stop: ctx => removeEventListener('crm:jump', ctx.open),
  'text:input': (ctx, el) => { ctx.ui.text = el.value; ctx.ui.wait = true; ctx.ui.turn++; clearTimeout(ctx.ui.timer); ctx.ui.timer = setTimeout(() => find(ctx), 90) },
  'text:keydown'(ctx, el, e) {
    const {ui} = ctx, all = (ui.groups || []).flatMap(g => g.items)
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); if (all.length) ui.at = (ui.at + (e.key === 'ArrowDown' ? 1 : all.length - 1)) % all.length; ctx.draw(); ctx.root.querySelector('[aria-selected=true]')?.scrollIntoView({block: 'nearest'}) }
    if (e.key === 'Enter') { e.preventDefault(); if (ui.wait) ui.then = true; else choose(ctx, all[ui.at]) }
  },
  hit(ctx, el, e) { if (e.ctrlKey || e.metaKey) return; e.preventDefault(); choose(ctx, (ctx.ui.groups || []).flatMap(g => g.items)[Number(el.dataset.id_)]) },
  close: ctx => ctx.root.querySelector('dialog').close(),
  box(ctx, el, e) { if (e.target === el) el.close() },
})
// the typed letters stand out in what was found, as nodes
function marked(words, text) {
  const at = text ? words.toLowerCase().indexOf(text.trim().toLowerCase()) : -1
  return at < 0 || !text.trim() ? words : [words.slice(0, at), h('mark', null, words.slice(at, at + text.trim().length)), words.slice(at + text.trim().length)]
}
function open(ctx, text = '') {
  const box = ctx.root.querySelector('dialog'); if (box.open) return
  Object.assign(ctx.ui, {text, groups: [], at: 0}); ctx.draw(); box.showModal(); const input = box.querySelector('input'); input.value = text; input.focus(); find(ctx)
}
async function find(ctx) {
  const {ui} = ctx, text = ui.text || '', turn = ++ui.turn
  ui.wait = true; const slow = setTimeout(() => ctx.draw(), 150)
  const reply = await ctx.ask('find', {text})
  clearTimeout(slow)
  if (turn !== ui.turn) return
  ui.wait = false; ui.groups = reply.groups || []; ui.at = 0; ctx.draw()
  if (ui.then) { ui.then = false; choose(ctx, ui.groups.flatMap(g => g.items)[0]) }
}
function choose(ctx, item) {
  if (!item) return
  ctx.root.querySelector('dialog').close()
  if (item.href) ctx.go(item.href); else ctx.tell('run', {name: item.act})
}
