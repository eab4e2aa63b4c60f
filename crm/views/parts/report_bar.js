// Above a report: what it says, for whom and as of when, and all that can be asked of it; every choice is in the address.
const ReportBar = part((content, ctx) => {
  const {says, meta, stamp, picks = [], dates, chips = [], asof, shapes = [], gives = [], reset, filters} = content, {t, ui} = ctx
  const at = ui.at ?? asof?.at
  return [
    h('div.reading', {key: 'reading'}, says && h('p.says', null, says), h('p.meta', null, meta, stamp.text ? h('small.stamp', {key: 'stamp', title: stamp.help}, stamp.text) : button('stamp', 'fingerprint', t('Stamp'), {key: 'ask', class: 'quiet', title: stamp.help}))),
    h('div.bar.asks', {key: 'asks'},
      picks.map(p => h('label.ask', {key: p.name}, h('span', null, p.label), h('select', {act: 'pick', 'data-name': p.name, value: p.value}, p.options.map(([value, label]) => h('option', {value, key: value || '-'}, label))))),
      dates && h('span.ask.two', {key: 'dates'},
        h('label', null, h('span', null, t('First day')), daybox(dates.first, '', {act: 'dates', 'data-name': 'from', value: dates.from})),
        h('label', null, h('span', null, t('Last day')), daybox(dates.last, '', {act: 'dates', 'data-name': 'to', value: dates.to})))),
    h('div.bar.tools', {key: 'tools'},
      chips.map(c => h('span.chip.filter', {key: `chip-${c.name}`}, h('span', null, `${c.label}: ${c.value}`), button('unfilter', 'close', '', {id_: c.name, label: `${t('Clear')}: ${c.label}`}))),
      filters && h('span.pop', {key: 'filterpop'}, button('filter', 'filter_list', t('Filter'), {class: 'quiet', 'aria-expanded': String(ui.pop === 'filter'), 'aria-haspopup': 'dialog'}), ui.pop === 'filter' && builder(ctx, 'filter')),
      reset && h('a.quiet.reset', {key: 'reset', href: reset}, icon('restart_alt'), t('As it was set up')),
      h('span.grow'),
      shapes.length > 1 && h('nav.switch', {label: t('Show as'), key: 'shapes'}, shapes.map(s => h('a', {key: s.name, href: s.href, label: s.label, title: s.label, 'aria-current': s.on ? 'page' : null}, icon(s.glyph)))),
      gives.length && h('span.pop', {key: 'gives'}, button('gives', 'download', t('Download'), {class: 'quiet giving', label: t('Download'), 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'gives')}), ui.menu === 'gives' && menu(gives, 'give'))),
    asof && h('div.bar.asof', {key: 'asof'},
      h('label.slide', null, h('span', null, t('As of')), h('input', {type: 'range', act: 'seen', min: 0, max: asof.marks.length - 1, step: 1, value: at, 'aria-valuetext': asof.marks[at]?.label, label: t('As of the day')})),
      h('output', {key: 'output'}, ui.at == null ? asof.label : asof.marks[at]?.label),
      h('label.exact', null, h('span.sr', null, t('Exact day')), daybox(asof.label, t('Exact day'), {act: 'day', max: asof.last, value: asof.day, title: t('Exact day')})),
      asof.day && button('now', 'history_toggle_off', t('Back to now'), {class: 'quiet back', label: t('Back to now')})),
  ]
}, {
  ...listacts(),
  'pick:change': ({tell}, el) => tell('pick', {name: el.dataset.name, value: el.value}),
  'dates:change'(ctx) { const [from, to] = ['from', 'to'].map(n => ctx.root.querySelector(`[data-act=dates][data-name=${n}]`).value); if (from && to) ctx.tell('dates', {first: from, last: to}) },
  'seen:input'(ctx, el) { ctx.ui.at = Number(el.value); ctx.draw() },
  'seen:change'(ctx, el) { const mark = ctx.model.content.asof.marks[Number(el.value)]; ctx.ui.at = null; ctx.tell('seen', {day: mark.day}) },
  'day:change': ({tell}, el) => tell('seen', {day: el.value}),
  now: ({tell}) => tell('seen', {day: ''}),
  stamp: ({tell}) => tell('stamp'),
  gives: (ctx, el) => ctx.toggle('gives', el),
  async give(ctx, el) {
    const answer = await ctx.ask('give', {name: el.dataset.name})
    if (answer.file) { save_file(answer.file); ctx.say(ctx.t('Saved as {name}', {name: answer.file.name})) }
  },
})
