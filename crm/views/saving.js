// A file the server gave, {name, kind, data: base64}, saved by the browser.
function save_file({name, kind, data}) {
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0)), link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([bytes], {type: kind})); link.download = name; link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
