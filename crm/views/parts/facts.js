// Facts: content {groups: [{label, facts: [{field, label, help, show, editor, href, fixed, tone, long}]}], edit: href}. Text until clicked; the draft stays until the door takes it.
const Facts = part(({groups, edit}, ctx) => { const {ui, t} = ctx
  return h('section.facts', {label: t('Key facts')}, groups.map((group, i) => h('div', {key: group.label}, h('h2', null, group.label, i === 0 && edit && h('a.meta', {href: edit}, t('Edit all'))),
    h('dl', null, group.facts.map(f => h('div.fact', {key: f.field, class: f.long ? 'long' : ''}, h('dt', {id: `l-${f.field}`}, f.help ? h('span.tip', {tabindex: 0, 'aria-describedby': `h-${f.field}`}, f.label, h('span.tipbox', {role: 'tooltip', id: `h-${f.field}`}, f.help)) : f.label),
      h('dd', null, ui.field === f.field ? inline(f, ctx)
        : f.fixed ? h('span.value', {class: f.tone, title: f.show?.length > 26 ? f.show : null}, f.href ? h('a', {href: f.href}, f.show) : f.files ? null : valueNode(f))
          : [h('button.value', {type: 'button', act: f.sheet ? 'sheet' : 'edit', id_: f.field, class: f.show ? f.tone : 'none', label: `${f.label}: ${f.show || '–'}. ${t('Edit')}`, title: f.show?.length > 26 ? f.show : null}, f.files ? t('Edit') : valueNode(f) || t('Add')),
            f.href && h('a.go', {href: f.href, label: t('Open {title}', {title: f.show}), title: t('Open {title}', {title: f.show})}, icon('arrow_outward'))],
      f.would && ui.field !== f.field && h('span.would', null, f.would, button('follow', 'refresh', t('Take over'), {class: 'quiet', id_: f.field})),
      f.files && h('ul.kept', null, f.files.map(x => h('li', {key: x.href}, h('a', {href: x.href, download: x.name, label: `${t('Download')}: ${x.name}`}, icon('download'), h('span', null, x.name))))))))))))
}, {
  async edit(ctx, el) {      // what stands in another value is kept first; where it is refused, its box stays
    const {ui} = ctx, field = el.dataset.id_, open = ctx.root.querySelector('.inline')
    if (open && ui.field !== field) {
      if (!ui.busy && JSON.stringify(editorValue(open.querySelector('.editor'))) !== ui.was) saveFact(ctx, open, false)
      await ui.saving
      if (ui.error) return
    }
    startEdit(ctx, field)
  }, sheet: ({tell}, el) => tell('sheet', {field: el.dataset.id_}),
  '*keydown'(ctx, e) {
    const el = e.target.closest?.('.inline'); if (!el || e.defaultPrevented) return
    if (e.key === 'Escape') { e.preventDefault(); e.stopPropagation(); leave(ctx) }
    else if (e.key === 'Enter' && (e.target.nodeName !== 'TEXTAREA' || e.ctrlKey || e.metaKey) && e.target.nodeName !== 'BUTTON') { e.preventDefault(); saveFact(ctx, el) }
  },
  '*change'(ctx, e) { const el = e.target.closest?.('.inline'); if (el && factOf(ctx, ctx.ui.field)?.editor.type.match(/^(select|check|link|rating|color)$/)) saveFact(ctx, el) },
  '*focusout'(ctx, e) {
    const el = e.target.closest?.('.inline'); if (!el) return
    setTimeout(() => {      // after the focus has arrived where it goes
      if (/^(files|file|links)$/.test(factOf(ctx, ctx.ui.field)?.editor?.type)) return      // a file is chosen outside of the page
      if (!el.isConnected || el.contains(ctx.shadow.activeElement) || !ctx.ui.field || ctx.ui.busy || ctx.ui.error) return
      const value = editorValue(el.querySelector('.editor'))
      JSON.stringify(value) === ctx.ui.was ? leave(ctx, false) : saveFact(ctx, el, false)
    }, 120)
  },
  follow: ({ask}, el) => ask('save', {field: el.dataset.id_, value: null}),      // emptied, its formula gives it again
  keep: (ctx, el) => saveFact(ctx, el.closest('.inline')), drop: ctx => leave(ctx),
})
const factOf = (ctx, field) => ctx.model.content.groups.flatMap(g => g.facts).find(f => f.field === field)
const valueNode = f => f.cell ? cellNode(f.cell, {link: false}) : f.show
function inline(f, ctx) {
  const {ui, t} = ctx, big = /^(textarea|markdown|multi|tags|address|name|links|files|file)$/.test(f.editor.type)
  return h('div.inline', {key: `e-${f.field}`, 'aria-busy': ui.busy ? 'true' : null}, editor(ctx, f.editor, {id: `fact-${f.field}`, label: f.label, error: ui.error}), ui.error && h('em', {role: 'alert'}, ui.error),
    big && h('div.bar', null, button('keep', 'check', t('Save'), {class: 'primary'}), button('drop', '', t('Cancel'), {class: 'quiet'})))
}
function startEdit(ctx, field) {
  Object.assign(ctx.ui, {field, error: '', busy: false}); ctx.draw()
  ctx.root.querySelector('.inline .editor')?.focus()
  ctx.ui.was = JSON.stringify(editorValue(ctx.root.querySelector('.inline .editor')))
}
const saveFact = (ctx, el, back = true) => ctx.ui.saving = keptFact(ctx, el, back)
async function keptFact(ctx, el, back) {
  const {ui} = ctx, field = ui.field, value = editorValue(el.querySelector('.editor'))
  if (ui.busy || !field) return
  ui.busy = true; ctx.draw()
  const reply = await ctx.ask('save', {field, value})
  if (ui.field !== field) return
  ui.busy = false; ui.error = reply.error || ''
  if (reply.error) { ctx.draw(); ctx.focus('.inline .editor') } else leave(ctx, back)
}
function leave(ctx, back = true) { const {field} = ctx.ui; if (!field) return; Object.assign(ctx.ui, {field: null, error: '', busy: false}); ctx.draw(); if (back) ctx.focus(`[data-act=edit][data-id_="${field}"]`) }
