const Reports = part(({reports, none}) => reports.length ? h('nav.reportlist', null, reports.map(r => h('a', {key: r.name, href: r.href}, icon(r.glyph),
  h('span.two', null, h('b', null, r.label), r.help && h('small', null, r.help))))) : empty('insights', none))
