// The frame: navigation, top bar, phone bar, and the address (links inside the app never reload the page).
const KEYS = [[['Ctrl', 'K'], 'Search or jump to…'], [['/'], 'Go to search'], [['n'], 'New'], [['l'], 'Log what happened'], [['e'], 'Edit'], [['b'], 'Open the bell'], [['g', 'h'], 'Go home'], [['g', '1…9'], 'Go to the list {n} of the navigation'], [['j', 'k'], 'Next and previous line'],
  [['Enter'], 'Open the line'], [['x'], 'Select the line'], [['Ctrl', 'Enter'], 'Save a form'], [['Esc'], 'Leave a field or close'], [['['], 'Fold the navigation'], [['?'], 'Show these keys']]
const typing = event => event.composedPath()[0].matches?.('input,textarea,select,[contenteditable=true]')
// the entry that is lit: its own address, and for a list also the records and forms of its entity
const fits = (match, query) => {
  const at = new URLSearchParams(query)
  if (/^list/.test(match?.view) && !match.v && ['record', 'form'].includes(at.get('view'))) return at.get('entity') === match.entity
  return exact(match, query)
}
// What the server sent needs no sending back: Bokeh (3.9) takes models it has received for new ones and puts them whole, with all their
// content, into the next message.
function upstream(doc) {
  if (!doc?._new_models || doc.thrifty) return
  const apply = doc.apply_json_patch.bind(doc)
  doc.thrifty = true; doc._new_models.clear()
  doc.apply_json_patch = (...all) => { try { return apply(...all) } finally { doc._new_models.clear() } }
}
const exact = (match, query) => { const now = new URLSearchParams(query); return Object.entries(match || {}).every(([name, value]) => String(value).split('|').includes(now.get(name) || (name === 'view' ? 'home' : ''))) }

// What the bell opens: notices, the unread ones marked, then the next steps that are overdue
const bellMenu = ({notices = [], unread, items, count, href}, t) => h('div.menu.bell', {role: 'menu'},
  h('p.head', {role: 'presentation'}, t('Notices'), unread ? h('span.count', null, unread) : null),
  notices.map(x => h(x.href ? 'a' : 'button', {key: x.key, role: 'menuitem', tabindex: -1, type: x.href ? null : 'button', href: x.href || null, act: 'notice', id_: String(x.id), class: x.unread ? 'new' : ''}, icon(x.glyph), h('span.two', null, h('span', null, x.unread && h('span.sr', null, t('New') + ': '), x.title)), h('small', null, x.when))),
  !notices.length && h('p.none', {role: 'presentation'}, t('Nothing new.')),
  unread ? h('button', {type: 'button', role: 'menuitem', tabindex: -1, act: 'read', key: 'read'}, icon('done_all'), h('span', null, t('Mark all as read'))) : null,
  h('p.head', {role: 'presentation'}, t('Next steps that are overdue'), h('span.count', null, count)), items.map(x => h('a', {key: x.key, role: 'menuitem', tabindex: -1, href: x.href}, icon(x.glyph), h('span.two', null, h('span', null, x.title), h('small', null, x.sub)), h('small.late', null, x.when))),
  !items.length && h('p.none', {role: 'presentation'}, t('Nothing is overdue.')), href && items.length ? h('a', {role: 'menuitem', tabindex: -1, href}, icon('arrow_forward'), h('span', null, t('Show all'))) : null)

