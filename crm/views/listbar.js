// What stands above every way to look at the same records (table, board, calendar, chart): saved views, search, filters, shapes.
const SHAPES = {list: 'format_list_bulleted', board: 'view_kanban', calendar: 'calendar_today', chart: 'bar_chart'}

function listbar(content, ctx, more) {
  const {views = [], view, chips = [], shape, shapes = [], total, q = '', fresh = 0, unsaved, own, pipelines = []} = content, {t, ui} = ctx
  return [
    h('div.bar.views', {key: 'views'},
      h('nav.tabs', {label: t('Saved views')}, views.map(v => h('a', {key: v.name, href: v.href, 'aria-current': v.name === view ? 'page' : null}, v.label, v.count != null && h('span.count', null, v.count)))),
      pipelines.length > 1 && h('label.pipes', {key: 'pipes'}, h('span.sr', null, t('Pipeline')), h('select', {act: 'pipeline', value: pipelines.find(p => p.on)?.name}, pipelines.map(p => h('option', {value: p.name}, p.label)))),
      content.process && h('a.bare.process', {key: 'process', href: content.process, title: t('Process'), label: t('Process')}, icon('account_tree')),
      shapes.length > 1 && h('nav.switch', {label: t('Show as'), key: 'shapes'}, shapes.map(s => h('a', {key: s.name, href: s.href, label: s.label, title: s.label, 'aria-current': s.name === shape ? 'page' : null}, icon(SHAPES[s.name] || 'view_list'))))),
    h('div.bar.tools', {key: 'tools'},
      h('input.find', {type: 'search', act: 'find', key: `find${fresh}`, value: q, placeholder: t('Search'), label: t('Search')}),
      chips.map(c => h('span.chip.filter', {key: `chip-${c.name}`}, h('span', null, `${c.label}: ${c.value}`), button('unfilter', 'close', '', {id_: c.name, label: `${t('Clear')}: ${c.label}`}))),
      h('span.pop', {key: 'filterpop'}, button('filter', 'filter_list', t('Filter'), {class: 'quiet', 'aria-expanded': String(ui.pop === 'filter'), 'aria-haspopup': 'dialog'}), ui.pop === 'filter' && builder(ctx, 'filter')),
      unsaved && h('span.pop', {key: 'savepop'}, button('saveview', 'bookmark_add', t('Save view'), {class: 'quiet', 'aria-expanded': String(ui.pop === 'save')}),
        ui.pop === 'save' && h('form.sheetlet', {act: 'keepview', role: 'dialog', label: t('Save view')}, h('label', null, t('Name of this view'), h('input', {act: 'viewname', maxlength: 60, required: true})), h('div.bar', null, h('span.grow'), h('button.primary', {type: 'submit'}, t('Save'))))),
      own && button('dropview', 'bookmark_remove', t('Remove view'), {class: 'quiet'}),
      h('span.grow'), button('notebook', 'data_object', '', {label: t('Open in notebook'), class: 'quiet notebook'}), total != null && h('span.meta', {role: 'status', key: 'total'}, total), more)]
}

// Field, operator, value: for a filter (`kind` filter) or for a bulk change (`kind` edit, no operator)
function builder(ctx, kind) {
  const {t, ui} = ctx, b = ui.builder
  if (!b) return h('div.sheetlet', {role: 'dialog', label: t('Filter')}, h('p.meta', null, t('Loading…')))
  const field = b.fields.find(f => f.name === b.field) || b.fields[0], op = kind === 'edit' ? {name: 'set'} : field?.ops.find(o => o.name === b.op) || field?.ops[0]
  if (!field) return h('div.sheetlet', {role: 'dialog', label: t('Filter')}, h('p.meta', null, t('Nothing to choose here')))
  const asked = kind === 'edit' ? field.editor : op.editor, two = asked?.type === 'pair'
  const key = `${field.name}-${op.name}`
  return h('form.sheetlet', {act: kind === 'edit' ? 'applyedit' : 'applyfilter', role: 'dialog', label: kind === 'edit' ? t('Change a field') : t('Filter'), key: `builder-${kind}`},
    h('label', null, t('Field'), h('select', {act: 'bfield', value: field.name}, b.fields.map(f => h('option', {value: f.name}, f.label)))),
    kind !== 'edit' && h('label', null, t('Condition'), h('select', {act: 'bop', key: `op-${field.name}`, value: op.name}, field.ops.map(o => h('option', {value: o.name}, o.label)))),
    asked && h('div.values', {key, role: 'group', label: t('Value')}, h('span.lab', null, t('Value')), editor(ctx, two ? asked.of : asked, {id: `b1-${key}`, label: `${field.label} ${op.label || ''}`, act: 'bvalue'}), two && editor(ctx, asked.of, {id: `b2-${key}`, label: `${field.label} ${t('to')}`, act: 'bvalue'})),
    b.error && h('em', {role: 'alert'}, b.error),
    h('div.bar', null, h('span.grow'), button('popoff', '', t('Cancel')), h('button.primary', {type: 'submit'}, kind === 'edit' ? t('Change') : t('Apply'))))
}
function builderValue(ctx) {
  const found = [...ctx.root.querySelectorAll('form.sheetlet .values .editor')].map(editorValue)
  return found.length > 1 ? found : found[0] ?? null
}
async function openPop(ctx, name, load) {
  if (ctx.ui.pop === name) return closePop(ctx)
  ctx.ui.pop = name; ctx.ui.builder = null; ctx.draw()
  if (load) { const reply = await ctx.ask(load, {}); if (ctx.ui.pop !== name) return; ctx.ui.builder = {fields: reply.fields || [], columns: reply.columns}; ctx.draw() }
  ctx.focus('.sheetlet :is(select,input,button)')
}
function closePop(ctx, back = true) {
  const name = ctx.ui.pop; if (!name) return
  ctx.ui.pop = null; ctx.ui.builder = null; ctx.draw()
  if (back) ctx.focus({filter: '[data-act=filter]', columns: '[data-act=columns]', save: '[data-act=saveview]', edit: '[data-act=bulk][data-id_=edit]'}[name] || '.find')
}

