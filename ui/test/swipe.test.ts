import { beforeEach, describe, expect, it, vi } from 'vitest';
import { swipe, type SwipeSide } from '../src/kit/swipe';

const WIDTH = 360;
let row: HTMLElement;
let sides: SwipeSide[];
let moves: number[];
const swiped = vi.fn<(side: SwipeSide) => void>();
let clicks = 0;

beforeEach(() => {
  row = document.createElement('div');
  row.innerHTML = '<a href="#here">one</a>';
  Object.defineProperty(row, 'clientWidth', { value: WIDTH });
  [sides, moves, clicks] = [['left', 'right'], [], 0];
  swiped.mockReset();
  row.firstElementChild!.addEventListener('click', () => clicks++);
  swipe({ may: (side) => sides.includes(side), onmove: (dx) => moves.push(dx), onswipe: swiped })(row);
});

/** A finger along these points, [x, y] from where it came down, ms apart. */
function finger(points: [number, number][], { kind = 'touch', ms = 200, end = 'pointerup' } = {}) {
  const send = (type: string, [x, y]: [number, number], at: number) => {
    const event = new MouseEvent(type, { bubbles: true, clientX: x, clientY: y });
    Object.defineProperties(event, {
      pointerId: { value: 1 },
      pointerType: { value: kind },
      isPrimary: { value: true },
      timeStamp: { value: at },
    });
    row.firstElementChild!.dispatchEvent(event);
  };
  send('pointerdown', [0, 0], 0);
  points.forEach((point, i) => send('pointermove', point, (i + 1) * ms));
  send(end, points.at(-1)!, points.length * ms);
  if (end === 'pointerup') row.querySelector('a')!.click();
}

describe('a finger on a row', () => {
  it('that goes far enough does what is on that side, once, and opens nothing', () => {
    finger([[40, 2], [140, 4]]); // prettier-ignore
    expect(swiped).toHaveBeenCalledExactlyOnceWith('right');
    expect(moves.at(-1)).toBe(0);
    expect(clicks).toBe(0);
  });

  it('that flicks needs no distance', () => {
    finger([[-30, 0], [-60, 0]], { ms: 20 }); // prettier-ignore
    expect(swiped).toHaveBeenCalledExactlyOnceWith('left');
  });

  it('that comes back changes nothing', () => {
    finger([[150, 0], [20, 0]]); // prettier-ignore
    expect(swiped).not.toHaveBeenCalled();
    expect(clicks).toBe(0);
  });

  it('that scrolls or taps is none of its business', () => {
    finger([[4, 30], [200, 60]]); // prettier-ignore
    expect(moves.every((dx) => dx === 0)).toBe(true);
    finger([[3, 3]]);
    expect(clicks).toBe(2);
    expect(swiped).not.toHaveBeenCalled();
  });

  it('meets resistance where nothing is to be done', () => {
    sides = ['right'];
    finger([[-200, 0]]);
    expect(Math.min(...moves)).toBeGreaterThan(-50);
    expect(swiped).not.toHaveBeenCalled();
  });

  it('taken over by the browser, or a mouse, changes nothing', () => {
    finger([[200, 0]], { end: 'pointercancel' });
    finger([[200, 0]], { kind: 'mouse' });
    expect(swiped).not.toHaveBeenCalled();
    expect(moves.at(-1)).toBe(0);
  });
});
