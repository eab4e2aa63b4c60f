// Insights: content {cards: [statement {lines: [{key, sign, label, text, tone, how}]}, branch {rows: [{title, deep, href, here, end, tip}]}, centre {roles: [{label, color, gap, people}], may}]}
const Insights = part(({cards}, ctx) => cards.map(card => h(`section.insight.${card.kind}`, {key: card.key, label: card.label},
  h('h2', null, card.label, card.may && button('add', 'add', '', {id_: card.key, label: `${ctx.t('Add')}: ${card.label}`})), drawInsight[card.kind](card, ctx))),
{add: ({tell}, el) => tell('add', {name: el.dataset.id_}), how(ctx, el) { ctx.ui.how = ctx.ui.how === el.dataset.id_ ? null : el.dataset.id_; ctx.draw() }})
const drawInsight = {
  statement: ({lines}, {ui, t}) => h('ul', null, lines.map(x => h('li', {key: x.key, class: x.sign === '=' ? 'total' : x.sign ? '' : 'also'},
    h(x.how ? 'button' : 'span', {type: x.how ? 'button' : null, class: 'sum', act: x.how ? 'how' : null, id_: x.key, 'aria-expanded': x.how ? String(ui.how === x.key) : null, title: x.how ? t('Where does it come from?') : null},
      h('span.sign', {'aria-hidden': 'true'}, x.sign), h('span.grow', null, x.label), h('b.num', {class: x.tone}, x.text)),
    ui.how === x.key && h('p.how', null, x.how)))),
  branch: ({rows, note, more}) => [h('ul', null, rows.map(x => h('li', {key: x.key, class: x.here ? 'here' : '', style: `--deep:${Number(x.deep) || 0}`},
    h(x.href ? 'a' : 'span', {class: 'row', href: x.href, title: x.tip, 'aria-current': x.here ? 'true' : null}, h('span.title', null, x.title), x.end && h('span.num', null, x.end))))), h('p.meta', null, note), more && h('p.meta', null, more)],
  centre: ({roles}) => h('ul.map', null, roles.map(r => h('li', {key: r.key, style: `--dot:${dotColor(r.color)}`}, h('h3', null, r.label), r.gap ? h('p.gap', null, icon('person_off'), r.gap)
    : h('ul', null, r.people.map(p => h('li', {key: p.key}, h('a', {href: p.href}, initials(p.title), h('span.two', null, h('span', {title: p.title}, p.title), h('small', {class: p.tone, title: p.text}, p.text))))))))),
}
