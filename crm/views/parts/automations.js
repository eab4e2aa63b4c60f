const Automations = part((content, ctx) => {
  const {tabs = [], worker = {}, rows = [], post = []} = content, {t} = ctx
  return [h('nav.tabs.admin-tabs', {key: 'tabs', label: content.title}, tabs.map(x => h('a', {key: x.name, href: x.href, 'aria-current': x.name === 'automations' ? 'page' : null}, x.label))),
    h('p.verdict', {key: 'worker', class: worker.ok ? 'good' : 'late', role: 'status'}, icon(worker.ok ? 'check_circle' : 'error_outline'), h('b', null, worker.text)),
    post.length > 0 && trouble(post, ctx),
    rows.length ? h('ul.autos', {key: 'rows'}, rows.map(x => row(x, ctx))) : h('div', {key: 'none'}, empty('bolt', t('Nothing runs by itself yet. Automations are files in automations/.')))]
}, {
  open: ({tell}, el) => tell('open', {name: el.dataset.id_}), switch: ({tell}, el) => tell('switch', {name: el.dataset.id_}),
  send: ({tell}, el) => tell('send', {id: Number(el.dataset.id_)}), drop: ({tell}, el) => tell('drop', {id: Number(el.dataset.id_)}),
  async trial(ctx, el) { ctx.ui.trying = el.dataset.id_; ctx.draw(); await ctx.ask('trial', {name: el.dataset.id_}); ctx.ui.trying = null; ctx.draw() },
})
const row = (x, {ui, t}) => h('li.auto', {key: x.key, class: x.off ? 'off' : ''},
  h('div.head', null,
    h('div.what', null, h('h2', null, x.label, x.off && h('span.chip', null, x.fixed ? t('Switched off in YAML') : t('Off'))),
      h('p', null, h('span.lab', null, t('When')), ' ', x.when, h('span.meta', null, ' · ', x.of)), h('p', null, h('span.lab', null, t('Then')), ' ', x.then), x.help && h('p.meta', null, x.help)),
    h('dl.numbers', null, h('div', null, h('dt', null, t('Runs')), h('dd', null, x.runs)), h('div', {class: x.failed ? 'late' : ''}, h('dt', null, t('Failed')), h('dd', null, String(x.failed))), h('div', null, h('dt', null, t('Last')), h('dd', null, x.last || '–'))),
    h('div.bar.acts', null, button('open', x.open ? 'expand_less' : 'expand_more', x.open ? t('Hide') : t('Show what it did'), {id_: x.key, 'aria-expanded': String(!!x.open), class: 'quiet'}),
      button('trial', 'history', ui.trying === x.key ? t('Trying…') : t('Try on history'), {id_: x.key, disabled: ui.trying === x.key}),
      !x.fixed && button('switch', x.off ? 'play_arrow' : 'pause', x.off ? t('Switch on') : t('Switch off'), {id_: x.key}))),
  x.open?.trial && h('section.tried', {key: 'trial', label: t('Try on history'), role: 'status'}, h('p', null, h('b', null, x.open.trial.text)), hits(x.open.trial.hits), x.open.trial.more && h('p.meta', null, x.open.trial.more)),
  x.open && h('section.ran', {key: 'ran', label: t('Last runs')}, h('h3', null, t('Last runs')), x.open.runs.length ? hits(x.open.runs) : h('p.meta', null, t('It has not run yet.'))))
const hits = items => h('ul.hits', null, items.map(x => h('li', {key: x.key}, h('time', null, x.at), x.href ? h('a', {href: x.href}, x.title) : h('span', null, x.title), x.state && h('span.chip', {class: x.tone}, x.state), x.text && h('small', null, x.text))))
const trouble = (post, {t}) => h('section.role', {key: 'post', label: t('Could not be sent')}, h('h2', null, t('Could not be sent'), h('span.count', null, String(post.length))),
  h('ul.faults', null, post.map(x => h('li', {key: x.key, class: x.dead ? '' : 'again'}, h('span.two', null, h('b', null, x.what, ' → ', x.to), h('small', null, x.text)),
    h('span.bar', null, h('span.chip', {class: x.dead ? 'late' : 'soon'}, x.dead ? t('Given up') : t('Next try {when}', {when: x.next})), h('span.meta', null, t('Tries: {n}', {n: x.tries})), h('span.grow'), button('send', 'refresh', t('Send again'), {id_: x.key}), button('drop', 'delete', t('Drop'), {id_: x.key, class: 'quiet'}))))))
