// Cards of KPIs. The light is a sign and a word in a colour, never a colour alone; the small line is told in words to who cannot see it.
const SIGNS = {good: 'check_circle', near: 'warning', off: 'cancel'}
const Kpi = part(({groups = [], none, framed}, {t}) => groups.length ? h('div.kpis', {class: framed ? 'framed' : null}, groups.map(g => h('section', {key: g.label, label: g.label || null},
  g.label && h('h2', null, g.label), h('div.kpigrid', null, g.cards.map(c => kpi_card(c, t)))))) : empty('speed', none))
const kpi_card = (c, t) => h('article.kpicard', {key: c.name, 'data-kpi': c.name, 'data-light': c.tone || null},
  h('h3', null, c.href ? h('a', {href: c.href, title: t('Open {name}', {name: c.label})}, c.label) : c.label),
  h('div.kpirow', null, h('p.kpivalue', null, c.value), c.line.length > 1 ? kpi_line(c, t) : null),
  c.state ? h('p.light', {class: c.tone}, icon(SIGNS[c.tone] || 'flag'), h('b', null, c.state), c.target && h('span', null, c.target)) : null,
  c.change && h('p.meta', null, c.change), c.help && h('p.meta', null, c.help))
const kpi_line = (c, t) => h('svg', {class: `spark ${c.tone || ''}`, viewBox: '-3 -3 106 36', preserveAspectRatio: 'none', role: 'img',
  'aria-label': t('The last {n} periods: {points}', {n: c.points.length, points: c.points.join(', ')})},
  c.mark != null && h('svg:line', {x1: 0, x2: 100, y1: c.mark * .3, y2: c.mark * .3, class: 'mark'}),
  h('svg:polyline', {points: c.line.map(([x, y]) => `${x},${y * .3}`).join(' ')}))
