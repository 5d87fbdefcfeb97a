const PREFIX = 'deskbell.';

/** A small choice kept in this browser; null when unset or when storage is refused. */
export function read(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function write(name: string, value: string | null) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Private windows may refuse: the choice then lasts until the tab closes.
  }
}
