// Editors of values: one per word that a field type's `editor()` gives, used by forms, facts, sheets, bulk edit and filters alike.
// editor(ctx, spec, {id, act, value, error, label, describedby, required, autofocus}) gives a node; editorValue(node) what was typed
// (JSON the field's `clean` takes; null when empty). With `own` the value is the user's once it stands: only another `version` replaces it.
// The node is an island: it keeps its own state while the spec stays the same,
// bubbles `input` while typing and `change` when a value is settled, and its focus() goes to the box inside.

const EDITORS = {}
// Spec values come in one of these shapes: the plain typed form, or [value, label] / {id, label} for links.
const optionOf = o => Array.isArray(o) ? {value: o[0], label: String(o[1] ?? o[0]), note: o[2] || ''} : o && typeof o === 'object' ? {value: o.value ?? o.id, label: String(o.label ?? o.title ?? o.text ?? o.value ?? o.id ?? ''), note: o.note || o.sub || '', ...('color' in o ? {color: o.color} : {})} : {value: o, label: String(o ?? '')}
const hash = words => { let n = 5381; for (let i = 0; i < words.length; i++) n = (n * 33 ^ words.charCodeAt(i)) | 0; return (n >>> 0).toString(36) }
const unset = v => v == null || v === '' || (Array.isArray(v) && !v.length) || (typeof v === 'object' && !Array.isArray(v) && !Object.values(v).some(x => !unset(x)))
let editorCount = 0

function editor(ctx, spec, opts = {}) {
  spec = spec || {type: 'text'}
  const make = EDITORS[spec.type] || EDITORS.text, value = 'value' in opts && opts.value !== undefined ? opts.value : spec.value
  const node = h('div.editor', {class: 'e-' + spec.type, act: opts.act, id_: opts.id ?? opts.act, 'data-spec': hash(JSON.stringify(opts.own ? [{...spec, value: null, text: spec.type === 'fixed' ? spec.text : null}, opts.label, opts.id, opts.version] : [spec, opts.label, opts.id, opts.required, opts.version, 'value' in opts ? null : value])), key: opts.key, 'data-invalid': opts.error ? '1' : null, 'data-describe': opts.describedby, 'data-must': opts.required ? '1' : null})
  let api = null
  node.mount = () => {
    if (api) return
    const say = () => node.dispatchEvent(new Event('change', {bubbles: true})), id = opts.boxid || `e${++editorCount}`
    api = make({ctx, t: ctx.t, spec, value, node, id, say, label: opts.label || spec.label || '', required: opts.required, live: () => node.dispatchEvent(new Event('input', {bubbles: true}))})
    node.append(...[api.nodes].flat().filter(Boolean)); mark(node)
    if (opts.autofocus) queueMicrotask(() => node.focus())
  }
  node.read = () => { const v = api ? api.read() : value; return unset(v) ? null : v }
  node.keep = () => { if (!api) return value ?? null; const v = api.keep ? api.keep() : api.read(); return unset(v) ? null : v }      // as read, with the words of what is linked: for drafts
  node.put = v => api?.put?.(v)
  node.busy = () => !!api?.busy?.()
  node.settle = async () => api?.settle?.()      // what was typed and left is looked up by then: before saving
  node.focus = () => { const box = api?.box || node.querySelector('input,textarea,select,button,[tabindex]'); box?.focus(); if (box?.select && box.type !== 'checkbox' && box.nodeName === 'INPUT') try { box.select() } catch { /* a type without selection */ } }
  node.sync = next => {
    for (const name of ['class', 'data-invalid', 'data-describe', 'data-must', 'data-act', 'data-id_']) next.hasAttribute(name) ? node.setAttribute(name, next.getAttribute(name)) : node.removeAttribute(name)
    mark(node)
  }
  return node
}
const editorValue = node => { const island = node?.matches?.('[data-spec]') ? node : node?.closest?.('[data-spec]') || node?.querySelector?.('[data-spec]'); return island?.read ? island.read() : null }
// Errors and descriptions reach the box inside
function mark(node) {
  const box = node.querySelector('input:not([type=file]),textarea,select,[role=group],[role=radiogroup]'); if (!box) return
  node.dataset.invalid ? box.setAttribute('aria-invalid', 'true') : box.removeAttribute('aria-invalid')
  if (box.matches('input,textarea,select')) node.dataset.must ? box.setAttribute('aria-required', 'true') : box.removeAttribute('aria-required')
  node.dataset.describe ? box.setAttribute('aria-describedby', node.dataset.describe) : box.removeAttribute('aria-describedby')
}

