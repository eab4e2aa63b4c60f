// Forecast: the months to come side by side; a line opens to be adjusted in place
const Forecast = part((content, ctx) => {
  const {title, help, says, note, undated, cuts = [], others = [], asof, today, waiting, fault, tiles, fan, columns = [], rows = [], total, group, whatif} = content, {t, ui} = ctx
  const pills = (list, label) => list.length ? h('nav.opts', {label, key: label}, list.map(one => h('a.button', {key: one.name, href: one.href, 'aria-current': one.on ? 'true' : null}, one.label))) : null
  return h('section.forecast', {label: title},
    h('header.bar', {key: 'head'}, h('div.two', null, h('h1', null, title), help && h('small', null, help)), h('span.grow'),
      h('label.asday', null, h('span', null, t('As of')), daybox(content.day, '', {act: 'asof', value: asof || today, max: today})), asof && h('a.button', {key: 'now', href: content.address}, t('Now')),
      whatif && h('a.button', {href: whatif, key: 'whatif'}, icon('tune'), t('What if…')), button('notebook', 'code', '', {label: t('Open in notebook'), class: 'quiet'})),
    h('div.bar.cuts', {key: 'cuts'}, pills(others, t('Forecast')), pills(cuts, t('By'))),
    fault && h('p.errors', {role: 'alert', key: 'fault'}, fault),
    waiting && h('p.waiting', {role: 'status', key: 'waiting'}, h('span.spin'), waiting),
    tiles && [says && h('p.says', {key: 'says'}, says), h('div.upper', {key: 'upper'}, figureTiles(tiles),
      fanChart(fan, t('Likely, eight of ten between'), {legend: [['band', t('Likely, eight of ten between')], ['done', t('Won already')], ...(fan.columns.some(c => c.goal != null) ? [['goal', t('Goal')]] : []), ...(content.adjusted ? [['other', t('Adjusted')]] : [])]})),
      h('div.scroll', {key: 'table', tabindex: 0, role: 'region', label: title}, h('table.months', null, h('caption.sr', null, title),
        h('thead', null, h('tr', null, h('th', {scope: 'col'}, group ? `${t('Month')} · ${group}` : t('Month')), columns.map(c => h('th.num', {scope: 'col', key: c.key, title: c.help, class: `c-${c.key}`}, c.label)))),
        h('tbody', null, rows.map(row => [line(row, ctx, 'month'), editing(row, ctx), shown(ctx, row) && row.groups.map(one => [line(one, ctx, 'group'), editing(one, ctx)])])),
        h('tfoot', null, h('tr', null, h('th', {scope: 'row'}, total.label), columns.map(c => cell(total.cells[c.key], c, null, ctx)))))),
      h('p.meta', {key: 'note'}, [undated, note].filter(Boolean).join(' '))])
}, {
  start: ctx => setTimeout(() => ctx.model.content.waiting && ctx.ask('load')),     // once the page stands
  'asof:change': (ctx, el) => { const day = el.value; if (day) ctx.go(ctx.model.content.address + (day < ctx.model.content.today ? `&asof=${day}` : '')) },
  fold(ctx, el) { const key = el.dataset.id_; ctx.ui.folds = {...ctx.ui.folds, [key]: !shown(ctx, {key, groups: []})}; ctx.draw() },
  edit(ctx, el) { ctx.ui.editing = ctx.ui.editing === el.dataset.id_ ? null : el.dataset.id_; ctx.ui.error = ''; ctx.ui.one = null; ctx.draw(); ctx.focus('tr.editing input[name=amount]') },
  leave(ctx) { const key = ctx.ui.editing; Object.assign(ctx.ui, {editing: null, one: null, error: ''}); ctx.draw(); ctx.focus(`[data-act=edit][data-id_="${key}"]`) },
  '*keydown'(ctx, event) { if (event.key === 'Escape' && ctx.ui.editing != null) { event.stopPropagation(); acts_leave(ctx) } },
  change(ctx, el) { const row = lineOf(ctx, ctx.ui.editing); ctx.ui.one = row.lines.find(one => String(one.id) === el.dataset.id_); ctx.draw(); const form = ctx.root.querySelector('tr.editing form'); form.amount.value = ctx.ui.one.typed; form.note.value = ctx.ui.one.note; if (form.category) form.category.value = ctx.ui.one.category; ctx.focus('tr.editing input[name=amount]') },
  async save(ctx, form) {
    const row = lineOf(ctx, ctx.ui.editing)
    if (ctx.ui.busy) return
    ctx.ui.busy = true
    const reply = await ctx.ask('adjust', {month: row.month, who: row.who, amount: form.amount.value, note: form.note.value, category: form.category?.value || '', ...(ctx.ui.one ? {id: ctx.ui.one.id} : {})})
    ctx.ui.busy = false
    if (reply.error) { ctx.ui.error = Object.values(reply.problems || {})[0] || reply.error; ctx.draw(); return ctx.focus('tr.editing input[name=amount]') }
    acts_leave(ctx)
  },
  async drop(ctx, el) { const reply = await ctx.ask('drop', {id: Number(el.dataset.id_)}); if (reply.error) { ctx.ui.error = reply.error; ctx.draw() } },
  async notebook(ctx) { const reply = await ctx.ask('notebook'); if (reply.file) { save_file(reply.file); ctx.say(ctx.t('Saved as {name}', {name: reply.file.name})) } },
})
const acts_leave = ctx => { const key = ctx.ui.editing; Object.assign(ctx.ui, {editing: null, one: null, error: ''}); ctx.draw(); ctx.focus(`[data-act=edit][data-id_="${key}"]`) }
const lineOf = (ctx, key) => ctx.model.content.rows.flatMap(row => [row, ...(row.groups || [])]).find(row => row.key === key)
// The first month shows its groups; the others when asked
const shown = (ctx, row) => row.groups && (ctx.ui.folds?.[row.key] ?? row.key === 'm0')
const cell = (one, column, row, {t}) => h('td.num', {key: column.key, class: `c-${column.key}`, 'data-label': column.label},
  one.href ? h('a', {href: one.href, title: t('Show the records')}, one.text) : one.text && h('span', null, one.text), one.sub && h('small', null, one.sub))
