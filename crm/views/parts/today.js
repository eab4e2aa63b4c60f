const SHOWN = 6
const Today = part(({title, note, sections = [], none, first = []}, ctx) => { const {ui, t} = ctx; return h('div.day', null, h('div.hello', null, h('h1', null, title), note && h('p', null, note)), sections.map(s => {
  const items = ui.wide?.has(s.key) ? s.items : s.items.slice(0, SHOWN)
  return h('section', {key: s.key, label: s.label}, h('h2', {class: s.tone}, s.label, h('span.count', null, s.count ?? s.items.length)),
    h('ul', null, items.map(x => h('li.line', {key: x.key, class: [x.plan && 'lacks', ui.gone === x.key && 'gone', ui.menu === x.key && 'open'].filter(Boolean).join(' ')}, x.plan ? h('span.lack', null, icon(x.glyph)) : button('done', x.glyph, '', {id_: x.key, label: `${t('Done')}: ${x.title}`, class: 'tick'}),
      h('a.two', {href: x.href}, h('span', null, x.title), x.sub && h('small', null, x.sub)), x.amount && h('span.num', null, x.amount), h('span.end', {class: x.tone}, x.when),
      h('span.quick', null, x.plan && x.may && button('to', 'today', t('Tomorrow'), {id_: x.key, 'data-day': 'tomorrow', label: `${t('Plan the next step for tomorrow')}: ${x.title}`, title: t('Plan the next step for tomorrow')}), x.log !== false && button('log', 'edit_note', '', {id_: x.key, label: `${t('Log')}: ${x.title}`, title: t('Log')}), x.may !== false && h('span.pop', null, button('later', x.plan ? 'event' : 'schedule', '', {id_: x.key, label: `${x.plan ? t('Plan') : t('Postpone')}: ${x.title}`, title: x.plan ? t('Plan') : t('Postpone'), 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === x.key)}),
        ui.menu === x.key && h('div.menu', {role: 'menu'}, SOON.map(([to, words]) => h('button', {type: 'button', role: 'menuitem', tabindex: -1, act: 'to', id_: x.key, 'data-day': to}, icon('event'), h('span', null, t(words)))),
          h('form.pickday', {act: 'pick', id_: x.key}, h('input', {type: 'text', label: t('Pick a day'), placeholder: t('tomorrow, fri, 24.12., +2w'), autocomplete: 'off', 'aria-invalid': ui.wrong ? 'true' : null}), h('button', {type: 'submit'}, t('Move')), echoNode(ui.echo), ui.wrong && h('em', {role: 'alert'}, ui.wrong)))))))),
    s.items.length > items.length && button('wide', '', t('Show all {n}', {n: s.items.length}), {id_: s.key, class: 'quiet more'}))
}), !sections.length && none && empty(first.length ? 'flag' : 'check_circle', none, first.length ? h('p.bar.first', null, first.map(x => h('a.button', {href: x.href}, icon(x.glyph), x.label))) : null)) }, {
  start: ctx => { ctx.ui.wide = new Set() },
  async done(ctx, el, e) {
    const key = el.dataset.id_, x = find(ctx, key); if (!x || e.detail > 1 || ctx.ui.gone === key) return      // never twice
    ctx.ui.gone = key; ctx.draw()
    const reply = await ctx.ask('done', {entity: x.entity, id: x.id})
    ctx.ui.gone = null; ctx.draw(); if (reply.error) shout(reply.error)
  },
  log(ctx, el) { const x = find(ctx, el.dataset.id_); ctx.tell('log', {entity: x.entity, id: x.id}) },
  'pick:input': (ctx, el, e) => echo(ctx, e.target.value),
  later(ctx, el) { ctx.ui.wrong = ''; ctx.ui.echo = null; ctx.toggle(el.dataset.id_, el) },
  to(ctx, el) { move(ctx, el.dataset.id_, el.dataset.day) },
  async pick(ctx, el) { const box = el.querySelector('input'); if (box.value.trim()) await move(ctx, el.dataset.id_, box.value) },
  wide(ctx, el) { ctx.ui.wide.add(el.dataset.id_); ctx.draw() },
})
const find = (ctx, key) => ctx.model.content.sections.flatMap(s => s.items).find(x => x.key === key)
const shout = text => dispatchEvent(new CustomEvent('crm:say', {detail: {text, tone: 'bad'}}))
async function move(ctx, key, to) {
  const x = find(ctx, key), reply = await ctx.ask(x.plan ? 'plan' : 'postpone', {entity: x.entity, id: x.id, to})
  if (!reply.error) return ctx.close()
  if (ctx.ui.menu === key) { ctx.ui.wrong = reply.error; ctx.draw() } else shout(reply.error)
}
