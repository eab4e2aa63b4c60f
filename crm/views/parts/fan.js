// A range by month: {columns: [{key, label, low, mid, high, done, goal, other, text, tip, miss}], ticks: [{at, label}]}, heights in percent.
function fanChart({columns, ticks}, title, more = {}) {
  const x = i => (i + .5) / columns.length * 100, y = value => 100 - value
  const line = (key, kept = columns.map((c, i) => [c, i]).filter(([c]) => c[key] != null)) => kept.map(([c, i]) => `${x(i)},${y(c[key])}`).join(' ')
  const band = [...columns.map((c, i) => `${x(i)},${y(c.high)}`), ...columns.map((c, i) => `${x(i)},${y(c.low)}`).reverse()].join(' ')
  return h('figure.fan', {label: title, role: 'group', class: columns.length > 8 ? 'dense' : ''},
    h('div.scale', {'aria-hidden': 'true'}, ticks.map(tick => h('span', {key: String(tick.at), style: `bottom:${tick.at}%`}, tick.label))),
    h('div.plot', null, ticks.map(tick => h('i.rule', {key: `r${tick.at}`, style: `bottom:${tick.at}%`})),
      h('svg', {key: 'svg', viewBox: '0 0 100 100', preserveAspectRatio: 'none', 'aria-hidden': 'true'},
        columns.length > 1 && !more.apart && h('svg:polygon', {points: band, class: 'band'}), columns.length > 1 && !more.apart && h('svg:polyline', {points: line('mid'), class: 'mid'}), more.line && h('svg:polyline', {points: line('other'), class: 'other'})),
      columns.map((c, i) => h('div.month', {key: c.key, style: `left:${i / columns.length * 100}%;width:${100 / columns.length}%`, title: c.tip},
        (more.apart || columns.length === 1) && h('i.reach', {style: `bottom:${c.low}%;height:${c.high - c.low}%`}),
        c.done > 0 && !more.apart && h('i.done', {style: `height:${c.done}%`}),
        c.goal != null && h('i.goal', {style: `bottom:${c.goal}%`}),
        c.other != null && !more.line && h('i.other', {style: `bottom:${c.other}%`}),
        h('i.point', {style: `bottom:${c.mid}%`}), more.apart && c.done != null && h('i.came', {style: `bottom:${c.done}%`, class: c.miss ? 'miss' : ''}),
        !more.apart && h('b', {style: `bottom:${c.mid}%`}, (c.text || '').replace(/[\u00a0\u202f]/g, ' ')), h('span.sr', null, c.tip)))),
    h('div.months', {'aria-hidden': 'true'}, columns.map(c => h('span', {key: c.key}, c.label))),
    more.legend && h('ul.legend', null, more.legend.map(([kind, words]) => h('li', {key: kind}, h('i', {class: kind}), words))))
}
const figureTiles = tiles => h('dl.tiles', null, tiles.map(one => h('div', {key: one.label, class: one.main ? 'main' : ''}, h('dt', null, one.label), h('dd', null, h('b', {class: one.tone || ''}, one.value), one.sub && h('small', null, one.sub)))))
