// The table behind a chart: text, numbers to the right, sortable, each row (and each figure with a condition of its own) opens the records it counts.
const Figures = part(({title, columns, rows, total, none, note}, {t}) => rows.length ? h('div.scroll', {tabindex: 0, role: 'region', label: title}, h('table.figures', null,
  h('caption.sr', null, title),
  h('thead', null, h('tr', null, columns.map(c => h('th', {key: c.name, scope: 'col', class: c.num ? 'num' : '', 'aria-sort': c.sort || null}, c.name
    ? h('button.bare.sort', {type: 'button', act: 'sort', id_: c.name, title: t('Sort')}, c.label, c.sort && icon(c.sort === 'descending' ? 'arrow_downward' : 'arrow_upward')) : c.label)))),
  h('tbody', null, rows.map((row, i) => h('tr', {key: row.key || `r${i}`}, row.cells.map((cell, j) => {
    const text = cell?.text ?? cell, where = cell?.href || (j === 0 && row.href), say = {title: t('Show the records')}
    const inner = where ? h('a', {href: where, ...say}, text) : row.open && (j === 0 || cell?.open) ? h('button.link', {type: 'button', act: 'open', id_: String(row.open.row), 'data-column': cell?.open || '', ...say}, text) : text
    return h(j === 0 ? 'th' : 'td', {scope: j === 0 ? 'row' : null, class: columns[j].num ? 'num' : ''}, inner)
  })))),
  total && h('tfoot', null, h('tr', null, total.map((cell, j) => h(j === 0 ? 'th' : 'td', {scope: j === 0 ? 'row' : null, class: columns[j].num ? 'num' : ''}, cell))))), note && h('p.meta', null, note)) : empty('insights', none), {
  sort: ({tell}, el) => tell('sort', {name: el.dataset.id_}),
  open: ({tell}, el) => tell('open', {row: Number(el.dataset.id_), column: el.dataset.column || ''}),
})
