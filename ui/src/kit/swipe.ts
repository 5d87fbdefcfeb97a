import type { Attachment } from 'svelte/attachments';

export type SwipeSide = 'left' | 'right';

export interface SwipeOptions {
  /** Whether a swipe to that side does anything now. */
  may: (side: SwipeSide) => boolean;
  /** How far the finger has moved the element, in px; 0 when it is let go. */
  onmove: (dx: number) => void;
  /** The finger went far or fast enough. */
  onswipe: (side: SwipeSide) => void;
}

/** Less is a shaky tap. */
const START = 10;
/** So far along an element of this width, or so fast (px a ms) after FLICK px, it counts. */
const SHARE = 0.35;
const FAR_MAX = 140;
const FLICK = 40;
const FAST = 0.5;
/** How much an element follows to a side where nothing happens. */
const RESIST = 0.15;

/** How far one must swipe on an element of this width. */
export const farEnough = (width: number) => Math.min(width * SHARE, FAR_MAX);

/** Hears a finger that moves sideways; up and down stays scrolling (give the element `touch-action: pan-y`). */
export function swipe({ may, onmove, onswipe }: SwipeOptions): Attachment<HTMLElement> {
  return (element) => {
    let from: { id: number; x: number; y: number; at: number } | null = null;
    let dx = 0;
    let moving = false;

    const end = () => {
      from = null;
      moving = false;
      onmove((dx = 0));
    };
    const events: Partial<Record<keyof HTMLElementEventMap, (e: PointerEvent) => void>> = {
      pointerdown: (e) => {
        if (e.pointerType !== 'mouse' && e.isPrimary)
          from = { id: e.pointerId, x: e.clientX, y: e.clientY, at: e.timeStamp };
      },
      pointermove: (e) => {
        if (from?.id !== e.pointerId) return;
        const [x, y] = [e.clientX - from.x, e.clientY - from.y];
        if (!moving && Math.abs(y) > START) return end();
        if (!moving && Math.abs(x) < START) return;
        if (!moving) element.setPointerCapture?.(e.pointerId);
        moving = true;
        dx = may(x > 0 ? 'right' : 'left') ? x : x * RESIST;
        onmove(dx);
      },
      pointerup: (e) => {
        if (from?.id !== e.pointerId || !moving) return end();
        const side = dx > 0 ? 'right' : 'left';
        const fast = Math.abs(dx) > FLICK && Math.abs(dx) / (e.timeStamp - from.at) > FAST;
        const done = may(side) && (fast || Math.abs(dx) >= farEnough(element.clientWidth));
        swallowClick(element);
        end();
        if (done) onswipe(side);
      },
      pointercancel: end,
    };
    const abort = new AbortController();
    for (const [name, run] of Object.entries(events)) {
      element.addEventListener(name, run as EventListener, { signal: abort.signal });
    }
    return () => abort.abort();
  };
}

/** The click that follows a swipe opens nothing. */
function swallowClick(element: HTMLElement) {
  const stop = (e: Event) => {
    e.preventDefault();
    e.stopPropagation();
  };
  element.addEventListener('click', stop, { capture: true, once: true });
  setTimeout(() => element.removeEventListener('click', stop, { capture: true }));
}
