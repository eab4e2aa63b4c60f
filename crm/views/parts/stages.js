// Stages: content {stages: [{name, label, outcome, spent, over}], now, days, expected, gate: {stage, label, fields: [{field, label, help, editor, error}], ask, shut}, todo: [{line, text, must, done, by}], guide, who, approvals: [{id, what, say, who, whom, tone, why, mine}], map, may}
const Stages = part((content, ctx) => {
  const {stages, now, days, expected, todo = [], guide, who, approvals = [], map, may} = content, {t, ui} = ctx, gate = ui.gate || content.gate
  const line = stages.filter(s => !s.side), side = stages.filter(s => s.side), at = line.findIndex(s => s.name === now), current = stages.find(s => s.name === now)
  return [h('div.pathbar', {key: 'path'}, h('ol.path', {label: t('Stage'), tabindex: -1}, line.map((s, i) => h('li', {key: s.name, class: [i < at ? 'past' : i === at ? 'now' : '', s.outcome].filter(Boolean).join(' ')},
    h('button', {type: 'button', act: 'go', id_: s.name, disabled: !may && i !== at, 'aria-current': i === at ? 'step' : null, title: s.label, 'data-to': gate?.stage === s.name ? '1' : null},
      i < at && icon('check'), i === at && s.outcome === 'won' && icon('emoji_events'), h('span', null, s.label), i === at && days != null && !s.outcome ? h('small', {class: expected != null && days > expected ? 'late' : '', title: expected ? t('{n} days expected', {n: expected}) : null}, t('{n} days here', {n: days})) : s.spent && h('small', {class: s.over ? 'over' : '', title: t('Time spent in this stage')}, s.spent))))),
    side.map(s => h('button.side', {key: s.name, type: 'button', act: 'go', id_: s.name, disabled: !may && s.name !== now, 'aria-current': s.name === now ? 'step' : null, class: s.name === now ? 'lostnow' : ''}, s.label)), map && h('a.bare', {href: map, title: t('Process'), label: t('Process')}, icon('account_tree'))),
  gate?.fields?.length && may ? h('form.gate', {key: 'gate', act: 'move'}, h('span.why', null, icon(gate.shut ? 'lock' : 'lock_open'), gate.shut ? t('Before “{stage}”', {stage: gate.label}) : t('To reach “{stage}”, fill in', {stage: gate.label})),
    h('div.fields', null, gate.fields.map(g => h('div.gatefield', {key: `${gate.stage}-${g.field}`, class: g.editor.type === 'fixed' ? 'told' : g.editor.type === 'check' ? 'tickit' : ''}, h('span.lab', {id: `g-${g.field}`, title: g.help}, g.label), editor(ctx, g.editor, {id: `gate-${g.field}`, act: 'fill', name: g.field, label: g.label, own: true, version: gate.stage, error: (ui.problems || {})[g.field]}), g.editor.type === 'textarea' && g.help && g.field.startsWith('ask:') && h('small.helps', null, g.help), (ui.problems || {})[g.field] && h('em', {role: 'alert'}, ui.problems[g.field])))),
    h('span.push', null, ui.gate && content.gate?.stage !== ui.gate.stage && button('leave', '', t('Cancel'), {class: 'quiet'}), !gate.shut && h('button', {type: 'submit', disabled: ui.busy, class: ui.gate ? 'primary' : ''}, icon(gate.ask ? 'how_to_reg' : 'arrow_forward'), gate.ask ? t('Ask for approval') : t('Move to “{stage}”', {stage: gate.label}))))
    : null,
  ui.error && h('p.errors', {role: 'alert', key: 'error'}, ui.error),
  approvals.length ? h('ul.asked', {key: 'approvals', label: t('Approvals')}, approvals.map(a => h('li', {key: String(a.id)}, icon('how_to_reg'), h('span', null, a.what), h('b', {class: a.tone}, a.say), h('span.meta', null, [a.who, a.whom && `→ ${a.whom}`, a.why].filter(Boolean).join(' · ')),
    a.mine && h('span.push', null, button('grant', 'check', t('Grant'), {id_: String(a.id), 'data-do': 'approve', class: 'primary small'}), button('grant', 'close', t('Refuse'), {id_: String(a.id), 'data-do': 'refuse', class: 'small'}), button('grant', 'forward', t('Hand on'), {id_: String(a.id), 'data-do': 'hand_on', class: 'quiet small'}))))) : null,
  (todo.length || guide) && !current?.outcome ? h('div.guide', {key: 'guide'}, guide && h('p', null, icon('lightbulb'), guide, who && h('span.meta', null, ` ${who}`)),
    todo.length ? h('ul', {label: t('To do in this stage')}, todo.map(g => h('li', {key: g.line}, h('button.todo', {type: 'button', role: 'checkbox', act: 'tick', id_: g.line, disabled: !may, 'aria-checked': String(g.done), title: g.by || null, class: g.done ? 'done' : ''}, icon(g.done ? 'check_box' : 'check_box_outline_blank'), h('span', null, g.text), g.must && !g.done && h('b.must', {title: t('Ticked before it moves on')}, '*', h('span.sr', null, t('Ticked before it moves on')))), g.done && g.by && h('span.meta', null, g.by)))) : null) : null]
}, {
  drawn(ctx) { if (ctx.ui.seen !== ctx.model.content.now) for (const wait of [0, 150, 500]) setTimeout(() => intoSight(ctx), wait) },
  async go(ctx, el) { if (el.dataset.id_ !== ctx.model.content.now) await toStage(ctx, el.dataset.id_) },
  async move(ctx) {
    const gate = ctx.ui.gate || ctx.model.content.gate, values = {}
    for (const g of gate.fields) { const box = ctx.root.querySelector(`.editor[data-id_="gate-${g.field}"]`); if (box) values[g.field] = editorValue(box) }
    await toStage(ctx, gate.stage, values)
  },
  async tick(ctx, el) { if (ctx.ui.ticking) return; ctx.ui.ticking = true; el.classList.add('busy'); const reply = await ctx.ask('tick', {line: el.dataset.id_, on: el.getAttribute('aria-checked') !== 'true'}); ctx.ui.ticking = false; el.classList.remove('busy'); if (reply.error) { ctx.ui.error = reply.error; ctx.draw() } ctx.focus(`[data-act=tick][data-id_="${el.dataset.id_}"]`) },
  grant(ctx, el) { ctx.tell('decide', {id: Number(el.dataset.id_), act: el.dataset.do}) },
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
  Object.assign(ctx.ui, {busy: true, error: '', problems: {}}); ctx.draw(); ctx.root.querySelector(`[data-act=go][data-id_="${stage}"]`)?.classList.add('busy')
  const reply = await ctx.ask('move', {stage, values: values || null})
  ctx.ui.busy = false; ctx.root.querySelector(`[data-act=go][data-id_="${stage}"]`)?.classList.remove('busy')
  if (reply.gate) { ctx.ui.gate = reply.gate; ctx.ui.problems = reply.problems || {} } else if (reply.error) ctx.ui.error = reply.error; else Object.assign(ctx.ui, {gate: null, problems: {}})
  ctx.draw(); ctx.say(reply.say || reply.error || '')
  if (reply.gate) ctx.focus('.gate .editor')
  if (reply.joy) joy(ctx.root)
}
