// Little typing, shared by several parts: dates in words with their echo, and the form that says what happened, what next and when.

// What was understood of a day typed in words, told at once: ctx.ui.echo = {text, say | wrong}
function echo(ctx, text, moment = true) {
  const {ui} = ctx
  clearTimeout(ui.echoing)
  if (!text.trim()) { if (ui.echo) { ui.echo = null; ctx.draw() } return }
  ui.echoing = setTimeout(async () => {
    const turn = ui.echoturn = (ui.echoturn || 0) + 1, reply = await ctx.ask('day', {text, moment})
    if (turn !== ui.echoturn || reply.error) return
    ui.echo = {text, ...reply}; ctx.draw()
  }, 140)
}
const echoNode = told => h('small.echo', {role: 'status', key: 'echo', class: told?.wrong ? 'wrong' : ''}, told?.say ? [icon('event_available'), told.say] : told?.wrong || '')

// content {draft key, kinds: [{name, label, glyph}], kind, results: [[value, label]], withs: [[id, name]], day, days: [{name, label, title}]}
const composing = ({kinds, kind, results = [], withs = [], days}, {ui, t}, more = {}) => h('form.composer', {act: 'save', 'aria-busy': ui.busy ? 'true' : null, label: t('Log what happened'), ...more},
  h('div.kinds', {role: 'group', label: t('Kind')}, kinds.map((k, i) => button('kind', k.glyph, i < 3 || ui.kind === k.name ? k.label : '', {key: k.name, id_: k.name, label: k.label, 'aria-pressed': String(ui.kind === k.name)}))),
  h('textarea', {act: 'text', rows: 2, key: 'text', placeholder: t('What happened?'), label: t('What happened?')}),
  (results.length || withs.length) && ui.text ? h('div.more', {key: 'more'}, results.length ? h('label', null, t('Result'), h('select', {act: 'result', value: ui.result || ''}, h('option', {value: ''}, '–'), results.map(([value, label]) => h('option', {value}, label)))) : null,
    withs.length ? h('label', null, t('With'), h('select', {act: 'with', value: ui.with || ''}, h('option', {value: ''}, '–'), withs.map(([value, label]) => h('option', {value: String(value)}, label)))) : null) : null,
  h('div.next', {key: 'next'}, h('input', {act: 'next', placeholder: t('What is the next step?'), label: t('What is the next step?'), maxlength: 200, autocomplete: 'off'}),
    h('div.days', {role: 'group', label: t('When?')}, days.map(d => button('day', '', d.label, {key: d.name, id_: d.name, title: d.title, 'aria-pressed': String(ui.day === d.name)})),
      ui.day === 'pick' && h('input', {act: 'when', key: 'when', placeholder: t('tomorrow, fri 10:30, in 3 days'), label: t('When?'), 'aria-invalid': ui.field === 'when' ? 'true' : null, autocomplete: 'off'}),
      ui.day === 'pick' ? echoNode(ui.echo) : h('small.echo', {key: 'echo'}, days.find(d => d.name === ui.day)?.said),
      h('span.grow'), h('button.primary', {type: 'submit', disabled: ui.busy}, t('Save')))),
  ui.error && h('em', {role: 'alert', key: 'error'}, ui.error))

const boxes = ctx => ['textarea', '[data-act=next]', '[data-act=when]'].map(query => ctx.root.querySelector(query))
// The form as it begins: what was typed before and not saved, else empty
function beginComposing(ctx, given = {}) {
  const {content} = ctx.model, draft = drafts.get(content.draft) || {}
  Object.assign(ctx.ui, {kind: given.kind || draft.kind || content.kind, day: draft.day || content.day, text: !!(given.text || draft.text), result: null, with: null, error: '', field: '', busy: false, echo: null})
  queueMicrotask(() => { const [text, next] = boxes(ctx); if (!text) return; text.value = given.text || draft.text || ''; next.value = draft.next || ''; ctx.draw() })
}
function keepComposing(ctx) {
  const [text, next] = boxes(ctx), key = ctx.model.content.draft
  if (!key || !text) return
  text.value || next.value ? drafts.set(key, {kind: ctx.ui.kind, day: ctx.ui.day, text: text.value, next: next.value}) : drafts.drop(key)
}
// `saved(ctx)` runs when the server took it
const composingActs = saved => ({
  kind(ctx, el) { ctx.ui.kind = el.dataset.id_; ctx.draw(); keepComposing(ctx); ctx.focus('textarea') },
  day(ctx, el) { ctx.ui.day = el.dataset.id_; ctx.ui.error = ''; ctx.ui.echo = null; ctx.draw(); keepComposing(ctx); ctx.focus(el.dataset.id_ === 'pick' ? '[data-act=when]' : '[data-act=next]') },
  'result:change'(ctx, el) { ctx.ui.result = el.value }, 'with:change'(ctx, el) { ctx.ui.with = el.value },
  'text:input'(ctx, el) { keepComposing(ctx); const on = !!el.value.trim(); if (on !== ctx.ui.text) { ctx.ui.text = on; ctx.draw() } },
  'next:input': ctx => keepComposing(ctx), 'when:input': (ctx, el) => echo(ctx, el.value),
  'text:keydown'(ctx, el, e) { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); el.form.requestSubmit() } },
  async save(ctx) {
    if (ctx.ui.busy) return      // never twice
    const [text, next, when] = boxes(ctx), {ui} = ctx, sent = [text.value, next.value, when?.value]
    Object.assign(ui, {busy: true, error: '', field: ''}); ctx.draw()
    const reply = await ctx.ask('log', {kind: ui.kind, text: text.value, next: next.value, day: ui.day === 'pick' ? (when?.value || '') : ui.day, result: ui.result || null, person: ui.with || null})
    Object.assign(ui, {busy: false, error: reply.error || '', field: reply.field || ''})
    if (!reply.error) {      // what was typed since stays
      [text, next, when].forEach((box, i) => { if (box && box.value === sent[i]) box.value = '' })
      Object.assign(ui, {text: !!text.value.trim(), result: null, with: null, echo: null, day: ctx.model.content.day}); keepComposing(ctx)
    }
    ctx.draw(); ctx.say(reply.say || reply.error || '')
    if (reply.error) ctx.focus(reply.field === 'when' ? '[data-act=when]' : 'textarea'); else saved(ctx)
  },
})
