// Table: content {entity, columns, rows, sort, total, pages, bulk, acts, …listbar}; a row is [key, href, cells]. The server sorts, filters and pages.
const widthsKey = content => `crm.widths.${content.entity}`
function widths(content) { try { return JSON.parse(localStorage.getItem(widthsKey(content)) || '{}') } catch { return {} } }

const Table = part((content, ctx) => {
  const {columns, rows, sort, sums, none, pages, bulk = [], acts = [], matching} = content, {ui, t} = ctx, picked = ui.picked
  totalsLater(ctx)
  const keys = rows.map(r => r[0]), here = keys.filter(key => picked.has(key)).length, wide = widths(content), count = ui.every ? matching : picked.size
  return [listbar(content, ctx, h('span.pop', {key: 'columnpop'}, button('columns', 'view_column', t('Columns'), {class: 'quiet', 'aria-expanded': String(ui.pop === 'columns'), 'aria-haspopup': 'dialog'}), ui.pop === 'columns' && columnChooser(ctx))),
    picked.size ? h('div.bulk', {role: 'toolbar', key: 'bulk', label: t('What to do with the chosen ones')},
      h('b', {role: 'status'}, t('{n} selected', {n: count})),
      !ui.every && here === rows.length && matching > picked.size && button('every', '', t('Select all {n} matching', {n: matching}), {class: 'link'}),
      h('span.grow'), bulk.map(a => h('span.pop', {key: `b-${a.name}`}, button('bulk', a.glyph, a.label, {id_: a.name, 'aria-expanded': a.name === 'edit' ? String(ui.pop === 'edit') : null}), a.name === 'edit' && ui.pop === 'edit' && builder(ctx, 'edit'))),
      button('clear', 'close', '', {label: t('Clear selection'), title: t('Clear selection')})) : null,
    rows.length ? h('div.scroll', {key: 'scroll', tabindex: -1}, h('table.grid', {style: Object.keys(wide).length ? 'min-width:100%' : null},
      h('thead', null, h('tr', null, h('th.pick', {key: '-pick', scope: 'col'}, h('input', {type: 'checkbox', act: 'all', label: t('Select all rows'), checked: here === rows.length, mixed: here > 0 && here < rows.length})),
        columns.map(c => h('th', {key: c.name, scope: 'col', class: c.kind, style: wide[c.name] ? `width:${wide[c.name]}px;min-width:${wide[c.name]}px;max-width:${wide[c.name]}px` : null, 'aria-sort': !c.sortable ? null : sort?.name === c.name ? (sort.down ? 'descending' : 'ascending') : 'none'},
          c.sortable ? h('button', {type: 'button', act: 'sort', id_: c.name, title: c.help}, h('span', null, c.label), sort?.name === c.name && icon(sort.down ? 'arrow_downward' : 'arrow_upward')) : h('span.head', {title: c.help}, c.label),
          h('span.grip', {act: 'grip', id_: c.name, 'aria-hidden': 'true'}))),
        h('th.quickcol', {key: '-quick', scope: 'col'}, h('span.sr', null, t('More'))))),
      h('tbody', {act: 'rows'}, rows.map(([key, href, cells]) => h('tr', {key, tabindex: key === (keys.includes(ui.at) ? ui.at : keys[0]) ? 0 : -1, 'aria-selected': String(picked.has(key)), 'data-href': href},
        h('td.pick', null, h('input', {type: 'checkbox', act: 'pick', id_: key, tabindex: -1, label: t('Select {title}', {title: cellText(cells[0])}), checked: picked.has(key)})),
        cells.map((c, j) => h('td', {class: columns[j]?.kind, title: cellText(c).length > 24 ? cellText(c) : null}, j === 0 ? h('a', {href, tabindex: -1}, cellText(c) || t('Untitled')) : cellNode(c))),
        h('td.quickcol', null, h('span.quick', null, acts.filter(a => !a.only || a.only.includes(key)).map(a => button('row', a.glyph, '', {id_: key, 'data-do': a.name, label: `${a.label}: ${cellText(cells[0])}`, title: a.key ? `${a.label} (${a.key})` : a.label, tabindex: -1}))))))),
      sums && h('tfoot', null, h('tr', null, h('td.pick', null), columns.map((c, j) => h('td', {class: c.kind}, j === 0 && sums[c.name] == null ? t('Sum') : sums[c.name])), h('td'))))) : none && empty(none.glyph, none.text, [none.clear && h('a.button', {href: none.clear}, t('Clear filters')), none.add && button('add', 'add', none.add, {class: 'primary'})]),
    pages && (pages.before || pages.after) ? h('nav.pages', {key: 'pages', label: t('Pages')}, h('span.meta', null, pages.text), h('a.button', {href: pages.before, role: pages.before ? null : 'link', 'aria-disabled': pages.before ? null : 'true', label: t('Page before')}, icon('chevron_left')), h('a.button', {href: pages.after, role: pages.after ? null : 'link', 'aria-disabled': pages.after ? null : 'true', label: t('Next page')}, icon('chevron_right'))) : null]
}, {
  ...listacts(),
  start(ctx) {
    ctx.ui.picked = new Set()
    // j and k from anywhere outside of a field: into the rows, then from line to line
    ctx.ui.torow = e => { const rows = [...ctx.root.querySelectorAll('tbody tr')], at = rows.findIndex(r => r.tabIndex === 0), on = rows[at]?.matches(':focus'), to = rows[on ? at + e.detail : at] || rows[0]; if (to) { ctx.ui.at = to.dataset.key; ctx.draw(); to.focus() } }
    addEventListener('crm:row', ctx.ui.torow)
  },
  stop: ctx => removeEventListener('crm:row', ctx.ui.torow),
  sort: ({tell, model}, el) => { const s = model.content.sort; tell('sort', {name: el.dataset.id_, down: s?.name === el.dataset.id_ ? !s.down : false}) },
  all(ctx, el) { const on = el.checked; ctx.ui.every = false; for (const [key] of ctx.model.content.rows) on ? ctx.ui.picked.add(key) : ctx.ui.picked.delete(key); ctx.draw() },
  pick(ctx, el, e) {
    const p = ctx.ui.picked, key = el.dataset.id_, keys = ctx.model.content.rows.map(r => r[0]), on = !p.has(key), from = keys.indexOf(ctx.ui.last), to = keys.indexOf(key)
    ctx.ui.every = false
    for (const k of e.shiftKey && from >= 0 ? keys.slice(Math.min(from, to), Math.max(from, to) + 1) : [key]) on ? p.add(k) : p.delete(k)      // Shift takes all between
    ctx.ui.last = key; ctx.draw()
  },
  every(ctx) { ctx.ui.every = true; ctx.draw() },
  clear(ctx) { ctx.ui.picked.clear(); ctx.ui.every = false; ctx.draw() },
  on_clear(ctx) { ctx.ui.picked.clear(); ctx.ui.every = false; closePop(ctx, false); ctx.draw() },
  on_download(ctx, {file, text, mime}) { download(file, text, mime) },
  async bulk(ctx, el) {
    const name = el.dataset.id_
    if (name === 'edit') return openPop(ctx, 'edit', 'edit_fields')
    if (ctx.ui.acting) return      // never twice
    ctx.ui.acting = true
    const reply = await ctx.ask('bulk', {name, keys: [...ctx.ui.picked], every: !!ctx.ui.every})
    ctx.ui.acting = false
    if (reply.text != null) download(reply.file, reply.text, reply.mime || 'text/csv;charset=utf-8')
    if (reply.error) ctx.say(reply.error)
  },
  async applyedit(ctx) {
    const b = ctx.ui.builder, field = b.field || b.fields[0].name
    const reply = await ctx.ask('bulk_edit', {field, value: builderValue(ctx), keys: [...ctx.ui.picked], every: !!ctx.ui.every})
    if (reply.error) { b.error = reply.error; ctx.draw() } else closePop(ctx)
  },
  row({tell}, el, e) { if (e.detail < 2) tell('act', {name: el.dataset.do, key: el.dataset.id_}) },      // a double click is one
  rows(ctx, el, e) { const row = e.target.closest('tr'); if (row && !e.target.closest('input,button,a') && !getSelection().toString()) row.querySelector('td:nth-child(2) a').click() },
  'rows:keydown'(ctx, el, e) {
    const row = e.target.closest('tr'); if (!row) return
    const quick = [...row.querySelectorAll('.quick button')], at = quick.indexOf(e.target)
    if (at >= 0) {          // inside a row's own acts: arrows walk them, Esc goes back to the row
      if (e.key === 'ArrowRight' && quick[at + 1]) quick[at + 1].focus()
      else if (e.key === 'ArrowLeft') (quick[at - 1] || row).focus()
      else if (e.key === 'Escape') row.focus()
      return
    }
    if (e.target !== row || e.ctrlKey || e.metaKey || e.altKey) return
    const to = {ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling, j: row.nextElementSibling, k: row.previousElementSibling, Home: el.firstElementChild, End: el.lastElementChild}[e.key]
    if (to) { e.preventDefault(); ctx.ui.at = to.dataset.key; ctx.draw(); to.focus(); return }
    if (e.key === 'ArrowRight' && quick[0]) { e.preventDefault(); quick[0].focus() }
    else if (e.key === 'Enter') row.querySelector('td:nth-child(2) a').click()
    else if (e.key === ' ' || e.key === 'x') { e.preventDefault(); row.querySelector('input').click() }
    else { const act = (ctx.model.content.acts || []).find(a => a.key === e.key); if (act) { e.preventDefault(); ctx.tell('act', {name: act.name, key: row.dataset.key}) } }
  },
  columns: ctx => openPop(ctx, 'columns', 'columns'),
  column(ctx, el) { const c = ctx.ui.builder.columns.find(c => c.name === el.dataset.id_); c.on = !c.on; ctx.draw() },
  colup: (ctx, el) => shiftColumn(ctx, el.dataset.id_, -1), coldown: (ctx, el) => shiftColumn(ctx, el.dataset.id_, 1),
  applycolumns(ctx) { const names = ctx.ui.builder.columns.filter(c => c.on).map(c => c.name); closePop(ctx); ctx.tell('set_columns', {names}) },
  defaultcolumns(ctx) { localStorage.removeItem(widthsKey(ctx.model.content)); closePop(ctx); ctx.tell('set_columns', {names: []}) },
  'grip:pointerdown'(ctx, el, e) {
    e.preventDefault(); e.stopPropagation()
    const th = el.closest('th'), from = th.offsetWidth, x = e.clientX, name = el.dataset.id_
    const move = m => { const w = Math.max(56, from + m.clientX - x); Object.assign(th.style, {width: `${w}px`, minWidth: `${w}px`, maxWidth: `${w}px`}) }
    const up = () => { removeEventListener('pointermove', move); removeEventListener('pointerup', up); const all = widths(ctx.model.content); all[name] = th.offsetWidth; localStorage.setItem(widthsKey(ctx.model.content), JSON.stringify(all)); ctx.draw() }
    addEventListener('pointermove', move); addEventListener('pointerup', up)
  },
  'grip:dblclick'(ctx, el) { const all = widths(ctx.model.content); delete all[el.dataset.id_]; localStorage.setItem(widthsKey(ctx.model.content), JSON.stringify(all)); ctx.draw() },
})
function columnChooser(ctx) {
  const {t, ui} = ctx, columns = ui.builder?.columns
  return h('form.sheetlet.right', {act: 'applycolumns', role: 'dialog', label: t('Columns')}, !columns ? h('p.meta', null, t('Loading…')) : [
    h('ul.choose', null, columns.map((c, i) => h('li', {key: c.name}, h('label', null, h('input', {type: 'checkbox', act: 'column', id_: c.name, checked: c.on, disabled: c.fixed}), c.label),
      button('colup', 'arrow_upward', '', {id_: c.name, class: 'quiet', disabled: i === 0, label: `${t('Move up')}: ${c.label}`}), button('coldown', 'arrow_downward', '', {id_: c.name, class: 'quiet', disabled: i === columns.length - 1, label: `${t('Move down')}: ${c.label}`})))),
    h('div.bar', null, button('defaultcolumns', '', t('As delivered'), {class: 'quiet'}), h('span.grow'), h('button.primary', {type: 'submit'}, t('Apply')))])
}
function shiftColumn(ctx, name, by) {
  const all = ctx.ui.builder.columns, at = all.findIndex(c => c.name === name), to = at + by
  if (to < 0 || to >= all.length) return
  all.splice(to, 0, ...all.splice(at, 1)); ctx.draw(); ctx.focus(`[data-act=${by < 0 ? 'colup' : 'coldown'}][data-id_="${name}"]`)
}
