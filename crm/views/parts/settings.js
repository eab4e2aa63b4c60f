const Settings = part(({title, dark, language, languages = [], facts = []}, {t}) => h('div.settings', null, h('h1', null, title),
  h('section', {label: t('Appearance')}, h('h2', null, t('Appearance')), h('div.opts', {role: 'group', label: t('Appearance')}, button('dark', 'light_mode', t('Light'), {'data-on': '', 'aria-pressed': String(!dark)}), button('dark', 'dark_mode', t('Dark'), {'data-on': '1', 'aria-pressed': String(!!dark)}))),
  h('section', {label: t('Language')}, h('h2', null, t('Language')), h('div.opts', {role: 'group', label: t('Language')}, languages.map(([code, label]) => h('button', {type: 'button', key: code, act: 'language', id_: code, lang: code.replace('_', '-'), 'aria-pressed': String(code === language)}, label))), h('p.meta', null, t('Dates, numbers and money follow the language.'))),
  h('section', {label: t('You')}, h('h2', null, t('You')), h('dl.about', null, facts.map(([label, text]) => h('div', {key: label}, h('dt', null, label), h('dd', null, text))))),
  h('section', {label: t('Security')}, h('h2', null, t('Security')), h('p', null, h('a.button', {href: '/password'}, icon('key'), t('Change the password'))))), {
  dark: (ctx, el) => { if (!!el.dataset.on !== !!ctx.model.content.dark) ctx.tell('dark') },
  language: (ctx, el) => { if (el.dataset.id_ !== ctx.model.content.language) ctx.tell('language', {language: el.dataset.id_}) },
})
