import inter from '@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url';

const MAX = 20_000;
/** The last paragraph's margin is no part of the mail. */
const TIDY = ':is(body, body > :last-child, body > :last-child > :last-child) > :last-child { margin-bottom: 0 }';
let font: Promise<ArrayBuffer> | undefined;

/**
 * Gives a mail frame our font, which its page names first. Its policy lets no
 * font load, so the bytes the desk has already are handed in; where a browser
 * does not want that, the page's system fonts stay.
 */
async function dress(frame: HTMLIFrameElement) {
  const page = frame.contentDocument?.defaultView as typeof globalThis | null | undefined;
  if (!page) return;
  try {
    const sheet = new page.CSSStyleSheet();
    sheet.replaceSync(TIDY);
    page.document.adoptedStyleSheets = [sheet];
    font ??= fetch(inter).then((answer) => answer.arrayBuffer());
    page.document.fonts.add(await new page.FontFace('Inter Variable', await font, { weight: '100 900' }).load());
  } catch {
    font = undefined; // the next mail tries again
  }
}

/** Makes a mail frame as high as its content, and keeps it so while images arrive or quotes unfold. */
export function fitHeight(frame: HTMLIFrameElement, set: (height: number) => void): () => void {
  let observer: ResizeObserver | undefined;
  const watch = () => {
    const root = frame.contentDocument?.documentElement;
    const body = frame.contentDocument?.body;
    if (!root || !body) return;
    void dress(frame);
    observer?.disconnect();
    const fit = () => set(Math.min(MAX, Math.ceil(root.getBoundingClientRect().height) + 1));
    observer = new ResizeObserver(fit);
    observer.observe(root);
    observer.observe(body);
    fit();
    // Keys pressed after a click into the mail belong to the desk.
    frame.contentDocument?.addEventListener('keydown', (e) => {
      const copy = new KeyboardEvent('keydown', { ...pick(e), bubbles: true, cancelable: true });
      if (!frame.dispatchEvent(copy)) e.preventDefault();
    });
  };
  frame.addEventListener('load', watch);
  if (frame.contentDocument?.readyState === 'complete') watch();
  return () => {
    observer?.disconnect();
    frame.removeEventListener('load', watch);
  };
}

function pick({ key, code, ctrlKey, shiftKey, altKey, metaKey }: KeyboardEvent): KeyboardEventInit {
  return { key, code, ctrlKey, shiftKey, altKey, metaKey };
}
