/** What the toolbar may ask of the editor, whose code arrives later. */
export interface EditorHandle {
  bold(): void;
  italic(): void;
  bullets(): void;
  numbers(): void;
  /** Sets or, with '', removes the link on the selection. */
  link(url: string): void;
  currentLink(): string;
  removeImage(key: string): void;
  insertImage(file: File): void;
  focus(): void;
  /** Adds plain text at the end. */
  append(text: string): void;
}

export interface Marks {
  bold: boolean;
  italic: boolean;
  bullets: boolean;
  numbers: boolean;
  link: boolean;
}
export const NO_MARKS: Marks = { bold: false, italic: false, bullets: false, numbers: false, link: false };
