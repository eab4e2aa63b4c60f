const Trouble = part(({glyph, title, text, note}, {t}) => h('div.oops', null, h('span.glyph', null, icon(glyph)), h('h1', null, title), h('p', {role: 'alert'}, text), note !== text && h('p.meta', null, note),
  h('p.bar', null, button('back', 'arrow_back', t('Back')), button('jump', 'search', t('Search')), h('a.button.primary', {href: '?view=home'}, icon('home'), t('Go home')))), {
  back: () => history.back(), jump: () => dispatchEvent(new CustomEvent('crm:jump')),
})
