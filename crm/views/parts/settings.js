const Settings = part(({title, dark, language, languages = [], facts = [], digest, digests = [], mail, zone, zones = [], calendar}, {t, ui}) => h('div.settings', null, h('h1', null, title),
  h('section', {label: t('Appearance')}, h('h2', null, t('Appearance')), h('div.opts', {role: 'group', label: t('Appearance')}, button('dark', 'light_mode', t('Light'), {'data-on': '', 'aria-pressed': String(!dark)}), button('dark', 'dark_mode', t('Dark'), {'data-on': '1', 'aria-pressed': String(!!dark)}))),
  h('section', {label: t('Language')}, h('h2', null, t('Language')), h('div.opts', {role: 'group', label: t('Language')}, languages.map(([code, label]) => h('button', {type: 'button', key: code, act: 'language', id_: code, lang: code.replace('_', '-'), 'aria-pressed': String(code === language)}, label))), h('p.meta', null, t('Dates, numbers and money follow the language.'))),
  h('section', {label: t('What is due, by mail')}, h('h2', null, t('What is due, by mail')), h('div.opts', {role: 'group', label: t('What is due, by mail')}, digests.map(([name, label]) => h('button', {type: 'button', key: name, act: 'digest', id_: name, 'aria-pressed': String(name === digest)}, label))), h('p.meta', null, `${t('Overdue, due and missing next steps, in the morning.')} ${mail}`),
    h('label.zone', null, h('span', null, t('Time zone')), h('select', {act: 'zone', value: zone}, (zones.includes(zone) ? zones : [zone, ...zones]).map(name => h('option', {value: name, key: name}, name.replaceAll('_', ' ')))))),
  h('section', {label: t('Calendar')}, h('h2', null, t('Calendar')), h('p.meta', null, t('Your appointments and next steps in any calendar program: subscribe to this address. Whoever knows it can read them, so keep it to yourself.')),
    calendar ? [h('p.secret', {key: 'secret'}, h('input', {type: 'text', readonly: '', value: feedOf(calendar), label: t('Your calendar address'), act: 'address'}), button('copy', 'content_copy', ui.copied ? t('Copied') : t('Copy'))),
      h('div.opts', {key: 'acts'}, h('a.button', {href: feedOf(calendar).replace(/^https?:/, 'webcal:')}, icon('event'), t('Open in my calendar')), button('calendar', 'autorenew', t('New address'), {id_: 'new'}), button('calendar', 'link_off', t('Withdraw'), {id_: 'withdraw'}))]
      : h('div.opts', {key: 'make'}, button('calendar', 'event', t('Make an address'), {id_: 'new', class: 'primary'}))),
  h('section', {label: t('You')}, h('h2', null, t('You')), h('dl.about', null, facts.map(([label, text]) => h('div', {key: label}, h('dt', null, label), h('dd', null, text))))),
  h('section', {label: t('Security')}, h('h2', null, t('Security')), h('div.opts', null, h('a.button', {href: '/password'}, icon('key'), t('Change the password')), h('a.button', {href: '/signout'}, icon('logout'), t('Sign out everywhere'))), h('p.meta', null, t('Signed in elsewhere? End it there.')))), {
  dark: (ctx, el) => { if (!!el.dataset.on !== !!ctx.model.content.dark) ctx.tell('dark') },
  language: (ctx, el) => { if (el.dataset.id_ !== ctx.model.content.language) ctx.tell('language', {language: el.dataset.id_}) },
  digest: (ctx, el) => { if (el.dataset.id_ !== ctx.model.content.digest) ctx.tell('digest', {often: el.dataset.id_}) },
  'zone:change': (ctx, el) => ctx.tell('zone', {name: el.value}),
  calendar: (ctx, el) => ctx.tell('calendar', {act: el.dataset.id_}),
  'address:focusin': (ctx, el) => el.select(),
  async copy(ctx) {
    const box = ctx.root.querySelector('[data-act=address]'); box.select()
    try { await navigator.clipboard.writeText(box.value) } catch { document.execCommand('copy') }
    ctx.ui.copied = true; ctx.draw(); ctx.say(ctx.t('Copied')); setTimeout(() => { ctx.ui.copied = false; ctx.draw() }, 2000)
  },
})
const feedOf = secret => `${location.origin}/calendar/${secret}.ics`