const Frame = part((content, ctx) => {
  const {brand = '', groups = [], user = '', sub, crumbs = [], title = '', dark, bell = {items: [], count: 0}, add = [], bar = {}, languages = [], language, admin, about} = content
  const {model, ui, t} = ctx, on = x => fits(x.match, model.query) ? 'page' : null, pop = (name, opener, inside) => h('span.pop', {key: name}, opener, ui.menu === name && inside)
  const first = groups[0]?.items[0]
  return [h('a.skip', {href: '#main', act: 'skip'}, t('Skip to the content')),
    ui.slow && h('div.progress', {key: 'progress', role: 'progressbar', label: t('Working…')}),
    h('nav.side', {key: 'side', label: t('Main'), class: ui.open ? 'open' : '', id: 'side'}, h('a.brand', {href: '?view=home'}, h('span.mark', {'aria-hidden': 'true'}, [...brand][0]), h('span', null, brand)),
      h('div.groups', {key: 'groups'}, groups.map((g, i) => h('div', {key: 'g' + (g.key ?? i)}, g.label && h('h2', null, g.label), h('ul', null, g.items.map(x => h('li', {key: x.key}, h('a', {href: x.href, 'aria-current': on(x), title: x.label}, icon(x.glyph), h('span', null, x.label), x.count != null && x.count !== '' && h('span.count', {class: x.tone}, h('span', {'aria-hidden': 'true'}, x.count), h('span.sr', null, x.say || x.count))))))))),
      pop('me', h('button.me', {type: 'button', act: 'menu', 'data-menu': 'me', 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'me'), label: `${t('Your menu')}: ${user}`}, initials(user), h('span.two', null, h('span', null, user), sub && h('small', null, sub)), icon('unfold_more')),
        menu([{name: 'dark', label: dark ? t('Light mode') : t('Dark mode'), glyph: dark ? 'light_mode' : 'dark_mode'}, languages.length > 1 && {head: t('Language')}, ...(languages.length > 1 ? languages.map(([code, label]) => ({name: 'lang:' + code, label, on: code === language})) : []), {line: true},
          {name: 'settings', label: t('Settings'), glyph: 'tune', href: '?view=settings'}, admin && {name: 'admin', label: t('Administration'), glyph: 'admin_panel_settings', href: '?view=admin'}, {name: 'keys', label: t('Keys'), glyph: 'keyboard', end: '?'}, {name: 'out', label: t('Sign out'), glyph: 'logout'}].filter(Boolean), 'choose', {class: 'up'}))),
    ui.open && h('div.veil', {act: 'open', key: 'veil'}),
    h('header.top', {key: 'top'}, button('fold', 'menu', '', {label: t('Fold the navigation'), class: 'fold'}), h('nav.where', {label: t('Path')}, h('ol.crumbs', null, crumbs.map(c => h('li', {key: c.href}, h('a', {href: c.href}, c.label))), h('li', {key: 'now'}, h('span', {'aria-current': 'page'}, title)))),
      h('button.jump', {type: 'button', act: 'jump', label: t('Search or jump to…')}, icon('search'), h('span', null, t('Search or jump to…')), h('kbd', {'aria-hidden': 'true'}, 'Ctrl K')),
      add.length ? pop('add', button('menu', 'add', '', {class: 'primary', label: t('Quick add'), 'data-menu': 'add', 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'add')}), menu(add.map(a => ({name: a.name, label: a.label, glyph: a.glyph})), 'make')) : null,
      pop('bell', button('menu', 'notifications', bell.unread ? h('b.badge', {'aria-hidden': 'true'}, bell.unread > 99 ? '99+' : String(bell.unread)) : '', {label: [bell.count ? `${t('Next steps that are overdue')}: ${bell.count}` : t('Next steps that are overdue'), bell.unread && `${t('New notices')}: ${bell.unread}`].filter(Boolean).join('. '), class: bell.unread ? 'told' : bell.count ? 'has' : '', 'data-menu': 'bell', 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'bell')}), bellMenu(bell, t))),
    h('nav.phone', {key: 'phone', label: t('More')}, h('a', {href: '?view=home', 'aria-current': on({match: {view: 'home'}})}, icon('home'), h('span', null, t('Home'))), button('jump', 'search', h('span', null, t('Search'))),
      add.length ? pop('add2', button('menu', 'add', h('span.sr', null, t('Quick add')), {class: 'plus', 'data-menu': 'add2', 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menu === 'add2')}), menu(add.map(a => ({name: a.name, label: a.label, glyph: a.glyph})), 'make', {class: 'up middle'})) : null,
      bar.href && h('a', {href: bar.href, 'aria-current': on(bar)}, icon(bar.glyph || 'view_kanban'), h('span', null, bar.label || t('Pipeline'))),
      button('open', ui.open ? 'close' : 'menu', h('span', null, t('More')), {'aria-expanded': String(!!ui.open), 'aria-controls': 'side'})),
    ui.lost && h('div.lost', {key: 'lost', role: 'alert'}, icon('wifi_off'), h('span', null, ui.lost === 'gone' ? t('The connection could not be restored. What you typed is kept.') : t('The connection is gone. What you typed is kept here; reconnecting…')), button('reload', 'refresh', t('Reload'))),
    h('dialog.keys', {key: 'keys', 'aria-labelledby': 'keys-title', act: 'keysbox'}, h('header', null, h('h2', {id: 'keys-title'}, t('Keys')), button('keysoff', 'close', '', {label: t('Close')})), h('dl', null, KEYS.map(([keys, words]) => h('div', {key: words}, h('dt', null, keys.map(k => h('kbd', null, k))), h('dd', null, t(words, '1–9'))))))]
}, {
  start(ctx) {
    const {model, ui} = ctx, read = () => location.search.replace(/^\?/, ''), places = new Map()
    const box = () => deep('.main-content') || document.scrollingElement, stay = () => places.set(at, box().scrollTop)
    let at = history.state?.at ?? 0      // where we are in the history of this tab; places: how far each page was scrolled
    if (history.state?.at == null) history.replaceState({...history.state, at}, '')
    history.scrollRestoration = 'manual'
    // back where the page was: what loads later above that place must not push it on, until the user moves
    let settling = null
    const free = () => { clearTimeout(settling); const b = box(); if (b) b.style.overflowAnchor = '' }, MOVES = ['wheel', 'touchstart', 'keydown', 'pointerdown']
    const settle = y => {
      const end = Date.now() + 30000      // a slow page has its length late
      const go = () => { const b = box(); b.style.overflowAnchor = 'none'; b.scrollTop = y; if ((leaving || Math.abs(b.scrollTop - y) > 4) && Date.now() < end) settling = setTimeout(go, 60) }
      clearTimeout(settling); settling = setTimeout(go, 30)
    }
    // the page that is being left takes no more clicks, until the one asked for last stands: what was clicked there would be lost
    let leaving = null
    const roots = new Map()      // a part of each page by the number of the visit
    let gone = true, asking = false
    const tell = () => document.body.setAttribute('aria-busy', String(gone || asking))
    const cover = h('div', {'aria-hidden': 'true'})      // over the page that is left; parts inside set their own pointer-events, so a style of <main> does not do
    const away = on => {
      gone = on; tell(); if (!on) return cover.remove()
      const at = deep('main')?.getBoundingClientRect(); if (!at) return
      cover.style.cssText = `position:fixed;z-index:9;top:${Math.max(0, at.top)}px;left:${at.left}px;right:0;bottom:0`; document.body.append(cover)
    }
    const arrive = () => { clearTimeout(leaving); leaving = null; away(false) }
    const leave = query => { clearTimeout(leaving); away(true); leaving = setTimeout(() => { cover.remove(); leaving = setTimeout(arrive, 50000) }, 10000); connected(ctx.view, () => { model.query = query }) }
    const standing = ({detail}) => { if (!roots.get(detail.visit)?.isConnected) roots.set(detail.visit, detail.root) }
    ctx.there = message => {
      if (!leaving || message.query !== model.query) return      // another page has been asked for since
      if (!roots.get(message.visit)?.isConnected) return requestAnimationFrame(() => ctx.there(message))      // not drawn yet
      for (const visit of roots.keys()) if (visit < message.visit) roots.delete(visit)
      arrive()
    }
    tell(); connected(ctx.view, arrive)
    model.on('query', () => {
      if (model.query !== read()) { stay(); history.pushState({at: ++at}, '', location.pathname + (model.query ? '?' + model.query : '')); settle(0) }
      ui.open = false; ui.menu = null; ctx.draw()
    })
    const back = () => { stay(); at = history.state?.at ?? 0; const y = places.get(at) ?? 0; leave(read()); settle(y) }
    const to = query => { query = query.replace(/^\?/, ''); stay(); if (query === model.query) ctx.tell('again'); else leave(query) }
    const click = e => {
      const a = e.composedPath().find(n => n.tagName === 'A'); if (!a || e.ctrlKey || e.metaKey || e.shiftKey || e.button || a.target || a.hasAttribute('download') || e.defaultPrevented) return
      if (!a.getAttribute('href')?.startsWith('?')) return
      e.preventDefault(); performance.mark('go'); to(a.getAttribute('href'))
    }
    let prefix = 0
    const keys = e => {
      if (e.key === 'k' && (e.ctrlKey || e.metaKey)) { e.preventDefault(); return dispatchEvent(new CustomEvent('crm:jump')) }
      if (e.ctrlKey || e.metaKey || e.altKey || typing(e) || document.activeElement?.shadowRoot?.querySelector('dialog[open]') || e.defaultPrevented) return
      if (prefix && Date.now() - prefix < 1200) {
        prefix = 0
        if (e.key === 'h') return to('view=home')
        const all = (model.content.groups || []).flatMap(g => g.items), item = all[Number(e.key) - 1]
        if (item) { e.preventDefault(); return to(item.href) }
      }
      if (e.key === 'g') prefix = Date.now()
      else if (e.key === '/') { e.preventDefault(); dispatchEvent(new CustomEvent('crm:jump')) }
      else if (e.key === '?') { e.preventDefault(); ctx.root.querySelector('dialog.keys').showModal() }
      else if (e.key === 'n' && model.content.add?.length) { e.preventDefault(); const plus = ctx.root.querySelector('[data-menu=add]'); ctx.toggle('add', plus) }
      else if (e.key === 'b') { e.preventDefault(); ctx.toggle('bell', ctx.root.querySelector('[data-menu=bell]')) }
      else if (e.key === 'l' || e.key === 'e') { e.preventDefault(); model.send_msg({type: 'key', name: e.key}) }
      else if (e.key === 'j' || e.key === 'k') { e.preventDefault(); dispatchEvent(new CustomEvent('crm:row', {detail: e.key === 'j' ? 1 : -1})) }
      else if (e.key === '[') document.documentElement.classList.toggle('folded')
    }
    let slow = null
    const busy = e => { asking = e.detail > 0; tell(); clearTimeout(slow); if (e.detail > 0) slow = setTimeout(() => { ui.slow = true; ctx.draw() }, 300); else if (ui.slow) { ui.slow = false; ctx.draw() } }
    const jump = e => to(e.detail)
    addEventListener('popstate', back); addEventListener('click', click); addEventListener('keydown', keys); addEventListener('crm:busy', busy); addEventListener('crm:go', jump); addEventListener('crm:drawn', standing)
    for (const kind of MOVES) addEventListener(kind, free, {capture: true, passive: true})
    ctx.off = () => { ctx.over = true; clearTimeout(knocking); removeEventListener('popstate', back); removeEventListener('click', click); removeEventListener('keydown', keys); removeEventListener('crm:busy', busy); removeEventListener('crm:go', jump); removeEventListener('crm:drawn', standing); for (const kind of MOVES) removeEventListener(kind, free, true); cover.remove() }
    // the socket: a plain word when it is gone; knocked again until it is back, also where a try neither comes through nor is told to have
    // failed. A server that knows this page no more (started anew, another process) is asked for all of it again: drafts are on the device.
    const doc = ctx.view.model?.document; let line = null, tried = null, begun = 0, since = 0, knocking = null
    const knock = () => {
      const link = line?.deref?.(), now = Date.now()
      if (ui.lost !== 'gone' && now - since > 60000) { ui.lost = 'gone'; ctx.draw() }
      if (link?.socket !== tried) { tried = link?.socket; begun = now }
      if (tried?.readyState > 1 && now - begun > 3000) { tried.onclose = tried.onerror = tried.onmessage = null; link.socket = null }      // its end was not told
      else if (tried?.readyState <= 1 && now - begun > 45000) tried.close()
      if (link && !link.socket) link.reconnect()
      knocking = setTimeout(knock, (now - since > 30000 ? 5000 : 1000) + 1000 * Math.random())
    }
    if (doc?.made && doc.made !== model.made) return location.reload()
    if (doc) doc.made = model.made
    doc?.on_event?.('connection_lost', (_, event) => {
      if (ctx.over) return
      line = event.connection
      if (!ui.lost) { ui.lost = 'lost'; since = Date.now(); knocking = setTimeout(knock, 1000); ctx.draw() }
      dispatchEvent(new CustomEvent('crm:lost', {detail: ctx.t('The connection is gone. What you typed is kept here; reconnecting…')}))
    })
    doc?.on_event?.('client_reconnected', () => { clearTimeout(knocking); ui.lost = ''; ctx.draw(); ctx.say(ctx.t('The connection is back.')); ctx.tell('again') })
    upstream(doc)
  },
  stop: ctx => ctx.off?.(), on_there: (ctx, message) => ctx.there(message),
  drawn({model}) {
    const {title, brand} = model.content, words = title && title !== brand ? `${title} · ${brand}` : brand
    if (words && document.title !== words) document.title = words
    document.documentElement.lang = (model.language || 'en').replace('_', '-')
  },
  fold: () => document.documentElement.classList.toggle('folded'),
  open(ctx) { ctx.ui.open = !ctx.ui.open; ctx.draw(); if (ctx.ui.open) ctx.focus('nav.side a') },
  skip(ctx, el, e) { e.preventDefault(); const main = deep('main'); if (main) { main.tabIndex = -1; main.focus() } },
  jump: () => dispatchEvent(new CustomEvent('crm:jump')),
  menu(ctx, el) { ctx.toggle(el.dataset.menu, el) },
  notice: ({tell}, el) => { if (el.classList.contains('new')) tell('seen', {id: Number(el.dataset.id_)}) },
  read: ({tell}) => tell('seen'),
  make: ({tell}, el) => tell('add', {entity: el.dataset.name}),
  choose(ctx, el) {
    const name = el.dataset.name
    if (name === 'dark') ctx.tell('dark')
    else if (name.startsWith('lang:')) ctx.tell('language', {language: name.slice(5)})
    else if (name === 'keys') setTimeout(() => ctx.root.querySelector('dialog.keys').showModal())
    else if (name === 'out') { const form = h('form', {method: 'post', action: ctx.model.content.signout || 'signout'}); document.body.append(form); form.submit() }
  },
  '*keydown'(ctx, e) { if (e.key === 'Escape' && ctx.ui.open) { ctx.ui.open = false; ctx.draw() } },
  keysoff: ctx => ctx.root.querySelector('dialog.keys').close(),
  keysbox(ctx, el, e) { if (e.target === el) el.close() },
  on_keys: ctx => ctx.root.querySelector('dialog.keys').showModal(),
  reload: () => location.reload(), on_reload: () => location.reload(),
})
