// Kit of all parts: build nodes (text only, never markup), morph the old tree into the new one, delegate events, ask the server.
const SHEET = new CSSStyleSheet(); SHEET.replaceSync(CSS)

// Addresses a link may have: inside the app, a mail, a phone number, the web. Anything else (javascript:, data:) is dropped.
const SAFE = /^(\?|#|\/(?!\/)|mailto:|tel:|webcal:|https?:\/\/)/i

// h('button.primary', {act: 'save', label: 'Save'}, icon('check'), 'Save'): `act` names the handler, `key` keeps identity,
// `id_`, `to` and any `data-…` reach the handler, `label` is the accessible name. Children are nodes or text.
function h(spec, props, ...kids) {
  const [tag, ...classes] = spec.split('.')
  const node = tag.startsWith('svg') ? document.createElementNS('http://www.w3.org/2000/svg', tag.replace('svg:', '')) : document.createElement(tag || 'div')
  if (classes.length) node.setAttribute('class', classes.join(' '))
  for (const [name, value] of Object.entries(props || {})) {
    if (value == null || value === false) continue
    if (name === 'act' || name === 'key' || name === 'id_') node.dataset[name] = value
    else if (name === 'label') node.setAttribute('aria-label', value)
    else if (name === 'href') {
      if (!SAFE.test(value)) continue
      node.setAttribute('href', value)
      if (/^https?:/i.test(value)) { node.setAttribute('target', '_blank'); node.setAttribute('rel', 'noopener noreferrer') }
    } else if (name === 'class') node.setAttribute('class', [...classes, value].join(' '))
    else if (name === 'style') node.style.cssText = value
    else if (/^on/i.test(name)) continue
    else node.setAttribute(name, value === true ? '' : value)
  }
  if (tag === 'textarea' && props?.value != null) node.value = props.value
  node.append(...kids.flat(4).filter(kid => kid != null && kid !== false && kid !== ''))
  return node
}
const icon = (name, cls = '') => h('span.i', {'aria-hidden': 'true', class: cls}, name)
// button('save', 'check', 'Save', {class: 'primary'}): without words it is a bare icon button and needs {label}, which is its tooltip too
const button = (act, glyph, words, more = {}) => h('button' + (words ? '' : '.bare'), {type: 'button', act, title: words ? null : more.label, ...more}, glyph && icon(glyph), words)
const initials = name => h('span.who', {title: name, label: name, role: 'img'}, (name || '?').split(/\s+/).filter(Boolean).map(w => [...w][0]).slice(0, 2).join('').toUpperCase())
const empty = (glyph, words, more) => h('div.empty', null, icon(glyph || 'inbox'), h('p', null, words), more)
// menu([{name, label, glyph, href?, tone?, on?}], 'pick', {id_}): goes beside its opener, inside an element of class `pop`
const menu = (items, act, more = {}) => h('div.menu', {role: 'menu', ...more}, items.map(x => x.line ? h('hr') : x.head ? h('p.head', {role: 'presentation'}, x.head)
  : x.href ? h('a', {role: 'menuitem', href: x.href, tabindex: -1}, x.glyph && icon(x.glyph), h('span', null, x.label), x.end && h('small', null, x.end))
    : h('button', {type: 'button', role: x.on == null ? 'menuitem' : 'menuitemradio', 'aria-checked': x.on == null ? null : String(!!x.on), class: x.tone, act, tabindex: -1, 'data-name': x.name, ...(more.id_ ? {id_: more.id_} : {})}, x.glyph && icon(x.glyph), h('span', null, x.label), x.on && icon('check'), x.end && h('small', null, x.end))))

const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.dataset?.key ?? null) === (b.dataset?.key ?? null)
// Change `old` into `next` and keep every node that stays: focus, selection, scroll and a half-typed value survive.
// What somebody is typing is theirs: an answer to what stood there a moment ago does not take the later letters away.
// An island (an editor: `data-spec` and `mount`) looks after its own inside: it is left alone while its spec stays, replaced when it changes.
function morph(old, next) {
  if (old.nodeType === 3) { if (old.data !== next.data) old.data = next.data; return }
  if (next.mount || old.mount) {
    if (old.dataset.spec === next.dataset.spec) return old.sync?.(next)
    old.replaceWith(next); return fresh(next)
  }
  const was = old.getAttribute('value'), will = next.getAttribute('value')
  for (const {name} of [...old.attributes]) if (!next.hasAttribute(name) && !(name === 'open' && old.nodeName === 'DIALOG')) old.removeAttribute(name)       // showModal() set it
  for (const {name, value} of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  if (old.nodeName === 'INPUT') {
    if (old.type === 'checkbox' || old.type === 'radio') { old.checked = next.checked; old.indeterminate = next.hasAttribute('mixed') }
    else if (old.type !== 'file' && was !== will) settle(old, will)
  }
  morphKids(old, next)
  if (was !== will && (old.nodeName === 'TEXTAREA' || old.nodeName === 'SELECT')) settle(old, will)
}
function settle(box, will) {
  if (box.value === (will ?? '')) box.typed = false
  else if (!box.typed || box.getRootNode().activeElement !== box) box.value = will ?? ''
}
function morphKids(old, next) {
  const keyed = new Map([...old.children].filter(n => n.dataset.key).map(n => [n.dataset.key, n]))
  let at = old.firstChild
  for (const want of [...next.childNodes]) {
    const key = want.dataset?.key, found = key ? keyed.get(key) : null
    if (found && same(found, want)) {
      if (found !== at) old.insertBefore(found, at); else at = at.nextSibling
      morph(found, want)
    } else if (at && !at.dataset?.key && same(at, want)) { const here = at; at = at.nextSibling; morph(here, want) }
    else { old.insertBefore(want, at); fresh(want) }
  }
  while (at) { const gone = at; at = at.nextSibling; gone.remove() }
}
// A <select value="x"> has no such attribute of its own: give it its value once its options are there.
function fresh(node) {
  if (node.nodeType !== 1) return
  for (const island of node.matches('[data-spec]') ? [node] : node.querySelectorAll('[data-spec]')) island.mount?.()
  for (const box of node.matches('select[value]') ? [node] : node.querySelectorAll('select[value]')) box.value = box.getAttribute('value')
  for (const box of node.matches('input[mixed]') ? [node] : node.querySelectorAll('input[mixed]')) box.indeterminate = true
}

// The first node a selector finds anywhere in the page, also inside shadow roots (the page's own <main> lies in one)
const deep = (selector, from = document) => { const hit = from.querySelector(selector); if (hit) return hit; for (const node of from.querySelectorAll('*')) if (node.shadowRoot) { const found = deep(selector, node.shadowRoot); if (found) return found } return null }
// Runs once the server counts this page as connected: what is changed for a page that is not would never be sent to it.
function connected(view, run) {
  const doc = view.model?.document
  if (!doc?.idle || doc.is_idle || doc._notified_idle) return run()       // a page rebuilt after a lost connection is not told idle again
  let done = false
  const once = () => { if (!done) { done = true; run() } }
  doc.idle.connect(once); setTimeout(once, 30000)      // a slow machine is given time
}
// How many questions are under way, told to the frame, which shows it past 0.3 s.
let underway = 0
const pending = by => { underway += by; dispatchEvent(new CustomEvent('crm:busy', {detail: underway})) }
// Days a step is put off to or planned for with one click
const SOON = [['tomorrow', 'Tomorrow'], ['+3d', 'In 3 days'], ['monday', 'Monday'], ['+1w', 'In a week']]
// What was typed survives a reload and a lost connection: kept in this tab (draft) or this browser, by a key with user, thing and id.
const drafts = {
  get(key) { try { return JSON.parse(localStorage.getItem('crm:' + key)) } catch { return null } },
  set(key, value) { try { localStorage.setItem('crm:' + key, JSON.stringify(value)) } catch { /* full or refused: the draft lives in the page only */ } },
  drop(key) { try { localStorage.removeItem('crm:' + key) } catch { /* as above */ } },
}
// Words with values and CLDR plural forms: a catalogue gives a text or {one, few, many, other}
function fill(model, key, values) {
  let words = model.phrases?.[key] ?? key
  const v = values != null && typeof values === 'object' ? values : {n: values}
  if (typeof words === 'object') { let form = 'other'; try { form = new Intl.PluralRules((model.language || 'en').replace('_', '-')).select(Number(v.n)) } catch { /* an unknown language: other */ } words = words[form] ?? words.other ?? key }
  return String(words).replace(/\{(\w+)\}/g, (all, name) => v[name] ?? '')
}

const KINDS = ['click', 'keydown', 'keyup', 'input', 'change', 'submit', 'focusin', 'focusout', 'paste', 'dragstart', 'dragover', 'dragleave', 'dragend', 'drop', 'dblclick', 'pointerdown', 'toggle', 'cancel', 'scroll']
// part(draw, acts): draw(content, ctx) gives the tree; acts are handlers by name: acts.save(ctx, element, event) for a click or a
// submit, acts['save:keydown'] for other events, acts['*keydown'](ctx, event) for all of a kind, acts.on_x(ctx, message) for what the
// server sends, start, drawn and stop. A menu is open when ctx.ui.menu holds its key; the kit closes it on Esc, outside clicks and choice.
function part(draw, acts = {}) {
  return {render({model, view}) {
    const shadow = view.shadow_el
    shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, SHEET]
    const root = h('div.root'), live = h('div.sr', {'aria-live': 'polite'}), waiting = new Map(); let count = 0, opener = null, drawing = false, again = false, gone = false
    const ctx = {
      root, model, view, shadow, ui: {}, t: (key, values) => fill(model, key, values),
      draw() {
        if (drawing) { again = true; return }      // taking a focused node away fires events, whose handlers draw
        drawing = true
        try { ctx.redraw() } finally { drawing = false }
        if (again) { again = false; ctx.draw() } else acts.drawn?.(ctx)
      },
      redraw() {
        const tree = h('div.root'), had = shadow.activeElement
        tree.append(...[draw(model.content, ctx)].flat(4).filter(Boolean)); morphKids(root, tree)
        if (had?.isConnected && shadow.activeElement !== had) had.focus({preventScroll: true})      // a moved node loses the focus
      },
      tell: (type, body = {}) => connected(view, () => { if (!gone) model.send_msg({type, ...body}) }),
      // The answer of the server's handler: always an object; {error} when it was refused, {problems: {field: text}} per field
      ask(type, body = {}) {
        if (gone) return Promise.resolve({gone: true})      // a timer of a part that was taken away: nobody would answer
        pending(1)
        return new Promise(done => { const ask = ++count; waiting.set(ask, answer => { pending(-1); done(answer) }); ctx.tell(type, {ask, ...body}) })
      },
      say: words => { live.textContent = ''; setTimeout(() => { live.textContent = words }, 30) },
      focus: query => queueMicrotask(() => root.querySelector(query)?.focus()),
      toggle(key, element) { const open = ctx.ui.menu === key; opener = open ? null : element; ctx.ui.menu = open ? null : key; ctx.draw(); if (!open) { place(); ctx.focus('.menu [role^=menuitem],.menu input') } },
      close(back = true) { if (ctx.ui.menu == null) return; ctx.ui.menu = null; ctx.draw(); if (back && opener?.isConnected) opener.focus(); opener = null },
      go: query => dispatchEvent(new CustomEvent('crm:go', {detail: query})),
    }
    // a menu that would leave the window opens upwards or to the other side
    function place() {
      const box = root.querySelector('.menu')?.getBoundingClientRect(), node = root.querySelector('.menu'); if (!box) return
      if (box.bottom > innerHeight - 8 && box.top > box.height + 40) node.classList.add('up')
      if (box.left < 4) node.classList.add('left')
    }
    for (const kind of KINDS)
      root.addEventListener(kind, event => {
        const element = event.target.closest?.('[data-act]'), name = element?.dataset.act
        if (kind === 'input' || kind === 'change') event.target.typed = kind === 'input'      // a change says that somebody is done with it
        if (kind === 'submit') event.preventDefault()
        const plain = kind === 'submit' || (kind === 'click' && element?.nodeName !== 'FORM')      // a click inside a form is not its submit
        const run = name && acts[plain ? name : `${name}:${kind}`]
        try { if (run) run(ctx, element, event); acts[`*${kind}`]?.(ctx, event) } catch (error) { console.error(error) }
      }, kind === 'scroll' || kind === 'toggle' || kind === 'cancel')
    root.addEventListener('keydown', event => {
      if (ctx.ui.menu == null) return
      const items = [...root.querySelectorAll('.menu [role^=menuitem]')], at = items.indexOf(shadow.activeElement)
      if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); ctx.close() }
      else if (at >= 0 && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) { event.preventDefault(); items[(at + (event.key === 'ArrowDown' ? 1 : items.length - 1)) % items.length].focus() }
      else if (at >= 0 && (event.key === 'Home' || event.key === 'End')) { event.preventDefault(); items.at(event.key === 'Home' ? 0 : -1).focus() }
      else if (event.key === 'Tab') ctx.close(false)
    })
    root.addEventListener('click', event => { if (ctx.ui.menu != null && event.target.closest('.menu [role^=menuitem]')) queueMicrotask(() => ctx.close(false)) })
    const outside = event => { if (ctx.ui.menu != null && !event.composedPath().some(n => n.classList?.contains('menu') || n.getAttribute?.('aria-expanded') === 'true')) ctx.close(false) }
    const lost = event => { for (const done of waiting.values()) done({error: event.detail, lost: true}); waiting.clear() }
    addEventListener('pointerdown', outside, true); addEventListener('crm:lost', lost)
    model.on('msg:custom', event => {
      const reply = event.data ?? event
      if (reply.re) { waiting.get(reply.re)?.(reply); waiting.delete(reply.re) } else acts[`on_${reply.type}`]?.(ctx, reply)
    })
    model.on(['content', 'phrases'], () => ctx.draw())
    model.on('remove', () => { gone = true; removeEventListener('pointerdown', outside, true); removeEventListener('crm:lost', lost); for (const done of waiting.values()) done({gone: true}); waiting.clear(); acts.stop?.(ctx) })
    acts.start?.(ctx); ctx.draw(); dispatchEvent(new CustomEvent('crm:drawn', {detail: {root, visit: model.visit}}))
    const wrap = h('div'); wrap.append(root, live); return wrap
  }}
}
