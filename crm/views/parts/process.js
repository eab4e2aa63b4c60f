// Process: content {wide, narrow, file, svg}: each drawing [tag, {attributes}, [children] or text]; a click on a stage asks `stage` → {label, facts: [[what, figure]], href}
const Process = part((content, ctx) => {
  const {t, ui} = ctx, one = ui.chosen
  return [h('div.pm-wide', {key: 'wide', tabindex: 0, label: content.title}, draw(content.wide, ui)), h('div.pm-narrow', {key: 'narrow'}, draw(content.narrow, ui)),
    h('div.pm-foot', {key: 'foot', role: 'status', class: one ? 'chosen' : ''}, one ? [h('b', null, one.label), one.facts.map(([what, figure]) => h('span', null, h('small', null, what), h('strong.num', null, figure))), one.href && h('a', {href: one.href}, t('Show them'))] : h('span.meta', null, t('Choose a stage to see what is in it.')),
      h('span.grow'), button('save', 'download', t('Download as SVG'), {class: 'quiet'}))]
}, {
  pick: (ctx, el) => choose(ctx, el.dataset.stage),
  'pick:keydown'(ctx, el, e) { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); choose(ctx, el.dataset.stage) } },
  async save(ctx) {
    const {svg} = await ctx.ask('svg'), link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([svg], {type: 'image/svg+xml'})); link.download = ctx.model.content.file; link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 1000)
  },
})
const draw = ([tag, attrs, kids], ui) => h(tag === 'svg' ? 'svg' : `svg:${tag}`, {...attrs, ...(attrs['data-stage'] ? {act: 'pick', 'aria-pressed': String(ui.chosen?.stage === attrs['data-stage'])} : {})}, Array.isArray(kids) ? kids.map(kid => draw(kid, ui)) : kids)
async function choose(ctx, stage) {
  const reply = await ctx.ask('stage', {stage})
  if (reply.error) return ctx.say(reply.error)
  ctx.ui.chosen = {...reply, stage}; ctx.draw()
}