const inputOf = (e, more = {}) => h('input', {type: 'text', id: e.id, label: e.label, placeholder: e.spec.placeholder || null, title: null,  autocomplete: 'off', ...more})
const plain = (type, more = {}) => e => {
  const box = inputOf(e, {type, value: e.value ?? '', ...(typeof more === 'function' ? more(e) : more)})
  return {nodes: box, box, read: () => box.value, put: v => { box.value = v ?? '' }}
}
EDITORS.text = e => e.spec.multiline ? EDITORS.textarea(e) : plain('text')(e)
EDITORS.name = EDITORS.text
EDITORS.email = plain('text', {inputmode: 'email', spellcheck: 'false', autocapitalize: 'off'})
EDITORS.tel = plain('tel', {inputmode: 'tel'})
EDITORS.url = plain('text', {inputmode: 'url', spellcheck: 'false', autocapitalize: 'off'})
EDITORS.password = plain('password', {autocomplete: 'new-password'})
EDITORS.number = e => affix(e, e.spec.unit || '', 'after', e.spec.decimals === 0 ? 'numeric' : 'decimal')
EDITORS.percent = e => affix(e, '%', 'after')
EDITORS.money = e => affix(e, e.spec.symbol || e.spec.currency || '', 'before')
EDITORS.duration = plain('text', {placeholder: '1:30'})
EDITORS.fixed = e => { const shown = e.spec.text ?? e.spec.show ?? (typeof e.value === 'object' ? '' : e.value); const box = h('output', {class: 'fixed', label: e.label}, unset(shown) ? '–' : String(shown)); return {nodes: box, box, read: () => e.value} }
function affix(e, sign, where, mode = 'decimal') {
  const box = inputOf(e, {value: typeof e.value === 'object' && e.value ? e.value.amount ?? '' : e.value ?? '', inputmode: mode, class: 'num'})
  return {nodes: sign ? h('span.affix', {class: where}, h('span', {'aria-hidden': 'true'}, sign), box) : box, box, read: () => box.value, put: v => { box.value = v ?? '' }}
}
EDITORS.textarea = e => {
  const box = h('textarea', {id: e.id, label: e.label, rows: e.spec.rows || 3, placeholder: e.spec.placeholder || null, value: e.value ?? ''})
  const grow = () => { box.style.height = 'auto'; box.style.height = Math.min(Math.max(box.scrollHeight + 2, 60), 420) + 'px' }
  box.addEventListener('input', grow); queueMicrotask(grow); requestAnimationFrame(grow)
  return {nodes: box, box, read: () => box.value, put: v => { box.value = v ?? ''; grow() }}
}
// Markdown: the text with buttons that put its marks round the selection
EDITORS.markdown = e => {
  const area = EDITORS.textarea({...e, spec: {rows: 5, ...e.spec}}), box = area.box
  const wrap = (before, after = before) => { const {selectionStart: a, selectionEnd: b, value} = box; box.setRangeText(before + value.slice(a, b) + after, a, b, 'end'); if (a === b) box.selectionStart = box.selectionEnd = a + before.length; box.focus(); e.live() }
  const line = mark => { const start = box.value.lastIndexOf('\n', box.selectionStart - 1) + 1; box.setRangeText(mark, start, start, 'end'); box.focus(); e.live() }
  const tool = (glyph, words, run) => { const b = h('button.bare', {type: 'button', label: words, title: words, tabindex: -1}, icon(glyph)); b.addEventListener('click', run); return b }
  return {...area, nodes: h('div.marks', null, h('div.bar', {'aria-hidden': 'true'}, tool('format_bold', '**', () => wrap('**')), tool('format_italic', '_', () => wrap('_')), tool('format_list_bulleted', '-', () => line('- ')), tool('format_quote', '>', () => line('> ')), tool('link', '[]', () => wrap('[', '](https://)'))), box)}
}
// A date is typed in any way the words know (tomorrow, fri, 24.12., +2w) or picked from the browser's own calendar. `text` is the
// value as the user reads it: while it stands there unchanged, the exact value is kept.
const day = kind => e => {
  let iso = e.value ?? '', text = e.spec.text && e.value === e.spec.value ? e.spec.text : iso
  const box = inputOf(e, {value: text}), pick = h('input', {type: kind, tabindex: -1, 'aria-hidden': 'true'}), open = h('button.bare', {type: 'button', label: e.t('Pick a date'), title: e.t('Pick a date'), tabindex: -1}, icon(kind === 'date' ? 'calendar_today' : 'event'))
  const read = () => box.value === text ? iso : box.value
  open.addEventListener('click', () => { if (/^\d{4}-\d\d-\d\d/.test(read())) pick.value = kind === 'date' ? read().slice(0, 10) : read().slice(0, 16).replace(' ', 'T'); try { pick.showPicker() } catch { pick.focus() } })
  pick.addEventListener('input', event => event.stopPropagation())
  pick.addEventListener('change', event => { event.stopPropagation(); iso = text = box.value = pick.value.replace('T', ' '); e.live(); e.say(); box.focus() })
  // what was understood, told while typing
  const told = h('small.echo', {role: 'status'}); let waiting = 0, turn = 0
  box.addEventListener('input', () => {
    clearTimeout(waiting); const typed = box.value.trim(), mine = ++turn
    if (!typed || read() === iso) return told.replaceChildren()
    waiting = setTimeout(async () => { const reply = await e.ctx.ask('day', {text: typed, moment: kind !== 'date', periods: !!e.spec.periods}); if (mine !== turn || reply.error) return; told.className = reply.wrong ? 'echo wrong' : 'echo'; told.replaceChildren(...(reply.say ? [icon('event_available'), reply.say] : [reply.wrong || ''])) }, 160)
  })
  pick.addEventListener('change', () => { turn++; told.replaceChildren() })
  return {nodes: [h('span.affix.pick', null, box, pick, open), told], box, read, put: v => { iso = text = box.value = v ?? ''; told.replaceChildren() }}
}
EDITORS.date = day('date')
EDITORS.datetime = day('datetime-local')
EDITORS.check = e => {
  const box = h('input', {type: 'checkbox', id: e.id, label: e.label, checked: e.value === true || e.value === 'true'})
  return {nodes: h('label.tickbox', null, box, h('span', {'aria-hidden': 'true'}, e.spec.words || '')), box, read: () => box.checked, put: v => { box.checked = !!v }}
}
EDITORS.select = e => {
  const options = (e.spec.options || []).map(optionOf), now = e.value == null ? '' : String(e.value?.id ?? e.value)
  if (now && !options.some(o => String(o.value) === now)) options.push({value: now, label: now})
  const box = h('select', {id: e.id, label: e.label}, h('option', {value: ''}, e.spec.blank || '–'), options.map(o => h('option', {value: o.value}, o.label)))
  box.value = now
  return {nodes: box, box, read: () => { const o = options.find(x => String(x.value) === box.value); return o ? o.value : null }, put: v => { box.value = v ?? '' }}
}
// Several of few: a row of toggles; of many: chips with a list to add from
EDITORS.multi = e => {
  const options = (e.spec.options || []).map(optionOf), on = new Set((e.value || []).map(v => String(v?.value ?? v))), group = h('div.choices', {role: 'group', label: e.label, id: e.id})
  const draw = () => morphKids(group, h('div', null, options.map(o => h('button.pill', {type: 'button', key: String(o.value), 'aria-pressed': String(on.has(String(o.value))), 'data-v': o.value}, on.has(String(o.value)) && icon('check'), o.label))))
  group.addEventListener('click', event => { const b = event.target.closest('button'); if (!b) return; const v = b.dataset.v; on.has(v) ? on.delete(v) : on.add(v); draw(); e.live(); e.say() })
  draw()
  return {nodes: group, read: () => options.filter(o => on.has(String(o.value))).map(o => o.value), put: v => { on.clear(); (v || []).forEach(x => on.add(String(x))); draw() }}
}
EDITORS.tags = e => {
  let tags = (Array.isArray(e.value) ? e.value : e.value ? String(e.value).split(/[,;]\s*/) : []).map(String)
  const known = `k${e.id}`, box = inputOf(e, {list: known, placeholder: e.spec.placeholder || e.t('Add')}), wrap = h('span.tagbox')
  const take = () => { const typed = box.value.split(/[,;]/).map(x => x.trim()).filter(x => x && !tags.includes(x)); if (typed.length) { tags = [...tags, ...typed]; box.value = ''; draw(); e.live(); e.say() } }
  const draw = () => { for (const chip of wrap.querySelectorAll('.chip')) chip.remove(); tags.forEach((tag, i) => { const off = h('button.bare', {type: 'button', label: `${e.t('Remove')}: ${tag}`}, icon('close')); off.addEventListener('click', () => { tags.splice(i, 1); draw(); box.focus(); e.live(); e.say() }); wrap.insertBefore(h('span.chip', null, h('span', null, tag), off), box) }) }
  wrap.append(box, h('datalist', {id: known}, (e.spec.options || []).map(o => h('option', {value: optionOf(o).label}))))
  box.addEventListener('keydown', event => { if ((event.key === 'Enter' || event.key === ',') && box.value.trim()) { event.preventDefault(); event.stopPropagation(); take() } else if (event.key === 'Backspace' && !box.value && tags.length) { tags.pop(); draw(); e.live() } })
  box.addEventListener('change', event => { event.stopPropagation(); take() })
  wrap.addEventListener('click', event => { if (event.target === wrap) box.focus() }); draw()
  return {nodes: wrap, box, read: () => { const rest = box.value.trim(); return rest && !tags.includes(rest) ? [...tags, rest] : tags }, put: v => { tags = [...(v || [])]; draw() }}
}

