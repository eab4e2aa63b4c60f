// Pool: one quiet line above a list. Those who give out see everybody's load, those who take see their own and one button.
const meter = (share, full) => h('span.meter', {'aria-hidden': 'true'}, h('i', {class: full ? 'full' : '', style: `width:${Math.max(0, Math.min(100, Number(share) || 0))}%`}))
const Pool = part(({waiting, href, held, share, full, take, people = []}, {t}) => h('div.poolbar', null,
  h('a.waiting', {href}, icon('inbox'), h('span', null, t('In the pool')), h('b.num', null, waiting)),
  held != null && h('span.load', null, h('span', null, t('You hold')), h('b.num', null, held), share != null && meter(share, full)),
  take && button('next', 'how_to_reg', t('Take the next best'), {class: 'primary'}),
  people.length > 0 && h('ul', {label: t('Who holds how many')}, people.map(p => h('li', {key: p.key, class: p.full ? 'full' : ''}, h('a', {href: p.href}, p.name), h('b.num', null, p.show), p.share != null && meter(p.share, p.full), p.full && h('small', null, t('full')))))),
{next: ({tell}) => tell('next', {})})
