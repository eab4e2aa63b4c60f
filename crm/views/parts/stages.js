// Stages: content {stages: [{name, label, outcome}], now, days, expected, gate: {stage, label, fields: [{field, label, help, editor, error}]}, guide: [text], may}
const Stages = part((content, ctx) => {
  const {stages, now, days, expected, guide = [], may, ended} = content, {t, ui} = ctx, gate = ui.gate || content.gate
  const line = stages.filter(s => !s.side), side = stages.filter(s => s.side), at = line.findIndex(s => s.name === now), current = stages.find(s => s.name === now)
  return [h('div.pathbar', {key: 'path'}, h('ol.path', {label: t('Stage'), tabindex: -1}, line.map((s, i) => h('li', {key: s.name, class: [i < at ? 'past' : i === at ? 'now' : '', s.outcome].filter(Boolean).join(' ')},
    h('button', {type: 'button', act: 'go', id_: s.name, disabled: !may && i !== at, 'aria-current': i === at ? 'step' : null, title: s.label, 'data-to': gate?.stage === s.name ? '1' : null},
      i < at && icon('check'), i === at && s.outcome === 'won' && icon('emoji_events'), h('span', null, s.label), i === at && days != null && !s.outcome && h('small', {class: days > expected ? 'late' : '', title: expected ? t('{n} days expected', {n: expected}) : null}, t('{n} days here', {n: days})))))),
    side.map(s => h('button.side', {key: s.name, type: 'button', act: 'go', id_: s.name, disabled: !may && s.name !== now, 'aria-current': s.name === now ? 'step' : null, class: s.name === now ? 'lostnow' : ''}, s.label))),
  gate?.fields?.length && may ? h('form.gate', {key: 'gate', act: 'move'}, h('span.why', null, icon('lock_open'), t('To reach “{stage}”, fill in', {stage: gate.label})),
    h('div.fields', null, gate.fields.map(g => h('div.gatefield', {key: `${gate.stage}-${g.field}`}, h('span.lab', {id: `g-${g.field}`, title: g.help}, g.label), editor(ctx, g.editor, {id: `gate-${g.field}`, act: 'fill', name: g.field, label: g.label, error: (ui.problems || {})[g.field]}), (ui.problems || {})[g.field] && h('em', {role: 'alert'}, ui.problems[g.field])))),
    h('span.push', null, ui.gate && content.gate?.stage !== ui.gate.stage && button('leave', '', t('Cancel'), {class: 'quiet'}), h('button', {type: 'submit', disabled: ui.busy, class: ui.gate ? 'primary' : ''}, icon('arrow_forward'), t('Move to “{stage}”', {stage: gate.label}))))
    : null,
  ui.error && h('p.errors', {role: 'alert', key: 'error'}, ui.error),
  guide.length && !current?.outcome && ui.guide !== false ? h('ul.guide', {key: 'guide', label: t('To do in this stage')}, guide.map(g => h('li', null, icon('arrow_right'), g))) : null]
}, {
  drawn(ctx) { if (ctx.ui.seen !== ctx.model.content.now) for (const wait of [0, 150, 500]) setTimeout(() => intoSight(ctx), wait) },
  async go(ctx, el) { if (el.dataset.id_ !== ctx.model.content.now) await toStage(ctx, el.dataset.id_) },
  async move(ctx) {
    const gate = ctx.ui.gate || ctx.model.content.gate, values = {}
    for (const g of gate.fields) { const box = ctx.root.querySelector(`.editor[data-id_="gate-${g.field}"]`); if (box) values[g.field] = editorValue(box) }
    await toStage(ctx, gate.stage, values)
  },
  leave(ctx) { Object.assign(ctx.ui, {gate: null, problems: {}, error: ''}); ctx.draw() },
  on_joy: ctx => joy(ctx.root),
})
// On a narrow screen the path is scrolled to the current stage, once it has its size
function intoSight(ctx) {
  const now = ctx.root.querySelector('.path .now'), path = now?.parentNode
  if (!now || !path.clientWidth || ctx.ui.seen === ctx.model.content.now) return
  ctx.ui.seen = ctx.model.content.now; path.scrollLeft = now.offsetLeft - path.offsetLeft - (path.clientWidth - now.offsetWidth) / 2
}
async function toStage(ctx, stage, values) {
  if (ctx.ui.busy) return
  Object.assign(ctx.ui, {busy: true, error: '', problems: {}}); ctx.root.querySelector(`[data-act=go][data-id_="${stage}"]`)?.classList.add('busy')
  const reply = await ctx.ask('move', {stage, values: values || null})
  ctx.ui.busy = false; ctx.root.querySelector(`[data-act=go][data-id_="${stage}"]`)?.classList.remove('busy')
  if (reply.gate) { ctx.ui.gate = reply.gate; ctx.ui.problems = reply.problems || {} } else if (reply.error) ctx.ui.error = reply.error; else Object.assign(ctx.ui, {gate: null, problems: {}})
  ctx.draw(); ctx.say(reply.say || reply.error || '')
  if (reply.gate) ctx.focus('.gate .editor')
  if (reply.joy) joy(ctx.root)
}
