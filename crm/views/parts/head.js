// Head: content {glyph, title, sub: [{text, href?}], owner, badges, acts: [{name, label, glyph}], more: [{name, label, glyph, tone?, href?}]}
const Head = part(({glyph, title, sub = [], owner, badges = [], acts = [], more = [], gone}, {t, ui}) => h('header.head', null,
  h('span.glyph', null, icon(glyph)),
  h('div.names', null, h('h1', null, title), h('p', null, ...sub.map(s => s.href ? h('a', {href: s.href}, s.text) : h('span', null, s.text)))),
  gone && h('span.chip.late', null, gone),
  badges.map((b, i) => h('span.chip', {key: `b${i}`, class: b.tone}, b.text)), owner && initials(owner),
  h('div.acts', {role: 'group', label: t('Quick acts')}, acts.map(a => a.href ? h('a.button', {key: a.name, href: a.href, title: a.label}, icon(a.glyph), a.label) : button('do', a.glyph, a.label, {key: a.name, id_: a.name, title: a.label})),
    more.length > 0 && h('span.pop', {key: '-more'}, button('more', 'more_horiz', '', {label: t('More'), 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'more')}), ui.menu === 'more' && menu(more, 'do')))), {
  do: ({tell}, el) => tell('do', {name: el.dataset.name || el.dataset.id_}),
  more: (ctx, el) => ctx.toggle('more', el),
})
