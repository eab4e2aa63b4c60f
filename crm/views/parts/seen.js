// Keeps the room of a card and tells the server when it comes near the window.
const Seen = part(({title, height}, {t}) => h('section.awaited', {style: `min-height:${Number(height) || 60}px`, 'aria-busy': 'true', label: title}, title && h('h2', null, title), h('p.sr', null, t('Loading…'))), {
  start(ctx) {
    ctx.watch = new IntersectionObserver(entries => { if (entries.some(e => e.isIntersecting)) { ctx.watch.disconnect(); ctx.ask('seen') } }, {rootMargin: '300px'})
    ctx.watch.observe(ctx.root)
  },
  stop: ctx => ctx.watch?.disconnect(),
})
