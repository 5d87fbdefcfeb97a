import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const NARROW = { width: 320, height: 640 };

/** Serious and critical findings of axe-core, in light and in dark colours. */
export async function inspect(page) {
  if (!(await page.evaluate('typeof axe === "object"'))) await page.evaluate(axe);
  const light = await run(page, { runOnly: TAGS });
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await run(page, { runOnly: { type: 'rule', values: ['color-contrast'] } });
  await page.emulateMedia({ colorScheme: 'light' });
  return [...light, ...dark.map((one) => `dark: ${one}`)];
}

/** Runs axe once nothing moves any more: half-faded text has another contrast. */
function run(page, options) {
  return page.evaluate(async (given) => {
    const moving = document.getAnimations().filter((one) => one.effect?.getComputedTiming().iterations !== Infinity);
    await Promise.all(moving.map((one) => one.finished.catch(() => undefined)));
    const { violations } = await window.axe.run(document, { ...given, iframes: false });
    return (
      violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        // What an open menu covers for a moment is no small target.
        .filter(({ id, nodes }) => id !== 'target-size' || nodes.some((node) => !/obscured/.test(node.any[0]?.message)))
        .map(
          ({ id, nodes }) =>
            `${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ')}`,
        )
    );
  }, options);
}

/** What sticks out of the window sideways, here and on the narrowest phone. */
export async function overflow(page) {
  const size = page.viewportSize();
  const found = await settled(page, true);
  await page.setViewportSize(NARROW);
  const narrow = await settled(page, false);
  await page.setViewportSize(size);
  return [...found, ...narrow.map((one) => `${NARROW.width} px: ${one}`)];
}

/** Menus find their place a few frames later; one left open while the window shrinks is nobody's case. */
async function settled(page, menus) {
  let found = [];
  for (let tries = 0; tries < 10; tries++) {
    found = await page.evaluate(sticksOut, menus);
    if (found.length === 0) break;
  }
  return found;
}

/** Runs in the page: everything beyond the right edge that no box scrolls or cuts off with an ellipsis. */
async function sticksOut(menus) {
  if (!menus && document.querySelector('.pop')) return [];
  for (let i = 0; i < 3; i++) await new Promise((done) => requestAnimationFrame(done));
  const edge = document.documentElement.clientWidth;
  const scrolls = (one) => {
    for (let box = one.parentElement; box; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (/auto|scroll/.test(style.overflowX) && box.getBoundingClientRect().right <= edge + 1) return true;
      if (style.textOverflow === 'ellipsis' && style.overflowX !== 'visible') return true;
    }
    return false;
  };
  const found = [...document.body.querySelectorAll('*')].filter((one) => {
    const { right, width, height } = one.getBoundingClientRect();
    return width > 1 && height > 1 && right > edge + 1 && !scrolls(one) && !one.closest('.sr, svg');
  });
  const all = found.map(
    (one) => `${one.tagName.toLowerCase()}.${one.className} "${one.textContent?.trim().slice(0, 30)}"`,
  );
  if (document.documentElement.scrollWidth > edge) all.push('the page scrolls sideways');
  return all.slice(0, 5);
}

/** Controls a finger can't hit well: less than 44 px, a pixel for borders left aside, or cut off at the side. */
export function cramped(page) {
  return page.evaluate((least) => {
    const edge = document.documentElement.clientWidth;
    const name = (one) =>
      `${one.tagName.toLowerCase()} "${(one.ariaLabel || one.textContent || '').trim().slice(0, 30)}"`;
    const seen = (one) => {
      const { left, right, top, bottom, width } = one.getBoundingClientRect();
      const box = scroller(one);
      return width > 0 && left >= 0 && right <= edge && top >= box.top && bottom <= box.bottom - least / 2;
    };
    const scroller = (one) => {
      for (let box = one.parentElement; box; box = box.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(box).overflowY)) return box.getBoundingClientRect();
      }
      return { top: 0, bottom: innerHeight };
    };
    /** How many px up and down from its middle still belong to it. */
    const height = (one) => {
      const { left, right, top, bottom } = one.getBoundingClientRect();
      const [x, y] = [(left + right) / 2, (top + bottom) / 2];
      const mine = (at) => {
        const hit = document.elementFromPoint(x, at);
        return one.contains(hit) || hit?.closest('label')?.contains(one);
      };
      if (!mine(y)) return Infinity; // something lies over it
      let [up, down] = [0, 0];
      while (up < least && mine(y - up - 1)) up++;
      while (down < least && mine(y + down + 1)) down++;
      return up + down + 1;
    };
    const cut = (one) => {
      for (let box = one.parentElement; box; box = box.parentElement) {
        const { overflowX } = getComputedStyle(box);
        if (/auto|scroll/.test(overflowX)) return false;
        if (/hidden|clip/.test(overflowX) && one.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
          return true;
      }
      return false;
    };
    // What lies under an open menu is measured when it is closed.
    const top = document.querySelector('.pop') ?? document;
    const controls = [...top.querySelectorAll('a[href], button, input, select, textarea')].filter(
      (one) => !one.closest('.sr, [inert], tr') && !one.matches('.skip, .link'),
    );
    return [
      ...controls.filter(cut).map((one) => `${name(one)} is cut off`),
      ...controls
        .filter((one) => seen(one) && height(one) < least - 3)
        .map((one) => `${name(one)} is ${height(one)} px`),
    ].slice(0, 5);
  }, 44);
}

/** Steps through the page with Tab and names what shows no focus. */
export async function hiddenFocus(page, steps = 12) {
  const hidden = [];
  await page.evaluate(() => document.activeElement?.blur());
  for (let i = 0; i < steps; i++) {
    await page.keyboard.press('Tab');
    const bad = await page.evaluate(looksTheSame);
    if (bad) hidden.push(bad);
  }
  return hidden;
}

/** Runs in the page: what the focused element is, when it looks the same without the focus. */
function looksTheSame() {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const look = () => {
    const looks = [];
    for (let box = one, i = 0; box && i < 5; box = box.parentElement, i++) {
      const { outlineStyle, outlineWidth, boxShadow, borderColor, backgroundColor, top } = getComputedStyle(box);
      looks.push([
        outlineStyle,
        outlineStyle === 'none' ? '' : outlineWidth,
        boxShadow,
        borderColor,
        backgroundColor,
        top,
      ]);
    }
    return JSON.stringify(looks);
  };
  document.querySelectorAll('*').forEach((each) => each.getAnimations().forEach((move) => move.finish()));
  const focused = look();
  one.blur();
  const plain = look();
  one.focus({ focusVisible: true });
  return focused === plain
    ? `${one.tagName.toLowerCase()} "${(one.ariaLabel ?? one.textContent ?? '').trim().slice(0, 40)}"`
    : null;
}
