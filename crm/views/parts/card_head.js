// The head of a chart card; its acts give the figures away as table, CSV or picture.
const CardHead = part(({title, note, href, value, say, tone, links = []}, {t}) => h('header.cardhead', null,
  h('div.two', null, h('h2', null, href ? h('a', {href, title: t('Open report')}, title) : title), note && h('small', null, note)),
  links.length ? h('div.acts', {role: 'group', label: title}, links.map(x => x.href ? h('a.bare.quiet', {href: x.href, label: x.label, title: x.label, key: x.name}, icon(x.glyph))
    : button('do', x.glyph, '', {id_: x.name, key: x.name, label: x.label, title: x.label, class: 'quiet'}))) : null,
  value != null && h('p.figure', {class: tone || ''}, value), say && h('p.meta', null, say)), {
  async do(ctx, el) {
    const answer = await ctx.ask('do', {name: el.dataset.id_})
    if (answer.file) { save_file(answer.file); ctx.say(ctx.t('Saved as {name}', {name: answer.file.name})) }
  },
})