// What links share: a box that asks the server while typing and a list under it. `pick(option)` is told the choice.
function finder(e, {pick, start = '', clear, keep = true}) {
  const box = inputOf(e, {role: 'combobox', 'aria-expanded': 'false', 'aria-autocomplete': 'list', 'aria-controls': `l${e.id}`, value: start, placeholder: e.spec.placeholder || e.t('Type to search')}), list = h('div.options', {role: 'listbox', id: `l${e.id}`, label: e.t('Choose'), popover: 'manual'})
  let found = [], at = 0, turn = 0, timer = 0, text = start, open = false, asked = false, left = ''      // asked: an answer is awaited; left: by which key the box was left meanwhile, which means the first one found
  // in the top layer, beside the box wherever it scrolls: neither a sheet nor a table cuts it off
  const beside = () => { const r = (box.closest('.finder') || box).getBoundingClientRect(), up = innerHeight - r.bottom < 240 && r.top > innerHeight - r.bottom; list.style.cssText = `left:${r.left}px;width:${Math.max(r.width, 220)}px;${up ? `bottom:${innerHeight - r.top + 3}px` : `top:${r.bottom + 3}px`};max-height:${Math.min(264, (up ? r.top : innerHeight - r.bottom) - 12)}px` }
  const float = on => { if (!list.isConnected || on === list.matches(':popover-open')) return on && beside(); if (on) { list.showPopover(); beside(); addEventListener('scroll', beside, true) } else { list.hidePopover(); removeEventListener('scroll', beside, true) } }
  const shut = () => { open = false; turn++; clearTimeout(timer); float(false); box.setAttribute('aria-expanded', 'false'); box.removeAttribute('aria-activedescendant') }
  const draw = () => {
    float(open); box.setAttribute('aria-expanded', String(open)); if (!open) return
    morphKids(list, h('div', null, found.length ? found.map((o, i) => h('div.option', {key: String(o.value ?? '+'), role: 'option', id: `${list.id}-${i}`, 'aria-selected': String(i === at), 'data-i': i}, o.make && icon('add'), h('span.two', null, h('span', null, o.label), o.note && h('small', null, o.note)))) : h('p.none', null, e.t('Nothing found'))))
    box.setAttribute('aria-activedescendant', `${list.id}-${at}`); list.querySelector('[aria-selected=true]')?.scrollIntoView({block: 'nearest'})
  }
  const look = async () => {
    const mine = ++turn, typed = box.value === text && keep ? '' : box.value
    const reply = e.spec.options && !e.spec.to ? {options: e.spec.options.filter(o => optionOf(o).label.toLowerCase().includes(typed.toLowerCase()))} : await e.ctx.ask('lookup', {to: e.spec.to, field: e.spec.field || '', text: typed})
    if (mine !== turn || !list.isConnected) return
    found = (reply.options || []).map(optionOf); at = 0; asked = false
    const by = left; left = ''
    if (by && found.length && !found[0].make) return choose(found[0])
    if (by === 'Tab') { box.value = text; return }
    if (typed.trim() && reply.create && e.spec.create !== false && !found.some(o => o.label.toLowerCase() === typed.trim().toLowerCase())) found.push({make: true, label: e.t('Create “{text}”', {text: typed.trim()}), text: typed.trim()})
    open = true; draw()
  }
  const choose = async o => {
    if (!o) return
    if (o.make) {
      shut(); const reply = await e.ctx.ask('make', {to: e.spec.to, text: o.text})
      if (reply.error) return e.ctx.say(reply.error), dispatchEvent(new CustomEvent('crm:say', {detail: {text: reply.error, tone: 'bad'}}))
      if (reply.sheet) { const heard = event => { if (event.detail.key !== reply.sheet) return; removeEventListener('crm:sheet', heard); if (event.detail.value) { text = event.detail.value[1]; pick({value: event.detail.value[0], label: text}); box.focus() } }; addEventListener('crm:sheet', heard); return }
      o = {value: reply.value, label: reply.label}
    }
    text = o.label; box.value = keep ? o.label : ''; shut(); pick(o)
  }
  box.addEventListener('input', () => { asked = true; left = ''; turn++; clearTimeout(timer); timer = setTimeout(look, 160) })
  box.addEventListener('click', () => { if (!open) look() })
  box.addEventListener('keydown', event => {
    if ((event.key === 'ArrowDown' || event.key === 'ArrowUp')) { event.preventDefault(); event.stopPropagation(); if (!open) return look(); if (found.length) at = (at + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length; draw() }
    else if (/^(Tab|Enter)$/.test(event.key) && !event.ctrlKey && asked && keep && box.value.trim() && box.value !== text) { left = event.key; if (left === 'Enter') { event.preventDefault(); event.stopPropagation() } }
    else if (event.key === 'Enter' && open && found.length && !event.ctrlKey) { event.preventDefault(); event.stopPropagation(); choose(found[at]) }
    else if (event.key === 'Escape' && open) { event.preventDefault(); event.stopPropagation(); shut(); if (keep) box.value = text }
    else if (event.key === 'Tab' && open) { if (box.value.trim() && box.value !== text && found.length && !found[at].make) choose(found[at]); else shut() }
  })
  box.addEventListener('change', event => { event.stopPropagation(); if (keep && !box.value.trim()) { text = ''; clear?.() } })
  box.addEventListener('focusout', () => setTimeout(() => { if (left) return; if (open && !list.matches(':hover')) shut(); if (keep && box.value !== text) { if (!box.value.trim()) { text = ''; clear?.() } else box.value = text } }, 120))
  list.addEventListener('pointerdown', event => event.preventDefault())
  list.addEventListener('click', event => { const o = event.target.closest('[data-i]'); if (o) choose(found[Number(o.dataset.i)]) })
  return {box, list, set: label => { text = label; box.value = label }, settle: async () => { if (asked && left) { clearTimeout(timer); await look() } }}
}
EDITORS.link = e => {
  let now = unset(e.value) ? null : optionOf(typeof e.value === 'object' ? e.value : [e.value, e.spec.text ?? e.spec.show ?? e.spec.title ?? (e.spec.options || []).map(optionOf).find(o => o.value === e.value)?.label ?? e.value])
  const find = finder(e, {start: now?.label || '', pick: o => { now = o; e.live(); e.say() }, clear: () => { if (now) { now = null; e.live(); e.say() } }})
  return {nodes: h('span.finder', null, icon('search'), find.box, find.list), box: find.box, read: () => now?.value ?? null, put: v => { now = unset(v) ? null : optionOf(v); find.set(now?.label || '') }, keep: () => now && {id: now.value, label: now.label}, settle: find.settle}
}
// Links with attributes: one line per linked thing, its role or share beside it
EDITORS.links = e => {
  let lines = (e.value || []).map(v => Array.isArray(v) ? {id: v[0], label: v[1]} : typeof v === 'object' ? {...v} : {id: v}).map(v => ({...v, label: v.label ?? v.title ?? (e.spec.titles || {})[v.id] ?? String(v.id)}))
  const more = e.spec.with || [], wrap = h('div.linkbox', {role: 'group', label: e.label}), list = h('ul'), find = finder({...e, label: `${e.label}: ${e.t('Add')}`}, {keep: false, pick: o => { if (!lines.some(x => x.id === o.value)) { lines.push({id: o.value, label: o.label}); draw(); e.live(); e.say() } }})
  const draw = () => {
    list.replaceChildren(...lines.map((x, i) => {
      const off = h('button.bare', {type: 'button', label: `${e.t('Remove')}: ${x.label}`}, icon('close')); off.addEventListener('click', () => { lines.splice(i, 1); draw(); find.box.focus(); e.live(); e.say() })
      const extra = more.map(m => { const inner = editor(e.ctx, {...(m.editor || m), value: x[m.field || m.key]}, {label: `${m.label}: ${x.label}`}); inner.mount(); const keep = () => { x[m.field || m.key] = inner.read() }; inner.addEventListener('change', keep); inner.addEventListener('input', keep); return h('span.attr', {title: m.label}, inner) })
      return h('li', null, h('span.label', null, x.label), ...extra, off)
    }))
  }
  wrap.append(list, h('span.finder', null, icon('search'), find.box, find.list)); draw()
  return {nodes: wrap, box: find.box, keep: () => lines.map(x => ({...x})), read: () => lines.map(({label, title, ...x}) => more.length ? Object.fromEntries(Object.entries(x).filter(([, v]) => v != null && v !== '')) : x.id)}
}
// A table inside a record: a row per line, an editor per column. What a formula gives, and what it adds up to, the server works out while one types.
EDITORS.lines = e => {
  const numeric = ['number', 'money', 'percent'], right = c => c.align === 'right' || numeric.includes(c.editor.type)
  const columns = (e.spec.columns || []).map(c => ({...c, key: c.key || c.field, editor: c.editor || {type: c.type || 'text', options: c.options, to: c.to}})), texts = e.spec.table?.rows || []
  const rows = (e.value || []).map((v, i) => ({v: {...v}, text: Object.fromEntries(columns.map((c, j) => [c.key, cellText(texts[i]?.[j])]))})), body = h('tbody'), foot = h('tfoot'), worked = columns.filter(c => c.computed)
  const line = row => {
    row.out = {}; row.cells = {}
    row.node = h('tr', null, columns.map(c => {
      if (c.computed) return h('td.num', {'data-label': c.label}, row.out[c.key] = h('output.fixed', {label: c.label}))
      const inner = editor(e.ctx, {...c.editor, value: row.v[c.key], text: row.text?.[c.key]}, {label: c.label}); inner.mount(); row.cells[c.key] = inner
      if (e.spec.reads?.includes(c.key)) inner.addEventListener('change', () => fill(row, c.key))
      return h('td', {'data-label': c.label, class: right(c) ? 'num' : ''}, inner)
    })); row.was = one(row)
    const off = h('button.bare', {type: 'button', label: e.t('Remove'), title: e.t('Remove')}, icon('close')); off.addEventListener('click', () => { rows.splice(rows.indexOf(row), 1); row.node.remove(); e.live(); e.say(); work() }); row.node.append(h('td', null, off))
    return row.node
  }
  const add = h('button.quiet', {type: 'button'}, icon('add'), e.t('Add a line')); add.addEventListener('click', () => { const row = {v: {}}; rows.push(row); body.append(line(row)); row.cells[columns[0]?.key]?.focus() })
  const one = row => Object.fromEntries(columns.filter(c => !c.computed).map(c => [c.key, c.editor.type === 'fixed' ? row.v[c.key] ?? null : row.cells[c.key].read()]).filter(([, v]) => !unset(v)))
  const said = found => {
    rows.forEach((row, i) => { for (const c of worked) row.out[c.key].textContent = found.rows[i]?.[c.key] ?? '' })
    const sums = found.totals || {}, first = columns.findIndex(c => c.key in sums)
    foot.replaceChildren(...(first < 0 ? [] : [h('tr', null, first > 0 && h('th', {scope: 'row', colspan: first}, e.t('Total')), columns.slice(first).map(c => h('td.num', {'data-label': c.label}, sums[c.key] ?? '')), h('td', null))]))
  }
  // What a line begins with comes when what it is about is chosen; what was typed stays, also what is typed while the answer is on its way
  let filling = Promise.resolve()
  const fill = (row, key) => filling = (async () => {
    const asked = row.asked = (row.asked || 0) + 1, sent = one(row)
    const reply = await e.ctx.ask('lines', {of: e.spec.of, rows: rows.map(one), fill: {row: rows.indexOf(row), changed: key, was: row.was}, values: e.ctx.values?.() ?? null, about: e.spec.about ?? e.ctx.model?.content.about ?? null})
    if (asked !== row.asked || !rows.includes(row) || !reply.fill) return
    for (const [k, {value, text}] of Object.entries(reply.fill)) if (JSON.stringify(row.cells[k].read()) === JSON.stringify(sent[k] ?? null) && !row.cells[k].contains(e.node.getRootNode().activeElement)) row.cells[k].put(value != null && columns.find(c => c.key === k).editor.type === 'link' ? [value, text] : value)
    row.was = one(row); e.live(); e.say(); work()
  })()
  let waiting = 0, turn = 0
  const work = () => { if (!worked.length) return; clearTimeout(waiting); const mine = ++turn; waiting = setTimeout(async () => { const reply = await e.ctx.ask('lines', {of: e.spec.of, rows: rows.map(one)}); if (mine === turn && reply.rows) said(reply) }, 160) }
  body.addEventListener('input', work); body.addEventListener('change', work)
  body.append(...rows.map(line)); if (e.spec.worked) said(e.spec.worked); if (e.value !== e.spec.value) work()
  const read = () => rows.map(one).filter(r => Object.keys(r).length)
  return {nodes: [h('div.scroll', null, h('table.lines', {label: e.label, style: `--columns:${columns.length}`}, h('thead', null, h('tr', null, columns.map(c => h('th', {scope: 'col', class: right(c) ? 'num' : ''}, c.label)), h('th', null, h('span.sr', null, e.t('Remove'))))), body, foot)), add], box: null, read, settle: async () => { await Promise.all(rows.flatMap(row => Object.values(row.cells).map(c => c.settle()))); await filling }}
}
// Files: read here, sent as base64, kept by the server; the record gets the reference when it is saved
EDITORS.files = e => {
  let files = [...(e.value ? [e.value].flat() : [])], loading = 0
  const limit = e.spec.max_size || 10 * 1024 * 1024, size = n => n > 1048576 ? `${(n / 1048576).toFixed(1)} MB` : `${Math.max(1, Math.round(n / 1024))} kB`, list = h('ul'), note = h('em', {role: 'alert'}), input = h('input', {type: 'file', multiple: e.spec.many !== false, accept: e.spec.accept || null, class: 'sr', tabindex: -1, label: e.label})
  const drop = h('button.dropbox', {type: 'button', id: e.id, label: `${e.label}: ${e.t('Choose a file')}`}, icon('upload_file'), h('span', null, e.t('Drop files here or choose them')))
  const draw = () => list.replaceChildren(...files.map((f, i) => { const off = h('button.bare', {type: 'button', label: `${e.t('Remove')}: ${f.name}`}, icon('close')); off.addEventListener('click', () => { files.splice(i, 1); draw(); e.live(); e.say() }); return h('li', null, icon('description'), h('span.label', null, f.name), h('small', null, size(f.size || 0)), off) }), ...(loading ? [h('li', null, h('span.spin'), h('span.label', null, e.t('Uploading…')))] : []))
  const take = async chosen => {
    note.textContent = ''
    for (const file of chosen) {
      if (file.size > limit) { note.textContent = e.t('This file is too large; the limit is {limit}.', {limit: size(limit)}); continue }
      loading++; draw()
      const data = await new Promise(done => { const reader = new FileReader(); reader.onload = () => done(String(reader.result).split(',')[1] ?? ''); reader.onerror = () => done(null); reader.readAsDataURL(file) })
      const reply = data == null ? {error: e.t('The file could not be read.')} : await e.ctx.ask('upload', {name: file.name, kind: file.type, data})
      loading--
      if (reply.file) { files = e.spec.many === false ? [reply.file] : [...files, reply.file]; e.live(); e.say() } else note.textContent = reply.error || e.t('The file could not be read.')
      draw()
    }
  }
  drop.addEventListener('click', () => input.click()); input.addEventListener('change', event => { event.stopPropagation(); take([...input.files]); input.value = '' })
  drop.addEventListener('dragover', event => { event.preventDefault(); event.stopPropagation(); drop.classList.add('over') }); drop.addEventListener('dragleave', () => drop.classList.remove('over'))
  drop.addEventListener('drop', event => { event.preventDefault(); event.stopPropagation(); drop.classList.remove('over'); take([...event.dataTransfer.files]) }); draw()
  return {nodes: [list, drop, input, note], box: drop, read: () => e.spec.many === false ? files[0] ?? null : files, busy: () => loading > 0}
}
EDITORS.file = e => EDITORS.files({...e, spec: {...e.spec, many: false}})
EDITORS.rating = e => {
  let now = Number(e.value) || 0; const max = e.spec.max || 5, group = h('div.stars', {role: 'radiogroup', label: e.label, id: e.id})
  const draw = () => morphKids(group, h('div', null, Array.from({length: max}, (_, i) => h('button.bare', {type: 'button', key: String(i), role: 'radio', 'aria-checked': String(i + 1 === now), tabindex: i + 1 === (now || 1) ? 0 : -1, label: e.t('{n} stars', {n: i + 1}), 'data-v': i + 1, class: i < now ? 'on' : ''}, icon(i < now ? 'star' : 'star_border')))))
  const set = v => { now = v; draw(); e.live(); e.say(); group.querySelector('[tabindex="0"]')?.focus() }
  group.addEventListener('click', event => { const b = event.target.closest('button'); if (b) set(Number(b.dataset.v) === now ? 0 : Number(b.dataset.v)) })
  group.addEventListener('keydown', event => { const by = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1}[event.key]; if (by) { event.preventDefault(); set(Math.min(max, Math.max(0, now + by))) } else if (/^\d$/.test(event.key) && Number(event.key) <= max) set(Number(event.key)) }); draw()
  return {nodes: group, read: () => now || null, put: v => { now = Number(v) || 0; draw() }}
}
EDITORS.color = e => {
  const box = inputOf(e, {value: e.value ?? '', placeholder: '#3366cc'}), pick = h('input', {type: 'color', label: e.t('Choose'), value: /^#[0-9a-f]{6}$/i.test(e.value || '') ? e.value : '#4453c4'})
  pick.addEventListener('input', event => { event.stopPropagation(); box.value = pick.value; e.live() }); pick.addEventListener('change', event => { event.stopPropagation(); box.value = pick.value; e.say() })
  box.addEventListener('input', () => { if (/^#[0-9a-f]{6}$/i.test(box.value)) pick.value = box.value })
  return {nodes: h('span.affix.color', null, pick, box), box, read: () => box.value}
}
// Several boxes that are one value: {street, city, …}, {title, first, last}
const several = parts => e => {
  const own = (e.spec.parts || parts).map(p => Array.isArray(p) ? p : [p.key, p.label]), was = e.value && typeof e.value === 'object' ? e.value : {}
  const boxes = own.map(([key, words]) => [key, h('input', {type: 'text', class: 'p-' + key, label: `${e.label}: ${e.t(words)}`, placeholder: e.t(words), value: was[key] ?? '', autocomplete: 'off'})])
  const free = typeof e.value === 'string' ? e.value : ''
  if (free && boxes.length) boxes[0][1].value = free
  return {nodes: h('div.several', {role: 'group', label: e.label, id: e.id}, boxes.map(([, box]) => box)), box: boxes[0]?.[1], read: () => ({...was, ...Object.fromEntries(boxes.map(([key, box]) => [key, box.value.trim()]))})}
}
EDITORS.address = several([['street', 'Street'], ['postcode', 'Postcode'], ['city', 'City'], ['region', 'Region'], ['country', 'Country']])
EDITORS.person_name = several([['title', 'Title'], ['first', 'First name'], ['last', 'Last name']])
EDITORS.name = e => e.spec.parts || (e.value && typeof e.value === 'object') ? EDITORS.person_name(e) : EDITORS.text(e)
// What a filter asks of a range
EDITORS.between = e => {
  const inner = e.spec.of || {type: 'text'}, [from, to] = [0, 1].map(i => { const node = editor(e.ctx, {...inner, value: (e.value || [])[i]}, {label: `${e.label}: ${e.t(i ? 'Maximum' : 'Minimum')}`}); node.mount(); return node })
  return {nodes: h('span.between', null, from, h('span', {'aria-hidden': 'true'}, '–'), to), box: from, read: () => { const pair = [from.read(), to.read()]; return pair.every(unset) ? null : pair }}
}
EDITORS.longtext = EDITORS.textarea
// A labelled editor with its help and its message, as forms and sheets show it
function fieldRow(ctx, f, {act = 'field', error, autofocus, scope = '', value, version, own} = {}) {
  const id = `${scope}-${f.field}`.replace(/[^\w-]/g, '_'), spec = f.editor || {type: 'text'}, wide = f.wide || ['textarea', 'markdown', 'lines', 'links', 'files', 'file', 'address', 'longtext'].includes(spec.type)
  const group = ['multi', 'rating', 'address', 'files', 'file', 'lines', 'links', 'fixed', 'person_name'].includes(spec.type) || (spec.type === 'name' && spec.parts)
  const help = f.help || spec.hint || '', says = [error && `${id}-say`, help && `${id}-help`].filter(Boolean).join(' ')
  return h('div.field', {key: f.field, class: [wide && 'wide', error && 'bad', 'k-' + spec.type].filter(Boolean).join(' '), 'data-field': f.field, hidden: f.hidden},
    h(group ? 'span.label' : 'label.label', {for: group ? null : id, title: help || null}, f.label, f.required && h('span.must', {'aria-hidden': 'true'}, '*'), f.required && h('span.sr', null, ` (${ctx.t('Required')})`)),
    editor(ctx, spec, {id: f.field, boxid: id, act, label: f.label, required: f.required, error, describedby: says || null, autofocus, version, own, ...(value !== undefined ? {value} : {})}),
    error ? h('em', {role: 'alert', id: `${id}-say`}, error) : null, help && h('span.sr', {id: `${id}-help`}, help))
}
