import type { Editor } from '@tiptap/core';
import { fileUrl } from '../file/file.api';
import { fileIdOf, storedSrc } from '../file/inline';

/** Holds the place of an image whose address is still being asked for. */
const BLANK = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

type Attrs = Record<string, unknown>;

function setImages(editor: Editor, wanted: (attrs: Attrs) => boolean, change: Attrs) {
  const found: [number, Attrs][] = [];
  editor.state.doc.descendants((node, pos) => {
    if (node.type.name === 'image' && wanted(node.attrs)) found.push([pos, node.attrs]);
  });
  const { tr } = editor.state;
  for (const [pos, attrs] of found) tr.setNodeMarkup(pos, undefined, { ...attrs, ...change });
  editor.view.dispatch(tr.setMeta('addToHistory', false));
}

/** The upload of an image is done: it knows its stored file. */
export function markStored(editor: Editor, key: string, id: string, done: () => void) {
  setImages(editor, (attrs) => attrs['data-upload'] === key, { 'data-file': id });
  done();
}

export function removeImage(editor: Editor, key: string) {
  editor.state.doc.descendants((node, pos) => {
    if (node.type.name !== 'image' || node.attrs['data-upload'] !== key) return;
    editor.view.dispatch(editor.state.tr.delete(pos, pos + 1));
  });
}

/** The HTML a message keeps: stored images by their plain address, nothing of the editor's own. */
export function outgoing(html: string): string {
  const body = new DOMParser().parseFromString(html, 'text/html').body;
  for (const img of body.querySelectorAll('img')) {
    const id = img.getAttribute('data-file') ?? fileIdOf(img.getAttribute('src') ?? '');
    if (id) img.setAttribute('src', storedSrc(id));
    else img.remove();
    img.removeAttribute('data-file');
    img.removeAttribute('data-upload');
  }
  return body.innerHTML;
}

/** The same the other way round, at once, so that nothing typed meanwhile is overwritten; showStored follows. */
export function incoming(html: string): string {
  const body = new DOMParser().parseFromString(html, 'text/html').body;
  for (const img of body.querySelectorAll('img')) {
    const id = fileIdOf(img.getAttribute('src') ?? '');
    if (!id) img.remove();
    else {
      img.setAttribute('data-file', id);
      img.setAttribute('src', BLANK);
    }
  }
  return body.innerHTML;
}

/** Gives stored images an address this browser can load. */
export async function showStored(editor: Editor) {
  const ids = new Set<string>();
  editor.state.doc.descendants((node) => {
    if (node.attrs.src === BLANK) ids.add(String(node.attrs['data-file']));
  });
  for (const id of ids) {
    const src = await fileUrl(id).catch(() => null);
    if (src && !editor.isDestroyed)
      setImages(editor, (attrs) => attrs.src === BLANK && attrs['data-file'] === id, { src });
  }
}
