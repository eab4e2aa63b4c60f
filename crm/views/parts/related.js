// Related: content {lists: [{name, label, glyph, count, items: [{key, title, sub, end, tone, face, href}], all: href, may, none}]}
const Related = part(({lists}, {t}) => lists.map(list => h('section.related', {key: list.name || list.label, label: list.label}, h('h2', null, list.label, list.count != null && h('span.count', null, list.count), list.may && button('add', 'add', '', {id_: list.name, label: `${t('Add')}: ${list.label}`})),
  list.items.length ? h('ul', null, list.items.map(x => h('li', {key: x.key}, h(x.href ? 'a' : 'span.row', {href: x.href}, x.face ? initials(x.face === true ? x.title : x.face) : icon(x.glyph || list.glyph),
    h('span.two', null, h('span', {title: x.title}, x.title), x.sub && h('small', null, x.sub)), x.end && h('span.end', {class: x.tone}, x.end))))) : list.none ? empty(list.glyph, list.none) : null,
  list.all && h('a.showall', {href: list.all}, t('Show all {n}', {n: list.count}))))
, {add: ({tell}, el) => tell('add', {name: el.dataset.id_})})
