// Groups: the same records as bars. Content {title, note, by, bys: [[name, label]], measure, measures: [[name, label]], bars: [{key, label, share, show, count, href, color}], …listbar}
const Groups = part((content, ctx) => {
  const {title, note, by, bys = [], measure, measures = [], bars} = content, {t} = ctx
  totalsLater(ctx)
  return [listbar(content, ctx),
    h('div.bar.calbar', {key: 'pick'}, h('h2', null, title), h('span.grow'), h('label.pipes', null, h('span.meta', null, `${t('By')} `), h('select', {act: 'by', value: by, label: t('By')}, bys.map(([value, label]) => h('option', {value}, label)))),
      h('label.pipes', null, h('span.meta', null, `${t('Show')} `), h('select', {act: 'measure', value: measure, label: t('Show')}, measures.map(([value, label]) => h('option', {value}, label))))),
    bars.length ? h('figure.groups', {key: 'bars'}, h('table', null, h('caption', null, note), h('thead', null, h('tr', null, h('th', {scope: 'col'}, bys.find(b => b[0] === by)?.[1]), h('th', {scope: 'col'}, h('span.sr', null, t('Bar'))), h('th.num', {scope: 'col'}, measures.find(m => m[0] === measure)?.[1]))),
      h('tbody', null, bars.map(b => h('tr', {key: b.key}, h('th', {scope: 'row'}, b.href ? h('a', {href: b.href}, b.label) : b.label), h('td', null, h('span.track', null, h('span.fill', {style: `width:${Math.max(0, Math.min(100, Number(b.share) || 0))}%;background:${dotColor(b.color || 1)}`}))), h('td.num', null, b.show))))))
      : empty('bar_chart', t('Nothing to count yet.'))]
}, {...listacts(), 'by:change': ({tell}, el) => tell('by', {name: el.value}), 'measure:change': ({tell}, el) => tell('measure', {name: el.value})})
