// The form. What is typed lives in the editors, is kept on the device while typing, and goes to the server when saved.
const all = ctx => ctx.model.content.groups.flatMap(g => g.rows.flat())
const nodes = ctx => [...ctx.root.querySelectorAll('.editor[data-act=field]')]
const nodeOf = (ctx, field) => ctx.root.querySelector(`.editor[data-act=field][data-id_="${window.CSS.escape(field)}"]`)

const Form = part((content, ctx) => {
  const {title, glyph, groups = [], submit, back, draft} = content, {ui, t} = ctx, hidden = new Set(ui.hidden || []), problems = ui.problems || {}
  const labels = Object.fromEntries(groups.flatMap(g => g.rows.flat()).map(f => [f.field, f.label])), wrong = Object.keys(problems).filter(k => labels[k] && !hidden.has(k))
  const state = f => ({...f, hidden: hidden.has(f.field), required: ui.required ? ui.required.includes(f.field) : f.required})
  const row = f => {
    const spec = ui.shown && f.field in ui.shown ? {...f.editor, text: ui.shown[f.field]} : f.editor
    return fieldRow(ctx, {...state(f), editor: spec}, {act: 'field', error: problems[f.field], scope: 'f', own: true, version: ui.version, ...(ui.values && f.field in ui.values ? {value: ui.values[f.field]} : {})})
  }
  return h('form.form', {act: 'save', novalidate: true, label: title}, h('header', {key: 'head'}, glyph && h('span.glyph', null, icon(glyph)), h('h1', null, title), content.paste && button('paste', 'contact_page', t('Paste a signature'), {class: 'quiet'})),
    ui.kept && h('div.kept', {key: 'kept', role: 'status'}, icon('history'), h('span', null, t('What you typed before is still here.')), button('discard', '', t('Discard'), {class: 'quiet'})),
    ui.found?.length ? h('div.found', {key: 'found', role: 'status'}, icon('content_copy'), h('span', null, t('Looks like one that is already there:')), ui.found.map(x => h('a', {key: x.href, href: x.href}, x.title))) : null,
    ui.error ? h('div.wrong', {key: 'wrong', role: 'alert', tabindex: -1}, icon('error_outline'), h('b', null, wrong.length === 1 ? t('One field needs a look.') : wrong.length ? t('{n} fields need a look.', {n: wrong.length}) : ui.error), wrong.length ? h('ul', null, wrong.map(k => h('li', {key: k}, button('jump', '', labels[k], {id_: k})))) : null) : null,
    groups.map(g => { const shown = g.rows.map(r => r.map(state)).filter(r => r.some(f => !f.hidden)); return h('fieldset', {key: g.key, hidden: !shown.length}, h('legend', null, g.label), g.rows.map((r, i) => h('div.row', {key: `r${i}-${r[0]?.field}`, class: r.length === 1 ? 'solo' : 'n' + r.length, hidden: r.every(f => hidden.has(f.field))}, r.map(row)))) }),
    h('div.foot', {key: 'foot'}, h('div', null, h('button.primary', {type: 'submit', disabled: ui.busy}, ui.busy ? t('Saving…') : submit || t('Save')), h('a.button', {href: back || '?view=home'}, t('Cancel')), h('span.saved', {role: 'status'}, ui.dirty ? t('Unsaved input is kept on this device.') : t('Ctrl Enter saves')))))
}, {
  start(ctx) { begin(ctx); ctx.values = () => valuesOf(ctx); ctx.model.on('content', () => { if (ctx.model.content.draft !== ctx.ui.draft) begin(ctx) }) },
  drawn(ctx) { if (!ctx.ui.ready) { ctx.ui.ready = true; const first = nodes(ctx).find(n => !n.closest('[hidden]') && !n.classList.contains('e-fixed')); setTimeout(() => { if (!deep('dialog[open]') && !ctx.shadow.activeElement) first?.focus() }, 60); if (ctx.ui.kept) check(ctx, '') } },
  'field:input'(ctx, el) { touch(ctx, el); if (ctx.model.content.new) { clearTimeout(ctx.ui.asking); ctx.ui.asking = setTimeout(() => check(ctx, el.dataset.id_, true), 500) } },      // is it there already?
  'field:change'(ctx, el) {
    touch(ctx, el); const {ui} = ctx, field = el.dataset.id_
    if (ui.problems?.[field]) { ui.problems = Object.fromEntries(Object.entries(ui.problems).filter(([k]) => k !== field)); if (!Object.keys(ui.problems).length) ui.error = ''; ctx.draw() }
    clearTimeout(ui.asking); ui.asking = setTimeout(() => check(ctx, field), 60)
  },
  'field:keydown'(ctx, el, e) {
    if (e.key !== 'Enter') return
    if (e.ctrlKey || e.metaKey) { e.preventDefault(); return ctx.root.querySelector('form').requestSubmit() }
    if (e.target.nodeName !== 'INPUT' && e.target.nodeName !== 'SELECT') return
    e.preventDefault()
    const list = nodes(ctx).filter(n => !n.closest('[hidden]') && !n.classList.contains('e-fixed')), next = list[list.indexOf(el) + 1]
    if (next) next.focus(); else ctx.root.querySelector('button[type=submit]').focus()
  },
  '*keydown'(ctx, e) { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey) && !e.defaultPrevented) { e.preventDefault(); ctx.root.querySelector('form').requestSubmit() } },
  paste: ({tell}) => tell('paste'),
  // values found elsewhere (a pasted signature) come into the fields as if typed
  on_fill(ctx, {values}) {
    const {ui} = ctx; for (const key of Object.keys(values)) ui.touched.add(key)
    Object.assign(ui, {values: {...ui.values, ...Object.fromEntries(nodes(ctx).filter(n => ui.touched.has(n.dataset.id_)).map(n => [n.dataset.id_, n.keep()])), ...values}, dirty: true, version: (ui.version || 0) + 1})
    drafts.set(ui.draft, {values: ui.values, at: Date.now()}); ctx.draw(); check(ctx, '')
  },
  jump(ctx, el) { const node = nodeOf(ctx, el.dataset.id_); node?.scrollIntoView({block: 'center'}); node?.focus() },
  discard(ctx) { drafts.drop(ctx.ui.draft); Object.assign(ctx.ui, {values: {}, touched: new Set(), kept: false, dirty: false, problems: {}, error: '', version: (ctx.ui.version || 0) + 1}); ctx.draw(); check(ctx, '') },
  async save(ctx) {
    const {ui, model} = ctx; if (ui.busy) return
    if (nodes(ctx).some(n => n.busy())) { ui.error = ctx.t('Please wait for the upload to finish.'); return ctx.draw() }
    ui.busy = true; ui.error = ''; ctx.draw()
    await Promise.all(nodes(ctx).map(n => n.settle()))
    const reply = await ctx.ask('save', {values: valuesOf(ctx)})
    ui.busy = false
    if (reply.error || reply.problems) {
      ui.tried = true; ui.problems = reply.problems || {}; ui.error = reply.error; ui.told = Object.keys(ui.problems).length ? '' : reply.error; ctx.draw()      // what is wrong with no field stays said until the next try
      const bad = nodes(ctx).find(n => ui.problems[n.dataset.id_] && !n.closest('[hidden]'))
      if (bad) { bad.scrollIntoView({block: 'center'}); bad.focus() } else ctx.root.querySelector('.wrong')?.focus()
      return
    }
    drafts.drop(ui.draft); ui.dirty = false; ui.touched = new Set(); ui.gone = true
    if (reply.href) ctx.go(reply.href); else ctx.draw()
  },
})
function begin(ctx) {
  const {draft} = ctx.model.content, kept = draft ? drafts.get(draft) : null
  Object.assign(ctx.ui, {draft, values: kept?.values || {}, touched: new Set(Object.keys(kept?.values || {})), kept: !!kept, dirty: !!kept, problems: {}, error: '', ready: false, follows: [], hidden: ctx.model.content.hidden || [], required: null, found: [], gone: false, tried: false, version: (ctx.ui.version || 0) + 1})
}
function touch(ctx, el) {
  const {ui} = ctx, field = el.dataset.id_; if (ui.gone) return
  ui.touched.add(field); ui.values = {...ui.values, [field]: el.keep()}
  drafts.set(ui.draft, {values: ui.values, at: Date.now()})      // at once: the page may be gone the next moment
  if (!ui.dirty) { ui.dirty = true; ctx.draw() }
}
const valuesOf = ctx => Object.fromEntries(nodes(ctx).filter(n => !n.classList.contains('e-fixed') && (ctx.ui.touched.has(n.dataset.id_) || ctx.model.content.new && n.read() != null && !ctx.ui.follows?.includes(n.dataset.id_))).map(n => [n.dataset.id_, n.read()]))
// What depends on other fields: which show, which are required, what formulas give; and whether such a thing is there already
async function check(ctx, field, typing = false) {
  const {ui} = ctx, turn = ui.turn = (ui.turn || 0) + 1
  const reply = await ctx.ask('changed', {values: valuesOf(ctx), field}); if (turn !== ui.turn || reply.error || reply.gone) return
  for (const [key, value] of Object.entries(reply.follows || {})) if (!ui.touched.has(key)) nodeOf(ctx, key)?.put(value)      // an amount follows its lines until somebody types one
  Object.assign(ui, {follows: Object.keys(reply.follows || {}), hidden: reply.hidden || [], required: reply.required ?? ui.required, shown: reply.shown, found: reply.found || []})
  if (typing) return ctx.draw()      // what is half typed is not told to be wrong
  const seen = Object.fromEntries(Object.entries(reply.problems || {}).filter(([k]) => ui.tried || ui.touched.has(k)))
  ui.problems = seen; if (ui.tried) ui.error = Object.keys(seen).length ? ui.error || ' ' : ui.told
  ctx.draw()
}
