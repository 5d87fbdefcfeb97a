import { Editor } from '@tiptap/core';
import Image from '@tiptap/extension-image';
import { Placeholder } from '@tiptap/extensions';
import StarterKit from '@tiptap/starter-kit';
import DOMPurify from 'dompurify';
import { keys } from '$core/keys.svelte';
import type { StoredFile } from '../file/file.api';
import type { EditorHandle, Marks } from './handle';
import { incoming, markStored, outgoing, removeImage, showStored } from './images';

interface Options {
  element: HTMLElement;
  html: string;
  label: string;
  placeholder: () => string;
  onchange: (html: string) => void;
  onmarks: (marks: Marks) => void;
  /** A file that is no image was pasted. */
  onfile: (file: File) => void;
  /** An image was pasted or picked: sends it and returns the key of the upload. */
  onimage: (file: File, done: (file: StoredFile) => void) => string;
}

export interface DeskEditor {
  handle: EditorHandle;
  set(html: string): void;
  refresh(placeholder: string): void;
  destroy(): void;
}

/** An image that knows its upload and, once the server has it, its stored file. */
const UploadedImage = Image.extend({
  addAttributes() {
    const data = (name: string) => ({
      default: null,
      parseHTML: (el: HTMLElement) => el.getAttribute(name),
      renderHTML: (attrs: Record<string, string | null>) => (attrs[name] ? { [name]: attrs[name] } : {}),
    });
    return { ...this.parent?.(), 'data-upload': data('data-upload'), 'data-file': data('data-file') };
  },
});

export function createEditor(options: Options): DeskEditor {
  const urls: string[] = [];
  const insertImage = (file: File) => {
    const src = URL.createObjectURL(file);
    urls.push(src);
    const key = options.onimage(file, (stored) => markStored(editor, key, stored.id, () => report()));
    editor
      .chain()
      .focus()
      .insertContent({ type: 'image', attrs: { src, alt: file.name, 'data-upload': key } })
      .run();
  };
  const take = (files: FileList | undefined | null): boolean => {
    const list = [...(files ?? [])];
    for (const file of list) (file.type.startsWith('image/') ? insertImage : options.onfile)(file);
    return list.length > 0;
  };
  const report = () => options.onchange(outgoing(editor.getHTML()));

  const editor: Editor = new Editor({
    element: options.element,
    injectCSS: false,
    extensions: [
      StarterKit.configure({
        heading: false,
        horizontalRule: false,
        link: { openOnClick: false, defaultProtocol: 'https' },
      }),
      UploadedImage.configure({ inline: true, allowBase64: true }),
      Placeholder.configure({ placeholder: () => options.placeholder() }),
    ],
    editorProps: {
      attributes: { role: 'textbox', 'aria-multiline': 'true', 'aria-label': options.label },
      handleKeyDown: (_view, e) => {
        if (!(e.ctrlKey || e.metaKey || e.key === 'Escape')) return false;
        keys.handle(e);
        return e.defaultPrevented;
      },
      handlePaste: (_view, e) => !e.clipboardData?.getData('text/html') && take(e.clipboardData?.files),
      transformPastedHTML: (html) => DOMPurify.sanitize(html, { FORBID_TAGS: ['style', 'img', 'form', 'input'] }),
    },
    onUpdate: report,
    onTransaction: ({ editor: now }) => options.onmarks(marksOf(now)),
  });
  const set = (html: string) => {
    editor.commands.setContent(incoming(html), { emitUpdate: false, parseOptions: { preserveWhitespace: true } });
    void showStored(editor);
  };
  if (options.html) set(options.html);

  return {
    set,
    refresh: () => editor.view.dispatch(editor.state.tr),
    destroy() {
      editor.destroy();
      urls.forEach((url) => URL.revokeObjectURL(url));
    },
    handle: handleOf(editor, insertImage),
  };
}

function handleOf(editor: Editor, insertImage: (file: File) => void): EditorHandle {
  const chain = () => editor.chain().focus();
  return {
    bold: () => chain().toggleBold().run(),
    italic: () => chain().toggleItalic().run(),
    bullets: () => chain().toggleBulletList().run(),
    numbers: () => chain().toggleOrderedList().run(),
    link: (href) => (href ? chain().extendMarkRange('link').setLink({ href }).run() : chain().unsetLink().run()),
    currentLink: () => (editor.getAttributes('link').href as string | undefined) ?? '',
    removeImage: (key) => removeImage(editor, key),
    insertImage,
    append: (text) => {
      if (!text) return;
      const lines = text.split('\n').map((line) => ({
        type: 'paragraph',
        content: line ? [{ type: 'text', text: line }] : [],
      }));
      if (editor.isEmpty) editor.commands.setContent(lines, { emitUpdate: true });
      else editor.commands.insertContentAt(editor.state.doc.content.size, lines);
    },
    // At once: the editor's own focus command waits for a frame, and the first letters typed would be lost.
    focus: () => {
      editor.commands.setTextSelection(editor.state.doc.content.size);
      editor.view.focus();
      editor.commands.scrollIntoView();
    },
  };
}

const marksOf = (editor: Editor): Marks => ({
  bold: editor.isActive('bold'),
  italic: editor.isActive('italic'),
  bullets: editor.isActive('bulletList'),
  numbers: editor.isActive('orderedList'),
  link: editor.isActive('link'),
});
