// The reports there are: shelves by what they are about, found by typing.
const plainly = text => (text || '').normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
const Reports = part(({shelves, none}, {t, ui}) => {
  if (!shelves.length) return empty('insights', none)
  const words = plainly(ui.find).split(/\s+/).filter(Boolean)
  const found = shelves.map(s => ({...s, reports: s.reports.filter(r => words.every(w => plainly(`${s.label} ${r.label} ${r.help}`).includes(w)))})).filter(s => s.reports.length)
  return [
    h('div.finding', {key: 'find'}, h('input.find', {type: 'search', act: 'find', placeholder: t('Search'), label: t('Search')}), h('span.grow'), h('span.meta', {role: 'status'}, t('{n} reports', {n: found.reduce((n, s) => n + s.reports.length, 0)}))),
    found.length ? h('nav.shelf', {key: 'shelves', label: t('Reports')}, found.map(s => h('section', {key: s.name}, h('h2', null, s.label),
      h('div.reportlist', null, s.reports.map(r => h('a', {key: r.name, href: r.href}, icon(r.glyph), h('span.two', null, h('b', null, r.label), r.help && h('small', null, r.help)))))))) : h('div', {key: 'none'}, empty('search_off', t('Nothing found'))),
  ]
}, {'find:input'(ctx, el) { ctx.ui.find = el.value; ctx.draw() }})
