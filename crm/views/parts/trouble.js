const Trouble = part(({glyph, title, text, note, restore}, {t}) => h('div.oops', null, h('span.glyph', null, icon(glyph)), h('h1', null, title), h('p', {role: 'alert'}, text), note !== text && h('p.meta', null, note),
  h('p.bar', null, restore && h('button.primary', {type: 'button', act: 'restore'}, icon('restore'), t('Restore')), button('back', 'arrow_back', t('Back')), button('jump', 'search', t('Search')), h(restore ? 'a.button' : 'a.button.primary', {href: '?view=home'}, icon('home'), t('Go home')))), {
  restore: ctx => ctx.tell('restore'), back: () => dispatchEvent(new CustomEvent('crm:back', {cancelable: true})) && history.back(), jump: () => dispatchEvent(new CustomEvent('crm:jump')),
})
