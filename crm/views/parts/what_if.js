// WhatIf: sliders answered while they move; only the newest question is waited for
const WhatIf = part((content, ctx) => {
  const {title, help, forecast, waiting, fault, levers = [], assumptions = [], scenarios = [], may, keeps} = content, {t, ui} = ctx
  const result = ui.result || content.result, now = settings(ctx), moved = levers.some(one => now[one.name] !== one.plain), named = scenarios.find(one => one.id === ui.open)
  return h('section.whatif', {label: title},
    h('header.bar', {key: 'head'}, h('div.two', null, h('h1', null, title), help && h('small', null, help)), h('span.grow'), forecast && h('a.button', {href: forecast}, icon('query_stats'), t('Forecast')), result && button('notebook', 'code', '', {label: t('Open in notebook'), class: 'quiet'})),
    fault && h('p.errors', {role: 'alert', key: 'fault'}, fault), waiting && h('p.waiting', {role: 'status', key: 'waiting'}, h('span.spin'), waiting),
    result && [h('div.try', {key: 'try'},
      h('form.levers', {key: 'levers', act: 'nothing', label: t('Levers')}, levers.map(one => h('div.lever', {key: one.name, class: now[one.name] === one.plain ? '' : 'moved'},
        h('label', {for: `lever-${one.name}`}, h('span', null, one.label), h('small', null, one.help)), h('output', {for: `lever-${one.name}`}, said(one, now[one.name])),
        h('input', {type: 'range', id: `lever-${one.name}`, name: one.name, act: 'slide', min: one.least, max: one.most, step: one.step, value: String(now[one.name]), 'aria-valuetext': said(one, now[one.name])}),
        h('i.plain', {'aria-hidden': 'true', style: `left:calc(9px + (100% - 18px)*${(one.plain - one.least) / (one.most - one.least)})`}))),
        h('div.bar', {key: 'bar'}, button('reset', 'undo', t('Reset'), {disabled: !moved, class: 'quiet'}), named?.may && moved && button('over', 'save', t('Save over it'), {title: named.name}))),
      h('div.outcome', {key: 'outcome', class: ui.asking ? 'asking' : ''}, h('p.says', {role: 'status'}, result.says), figureTiles(result.tiles),
        fanChart(result.fan, t('Result'), {line: !result.plain, legend: [['band', t('Likely, eight of ten between')], ...(result.plain ? [] : [['as-is', t('As things are')]])]}))),
    keeps && h('section.scenarios', {key: 'scenarios', label: t('Scenarios')}, h('h2', null, t('Scenarios'), h('span.count', null, String(scenarios.length || ''))),
      may && h('form.keep', {act: 'keep', key: 'keep'}, h('input', {name: 'name', required: true, maxlength: 120, placeholder: t('Name of the scenario'), label: t('Name of the scenario'), autocomplete: 'off'}), h('button', {type: 'submit', class: moved ? 'primary' : ''}, icon('bookmark'), t('Save as a scenario'))),
      ui.error && h('em', {role: 'alert', key: 'error'}, ui.error),
      scenarios.length ? h('ul', {key: 'list'}, scenarios.map(one => h('li', {key: String(one.id), class: ui.open === one.id ? 'here' : ''}, h('input', {type: 'checkbox', act: 'pick', id_: String(one.id), checked: (ui.picked || []).includes(one.id), label: `${t('Compare')}: ${one.name}`}),
        h('button.two', {type: 'button', act: 'open', id_: String(one.id), 'aria-current': ui.open === one.id ? 'true' : null}, h('b', null, one.name), h('small', null, one.sub)), h('small.whose', null, one.who), h('a.bare', {href: one.href, label: `${t('Open')}: ${one.name}`, title: t('Open')}, icon('open_in_new')), one.goes && button('drop', 'delete', '', {id_: String(one.id), label: `${t('Remove')}: ${one.name}`, class: 'quiet'}))))
        : h('p.meta', {key: 'none'}, t('No scenario is kept yet. Set the levers and save them under a name.')),
      ui.compared ? h('div.scroll', {key: 'compared', tabindex: 0, role: 'region', label: t('Side by side')}, h('table.compared', null, h('caption.sr', null, t('Side by side')), h('thead', null, h('tr', null, h('th'), ui.compared.columns.map((name, i) => h('th.num', {scope: 'col', key: `${i}`}, name)))),
        h('tbody', null, ui.compared.rows.map(row => h('tr', {key: row.label, class: row.strong ? 'strong' : row.quiet ? 'quiet' : ''}, h('th', {scope: 'row'}, row.label), row.cells.map((text, i) => h('td.num', {key: `${i}`}, text)))))))
        : scenarios.length > 1 && h('p.meta', {key: 'how'}, t('Choose two or more to see them side by side.'))),
    h('details.granted', {key: 'granted'}, h('summary', null, t('What is taken for granted')), h('ul', null, assumptions.map((words, i) => h('li', {key: `${i}`}, words))))])
}, {
  start: ctx => setTimeout(() => ctx.model.content.waiting && ctx.ask('load')),     // once the page stands
  'slide:input'(ctx, el) { ctx.ui.at = {...settings(ctx), [el.name]: Number(el.value)}; ctx.draw(); ask(ctx) },
  nothing() {},
  reset(ctx) { ctx.ui.at = Object.fromEntries(ctx.model.content.levers.map(one => [one.name, one.plain])); ctx.ui.open = null; ctx.draw(); ask(ctx) },
  async keep(ctx, form) {
    const reply = await ctx.ask('keep', {name: form.name.value, levers: settings(ctx)})
    ctx.ui.error = Object.values(reply.problems || {})[0] || reply.error || ''
    if (!reply.error) { form.name.value = ''; ctx.ui.open = reply.id }
    ctx.draw()
  },
  async over(ctx) { const one = ctx.model.content.scenarios.find(x => x.id === ctx.ui.open), reply = await ctx.ask('keep', {name: one.name, levers: settings(ctx), id: one.id}); ctx.ui.error = reply.error || ''; ctx.draw(); again(ctx) },
  async open(ctx, el) { const id = Number(el.dataset.id_), reply = await ctx.ask('open', {id}); if (reply.error) { ctx.ui.error = reply.error; return ctx.draw() } Object.assign(ctx.ui, {at: reply.levers, result: reply.result, open: id}); ctx.draw(); ctx.say(reply.result.says) },
  async drop(ctx, el) { const id = Number(el.dataset.id_), reply = await ctx.ask('drop', {id}); ctx.ui.error = reply.error || ''; ctx.ui.picked = (ctx.ui.picked || []).filter(x => x !== id); again(ctx) },
  'pick:change'(ctx, el) { const id = Number(el.dataset.id_), had = ctx.ui.picked || []; ctx.ui.picked = el.checked ? [...had, id].slice(-4) : had.filter(x => x !== id); again(ctx) },
  async notebook(ctx) { const reply = await ctx.ask('notebook', {levers: settings(ctx)}); if (reply.file) { save_file(reply.file); ctx.say(ctx.t('Saved as {name}', {name: reply.file.name})) } },
})
const settings = ctx => ctx.ui.at || Object.fromEntries((ctx.model.content.levers || []).map(one => [one.name, one.value]))
const said = (one, value) => { const away = value - one.plain; return one.name === 'reps' ? (away > 0 ? `+${away}` : String(away).replace('-', '−')) : away === 0 ? '100%' : `${value}%` }
// One question at a time: what was moved meanwhile is asked next
async function ask(ctx) {
  if (ctx.ui.asking) { ctx.ui.more = true; return }
  ctx.ui.asking = true
  do { ctx.ui.more = false; const reply = await ctx.ask('turn', {levers: settings(ctx)}); if (reply.result) ctx.ui.result = reply.result; if (!ctx.ui.more) ctx.ui.asking = false; ctx.draw() } while (ctx.ui.more)
}
async function again(ctx) {
  const ids = ctx.ui.picked || []
  if (!ids.length) { ctx.ui.compared = null; return ctx.draw() }
  const reply = await ctx.ask('compare', {ids})
  if (!reply.error) ctx.ui.compared = reply
  ctx.draw()
}
