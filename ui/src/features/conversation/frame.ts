const MAX = 20_000;

/** Makes a mail frame as high as its content, and keeps it so while images arrive or quotes unfold. */
export function fitHeight(frame: HTMLIFrameElement, set: (height: number) => void): () => void {
  let observer: ResizeObserver | undefined;
  const watch = () => {
    const root = frame.contentDocument?.documentElement;
    const body = frame.contentDocument?.body;
    if (!root || !body) return;
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
