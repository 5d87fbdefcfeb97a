/** What the frame around every page shows. */
class Shell {
  keysOpen = $state(false);
  paletteOpen = $state(false);
  /** True once this visit's notice was closed, by banner id. */
  hidden = $state<Record<string, boolean>>({});
}
export const shell = new Shell();
