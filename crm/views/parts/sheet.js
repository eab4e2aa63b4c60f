// Sheets: native dialogs (focus stays inside, Esc closes, the focus goes back where it was), one over another.
const Sheet = part((content, ctx) => (ctx.ui.list || []).map(s => h('dialog.sheet', {key: s.key, id_: s.key, act: 'box', class: s.wide ? 'wide' : '', 'aria-labelledby': `h-${s.key}`},
  h('form', {act: 'save', id_: s.key, novalidate: true}, h('header', null, s.icon && icon(s.icon), h('h2', {id: `h-${s.key}`}, s.title), button('close', 'close', '', {id_: s.key, label: ctx.t('Close')})),
    h('div.inside', null, s.text && h('p.words', null, s.text), s.error && h('p.wrong', {role: 'alert'}, icon('error_outline'), s.error),
      (s.fields || []).map((f, i) => [f.begins && h('hr', {key: `hr-${f.field}`}), fieldRow(ctx, f, {act: 'field', own: true, error: (s.problems || {})[f.field], autofocus: i === 0 && !s.started, scope: s.key})])),
    h('footer', null, (s.lines || []).map(x => x.tool ? button('tool', 'contact_page', x.text, {class: 'quiet', id_: s.key, 'data-name': x.tool}) : x.href ? h('a', {href: x.href, act: 'close', id_: s.key}, x.text) : h('span.meta', null, x.text)), h('span.grow'), !s.plain || s.cancel ? button('close', '', s.plain ? ctx.t('Close') : s.cancel, {id_: s.key}) : null,
      !s.plain && h('button', {type: 'submit', class: s.tone === 'bad' ? 'danger' : 'primary', disabled: s.busy, 'data-default': true}, s.busy ? ctx.t('Saving…') : s.submit))))), {
  start: ctx => { ctx.ui.list = []; ctx.back = new Map() },
  on_open(ctx, {sheet}) {
    let from = document.activeElement; while (from?.shadowRoot?.activeElement) from = from.shadowRoot.activeElement
    ctx.back.set(sheet.key, from); ctx.ui.list = [...ctx.ui.list.filter(s => s.key !== sheet.key), {...sheet}]; ctx.draw()
    const box = ctx.root.querySelector(`dialog[data-key="${CSS_ESCAPE(sheet.key)}"]`); if (!box.open) box.showModal()
    const first = box.querySelector('.editor') || box.querySelector('[data-default]') || box.querySelector('footer button'); first?.focus()
    ctx.ui.list.find(s => s.key === sheet.key).started = true
  },
  on_close: (ctx, {key}) => shut(ctx, key),
  async save(ctx, el) {
    const s = ctx.ui.list.find(x => x.key === el.dataset.id_); if (!s || s.busy || s.plain) return
    s.busy = true; s.error = ''; ctx.draw()
    await Promise.all(editors(ctx, s).map(n => n.settle()))
    const reply = await ctx.ask('save', {key: s.key, values: valuesOf(ctx, s)})
    s.busy = false
    if (reply.error || reply.problems) { s.problems = reply.problems || {}; s.error = reply.error; ctx.draw(); const bad = Object.keys(s.problems)[0]; if (bad) ctx.root.querySelector(`dialog[data-key="${CSS_ESCAPE(s.key)}"] .editor[data-id_="${CSS_ESCAPE(bad)}"]`)?.focus() } else { dispatchEvent(new CustomEvent('crm:sheet', {detail: {key: s.key, value: reply.value}})); shut(ctx, s.key, true) }
  },
  tool(ctx, el) { const key = el.dataset.id_; shut(ctx, key, true); ctx.tell('tool', {key, name: el.dataset.name}) },
  close(ctx, el) { shut(ctx, el.dataset.id_) },
  box(ctx, el, e) { if (e.target === el) { const r = el.getBoundingClientRect(); if (e.clientY < r.top || e.clientY > r.bottom || e.clientX < r.left || e.clientX > r.right) shut(ctx, el.dataset.id_) } },
  'box:cancel'(ctx, el, e) { if (e.target !== el) return; e.preventDefault(); shut(ctx, el.dataset.id_) },
  'box:keydown'(ctx, el, e) { keydown(ctx, el, e) }, 'field:keydown'(ctx, el, e) { keydown(ctx, el.closest('dialog'), e) },
  async 'field:change'(ctx, el) { const s = ctx.ui.list.find(x => x.key === el.closest('dialog').dataset.key); if (!s?.watch) return; const reply = await ctx.ask('changed', {key: s.key, values: valuesOf(ctx, s)}); if (reply.fields) { s.fields = reply.fields; ctx.draw() } },
})
const CSS_ESCAPE = words => window.CSS.escape(words)
const editors = (ctx, s) => [...ctx.root.querySelectorAll(`dialog[data-key="${CSS_ESCAPE(s.key)}"] .editor[data-act=field]`)]
const valuesOf = (ctx, s) => Object.fromEntries(editors(ctx, s).map(node => [node.dataset.id_, editorValue(node)]))
function keydown(ctx, box, e) {
  if (e.key === 'Enter' && (e.ctrlKey || e.metaKey || (e.target.nodeName === 'INPUT' && e.target.type !== 'checkbox'))) { e.preventDefault(); box.querySelector('form').requestSubmit() }
}
function shut(ctx, key, done = false) {
  const box = ctx.root.querySelector(`dialog[data-key="${CSS_ESCAPE(key)}"]`); if (!box) return
  box.close(); ctx.ui.list = ctx.ui.list.filter(s => s.key !== key); ctx.draw()
  const from = ctx.back.get(key); ctx.back.delete(key); if (from?.isConnected) from.focus({preventScroll: true})
  if (!done) { ctx.tell('close', {key}); dispatchEvent(new CustomEvent('crm:sheet', {detail: {key}})) }
}
