// The table behind a chart: text, numbers to the right, each row opens the records it counts.
const Figures = part(({title, columns, rows, none}, {t}) => rows.length ? h('div.scroll', {tabindex: 0, role: 'region', label: title}, h('table.figures', null,
  h('caption.sr', null, title),
  h('thead', null, h('tr', null, columns.map(c => h('th', {scope: 'col', class: c.num ? 'num' : ''}, c.label)))),
  h('tbody', null, rows.map((row, i) => h('tr', {key: `r${i}`}, row.cells.map((cell, j) => j === 0
    ? h('th', {scope: 'row', class: columns[j].num ? 'num' : ''}, row.href ? h('a', {href: row.href, title: t('Show the records')}, cell) : cell)
    : h('td', {class: columns[j].num ? 'num' : ''}, cell))))))) : empty('insights', none))
