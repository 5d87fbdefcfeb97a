/** Short HTML texts (signature, auto-reply) are edited as plain paragraphs. */
export function fromHtml(html: string): string {
  const body = new DOMParser().parseFromString(
    html.replace(/<br\s*\/?>/gi, '\n').replace(/<\/p>\s*<p[^>]*>/gi, '\n\n'),
    'text/html',
  ).body;
  return (body.textContent ?? '').trim();
}

export function toHtml(text: string): string {
  const box = document.createElement('p');
  const escape = (part: string) => {
    box.textContent = part;
    return box.innerHTML;
  };
  return text
    .trim()
    .split(/\n{2,}/)
    .filter(Boolean)
    .map((part) => `<p>${escape(part).replaceAll('\n', '<br>')}</p>`)
    .join('');
}
