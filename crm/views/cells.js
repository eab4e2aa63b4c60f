// Small drawings shared by several parts.
// One cell: text, or {text, tone, href, who, stage, color, list}
function cellNode(c, {link = true} = {}) {
  if (c == null || c === '') return null
  if (typeof c !== 'object') return String(c)
  if (Array.isArray(c)) return c.map(x => h('span.chip', null, cellNode(x)))
  if (c.stage) return h('span.stage', {style: `--dot:${dotColor(c.color)}`}, c.stage, c.late && h('small.late', null, ` ${c.late}`))
  if (c.who) return [initials(c.who), c.named && h('span', null, ` ${c.who}`)]
  if (c.list) return c.list.map(x => h('span.chip', null, typeof x === 'object' ? x.text : x))
  if (c.swatch) return h('span.swatch', {style: `--dot:${dotColor(c.swatch)}`}, c.text)
  if (c.color && c.text) return h('span.stage', {style: `--dot:${dotColor(c.color)}`, class: c.tone}, c.text)
  if (c.href && link) return h('a', {href: c.href, class: c.tone, tabindex: -1}, c.text)
  return h('span', {class: c.tone}, c.text)
}
const NAMED = {grey: 'c5', gray: 'c5', blue: 'c1', indigo: 'c1', teal: 'c2', cyan: 'c2', amber: 'c3', orange: 'c3', yellow: 'warn', violet: 'c4', purple: 'c4', pink: 'c4', green: 'good', red: 'bad'}
const dotColor = color => NAMED[color] ? `var(--${NAMED[color]})` : typeof color === 'number' || /^\d$/.test(color) ? `var(--c${color})` : /^#[0-9a-f]{3,8}$/i.test(color || '') ? color : `var(--${/^[a-z0-9-]+$/.test(color || '') ? color : 'c5'})`
const cellText = c => c == null ? '' : typeof c !== 'object' ? String(c) : c.text ?? c.stage ?? c.who ?? (c.list || []).join(', ')


// The short joy of a won one: paper falling for a second, for those who do not mind motion
function joy(root) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return
  const sky = h('div.joy', {'aria-hidden': 'true'}, [...Array(42)].map((_, i) => h('i', {style: `left:${(i * 37) % 100}%;background:var(--c${1 + i % 5});animation-delay:${(i * 53) % 420}ms;--turn:${(i * 97) % 360}deg;--drift:${(i * 29) % 90 - 45}px`})))
  root.parentNode.append(sky); setTimeout(() => sky.remove(), 2400)
}
// Where a menu opened from inside a scrolling box stands: fixed to the window, never cut off
function fixedAt(opener, rows = 6) {
  const box = opener.getBoundingClientRect(), high = rows * 36 + 16
  const top = box.bottom + high > innerHeight && box.top > high ? box.top - high : Math.min(box.bottom + 2, Math.max(8, innerHeight - high))
  return `position:fixed;inset:${Math.max(8, top)}px auto auto ${Math.max(8, Math.min(box.right - 190, innerWidth - 206))}px;width:198px;max-height:60vh;overflow:auto`
}
