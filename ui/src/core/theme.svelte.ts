import { read, write } from './storage';

export type Theme = 'light' | 'dark' | 'system';

/** Light, dark or as the system says; written on <html> for tokens.css. */
class ThemeChoice {
  choice = $state<Theme>((read('theme') as Theme | null) ?? 'system');

  start(): () => void {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const touch = matchMedia('(max-width: 759px), (pointer: coarse)');
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
  /** Room for the side panel beside list and conversation. */
  wide = $state(matchMedia('(min-width: 1180px)').matches);

  start(): () => void {
    const phone = matchMedia('(max-width: 759px)');
    const wide = matchMedia('(min-width: 1180px)');
    const sync = () => {
      this.phone = phone.matches;
      this.wide = wide.matches;
    };
    phone.addEventListener('change', sync);
    wide.addEventListener('change', sync);
    return () => {
      phone.removeEventListener('change', sync);
      wide.removeEventListener('change', sync);
    };
  }
}
export const viewport = new Viewport();
