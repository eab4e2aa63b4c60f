// Composer: content {draft key, kinds: [{name, label, glyph}], kind, results: [[value, label]], withs: [[id, name]], day, days: [{name, label}]}. What happened, what next, when: one save.
const Composer = part(({kinds, kind, results = [], withs = [], days, onlynext}, {ui, t}) => h('form.composer', {act: 'save', 'aria-busy': ui.busy ? 'true' : null, label: t('Log what happened')},
  h('div.kinds', {role: 'group', label: t('Kind')}, kinds.map((k, i) => button('kind', k.glyph, i < 3 || ui.kind === k.name ? k.label : '', {key: k.name, id_: k.name, label: k.label, 'aria-pressed': String(ui.kind === k.name)}))),
  h('textarea', {act: 'text', rows: 2, key: 'text', placeholder: t('What happened?'), label: t('What happened?')}),
  (results.length || withs.length) && ui.text ? h('div.more', {key: 'more'}, results.length ? h('label', null, t('Result'), h('select', {act: 'result', value: ui.result || ''}, h('option', {value: ''}, '–'), results.map(([value, label]) => h('option', {value}, label)))) : null,
    withs.length ? h('label', null, t('With'), h('select', {act: 'with', value: ui.with || ''}, h('option', {value: ''}, '–'), withs.map(([value, label]) => h('option', {value: String(value)}, label)))) : null) : null,
  h('div.next', {key: 'next'}, h('input', {act: 'next', placeholder: t('What is the next step?'), label: t('What is the next step?'), maxlength: 200, autocomplete: 'off'}),
    h('div.days', {role: 'group', label: t('When?')}, days.map(d => button('day', '', d.label, {key: d.name, id_: d.name, title: d.title, 'aria-pressed': String(ui.day === d.name)})),
      ui.day === 'pick' && h('input', {act: 'when', key: 'when', placeholder: t('tomorrow, fri, 24.12.'), label: t('When?'), 'aria-invalid': ui.field === 'when' ? 'true' : null, autocomplete: 'off'}),
      h('span.grow'), h('button.primary', {type: 'submit', disabled: ui.busy}, t('Save')))),
  ui.error && h('em', {role: 'alert', key: 'error'}, ui.error)), {
  start(ctx) {
    const {content} = ctx.model, draft = drafts.get(content.draft) || {}
    Object.assign(ctx.ui, {kind: draft.kind || content.kind, day: draft.day || content.day, text: !!draft.text})
    queueMicrotask(() => { const [text, next] = boxes(ctx); if (text && draft.text) text.value = draft.text; if (next && draft.next) next.value = draft.next; if (draft.text || draft.next) ctx.draw() })
  },
  kind(ctx, el) { ctx.ui.kind = el.dataset.id_; ctx.draw(); keep(ctx); ctx.focus('textarea') },
  day(ctx, el) { ctx.ui.day = el.dataset.id_; ctx.ui.error = ''; ctx.draw(); keep(ctx); ctx.focus(el.dataset.id_ === 'pick' ? '[data-act=when]' : '[data-act=next]') },
  'result:change'(ctx, el) { ctx.ui.result = el.value }, 'with:change'(ctx, el) { ctx.ui.with = el.value },
  'text:input'(ctx, el) { keep(ctx); const on = !!el.value.trim(); if (on !== ctx.ui.text) { ctx.ui.text = on; ctx.draw() } }, 'next:input': ctx => keep(ctx),
  'text:keydown'(ctx, el, e) { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); el.form.requestSubmit() } },
  on_kind(ctx, {kind, focus = 'textarea'}) { ctx.ui.kind = kind; ctx.draw(); ctx.root.scrollIntoView({block: 'nearest', behavior: 'smooth'}); ctx.focus(focus) },
  async save(ctx) {
    if (ctx.ui.busy) return      // never twice
    const [text, next, when] = boxes(ctx), {ui} = ctx
    Object.assign(ui, {busy: true, error: '', field: ''}); ctx.draw()
    const reply = await ctx.ask('log', {kind: ui.kind, text: text.value, next: next.value, day: ui.day === 'pick' ? (when?.value || '') : ui.day, result: ui.result || null, person: ui.with || null})
    Object.assign(ui, {busy: false, error: reply.error || '', field: reply.field || ''})
    if (!reply.error) { text.value = next.value = ''; if (when) when.value = ''; Object.assign(ui, {text: false, result: null, with: null, day: ctx.model.content.day}); drafts.drop(ctx.model.content.draft) }
    ctx.draw(); ctx.say(reply.say || reply.error || ''); ctx.focus(reply.field === 'when' ? '[data-act=when]' : 'textarea')
  },
})
const boxes = ctx => ['textarea', '[data-act=next]', '[data-act=when]'].map(query => ctx.root.querySelector(query))
function keep(ctx) {
  const [text, next] = boxes(ctx), key = ctx.model.content.draft
  if (!key) return
  text.value || next.value ? drafts.set(key, {kind: ctx.ui.kind, day: ctx.ui.day, text: text.value, next: next.value}) : drafts.drop(key)
}
