// A network and a machine of changing speed: what is sent and received comes late now and then (in its order), and short timers
// take half as long or up to four times as long. What a screen or a test takes for granted about time comes to light.
(seed => {
  let state = seed >>> 0
  const chance = () => { state = (state + 0x6d2b79f5) >>> 0; let t = state; t = Math.imul(t ^ t >>> 15, t | 1); t ^= t + Math.imul(t ^ t >>> 7, t | 61); return ((t ^ t >>> 14) >>> 0) / 4294967296 }
  const timer = window.setTimeout.bind(window)
  const late = () => chance() < 0.12 ? new Promise(done => timer(done, 20 + 300 * chance())) : null
  const inOrder = run => { let last = Promise.resolve(); return (...all) => { last = last.then(late).then(() => run(...all)) } }
  window.setTimeout = (run, wait = 0, ...more) => timer(run, wait >= 20 && wait <= 1000 ? wait * (chance() < 0.5 ? 0.5 : 1 + 3 * chance()) : wait, ...more)
  window.WebSocket = class extends window.WebSocket {
    constructor(...all) { super(...all); this.later = inOrder(data => { if (this.readyState === 1) super.send(data) }) }
    send(data) { this.later(data) }
    set onmessage(run) { const later = inOrder(event => run.call(this, event)); super.onmessage = run && (event => later(event)) }
    get onmessage() { return super.onmessage }
  }
})(SEED)
