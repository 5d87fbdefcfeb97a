import { read, write } from './storage';

/** Fingers: larger targets, rows that can be swiped. */
const TOUCH = '(max-width: 759px), (pointer: coarse)';

export type Theme = 'light' | 'dark' | 'system';

/** Light, dark or as the system says; written on <html> for tokens.css. */
class ThemeChoice {
  choice = $state<Theme>((read('theme') as Theme | null) ?? 'system');

  start(): () => void {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const touch = matchMedia(TOUCH);
    const apply = () => {
      const wanted = this.choice === 'system' ? (dark.matches ? 'dark' : 'light') : this.choice;
      document.documentElement.dataset.theme = wanted;
      if (touch.matches) document.documentElement.dataset.density = 'touch';
      else delete document.documentElement.dataset.density;
    };
    this.#apply = apply;
    apply();
    dark.addEventListener('change', apply);
    touch.addEventListener('change', apply);
    return () => {
      dark.removeEventListener('change', apply);
      touch.removeEventListener('change', apply);
    };
  }

  set(choice: Theme) {
    this.choice = choice;
    write('theme', choice === 'system' ? null : choice);
    this.#apply();
  }

  #apply = () => {};
}
export const theme = new ThemeChoice();

/** True below 760 px: one pane at a time. */
class Viewport {
  phone = $state(matchMedia('(max-width: 759px)').matches);
  touch = $state(matchMedia(TOUCH).matches);
  /** Room for the side panel beside list and conversation. */
  wide = $state(matchMedia('(min-width: 1180px)').matches);

  start(): () => void {
    const phone = matchMedia('(max-width: 759px)');
    const wide = matchMedia('(min-width: 1180px)');
    const touch = matchMedia(TOUCH);
    const sync = () => {
      this.phone = phone.matches;
      this.wide = wide.matches;
      this.touch = touch.matches;
    };
    const abort = new AbortController();
    const { signal } = abort;
    for (const query of [phone, wide, touch]) query.addEventListener('change', sync, { signal });
    // A keyboard on the glass covers the page instead of shrinking it in some browsers: sheets fit what is seen.
    const seen = window.visualViewport;
    const fit = () => {
      const { style } = document.documentElement;
      style.setProperty('--seen-h', `${seen!.height}px`);
      style.setProperty('--seen-top', `${seen!.offsetTop}px`);
    };
    if (seen && this.touch) for (const kind of ['resize', 'scroll']) seen.addEventListener(kind, fit, { signal });
    return () => abort.abort();
  }
}
export const viewport = new Viewport();
