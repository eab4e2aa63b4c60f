const Admin = part((content, ctx) => {
  const {tab, tabs = []} = content, {ui, t} = ctx
  return [h('nav.tabs.admin-tabs', {key: 'tabs', label: content.title}, tabs.map(x => h('a', {key: x.name, href: x.href, 'aria-current': x.name === tab ? 'page' : null}, x.label))),
    tab === 'users' ? users(content, ctx) : tab === 'roles' ? roles(content, ctx) : config(content, ctx)]
}, {
  'find:input'(ctx, el) { ctx.ui.find = el.value; ctx.draw() }, add: ({tell}) => tell('add'), edit: ({tell}, el) => tell('edit', {id: Number(el.dataset.id_)}),
  password: ({tell}, el) => tell('password', {id: Number(el.dataset.id_)}), switch: ({tell}, el) => tell('switch', {id: Number(el.dataset.id_)}),
  async check(ctx) { ctx.ui.busy = true; ctx.draw(); await ctx.ask('check'); ctx.ui.busy = false; ctx.draw() },
  async take(ctx) { ctx.ui.busy = true; ctx.draw(); await ctx.ask('take'); ctx.ui.busy = false; ctx.draw() },
})
function users({users = []}, {ui, t}) {
  const find = (ui.find || '').toLowerCase(), shown = users.filter(u => !find || `${u.name} ${u.login} ${u.role} ${u.team}`.toLowerCase().includes(find))
  return [h('div.bar.tools', {key: 'tools'}, h('input.find', {type: 'search', act: 'find', label: t('Search'), placeholder: t('Search')}), h('span.grow'), h('span.meta', {role: 'status'}, t('{n} users', {n: shown.length})), button('add', 'person_add', t('Add a user'), {class: 'primary'})),
    shown.length ? h('div.scroll', {key: 'table'}, h('table.plain.people', null, h('thead', null, h('tr', null, ['Name', 'Signs in as', 'Role', 'Team'].map(w => h('th', {scope: 'col'}, t(w))), h('th', null, h('span.sr', null, t('Acts'))))),
      h('tbody', null, shown.map(u => h('tr', {key: u.key, class: u.active ? '' : 'off'}, h('th', {scope: 'row'}, h('span.person', null, initials(u.name), h('span', null, u.name), !u.active && h('span.chip', null, t('Switched off')), u.active && u.signed === false && h('span.chip.soon', null, t('No password yet')))), h('td', null, u.login), h('td', null, u.role), h('td', null, u.team),
        h('td.acts', null, button('edit', 'edit', '', {id_: u.key, label: `${t('Edit')}: ${u.name}`, title: t('Edit')}), u.password && button('password', 'key', '', {id_: u.key, label: `${t('Set a password')}: ${u.name}`, title: t('Set a password')}),
          u.other && button('switch', u.active ? 'person_off' : 'person', '', {id_: u.key, label: `${u.active ? t('Switch off') : t('Switch on')}: ${u.name}`, title: u.active ? t('Switch off') : t('Switch on')}))))))) : empty('person_search', t('Nobody found'))]
}
const roles = ({roles = []}, {t}) => roles.map(r => h('section.role', {key: r.name, label: r.label}, h('h2', null, r.label, h('span.count', null, r.count === 1 ? t('1 person') : t('{n} people', {n: r.count})), r.admin && h('span.chip.tint', null, t('May do everything in administration'))), r.help && h('p.meta', null, r.help),
  h('div.scroll', null, h('table.plain.matrix', null, h('thead', null, h('tr', null, h('td'), ['See', 'Create', 'Change', 'Delete', 'Export'].map(w => h('th', {scope: 'col'}, t(w))))),
    h('tbody', null, r.rows.map(x => h('tr', {key: x.label}, h('th', {scope: 'row'}, x.label, x.hide && h('small', null, `${t('Hidden fields')}: ${x.hide}`), x.fixed && h('small', null, `${t('Read only fields')}: ${x.fixed}`)), x.acts.map(a => h('td', {class: a.tone, title: a.more}, a.text)))))))))
const config = ({config: c = {}}, {ui, t}) => [h('section.state', {key: 'state', label: c.title}, h('p.verdict', {class: c.faults?.length ? 'late' : 'good', role: 'status'}, icon(c.faults?.length ? 'error_outline' : 'check_circle'), h('b', null, !c.faults?.length ? t('No faults. This configuration is in use.') : c.faults.length === 1 ? t('One fault. The last good configuration stays in use until it is mended.') : t('{n} faults. The last good configuration stays in use until they are mended.', {n: c.faults.length}))),
  h('dl.about', null, (c.facts || []).map(([label, text]) => h('div', {key: label}, h('dt', null, label), h('dd', null, text)))),
  h('p.bar', null, button('check', 'fact_check', ui.busy ? t('Checking…') : t('Check'), {disabled: ui.busy}), button('take', 'published_with_changes', t('Take up changes'), {class: 'primary', disabled: ui.busy}))),
h('ul.faults', {key: 'faults'}, (c.faults || []).map((f, i) => h('li', {key: `${f.place}-${i}`}, h('code', null, f.place), h('span.two', null, h('b', null, f.message), f.mend && h('small', null, f.mend)))))]
