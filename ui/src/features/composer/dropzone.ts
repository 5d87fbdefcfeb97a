import type { Attachment } from 'svelte/attachments';

/** Takes files dropped on an element; over says whether some hover there now. */
export function dropzone(take: (files: FileList) => void, over: (on: boolean) => void): Attachment<HTMLElement> {
  return (element) => {
    const events: Record<string, (e: DragEvent) => void> = {
      dragover: (e) => {
        if (!e.dataTransfer?.types.includes('Files')) return;
        e.preventDefault();
        over(true);
      },
      dragleave: () => over(false),
      drop: (e) => {
        over(false);
        if (!e.dataTransfer?.files.length) return;
        e.preventDefault();
        take(e.dataTransfer.files);
      },
    };
    const abort = new AbortController();
    for (const [name, run] of Object.entries(events)) {
      element.addEventListener(name, run as EventListener, { signal: abort.signal });
    }
    return () => abort.abort();
  };
}
