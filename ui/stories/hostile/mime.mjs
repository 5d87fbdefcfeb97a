const word = (text) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
const base64 = (content) => Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\n');

let sent = 0;

/** A mail as bytes; names and subjects travel encoded, so that they arrive as they are. */
export function compose({ from, name, to, subject, html, files = [] }) {
  const head = [
    `From: ${name ? `${word(name)} ` : ''}<${from}>`,
    `To: <${to}>`,
    `Subject: ${word(subject)}`,
    `Message-ID: <hostile-${process.pid}-${++sent}@attacker.example>`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=edge',
  ];
  const parts = [
    ['Content-Type: text/html; charset=utf-8', html],
    ...files.map(({ name: file, type, content }) => [
      `Content-Type: ${type}; name="${word(file)}"\nContent-Disposition: attachment; filename="${word(file)}"`,
      content,
    ]),
  ];
  const body = parts.map(
    ([lines, content]) => `--edge\n${lines}\nContent-Transfer-Encoding: base64\n\n${base64(content)}\n`,
  );
  return { from, to, raw: `${head.join('\n')}\n\n${body.join('')}--edge--\n` };
}
