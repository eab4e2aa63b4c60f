// Board: content {columns: [{name, label, color, count, sum, weighted, more, cards: [...]}], …listbar}. A card keeps no place in its column: the server orders.
const columnOf = (content, key) => content.columns.find(col => col.cards.some(c => c.key === key))
const Board = part((content, ctx) => {
  const {columns, may = {}} = content, {ui, t} = ctx
  totalsLater(ctx)
  const slim = col => col.outcome === 'lost' && !ui.wide?.has(col.name) && !(ui.moving && col.cards.some(c => c.key === ui.moving)), at = ui.menuCard && columnOf(content, ui.menuCard)
  return [listbar(content, ctx),
    columns.length ? h('div.board', {key: 'board'}, columns.map(col => h('section.col', {key: col.name, act: 'col', 'data-stage': col.name, label: col.label, class: [ui.over === col.name && 'over', col.outcome && 'end', col.closed && 'closed', slim(col) && 'slim'].filter(Boolean).join(' ')},
      h('h2', null, h('span.stage', {style: `--dot:${dotColor(col.color)}`}, col.label), h('span.count', {title: t('{n} here', {n: col.count ?? col.cards.length})}, col.count ?? ''), h('span.num', null, col.sum), h('small.num', null, col.weighted)),
      slim(col) ? button('widen', 'unfold_more', '', {id_: col.name, class: 'shut', label: `${t('Show')}: ${col.label}`, 'aria-expanded': 'false'}) : h('ul', {act: 'cards', 'data-stage': col.name, tabindex: -1}, col.cards.map(c => h('li', {key: c.key}, cardNode(c, ctx, may, columns))),
        col.more && h('li.more', {key: '-more'}, button('more', 'expand_more', t('Show more'), {id_: col.name, class: 'quiet'})),
        !col.cards.length && h('li', {key: '-none'}, empty(col.glyph || 'inbox', t('Nothing here.')))))))
      : empty('view_kanban', content.none || t('Nothing here.')),
    at && h('div.menu.fixed', {role: 'menu', key: 'moveto', label: t('Move to'), style: ui.menuAt}, columns.filter(x => x.name !== at.name).map(x => h('button', {type: 'button', role: 'menuitem', act: 'to', id_: ui.menuCard, 'data-stage': x.name}, h('span.stage', {style: `--dot:${dotColor(x.color)}`}, x.label))))]
}, {
  ...listacts(),
  start(ctx) {
    ctx.ui.outside = e => { if (ctx.ui.menuCard && !e.composedPath().some(n => n.classList?.contains('fixed'))) shutMenu(ctx, false) }
    addEventListener('pointerdown', ctx.ui.outside, true)
  },
  stop: ctx => removeEventListener('pointerdown', ctx.ui.outside, true),
  'card:dragstart'(ctx, el, e) { e.dataTransfer.setData('text/plain', el.dataset.id_); e.dataTransfer.effectAllowed = 'move'; ctx.ui.drag = el.dataset.id_; requestAnimationFrame(() => el.classList.add('dragged')) },
  'card:dragend'(ctx, el) { el.classList.remove('dragged'); ctx.ui.drag = null; over(ctx, null) },
  '*dragover'(ctx, e) { const col = e.target.closest?.('.col'); if (col && ctx.ui.drag) { e.preventDefault(); e.dataTransfer.dropEffect = 'move'; over(ctx, col.dataset.stage) } },
  '*drop'(ctx, e) { const col = e.target.closest?.('.col'); if (!col || !ctx.ui.drag) return; e.preventDefault(); const key = ctx.ui.drag; over(ctx, null); ctx.ui.drag = null; shift(ctx, key, col.dataset.stage) },
  'card:keydown'(ctx, el, e) {
    if (e.target !== el) return
    const {columns} = ctx.model.content, col = columnOf(ctx.model.content, el.dataset.id_), at = columns.indexOf(col)
    if (e.key === 'Enter') el.querySelector('a').click()
    else if (e.key === 'ArrowRight' || e.key === 'ArrowLeft') { const to = columns[at + (e.key === 'ArrowRight' ? 1 : -1)]; e.preventDefault(); if (to) shift(ctx, el.dataset.id_, to.name) }
    else if (e.key === 'ArrowDown' || e.key === 'ArrowUp') { e.preventDefault(); const li = el.closest('li'); (e.key === 'ArrowDown' ? li.nextElementSibling : li.previousElementSibling)?.querySelector('.card')?.focus() }
    else if (e.key === 'l' && ctx.model.content.may?.log) { e.preventDefault(); ctx.tell('log', {key: el.dataset.id_}) }
    else if (e.key === 'm') { e.preventDefault(); openMenu(ctx, el.dataset.id_, el) }
  },
  take({tell}, el, e) { if (e.detail < 2) tell('take', {key: el.dataset.id_}) },      // a double click is one
  log: ({tell}, el) => tell('log', {key: el.dataset.id_}),
  menu: (ctx, el) => ctx.ui.menuCard === el.dataset.id_ ? shutMenu(ctx) : openMenu(ctx, el.dataset.id_, el),
  '*keydown'(ctx, e) {
    if (e.key === 'Escape' && ctx.ui.pop) { e.stopPropagation(); return closePop(ctx) }
    if (!ctx.ui.menuCard) return
    const items = [...ctx.root.querySelectorAll('.menu.fixed button')], at = items.indexOf(e.target)
    if (e.key === 'Escape') { e.stopPropagation(); shutMenu(ctx) } else if (at >= 0 && /^Arrow(Up|Down)$/.test(e.key)) { e.preventDefault(); items[(at + (e.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length].focus() }
  },
  to(ctx, el) { const key = el.dataset.id_; ctx.ui.menuCard = null; shift(ctx, key, el.dataset.stage) },
  widen: (ctx, el) => { (ctx.ui.wide ??= new Set()).add(el.dataset.id_); ctx.draw(); ctx.focus(`.col[data-stage="${CSS_escape(el.dataset.id_)}"] .card`) },
  col(ctx, el, e) { if (el.classList.contains('slim') && !e.target.closest('button')) { (ctx.ui.wide ??= new Set()).add(el.dataset.stage); ctx.draw() } },
  more: (ctx, el) => loadMore(ctx, el.dataset.id_),
  'cards:scroll'(ctx, el) { if (el.scrollTop + el.clientHeight > el.scrollHeight - 400) loadMore(ctx, el.dataset.stage) },
  on_joy: ctx => joy(ctx.root),
})
function cardNode(c, {t, ui}, may) {
  return h('article.card', {draggable: may.move === false ? null : 'true', tabindex: 0, act: 'card', id_: c.key, label: [c.title, c.sub, c.amount].filter(Boolean).join(', '), 'aria-describedby': null, class: ui.moving === c.key ? 'busy' : ''},
    h('p.t', null, h('a', {href: c.href, tabindex: -1}, c.title)), h('p.sub', null, h('span', null, c.sub), c.amount && h('b.num', null, c.amount)),
    h('p.foot', null, h('span', {class: c.tone}, icon(c.next ? 'event' : 'event_busy'), h('span', null, c.next || t('No next step'))), c.days && h('span.late', {title: c.daysay}, c.days), c.owner && initials(c.owner),
      c.take && button('take', 'how_to_reg', '', {id_: c.key, label: `${t('Take it')}: ${c.title}`}),
      may.log && button('log', 'edit_note', '', {id_: c.key, label: `${t('Log what happened')}: ${c.title}`, title: `${t('Log what happened')} (l)`}), may.move !== false && button('menu', 'swap_horiz', '', {id_: c.key, label: `${t('Move to')}: ${c.title}`, 'aria-haspopup': 'menu', 'aria-expanded': String(ui.menuCard === c.key)})))
}
function openMenu(ctx, key, opener) { ctx.ui.menuAt = fixedAt(opener, ctx.model.content.columns.length); ctx.ui.menuCard = key; ctx.draw(); ctx.focus('.menu.fixed button') }
function shutMenu(ctx, back = true) { const key = ctx.ui.menuCard; ctx.ui.menuCard = null; ctx.draw(); if (back) ctx.focus(`[data-act=menu][data-id_="${CSS_escape(key)}"]`) }
const CSS_escape = key => String(key).replace(/["\\]/g, '\\$&')
function over(ctx, name) { if (ctx.ui.over !== name) { ctx.ui.over = name; for (const col of ctx.root.querySelectorAll('.col')) col.classList.toggle('over', col.dataset.stage === name) } }
async function loadMore(ctx, name) {
  const col = ctx.model.content.columns.find(c => c.name === name); ctx.ui.loading ??= new Set()
  if (!col?.more || ctx.ui.loading.has(name)) return
  ctx.ui.loading.add(name)
  const reply = await ctx.ask('more', {stage: name, after: col.cards.length})
  ctx.ui.loading.delete(name)
  const now = ctx.model.content, known = new Set(now.columns.flatMap(c => c.cards.map(x => x.key)))
  if (reply.cards) { ctx.model.content = {...now, columns: now.columns.map(c => c.name === name ? {...c, cards: [...c.cards, ...reply.cards.filter(x => !known.has(x.key))], more: reply.more} : c)}; ctx.draw() }
}
async function shift(ctx, key, stage) {      // shown at once; a refusal puts the card back where it was and says why
  const before = ctx.model.content, from = columnOf(before, key), card = from?.cards.find(c => c.key === key)
  if (!card || from.name === stage) return ctx.draw()
  ctx.ui.moving = key
  ctx.model.content = {...before, columns: before.columns.map(col => col === from ? {...col, count: col.count != null ? col.count - 1 : null, cards: col.cards.filter(c => c.key !== key)} : col.name === stage ? {...col, count: col.count != null ? col.count + 1 : null, cards: [card, ...col.cards]} : col)}
  ctx.draw(); ctx.focus(`[data-act=card][data-id_="${CSS_escape(key)}"]`)
  const reply = await ctx.ask('move', {key, stage})
  ctx.ui.moving = null
  const now = ctx.model.content, put = (col, cards, count) => ({...col, cards, count: count ?? col.count})
  if (reply.error || reply.wants) {
    const here = columnOf(now, key)
    if (here && here.name !== from.name) ctx.model.content = {...now, columns: now.columns.map(col => col.name === here.name ? put(col, col.cards.filter(c => c.key !== key), col.count != null ? col.count - 1 : null) : col.name === from.name ? put(col, [card, ...col.cards], col.count != null ? col.count + 1 : null) : col)}
  }
  ctx.draw(); ctx.say(reply.say || reply.error || '')
  if (!reply.wants) ctx.focus(`[data-act=card][data-id_="${CSS_escape(key)}"]`)
  if (reply.joy) joy(ctx.root)
}
