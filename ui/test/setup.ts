import '@testing-library/jest-dom/vitest';
import { cleanup } from '@testing-library/svelte';
import { afterEach, vi } from 'vitest';
import { locale } from '../src/core/i18n.svelte';
import { PARTS, type Part } from '../src/core/parts';

afterEach(cleanup);
await locale.bring(...(Object.keys(PARTS) as Part[]));

// jsdom draws nothing: what the workspace asks of a browser at start answers calmly.
window.matchMedia ??= vi.fn((media: string) => ({
  matches: false,
  media,
  addEventListener: () => {},
  removeEventListener: () => {},
})) as unknown as typeof window.matchMedia;
Element.prototype.scrollIntoView ??= () => {};
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
} as unknown as typeof ResizeObserver;