function listacts() {
  return {
    filter: ctx => openPop(ctx, 'filter', 'fields'), popoff: ctx => closePop(ctx),
    saveview: ctx => openPop(ctx, 'save'),
    async keepview(ctx) { const box = ctx.root.querySelector('[data-act=viewname]'); if (!box.value.trim()) return box.focus(); const label = box.value.trim(); closePop(ctx); await ctx.ask('save_view', {label}) },
    dropview: ({tell}) => tell('drop_view'),
    async notebook(ctx) { const {name, text} = await ctx.ask('notebook'); if (text) { download(name, text, 'application/x-ipynb+json'); ctx.say(ctx.t('Saved as {name}', {name})) } },
    'bfield:change'(ctx, el) { Object.assign(ctx.ui.builder, {field: el.value, op: null, error: ''}); ctx.draw() },
    'bop:change'(ctx, el) { Object.assign(ctx.ui.builder, {op: el.value, error: ''}); ctx.draw() },
    async applyfilter(ctx) {
      const b = ctx.ui.builder, field = b.fields.find(f => f.name === b.field) || b.fields[0], op = b.op || field.ops[0].name
      const reply = await ctx.ask('add_filter', {field: field.name, op, value: builderValue(ctx)})
      if (reply.error) { b.error = reply.error; ctx.draw() } else closePop(ctx)
    },
    unfilter: ({tell}, el) => tell('unfilter', {name: el.dataset.id_}), add: ({tell}) => tell('add'),
    'pipeline:change': ({tell}, el) => tell('pipeline', {name: el.value}),
    'find:input'(ctx, el) { clearTimeout(ctx.ui.timer); ctx.ui.timer = setTimeout(() => ctx.tell('find', {text: el.value}), 220) },
    'find:keydown'(ctx, el, e) { if (e.key === 'Enter') { clearTimeout(ctx.ui.timer); ctx.tell('find', {text: el.value}) } },
    '*keydown'(ctx, e) { if (e.key === 'Escape' && ctx.ui.pop) { e.stopPropagation(); closePop(ctx) } },
    '*click'(ctx, e) { if (ctx.ui.pop && !e.composedPath().some(n => n.classList?.contains('pop') || n.classList?.contains('bulk'))) closePop(ctx, false) },
  }
}
// The exact counts and sums come after the rows, so that the rows need not wait for them.
function totalsLater(ctx) {
  const {stamp, view, views = []} = ctx.model.content, tabs = `${view} ${views.map(v => v.count)}`
  if (ctx.ui.tabs !== tabs) {      // the view that is shown is among the tabs one sees; counts make them wider
    ctx.ui.tabs = tabs
    setTimeout(() => { const tab = ctx.root.querySelector('.tabs [aria-current]'), bar = tab?.parentNode; if (bar && tab.offsetLeft + tab.offsetWidth > bar.offsetLeft + bar.scrollLeft + bar.clientWidth) bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - 40 }, 60)
  }
  if (stamp == null || ctx.ui.stamp === stamp) return
  ctx.ui.stamp = stamp
  setTimeout(() => { if (ctx.model.content.stamp === stamp) ctx.tell('totals', {stamp}) }, 80)
}
function download(name, text, type) {
  const link = h('a', null); link.href = URL.createObjectURL(new Blob([text], {type})); link.download = name
  document.body.append(link); link.click(); link.remove(); setTimeout(() => URL.revokeObjectURL(link.href), 10000)
}
