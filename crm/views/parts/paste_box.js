// A pasted signature, card or mail: what was found in it, whom it may be, one click to keep it. content {title, create, use, none}
const PasteBox = part((content, ctx) => { const {ui, t} = ctx, found = ui.found || []
  return content.title ? h('dialog.sheet.wide.pastebox', {key: 'paste', act: 'box', 'aria-labelledby': 'h-paste'}, h('form', {act: 'create', novalidate: true},
    h('header', null, icon('contact_page'), h('h2', {id: 'h-paste'}, content.title), button('close', 'close', '', {label: t('Close')})),
    h('div.inside', null, h('textarea', {act: 'text', rows: 7, key: 'text', label: t('Signature, card or mail'), placeholder: t('Paste a signature, the text of a card or a whole mail here.')}),
      ui.error && h('p.wrong', {role: 'alert', key: 'error'}, icon('error_outline'), ui.error),
      h('div', {key: 'found', role: 'status'}, found.length ? h('dl.found', null, found.map(x => h('div', {key: x.field}, h('dt', null, x.label), h('dd', null, x.show)))) : ui.typed && !ui.wait ? h('p.meta', null, t('Nobody was found in this text.')) : null),
      ui.twins?.length ? h('section.twins', {key: 'twins', label: t('It may be one that is already there')}, h('h3', null, t('It may be one that is already there')), h('ul', null, ui.twins.map(x => h('li', {key: x.id}, h('span.two', null, h('a', {href: x.href, act: 'close'}, x.title), h('small', null, x.fills.length ? `${t('Would fill')}: ${x.fills.join(', ')}` : x.sub || t('Nothing is missing there.'))),
        x.may && x.fills.length ? button('fill', 'edit_note', t('Fill in'), {id_: x.id, label: `${t('Fill in')}: ${x.title}`, disabled: ui.busy}) : null)))) : null),
    h('footer', null, h('span.grow'), button('close', '', t('Cancel')), content.use ? button('use', 'edit_note', content.use, {class: 'primary', disabled: !found.length || ui.busy}) : h('button.primary', {type: 'submit', disabled: !found.length || ui.busy || !content.create}, content.create || t('Create'))))) : null }, {
  on_open(ctx) {
    let from = document.activeElement; while (from?.shadowRoot?.activeElement) from = from.shadowRoot.activeElement
    Object.assign(ctx.ui, {from, found: [], twins: [], error: '', typed: false, busy: false}); ctx.draw()
    const box = ctx.root.querySelector('dialog'); box.querySelector('textarea').value = ''; if (!box.open) box.showModal(); ctx.focus('textarea')
  },
  'text:input'(ctx, el) { clearTimeout(ctx.ui.timer); ctx.ui.timer = setTimeout(() => look(ctx), 200) },
  close: ctx => shutPaste(ctx),
  box(ctx, el, e) { if (e.target === el) { const r = el.getBoundingClientRect(); if (e.clientY < r.top || e.clientY > r.bottom || e.clientX < r.left || e.clientX > r.right) shutPaste(ctx) } },
  create: ctx => keepPaste(ctx, 'create'), use: ctx => keepPaste(ctx, 'use'), fill: (ctx, el) => keepPaste(ctx, 'fill', {id: Number(el.dataset.id_)}),
})
async function look(ctx) {
  const {ui} = ctx, text = ctx.root.querySelector('textarea').value, turn = ui.turn = (ui.turn || 0) + 1
  ui.wait = true; const reply = await ctx.ask('read', {text}); if (turn !== ui.turn) return
  Object.assign(ui, {wait: false, typed: !!text.trim(), found: reply.fields || [], twins: reply.twins || [], error: reply.error || ''}); ctx.draw()
}
async function keepPaste(ctx, act, more = {}) {
  const {ui} = ctx; if (ui.busy) return
  ui.busy = true; ui.error = ''; ctx.draw()
  const reply = await ctx.ask(act, {text: ctx.root.querySelector('textarea').value, ...more})
  ui.busy = false; ui.error = reply.error ? [reply.error, ...Object.values(reply.problems || {})].join(' ') : ''; ctx.draw()
  if (!reply.error) shutPaste(ctx)
}
function shutPaste(ctx) { ctx.root.querySelector('dialog')?.close(); const {from} = ctx.ui; if (from?.isConnected) from.focus({preventScroll: true}) }