function line(row, ctx, kind) {
  const {t, ui, model} = ctx, {columns, may} = model.content
  return h('tr', {key: row.key, class: `${kind}${ui.editing === row.key ? ' open' : ''}`}, h('th', {scope: 'row'}, row.groups
    ? h('button.fold', {type: 'button', act: 'fold', id_: row.key, 'aria-expanded': String(shown(ctx, row)), title: shown(ctx, row) ? t('Hide the groups') : t('Show the groups')}, icon(shown(ctx, row) ? 'expand_more' : 'chevron_right'), row.label) : row.label),
  columns.map(c => c.key !== 'adjusted' ? cell(row.cells[c.key], c, row, ctx)
    : h('td.num.c-adjusted', {key: c.key, 'data-label': c.label}, (may && row.open) || row.lines.length
      ? h('button.adjust', {type: 'button', act: 'edit', id_: row.key, 'aria-expanded': String(ui.editing === row.key), title: t('Adjust {what}', {what: row.label}), label: `${t('Adjust {what}', {what: row.label})} ${row.cells.adjusted.text}`}, row.cells.adjusted.text ? [h('span', null, row.cells.adjusted.text), h('small', null, row.cells.adjusted.sub)] : row.lines.length ? h('small', null, row.lines[0].amount) : icon('edit'))
      : null)))
}
function editing(row, {t, ui, model}) {
  if (ui.editing !== row.key) return null
  const {columns, categories = [], may} = model.content
  return h('tr.editing', {key: `${row.key}-edit`}, h('td', {colspan: columns.length + 1},
    row.lines.length ? h('ul.adjustments', {key: 'kept'}, row.lines.map(one => h('li', {key: String(one.id)}, h('b.num', null, one.amount), one.figure && h('span.chip', null, one.figure), h('span.why', null, one.note), h('a.meta', {href: one.href}, [one.who, one.when].filter(Boolean).join(', ')),
      one.may && button('change', 'edit', t('Change'), {id_: String(one.id), class: 'small'}), one.goes && button('drop', 'delete', '', {id_: String(one.id), label: t('Remove'), class: 'quiet small'}),
      one.past.length ? h('ul.past', {label: t('How it changed')}, one.past.map((words, i) => h('li', {key: String(i)}, words))) : null))) : null,
    may && row.open && h('form', {act: 'save', key: 'form', label: t('Adjust {what}', {what: row.label})},
      h('label', null, h('span', null, t('How much more or less')), h('input', {name: 'amount', inputmode: 'text', autocomplete: 'off', required: true, placeholder: '+10 000', 'aria-invalid': ui.error ? 'true' : null})),
      categories.length > 1 && h('label', null, h('span', null, t('Figure')), h('select', {name: 'category'}, categories.map(([value, words]) => h('option', {value, key: value}, words)))),
      h('label.wide', null, h('span', null, t('Why')), h('input', {name: 'note', maxlength: 400, autocomplete: 'off'})),
      h('span.push', null, h('button.primary', {type: 'submit'}, t('Save')), button('leave', '', t('Cancel'), {class: 'quiet'}))),
    ui.error && h('em', {role: 'alert', key: 'error'}, ui.error)))
}
